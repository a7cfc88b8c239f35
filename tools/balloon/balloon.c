// SPDX-License-Identifier: GPL-2.0
/*
 * Finding balloons, and saying why there is none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "balloon.h"
#include "message.h"

#define VIRTIO_ID_BALLOON	"0x0005"

static void add(struct balloons *balloons, enum kind kind,
		const char *directory, const char *name)
{
	struct balloon *grown = realloc(balloons->balloon, (balloons->nr + 1) *
					sizeof(*balloons->balloon));

	if (!grown) {
		failed(EXIT_FAILED, "no memory left");
		return;
	}
	balloons->balloon = grown;
	grown += balloons->nr++;
	grown->kind = kind;
	snprintf(grown->name, sizeof(grown->name), "%s", name);
	path_make(grown->path, "%s/%s", directory, name);
}

static void find_core(struct balloons *balloons)
{
	struct names names;

	tree_names(CLASS, "balloon", &names);
	for (unsigned int i = 0; i < names.nr; i++)
		add(balloons, KIND_CORE, CLASS, names.name[i]);
	free(names.name);
}

enum found {
	NO_BALLOON,
	NO_DRIVER,
	OF_CORE,
	OF_STOCK,
};

static enum found look_at_virtio(const char *name)
{
	char path[PATH_MAX], line[LINE_SIZE];

	path_make(path, VIRTIO "/%s/device", name);
	if (tree_line(path, line) || strcmp(line, VIRTIO_ID_BALLOON))
		return NO_BALLOON;
	path_make(path, VIRTIO "/%s/driver", name);
	if (tree_link(path, line))
		return NO_DRIVER;
	path_make(path, VIRTIO "/%s/balloon", name);
	return tree_exists(path) ? OF_CORE : OF_STOCK;
}

/* Return: the name of a device that no driver has, to be freed, or NULL. */
static char *find_virtio(struct balloons *balloons)
{
	char *undriven = NULL;
	struct names names;

	tree_names(VIRTIO, "virtio", &names);
	for (unsigned int i = 0; i < names.nr; i++) {
		enum found found = look_at_virtio(names.name[i]);

		if (found == OF_STOCK)
			add(balloons, KIND_STOCK, VIRTIO, names.name[i]);
		if (found == NO_DRIVER && !undriven)
			undriven = strdup(names.name[i]);
	}
	free(names.name);
	return undriven;
}

static void explain_undriven(const char *name)
{
	char line[LINE_SIZE];
	bool locked = !tree_line("/sys/kernel/security/lockdown", line) &&
		      !strstr(line, "[none]");

	failed(EXIT_NO_BALLOON, "%s is a balloon device, but no driver has it: load virtio_balloon, and see the kernel's log if that fails",
	       name);
	if (locked)
		say("the kernel is locked down (%s): it refuses modules that are not signed",
		    line);
}

static void explain_none(const char *undriven)
{
	char version[LINE_SIZE] = "";
	uint64_t nr_pages;

	if (undriven) {
		explain_undriven(undriven);
		return;
	}
	tree_line(CORE_MODULE "/version", version);
	if (tree_exists(CORE_MODULE))
		failed(EXIT_NO_BALLOON, "balloon_compaction%s%s is loaded, but no balloon has come: has the host given this guest a device?",
		       *version ? " " : "", version);
	else
		failed(EXIT_NO_BALLOON, "there is no balloon: the host has given this guest no virtio device of that kind");
	if (!balloon_counted_pages(&nr_pages) && nr_pages)
		say("the kernel counts %llu pages in balloons, of a driver that tells nothing more",
		    (unsigned long long)nr_pages);
}

/* Counters of the kernel are of all balloons together. */
static char *find(struct balloons *balloons)
{
	char *undriven;

	memset(balloons, 0, sizeof(*balloons));
	find_core(balloons);
	undriven = find_virtio(balloons);
	for (unsigned int i = 0; i < balloons->nr; i++)
		balloons->balloon[i].alone = balloons->nr == 1;
	return undriven;
}

void balloons_find_all(struct balloons *balloons)
{
	free(find(balloons));
}

static void say_names(const struct balloons *balloons, const char *reason,
		      enum exit_code code)
{
	char list[LINE_SIZE] = "";
	size_t len = 0;

	for (unsigned int i = 0; i < balloons->nr && len < sizeof(list); i++)
		len += snprintf(list + len, sizeof(list) - len, " %s",
				balloons->balloon[i].name);
	failed(code, "%s, of:%s", reason, list);
}

static bool is_named(const struct balloon *balloon, char *const *names,
		     unsigned int nr_names)
{
	for (unsigned int i = 0; i < nr_names; i++)
		if (!strcmp(balloon->name, names[i]))
			return true;
	return false;
}

/* Keep those that are named. */
static bool keep_named(struct balloons *balloons, char *const *names,
		       unsigned int nr_names)
{
	unsigned int nr_kept = 0, i;
	char reason[LINE_SIZE];

	for (unsigned int n = 0; n < nr_names; n++) {
		for (i = 0; i < balloons->nr; i++)
			if (!strcmp(balloons->balloon[i].name, names[n]))
				break;
		if (i < balloons->nr)
			continue;
		snprintf(reason, sizeof(reason),
			 "there is no balloon '%.64s': name one", names[n]);
		say_names(balloons, reason, EXIT_NO_BALLOON);
		return false;
	}
	for (i = 0; i < balloons->nr; i++)
		if (is_named(&balloons->balloon[i], names, nr_names))
			balloons->balloon[nr_kept++] = balloons->balloon[i];
	balloons->nr = nr_kept;
	return true;
}

bool balloons_find(struct balloons *balloons, char *const *names,
		   unsigned int nr_names)
{
	char *undriven = find(balloons);

	if (!balloons->nr)
		explain_none(undriven);
	else if (undriven)
		say("%s is a balloon device, too, but no driver has it",
		    undriven);
	free(undriven);
	return balloons->nr && (!nr_names ||
				keep_named(balloons, names, nr_names));
}

bool balloons_find_named(struct balloons *balloons, char *const *names,
			 unsigned int nr_names)
{
	if (!balloons_find(balloons, names, nr_names))
		return false;
	if (nr_names || balloons->nr == 1)
		return true;
	say_names(balloons, "there is more than one balloon: name one",
		  EXIT_USAGE);
	return false;
}

bool balloon_is_gone(const struct balloon *balloon)
{
	return !tree_exists(balloon->path);
}

int balloon_counted_pages(uint64_t *nr_pages)
{
	uint64_t inflated, deflated;
	int err;

	if (!tree_key("/proc/vmstat", "nr_balloon_pages", nr_pages))
		return 0;
	err = tree_key("/proc/vmstat", "balloon_inflate", &inflated) ?:
	      tree_key("/proc/vmstat", "balloon_deflate", &deflated);
	if (!err)
		*nr_pages = inflated - deflated;
	return err;
}

void balloons_explain_stock(const struct balloons *balloons)
{
	for (unsigned int i = 0; i < balloons->nr; i++) {
		const struct balloon *balloon = &balloons->balloon[i];

		if (balloon->kind != KIND_STOCK)
			continue;
		say("%s has the kernel's own driver, which does not tell target, state, floor, nor why a target is not reached%s",
		    balloon->name, balloon->alone ? "" :
		    "; its size is counted together with that of others");
	}
}
