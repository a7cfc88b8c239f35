// SPDX-License-Identifier: GPL-2.0
/*
 * The fields, where each is read, and how it is shown.
 *
 * A file that does not exist is no error: kernels of other versions have other
 * files.  Those of the guest have virsh's names of them (virsh dommemstat).
 */
#include <errno.h>
#include <inttypes.h>
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
	strcpy(value->text, balloon->kind == KIND_CORE ? "core" : "stock");
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
		strcpy(value->text, "none");
	return 0;
}

/* The kernel's own counters, where they can only be of this balloon. */
static int get_vmstat(const struct balloon *balloon, const char *file,
		      const char *key, struct value *value)
{
	char path[PATH_MAX], line[LINE_SIZE];
	int err;

	if (balloon->kind == KIND_STOCK)
		return balloon->alone ? tree_key("/proc/vmstat", key,
						 &value->number) : -ENOENT;
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

static int get_free_blocks(const struct balloon *balloon __attribute__((unused)),
			   struct value *value)
{
	return free_blocks(&value->number);
}

/* Fields of the guest: the key in /proc/meminfo (KiB) or /proc/vmstat. */
#define GUEST(_name, _file, _key)						\
static int get_##_name(const struct balloon *balloon __attribute__((unused)),	\
		       struct value *value)					\
{										\
	return tree_key(_file, _key, &value->number);				\
}
GUEST(unused, "/proc/meminfo", "MemFree")
GUEST(available, "/proc/meminfo", "MemTotal")
GUEST(usable, "/proc/meminfo", "MemAvailable")
GUEST(disk_caches, "/proc/vmstat", "nr_file_pages")
GUEST(swap_in, "/proc/vmstat", "pswpin")
GUEST(swap_out, "/proc/vmstat", "pswpout")
GUEST(major_fault, "/proc/vmstat", "pgmajfault")
GUEST(minor_fault, "/proc/vmstat", "pgfault")
GUEST(hugetlb_pgalloc, "/proc/vmstat", "htlb_buddy_alloc_success")
GUEST(hugetlb_pgfail, "/proc/vmstat", "htlb_buddy_alloc_fail")

#define STAT(_name, _unit, _help)						\
	{ .name = #_name, .unit = _unit, .file = "stats/" #_name,		\
	  .counter = true, .help = _help }

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
	STAT(enqueued, UNIT_COUNT, "pages that entered the balloon"),
	STAT(dequeued, UNIT_COUNT, "pages that left it"),
	{ "inflated", UNIT_COUNT, .get = get_inflated, .counter = true,
	  .help = "pages taken" },
	{ "deflated", UNIT_COUNT, .get = get_deflated, .counter = true,
	  .help = "pages given back" },
	STAT(compact_balloon_isolated, UNIT_COUNT,
	     "pages isolated for migration"),
	{ "compact_balloon_migrated", UNIT_COUNT, .get = get_migrated,
	  .counter = true, .help = "of these, pages migrated" },
	STAT(compact_balloon_failed, UNIT_COUNT, "of these, pages put back"),
	STAT(compact_balloon_freed, UNIT_COUNT,
	     "old pages of migrations that were freed"),
	STAT(migrate_failed, UNIT_COUNT,
	     "attempts to migrate that the balloon refused"),
	STAT(batches, UNIT_COUNT, "batches submitted to the host"),
	STAT(refused, UNIT_COUNT, "pages that the host refused"),
	STAT(alloc_failed, UNIT_COUNT,
	     "times that inflation found no page or the floor"),
	STAT(exchanged, UNIT_COUNT, "pages exchanged by compact"),
	STAT(oom_deflated, UNIT_COUNT,
	     "pages given back because memory ran out"),
	{ "swap_in", UNIT_PAGES, .get = get_swap_in, .counter = true,
	  .guest = true, .help = "what the guest has read from swap" },
	{ "swap_out", UNIT_PAGES, .get = get_swap_out, .counter = true,
	  .guest = true, .help = "what it has written to swap" },
	{ "major_fault", UNIT_COUNT, .get = get_major_fault, .counter = true,
	  .guest = true, .help = "page faults that had to read" },
	{ "minor_fault", UNIT_COUNT, .get = get_minor_fault, .counter = true,
	  .guest = true, .help = "page faults in all, as virsh has it" },
	{ "unused", UNIT_BYTES, .get = get_unused, .guest = true,
	  .help = "memory that nobody uses" },
	{ "available", UNIT_BYTES, .get = get_available, .guest = true,
	  .help = "memory that the guest has" },
	{ "usable", UNIT_BYTES, .get = get_usable, .guest = true,
	  .help = "memory that it can have without swap" },
	{ "disk_caches", UNIT_PAGES, .get = get_disk_caches, .guest = true,
	  .help = "memory that holds files" },
	{ "hugetlb_pgalloc", UNIT_COUNT, .get = get_hugetlb_pgalloc,
	  .counter = true, .guest = true,
	  .help = "huge pages that the guest has made" },
	{ "hugetlb_pgfail", UNIT_COUNT, .get = get_hugetlb_pgfail,
	  .counter = true, .guest = true,
	  .help = "huge pages that it could not make" },
	{ "free_blocks", UNIT_BLOCKS, .get = get_free_blocks, .guest = true,
	  .help = "blocks of 2 MiB that are free as a whole" },
};

const unsigned int nr_fields = sizeof(fields) / sizeof(*fields);

static int read_file(const struct field *field, const char *path,
		     struct value *value)
{
	char line[LINE_SIZE];
	int err;

	if (field->unit == UNIT_TEXT)
		return tree_line(path, value->text);
	err = tree_line(path, line);
	return err ?: parse_number(line, &value->number);
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
	path_make(path, "%s%s%s", balloon->path,
		 field->file ? "/" : "", field->file ?: "");
	if (field->get)
		err = field->get(balloon, value);
	else if (balloon->kind == KIND_CORE)
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

void show_size(uint64_t bytes, char shown[VALUE_SHOWN_MAX])
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t tenths;

	while (bytes >> (10 * unit) >= 1024)
		unit++;
	if (!unit) {
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 "B", bytes);
		return;
	}
	tenths = (bytes >> (10 * (unit - 1))) * 10 / 1024;
	if (tenths % 10)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 ".%" PRIu64 "%c",
			 tenths / 10, tenths % 10, units[unit]);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 "%c", tenths / 10,
			 units[unit]);
}

static void show_since(uint64_t since, char shown[VALUE_SHOWN_MAX])
{
	uint64_t now = tree_uptime(), ago = now - since;

	if (now < since || !now)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s after boot",
			 since);
	else if (ago < 100)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s ago", ago);
	else if (ago < 100 * 60)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " min ago",
			 ago / 60);
	else if (ago < 100 * 3600)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " h ago",
			 ago / 3600);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " days ago",
			 ago / 86400);
}

static void show_microseconds(uint64_t us, char shown[VALUE_SHOWN_MAX])
{
	if (us < 10000)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " us", us);
	else if (us < 10000000)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " ms", us / 1000);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s", us / 1000000);
}

static void show_number(enum unit unit, uint64_t number,
			char shown[VALUE_SHOWN_MAX])
{
	switch (unit) {
	case UNIT_PAGES:
	case UNIT_BYTES:
		show_size(number, shown);
		break;
	case UNIT_SINCE:
		show_since(number, shown);
		break;
	case UNIT_MICROSECONDS:
		show_microseconds(number, shown);
		break;
	default:
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64, number);
	}
}

void field_show(const struct field *field, const struct value *value,
		bool exact, char shown[VALUE_SHOWN_MAX])
{
	switch (value->what) {
	case VALUE_ABSENT:
		strcpy(shown, "-");
		break;
	case VALUE_INVALID:
		strcpy(shown, "?");
		break;
	case VALUE_TEXT:
		snprintf(shown, VALUE_SHOWN_MAX, "%s", value->text);
		break;
	case VALUE_NUMBER:
		show_number(exact ? UNIT_COUNT : field->unit, value->number,
			    shown);
		break;
	}
}

static const struct field *find_field(const char *name)
{
	for (unsigned int i = 0; i < nr_fields; i++)
		if (!strcasecmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static bool add_columns(struct columns *columns, const char *list)
{
	char names[1024], *rest = names, *name;

	if (snprintf(names, sizeof(names), "%s", list) >= (int)sizeof(names)) {
		failed(EXIT_USAGE, "the list of columns is too long");
		return false;
	}
	while ((name = strsep(&rest, ","))) {
		const struct field *field = find_field(name);

		if (!field || columns->nr == sizeof(columns->field) /
					     sizeof(*columns->field)) {
			failed(EXIT_USAGE, field ? "too many columns at '%s'" :
			       "there is no column '%s': see --help", name);
			return false;
		}
		columns->field[columns->nr++] = field;
	}
	return true;
}

bool columns_parse(struct columns *columns, const char *list,
		   const char *standard)
{
	columns->nr = 0;
	if (!list)
		return add_columns(columns, standard);
	if (*list != '+')
		return add_columns(columns, list);
	return add_columns(columns, standard) && add_columns(columns, list + 1);
}

void columns_all(struct columns *columns)
{
	for (columns->nr = 0; columns->nr < nr_fields; columns->nr++)
		columns->field[columns->nr] = &fields[columns->nr];
}
