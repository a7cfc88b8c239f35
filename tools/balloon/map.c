// SPDX-License-Identifier: GPL-2.0
/*
 * map: which blocks are free, the balloon's, used or shared, zone by zone.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "balloon.h"
#include "blocks.h"
#include "command.h"
#include "format.h"
#include "map.h"
#include "message.h"
#include "output.h"
#include "table.h"
#include "terminal.h"
#include "tree.h"

/* A zone has so many lines at most. */
#define LINES_MAX	32
#define ADDRESS_WIDTH	13

static const char characters[NR_BLOCK_KINDS] = {
	[BLOCK_HOLE] = ' ',
	[BLOCK_FREE] = '.',
	[BLOCK_BALLOON] = 'B',
	[BLOCK_SHARED_WITH_FREE] = 'b',
	[BLOCK_SHARED_WITH_OTHERS] = '+',
	[BLOCK_USED] = '#',
};

static const char * const colors[NR_BLOCK_KINDS] = {
	[BLOCK_HOLE] = "",
	[BLOCK_FREE] = "\033[32m",
	[BLOCK_BALLOON] = "\033[34m",
	[BLOCK_SHARED_WITH_FREE] = "\033[36m",
	[BLOCK_SHARED_WITH_OTHERS] = "\033[31m",
	[BLOCK_USED] = "\033[90m",
};

enum block_kind map_kind(const struct zone *zone, unsigned int first,
			 unsigned int nr)
{
	unsigned int nr_of[NR_BLOCK_KINDS] = { 0 };
	enum block_kind most = BLOCK_HOLE;

	for (unsigned int i = first; i < first + nr && i < zone->nr_blocks; i++)
		nr_of[block_kind(&zone->block[i])]++;
	for (unsigned int kind = 0; kind < NR_BLOCK_KINDS; kind++)
		if (nr_of[kind] > nr_of[most])
			most = kind;
	return most;
}

unsigned int map_scale(const struct zone *zone, unsigned int most)
{
	unsigned int scale = 1;

	while ((zone->nr_blocks - 1) / scale + 1 > most && scale < 1U << 30)
		scale *= 2;
	return scale;
}

uint64_t map_address(const struct zone *zone, unsigned int block)
{
	return (zone->start / pages_per_block() + block) * BLOCK_SIZE;
}

static void print_line(const struct zone *zone, unsigned int first,
		       unsigned int nr, unsigned int scale)
{
	enum block_kind before = NR_BLOCK_KINDS;
	bool color = terminal_has_color();

	printf("%12" PRIx64 " ", map_address(zone, first));
	for (unsigned int i = 0; i < nr; i++) {
		unsigned int block = first + i * scale;
		enum block_kind kind;

		if (block >= zone->nr_blocks)
			break;
		kind = map_kind(zone, block, scale);
		if (color && kind != before)
			printf("\033[0m%s", colors[kind]);
		putchar(characters[kind]);
		before = kind;
	}
	printf("%s\n", terminal_color_end());
}

/* A power of two, so that lines begin at round addresses. */
static unsigned int line_length(void)
{
	unsigned int width = terminal_width() ?: 80, length = 8;

	while (2 * length + ADDRESS_WIDTH <= width && length < 128)
		length *= 2;
	return length;
}

static void print_zone(const struct zone *zone)
{
	unsigned int length = line_length(), scale, i;
	char size[VALUE_SHOWN_MAX];

	if (!zone->nr_blocks)
		return;
	scale = map_scale(zone, length * LINES_MAX);
	show_size(scale * BLOCK_SIZE, size);
	printf("\nNode %u, zone %s, %s each:\n", zone->node, zone->name, size);
	for (i = 0; i < zone->nr_blocks; i += length * scale)
		print_line(zone, i, length, scale);
}

static void print_legend(void)
{
	putchar('\n');
	for (unsigned int kind = 0; kind < NR_BLOCK_KINDS; kind++)
		if (kind != BLOCK_HOLE)
			printf("%s%c%s %s\n",
			       terminal_has_color() ? colors[kind] : "",
			       characters[kind], terminal_color_end(),
			       block_kind_names[kind]);
}

static void set_number(struct libscols_line *line, unsigned int column,
		       uint64_t number)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	table_set(line, column, text);
}

static void set_size(struct libscols_line *line, unsigned int column,
		     uint64_t nr_pages, bool exact)
{
	uint64_t bytes = nr_pages * tree_page_size();
	char text[VALUE_SHOWN_MAX];

	if (exact) {
		set_number(line, column, bytes);
		return;
	}
	show_size(bytes, text);
	table_set(line, column, text);
}

static void add_zone_line(struct libscols_table *table, const struct zone *zone,
			  bool exact)
{
	struct libscols_line *line = scols_table_new_line(table, NULL);
	unsigned int column = 0;

	if (!line)
		return;
	set_number(line, column++, zone->node);
	table_set(line, column++, zone->name);
	set_size(line, column++, zone->present, exact);
	set_size(line, column++, zone->nr_balloon_pages, exact);
	for (unsigned int kind = BLOCK_FREE; kind < NR_BLOCK_KINDS; kind++)
		set_number(line, column++, zone->nr_of[kind]);
}

static struct libscols_table *make_table(const struct zones *zones,
					 const struct options *options)
{
	struct libscols_table *table = table_new("zones", options->json,
						 options->no_headings);

	table_column(table, "node", true, options->json);
	table_column(table, "zone", false, options->json);
	table_column(table, "memory", true, options->json);
	table_column(table, "ballooned", true, options->json);
	for (unsigned int kind = BLOCK_FREE; kind < NR_BLOCK_KINDS; kind++)
		table_column(table, block_kind_names[kind], true,
			     options->json);
	for (unsigned int i = 0; i < zones->nr; i++)
		add_zone_line(table, &zones->zone[i],
			      options->json || options->bytes);
	return table;
}

static void print_text(const struct zones *zones, const struct options *options)
{
	struct libscols_table *table = make_table(zones, options);

	if (options->json || table_fits(table))
		table_print(table);
	else
		table_print_below(table);
	scols_unref_table(table);
	if (options->json || options->no_headings)
		return;
	for (unsigned int i = 0; i < zones->nr; i++)
		print_zone(&zones->zone[i]);
	print_legend();
}

/* What the kernel counts by itself, and shows to everybody. */
static bool print_by_zone(const struct balloon *balloon)
{
	char path[PATH_MAX], *text, *rest, *line;

	path_make(path, "%s/blocks/by_zone", balloon->path);
	if (tree_read(path, &text))
		return false;
	printf("%s: node zone pages whole shared_with_free shared_with_others\n",
	       balloon->name);
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			printf("%s\n", line);
	free(text);
	return true;
}

static bool print_without_root(const struct options *options)
{
	struct balloons balloons;
	bool any = false;

	if (options->json || options->output)
		return false;
	balloons_find_all(&balloons);
	for (unsigned int i = 0; i < balloons.nr; i++)
		any |= print_by_zone(&balloons.balloon[i]);
	free(balloons.balloon);
	if (any)
		say("this is what everybody may see: the map itself needs root");
	return any;
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && !strcasecmp(text + len - end_len, end);
}

static void write_page(const struct zones *zones, const char *path)
{
	struct output output;

	if (!output_begin(&output))
		return;
	map_write_page(zones, output.stream, !ends_with(path, ".svg"));
	output_end(&output, path);
}

static void run_map(const struct options *options)
{
	struct zones zones;
	int err;

	if (options->output && !ends_with(options->output, ".svg") &&
	    !ends_with(options->output, ".html")) {
		failed(EXIT_USAGE, "--output: the name must end in .svg or .html, not as in '%s'",
		       options->output);
		return;
	}
	err = zones_readable();
	if ((err == -EACCES || err == -EPERM) && print_without_root(options))
		return;
	if (zones_read(&zones)) {
		if (options->output)
			write_page(&zones, options->output);
		else
			print_text(&zones, options);
	}
	zones_free(&zones);
}

const struct command map_command = {
	.name = "map",
	.options = "FJbn",
	.arguments = "",
	.summary = "Show what each block of 2 MiB of the guest's memory holds.",
	.details = "The columns of the table count blocks: free, the balloon's alone, shared by the\n"
		   "balloon with free memory only, or with memory in use, and used without balloon.\n"
		   "FILE ends in .svg or .html.  Only root may see the map.\n",
	.run = run_map,
};
