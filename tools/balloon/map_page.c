// SPDX-License-Identifier: GPL-2.0
/*
 * The map as a drawing: SVG, by itself or in a page of HTML, without scripts.
 */
#include <inttypes.h>
#include <string.h>

#include "format.h"
#include "map.h"
#include "tree.h"

#define CELL		7
#define PER_ROW		128
#define ROWS_MAX	64
#define LEFT		100		/* room for addresses */
#define TITLE		28
#define WIDTH		(LEFT + PER_ROW * CELL + 10)

static const char * const fills[NR_BLOCK_KINDS] = {
	[BLOCK_HOLE] = "none",
	[BLOCK_FREE] = "#a6d96a",
	[BLOCK_BALLOON] = "#2b6cb0",
	[BLOCK_SHARED_WITH_FREE] = "#67b7dc",
	[BLOCK_SHARED_WITH_OTHERS] = "#d7301f",
	[BLOCK_USED] = "#9a9a9a",
};

/* In words; block_kind_names are names of columns. */
static const char * const words[NR_BLOCK_KINDS] = {
	[BLOCK_HOLE] = "no memory",
	[BLOCK_FREE] = "free",
	[BLOCK_BALLOON] = "balloon",
	[BLOCK_SHARED_WITH_FREE] = "balloon and free",
	[BLOCK_SHARED_WITH_OTHERS] = "balloon and others",
	[BLOCK_USED] = "used",
};

/* Names of zones come from a file. */
static void write_escaped(FILE *file, const char *text)
{
	for (; *text; text++) {
		if (*text == '<')
			fputs("&lt;", file);
		else if (*text == '>')
			fputs("&gt;", file);
		else if (*text == '&')
			fputs("&amp;", file);
		else
			fputc(*text, file);
	}
}

static unsigned int nr_cells(const struct zone *zone, unsigned int scale)
{
	return zone->nr_blocks ? (zone->nr_blocks - 1) / scale + 1 : 0;
}

static unsigned int nr_rows(const struct zone *zone, unsigned int scale)
{
	return (nr_cells(zone, scale) + PER_ROW - 1) / PER_ROW;
}

static unsigned int zone_scale(const struct zone *zone)
{
	return zone->nr_blocks ? map_scale(zone, PER_ROW * ROWS_MAX) : 1;
}

/* Neighbours of one kind are one rectangle. */
static void write_run(FILE *file, const struct zone *zone, unsigned int scale,
		      unsigned int cell, unsigned int nr, unsigned int y)
{
	enum block_kind kind = map_kind(zone, cell * scale, scale);

	if (kind == BLOCK_HOLE)
		return;
	fprintf(file, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\"><title>%s, %u blocks from 0x%" PRIx64 "</title></rect>\n",
		LEFT + cell % PER_ROW * CELL, y, nr * CELL - 1, CELL - 1,
		fills[kind], words[kind], nr * scale,
		map_address(zone, cell * scale));
}

static void write_row(FILE *file, const struct zone *zone, unsigned int scale,
		      unsigned int first, unsigned int y)
{
	unsigned int end = first + PER_ROW, cell, next;

	if (end > nr_cells(zone, scale))
		end = nr_cells(zone, scale);
	fprintf(file, "<text x=\"%u\" y=\"%u\" class=\"a\">%" PRIx64 "</text>\n",
		LEFT - 6, y + CELL - 1, map_address(zone, first * scale));
	for (cell = first; cell < end; cell = next) {
		for (next = cell + 1; next < end; next++)
			if (map_kind(zone, next * scale, scale) !=
			    map_kind(zone, cell * scale, scale))
				break;
		write_run(file, zone, scale, cell, next - cell, y);
	}
}

static unsigned int write_zone(FILE *file, const struct zone *zone,
			       unsigned int y)
{
	unsigned int scale = zone_scale(zone), rows = nr_rows(zone, scale);
	char each[VALUE_SHOWN_MAX];

	show_size(scale * BLOCK_SIZE, each);
	fprintf(file, "<text x=\"%u\" y=\"%u\" class=\"t\">node %u, zone ",
		LEFT, y + 18, zone->node);
	write_escaped(file, zone->name);
	fprintf(file, ", a cell is %s</text>\n", each);
	y += TITLE;
	for (unsigned int row = 0; row < rows; row++, y += CELL)
		write_row(file, zone, scale, row * PER_ROW, y);
	return y;
}

static void write_legend(FILE *file)
{
	unsigned int x = LEFT;

	for (unsigned int kind = 0; kind < NR_BLOCK_KINDS; kind++) {
		if (kind == BLOCK_HOLE)
			continue;
		fprintf(file, "<rect x=\"%u\" y=\"8\" width=\"12\" height=\"12\" fill=\"%s\"/>\n<text x=\"%u\" y=\"18\" class=\"t\">%s</text>\n",
			x, fills[kind], x + 17, words[kind]);
		x += 45 + 8 * strlen(words[kind]);
	}
}

static void write_svg(FILE *file, const struct zones *zones)
{
	unsigned int height = TITLE + 10, y = TITLE;

	for (unsigned int i = 0; i < zones->nr; i++)
		height += TITLE + CELL * nr_rows(&zones->zone[i],
						 zone_scale(&zones->zone[i]));
	fprintf(file, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %u %u\" width=\"%u\" role=\"img\" aria-label=\"Memory by blocks of 2 MiB\">\n"
		"<style>text{font-family:sans-serif;fill:#222}.t{font-size:13px}.a{font-size:8px;text-anchor:end}"
		"@media(prefers-color-scheme:dark){text{fill:#ddd}}</style>\n",
		WIDTH, height, WIDTH);
	write_legend(file);
	for (unsigned int i = 0; i < zones->nr; i++)
		y = write_zone(file, &zones->zone[i], y);
	fprintf(file, "</svg>\n");
}

static void write_figures(FILE *file, const struct zone *zone)
{
	char memory[VALUE_SHOWN_MAX], ballooned[VALUE_SHOWN_MAX];

	show_size(zone->present * tree_page_size(), memory);
	show_size(zone->nr_balloon_pages * tree_page_size(), ballooned);
	fprintf(file, "<tr><td>%u</td><td>", zone->node);
	write_escaped(file, zone->name);
	fprintf(file, "</td><td>%s</td><td>%s</td>", memory, ballooned);
	for (unsigned int kind = BLOCK_FREE; kind < NR_BLOCK_KINDS; kind++)
		fprintf(file, "<td>%" PRIu64 "</td>", zone->nr_of[kind]);
	fprintf(file, "</tr>\n");
}

static void write_table(FILE *file, const struct zones *zones)
{
	fprintf(file, "<table>\n<tr><th>node</th><th>zone</th><th>memory</th><th>in balloons</th>");
	for (unsigned int kind = BLOCK_FREE; kind < NR_BLOCK_KINDS; kind++)
		fprintf(file, "<th>%s</th>", words[kind]);
	fprintf(file, "</tr>\n");
	for (unsigned int i = 0; i < zones->nr; i++)
		write_figures(file, &zones->zone[i]);
	fprintf(file, "</table>\n");
}

void map_write_page(const struct zones *zones, FILE *file, bool html)
{
	if (!html) {
		write_svg(file, zones);
		return;
	}
	fprintf(file, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		"<meta name=\"viewport\" content=\"width=device-width\">\n"
		"<title>Memory and balloons</title>\n"
		"<style>:root{color-scheme:light dark}body{font-family:sans-serif;margin:2em;max-width:70em}"
		"svg{max-width:100%%;height:auto}td,th{padding:.2em .8em;text-align:right}</style>\n"
		"</head><body>\n<h1>Memory and balloons</h1>\n"
		"<p>Blocks of 2 MiB. A free one can become a huge page.</p>\n");
	write_table(file, zones);
	write_svg(file, zones);
	fprintf(file, "</body></html>\n");
}
