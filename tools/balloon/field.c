// SPDX-License-Identifier: GPL-2.0
/*
 * The fields, and where each is read.
 *
 * A file that does not exist is no error: kernels of other versions have other
 * files.  Those of the guest have virsh's names of them (virsh dommemstat).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "blocks.h"
#include "field.h"
#include "message.h"

/* Bits of a virtio balloon's features, in the order of the specification. */
static const char * const features[] = {
	"must-tell-host", "stats", "deflate-on-oom", "free-page-hint",
	"page-poison", "reporting",
};

static int get_name(const struct balloon *balloon, struct value *value)
{
	snprintf(value->text, sizeof(value->text), "%s", balloon->name);
	return 0;
}

static int get_kind(const struct balloon *balloon, struct value *value)
{
	snprintf(value->text, sizeof(value->text), "%s",
		 balloon->kind == KIND_CORE ? "core" : "stock");
	return 0;
}

static int get_driver(const struct balloon *balloon, struct value *value)
{
	char path[PATH_MAX];

	path_make(path, "%s/driver", balloon->path);
	return balloon->kind == KIND_CORE ? tree_line(path, value->text) :
					    tree_link(path, value->text);
}

/* The module's own, where the device does not tell. */
static int get_version(const struct balloon *balloon, struct value *value)
{
	char path[PATH_MAX];
	int err;

	if (balloon->kind != KIND_CORE)
		return -ENOENT;
	path_make(path, "%s/version", balloon->path);
	err = tree_line(path, value->text);
	return err == -ENOENT ? tree_line(CORE_MODULE "/version", value->text) :
				err;
}

static int get_size(const struct balloon *balloon, struct value *value)
{
	char path[PATH_MAX], line[LINE_SIZE];
	int err;

	if (balloon->kind == KIND_STOCK)
		return balloon->alone ? balloon_counted_pages(&value->number) :
					-ENOENT;
	path_make(path, "%s/actual_pages", balloon->path);
	err = tree_line(path, line);
	return err ?: parse_number(line, &value->number);
}

static int get_features(const struct balloon *balloon, struct value *value)
{
	char path[PATH_MAX], line[LINE_SIZE];
	size_t len = 0;
	int err;

	path_make(path, "%s%s/features", balloon->path,
		  balloon->kind == KIND_CORE ? "/device" : "");
	err = tree_line(path, line);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof(features) / sizeof(*features) && line[i];
	     i++)
		if (line[i] == '1')
			len += snprintf(value->text + len,
					sizeof(value->text) - len, "%s%s",
					len ? "," : "", features[i]);
	if (!len)
		snprintf(value->text, sizeof(value->text), "none");
	return 0;
}

/* The kernel's own counters, where they can only be of this balloon. */
static int get_vmstat(const struct balloon *balloon, const char *file,
		      const char *key, struct value *value)
{
	char path[PATH_MAX], line[LINE_SIZE];
	int err;

	if (balloon->kind == KIND_STOCK && !balloon->alone)
		return -ENOENT;
	if (balloon->kind == KIND_STOCK)
		return tree_key("/proc/vmstat", key, &value->number);
	path_make(path, "%s/stats/%s", balloon->path, file);
	err = tree_line(path, line);
	return err ?: parse_number(line, &value->number);
}

static int get_inflated(const struct balloon *balloon, struct value *value)
{
	return get_vmstat(balloon, "inflated", "balloon_inflate", value);
}

static int get_deflated(const struct balloon *balloon, struct value *value)
{
	return get_vmstat(balloon, "deflated", "balloon_deflate", value);
}

static int get_migrated(const struct balloon *balloon, struct value *value)
{
	return get_vmstat(balloon, "compact_balloon_migrated",
			  "balloon_migrate", value);
}

static int get_free_blocks(const struct balloon *balloon, struct value *value)
{
	return free_blocks(&value->number);
}

#define STAT(_name, _help)						\
	{ .name = #_name, .unit = UNIT_COUNT, .file = "stats/" #_name,	\
	  .counter = true, .help = _help }

#define MEMINFO(_name, _key, _help)					\
	{ .name = _name, .unit = UNIT_BYTES, .file = "/proc/meminfo",	\
	  .key = _key, .guest = true, .help = _help }

#define VMSTAT(_name, _unit, _key, _counter, _help)			\
	{ .name = _name, .unit = _unit, .file = "/proc/vmstat",		\
	  .key = _key, .counter = _counter, .guest = true, .help = _help }

const struct field fields[] = {
	{ "name", UNIT_TEXT, .get = get_name,
	  .help = "name of the balloon" },
	{ "kind", UNIT_TEXT, .get = get_kind,
	  .help = "core (on the balloon core) or stock (the kernel's own driver)" },
	{ "driver", UNIT_TEXT, .get = get_driver,
	  .help = "driver that talks to the hypervisor" },
	{ "version", UNIT_TEXT, .get = get_version,
	  .help = "version of the core" },
	{ "state", UNIT_TEXT, "state",
	  .help = "running, stalled (the host does not answer) or broken" },
	{ "target", UNIT_PAGES, "target_pages",
	  .help = "size that the host asks for" },
	{ "size", UNIT_PAGES, .get = get_size,
	  .help = "size that the balloon has" },
	{ "limited_by", UNIT_TEXT, "limited_by",
	  .help = "why the target is not reached" },
	{ "floor", UNIT_PAGES, "floor_pages",
	  .help = "inflation stops when the guest has less to spare" },
	{ "isolated", UNIT_PAGES, "isolated_pages",
	  .help = "what is being migrated" },
	{ "pending", UNIT_PAGES, "pending_pages",
	  .help = "what the host is being told of" },
	{ "proactiveness", UNIT_PERCENT, "compact_proactiveness",
	  .help = "how much it compacts itself unasked, 0 to 100" },
	{ "features", UNIT_TEXT, .get = get_features,
	  .help = "what device and driver have agreed on" },
	{ "registered", UNIT_SINCE, "registered",
	  .help = "since when the counters count" },
	{ "whole", UNIT_BLOCKS, "blocks/whole",
	  .help = "blocks of 2 MiB that the balloon has alone" },
	{ "shared_with_free", UNIT_BLOCKS, "blocks/shared_with_free",
	  .help = "blocks that it shares with free memory only" },
	{ "shared_with_others", UNIT_BLOCKS, "blocks/shared_with_others",
	  .help = "blocks that it shares with memory in use" },
	{ "last_cause", UNIT_TEXT, "last_compact/cause",
	  .help = "who wanted the last run of compact: none, asked, background" },
	{ "last_ended_by", UNIT_TEXT, "last_compact/ended_by",
	  .help = "why it ended" },
	{ "last_exchanged", UNIT_COUNT, "last_compact/exchanged",
	  .help = "pages that it exchanged" },
	{ "last_blocks_won", UNIT_BLOCKS, "last_compact/blocks_won",
	  .help = "blocks that became free as a whole" },
	{ "last_began", UNIT_SINCE, "last_compact/began",
	  .help = "when it began" },
	{ "last_ended", UNIT_SINCE, "last_compact/ended",
	  .help = "when it ended" },
	{ "batches_in_flight", UNIT_COUNT, "host/batches_in_flight",
	  .help = "batches that the host has not answered" },
	{ "answer_mean", UNIT_MICROSECONDS, "host/answer_mean_us",
	  .help = "how long the host takes to answer, on average" },
	{ "answer_worst", UNIT_MICROSECONDS, "host/answer_worst_us",
	  .help = "how long it took at worst" },
	STAT(enqueued, "pages that entered the balloon"),
	STAT(dequeued, "pages that left it"),
	{ "inflated", UNIT_COUNT, .get = get_inflated, .counter = true,
	  .help = "pages taken" },
	{ "deflated", UNIT_COUNT, .get = get_deflated, .counter = true,
	  .help = "pages given back" },
	STAT(compact_balloon_isolated, "pages isolated for migration"),
	{ "compact_balloon_migrated", UNIT_COUNT, .get = get_migrated,
	  .counter = true, .help = "of these, pages migrated" },
	STAT(compact_balloon_failed, "of these, pages put back"),
	STAT(compact_balloon_freed, "old pages of migrations that were freed"),
	STAT(migrate_failed, "attempts to migrate that the balloon refused"),
	STAT(batches, "batches submitted to the host"),
	STAT(refused, "pages that the host refused"),
	STAT(alloc_failed, "times that inflation found no page or the floor"),
	STAT(exchanged, "pages exchanged by compact"),
	STAT(oom_deflated, "pages given back because memory ran out"),
	VMSTAT("swap_in", UNIT_PAGES, "pswpin", true,
	       "what the guest has read from swap"),
	VMSTAT("swap_out", UNIT_PAGES, "pswpout", true,
	       "what it has written to swap"),
	VMSTAT("major_fault", UNIT_COUNT, "pgmajfault", true,
	       "page faults that had to read"),
	VMSTAT("minor_fault", UNIT_COUNT, "pgfault", true,
	       "page faults in all, as virsh has it"),
	MEMINFO("unused", "MemFree", "memory that nobody uses"),
	MEMINFO("available", "MemTotal", "memory that the guest has"),
	MEMINFO("usable", "MemAvailable",
		"memory that it can have without swap"),
	VMSTAT("disk_caches", UNIT_PAGES, "nr_file_pages", false,
	       "memory that holds files"),
	VMSTAT("hugetlb_pgalloc", UNIT_COUNT, "htlb_buddy_alloc_success", true,
	       "huge pages that the guest has made"),
	VMSTAT("hugetlb_pgfail", UNIT_COUNT, "htlb_buddy_alloc_fail", true,
	       "huge pages that it could not make"),
	{ "free_blocks", UNIT_BLOCKS, .get = get_free_blocks, .guest = true,
	  .help = "blocks of 2 MiB that are free as a whole" },
};

const unsigned int nr_fields = sizeof(fields) / sizeof(*fields);

static int read_file(const struct field *field, const char *path,
		     struct value *value)
{
	char line[LINE_SIZE];
	int err;

	if (field->key)
		return tree_key(path, field->key, &value->number);
	if (field->unit == UNIT_TEXT)
		return tree_line(path, value->text);
	err = tree_line(path, line);
	return err ?: parse_number(line, &value->number);
}

static void make_path(const struct field *field, const struct balloon *balloon,
		      char path[PATH_MAX])
{
	if (!field->file)
		path_make(path, "%s", balloon->path);
	else if (field->file[0] == '/')
		path_make(path, "%s", field->file);
	else
		path_make(path, "%s/%s", balloon->path, field->file);
}

static int to_bytes(enum unit unit, uint64_t *number)
{
	unsigned long factor = unit == UNIT_PAGES ? tree_page_size() :
			       unit == UNIT_BYTES ? 1024 : 1;

	return __builtin_mul_overflow(*number, factor, number) ? -ERANGE : 0;
}

static void explain(const struct field *field, const char *where, int err)
{
	if (err == -EINVAL)
		failed(EXIT_FAILED, "%s: %s is no number", where, field->name);
	else if (err == -ERANGE)
		failed(EXIT_FAILED, "%s: %s is too large a number", where,
		       field->name);
	else
		failed_errno(-err, where);
}

void field_read(const struct field *field, const struct balloon *balloon,
		struct value *value)
{
	char path[PATH_MAX];
	int err;

	memset(value, 0, sizeof(*value));
	make_path(field, balloon, path);
	if (field->get)
		err = field->get(balloon, value);
	else if (balloon->kind == KIND_CORE || field->guest)
		err = read_file(field, path, value);
	else
		err = -ENOENT;
	if (!err && field->unit != UNIT_TEXT)
		err = to_bytes(field->unit, &value->number);
	if (!err && field->unit == UNIT_TEXT && !*value->text)
		err = -ENOENT;
	/* sysfs says ENODEV of what has just left. */
	if (err == -ENOENT || err == -ENODEV || err == -ENOTDIR)
		return;
	if (err) {
		value->what = VALUE_INVALID;
		explain(field, path, err);
		return;
	}
	value->what = field->unit == UNIT_TEXT ? VALUE_TEXT : VALUE_NUMBER;
}
