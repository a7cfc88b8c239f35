// SPDX-License-Identifier: GPL-2.0
/*
 * diagnose: all that a bug report needs, in one file of text.
 *
 * "== PATH" begins a file, or with a slash at the end a folder; "-> PATH TARGET"
 * is a symbolic link; "!= PATH REASON" could not be read; lines with "#" are for
 * people.  The tests make trees of such files (harness/systree.py), so that a
 * report can be looked at with --sysroot.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "balloon.h"
#include "blocks.h"
#include "command.h"
#include "message.h"
#include "output.h"

static const char intro[] =
"#\n"
"# In it: the balloons' files in sysfs, parameters and versions of their modules, the\n"
"# kernel's release, its figures of memory, and from its command line words about\n"
"# balloons, huge pages and modules.\n"
"# Not in it: names of the machine, of users, of processes and of their files;\n"
"# addresses; logs.  Add what 'journalctl -k -g balloon' prints, after a look at it.\n"
"#\n";

static const char * const files[] = {
	"/proc/sys/kernel/osrelease",
	"/proc/sys/kernel/tainted",
	"/proc/uptime",
	"/proc/meminfo",
	"/proc/vmstat",
	"/proc/buddyinfo",
	"/proc/zoneinfo",
	"/proc/sys/vm/compaction_proactiveness",
	"/proc/sys/vm/min_free_kbytes",
	"/proc/sys/vm/nr_hugepages",
	"/proc/sys/vm/overcommit_memory",
	"/proc/sys/vm/swappiness",
	"/proc/sys/vm/watermark_scale_factor",
	"/sys/kernel/mm/transparent_hugepage/enabled",
	"/sys/kernel/mm/transparent_hugepage/defrag",
	"/sys/kernel/security/lockdown",
	"/sys/module/module/parameters/sig_enforce",
};

static const char * const modules[] = {
	"balloon_compaction", "virtio_balloon", "null_balloon",
};

static const char * const module_files[] = {
	"version", "srcversion", "taint", "refcnt",
};

static const char * const device_files[] = {
	"device", "vendor", "status", "features",
};

/* Beginnings of words of the command line. */
static const char * const words[] = {
	"balloon", "virtio_balloon.", "null_balloon.", "hugepage",
	"default_hugepagesz=", "transparent_hugepage=", "lockdown=", "mem=",
	"memmap=", "movable", "kernelcore=", "module.sig_enforce",
	"crashkernel=", "slub_debug", "page_", "init_on_", "debug_pagealloc",
};

#define NR(array)	(sizeof(array) / sizeof(*(array)))

static void write_text(FILE *out, const char *path, const char *text)
{
	size_t len = strlen(text);

	fprintf(out, "== %s\n%s%s", path, text,
		len && text[len - 1] == '\n' ? "" : "\n");
}

/* What this kernel does not have is left out. */
static void write_file(FILE *out, const char *path)
{
	char *text;
	int err = tree_read(path, &text);

	if (!err) {
		write_text(out, path, text);
		free(text);
	} else if (err != -ENOENT && err != -ENOTDIR) {
		fprintf(out, "!= %s %s\n", path, strerror(-err));
	}
}

static void write_below(FILE *out, const char *directory,
			const char * const *names, size_t nr)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < nr; i++) {
		path_make(path, "%s/%s", directory, names[i]);
		write_file(out, path);
	}
}

/* What can be read and is no folder; what can only be written tells nothing. */
static bool is_readable_file(const char *path, bool *is_directory)
{
	char real[PATH_MAX];
	struct stat status;

	*is_directory = false;
	if (tree_path(path, real) || lstat(real, &status))
		return false;
	*is_directory = S_ISDIR(status.st_mode);
	return S_ISREG(status.st_mode) && (status.st_mode & 0444);
}

/* Files that a kernel of the future has are in it, too. */
static void write_directory(FILE *out, const char *directory,
			    unsigned int depth)
{
	char path[PATH_MAX];
	struct names names;
	bool is_directory;

	if (strlen(directory) >= PATH_MAX - 1)
		return;
	tree_names(directory, "", &names);
	for (unsigned int i = 0; i < names.nr; i++) {
		if (!strcmp(names.name[i], "power") ||
		    !strcmp(names.name[i], "uevent") ||
		    !strcmp(names.name[i], "device"))
			continue;
		path_make(path, "%s/%s", directory, names.name[i]);
		if (is_readable_file(path, &is_directory))
			write_file(out, path);
		else if (is_directory && depth)
			write_directory(out, path, depth - 1);
	}
	free(names.name);
}

static void write_modules(FILE *out)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < NR(modules); i++) {
		path_make(path, "/sys/module/%s", modules[i]);
		write_below(out, path, module_files, NR(module_files));
		path_make(path, "/sys/module/%s/parameters", modules[i]);
		write_directory(out, path, 0);
	}
}

static void write_link(FILE *out, const char *path)
{
	char target[LINE_SIZE];

	if (!tree_link(path, target))
		fprintf(out, "-> %s %s\n", path, target);
}

static void write_devices(FILE *out)
{
	char path[PATH_MAX], line[LINE_SIZE];
	struct names names;

	tree_names(VIRTIO, "virtio", &names);
	for (unsigned int i = 0; i < names.nr; i++) {
		path_make(path, VIRTIO "/%s/device", names.name[i]);
		if (tree_line(path, line) || strcmp(line, "0x0005"))
			continue;
		path_make(path, VIRTIO "/%s", names.name[i]);
		write_below(out, path, device_files, NR(device_files));
		path_make(path, VIRTIO "/%s/driver", names.name[i]);
		write_link(out, path);
		path_make(path, VIRTIO "/%s/balloon", names.name[i]);
		if (tree_exists(path))
			fprintf(out, "== %s/\n", path);
	}
	free(names.name);
}

static void write_balloons(FILE *out)
{
	char path[PATH_MAX];
	struct names names;

	tree_names(CLASS, "balloon", &names);
	for (unsigned int i = 0; i < names.nr; i++) {
		path_make(path, CLASS "/%s", names.name[i]);
		write_directory(out, path, 2);
		path_make(path, CLASS "/%s/device", names.name[i]);
		write_below(out, path, device_files, NR(device_files));
	}
	free(names.name);
}

static bool is_wanted_word(const char *word)
{
	for (size_t i = 0; i < NR(words); i++)
		if (!strncmp(word, words[i], strlen(words[i])))
			return true;
	return false;
}

/* There may be passwords in a command line. */
static void write_command_line(FILE *out)
{
	char *text, *rest, *word;

	if (tree_read("/proc/cmdline", &text))
		return;
	fprintf(out, "== /proc/cmdline\n");
	rest = text;
	while ((word = strsep(&rest, "\n ")))
		if (is_wanted_word(word))
			fprintf(out, "%s\n", word);
	free(text);
}

static void write_tracepoints(FILE *out)
{
	struct names names;
	int err = tree_names("/sys/kernel/tracing/events/balloon", "", &names);

	if (err == -EACCES)
		fprintf(out, "# tracepoints: only root may see them\n");
	else if (err)
		fprintf(out, "# tracepoints: this kernel has none\n");
	else
		fprintf(out, "# tracepoints:");
	for (unsigned int i = 0; i < names.nr; i++)
		fprintf(out, " %s", names.name[i]);
	if (!err)
		fprintf(out, "\n");
	free(names.name);
}

static void write_map(FILE *out)
{
	struct zones zones;
	int err = zones_readable();

	if (err) {
		fprintf(out, "# map: %s\n", strerror(-err));
		return;
	}
	zones_read(&zones);
	for (unsigned int i = 0; i < zones.nr; i++) {
		const struct zone *zone = &zones.zone[i];

		fprintf(out, "# map: node %u zone %s", zone->node, zone->name);
		for (unsigned int kind = BLOCK_FREE; kind < NR_BLOCK_KINDS;
		     kind++)
			fprintf(out, " %s %" PRIu64, block_kind_names[kind],
				zone->nr_of[kind]);
		fprintf(out, "\n");
	}
	zones_free(&zones);
}

static void write_report(FILE *out)
{
	fprintf(out, "# balloonctl %s: report\n%s", VERSION, intro);
	write_map(out);
	write_tracepoints(out);
	fprintf(out, "== /proc/self/smaps\nKernelPageSize: %lu kB\n",
		tree_page_size() / 1024);
	for (size_t i = 0; i < NR(files); i++)
		write_file(out, files[i]);
	write_command_line(out);
	write_modules(out);
	write_balloons(out);
	write_devices(out);
}

/* A report about a guest without balloon is a report. */
static void run_diagnose(const struct options *options)
{
	struct output output;

	if (!output_begin(&output))
		return;
	write_report(output.stream);
	if (output_end(&output, options->output) && options->output)
		say("%s: read it before you send it", options->output);
}

const struct command diagnose_command = {
	.name = "diagnose",
	.options = "F",
	.arguments = "",
	.summary = "Write all that a bug report needs into one file.",
	.details = "It has no names of machines, users or processes, no addresses, no logs; its first\n"
		   "lines say what it has.  As root it has more.\n",
	.run = run_diagnose,
};
