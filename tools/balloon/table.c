// SPDX-License-Identifier: GPL-2.0
/*
 * What list, show and map want of libsmartcols.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libsmartcols/libsmartcols.h>

#include "message.h"
#include "table.h"
#include "terminal.h"

static void die(void)
{
	failed(EXIT_FAILED, "no memory left");
	exit(exit_code());
}

struct libscols_table *table_new(const char *name, bool json, bool no_headings)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		die();
	scols_table_set_name(table, name);
	scols_table_enable_json(table, json);
	scols_table_enable_noheadings(table, no_headings);
	scols_table_enable_colors(table, terminal_has_color());
	/* Nothing is cut off: what does not fit is printed otherwise. */
	scols_table_set_termforce(table, SCOLS_TERMFORCE_NEVER);
	return table;
}

void table_heading(char heading[LINE_SIZE], const char *name)
{
	size_t i;

	for (i = 0; i < LINE_SIZE - 1 && name[i]; i++)
		heading[i] = toupper((unsigned char)name[i]);
	heading[i] = 0;
}

void table_column(struct libscols_table *table, const char *name, bool number,
		  bool json)
{
	struct libscols_column *column;
	char heading[LINE_SIZE];

	table_heading(heading, name);
	column = scols_table_new_column(table, json ? name : heading, 0,
					number ? SCOLS_FL_RIGHT : 0);
	if (!column)
		die();
	if (number)
		scols_column_set_json_type(column, SCOLS_JSON_NUMBER);
}

void table_set(struct libscols_line *line, unsigned int column,
	       const char *text)
{
	if (scols_line_set_data(line, column, text))
		die();
}

static size_t widest(const char *text)
{
	size_t most = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");

		if (len > most)
			most = len;
		text += len + !!text[len];
	}
	return most;
}

bool table_fits(struct libscols_table *table)
{
	unsigned int width = terminal_width();
	bool colors = scols_table_colors_wanted(table), fits;
	char *text;

	if (!width)
		return true;
	scols_table_enable_colors(table, 0);
	if (scols_print_table_to_string(table, &text))
		die();
	scols_table_enable_colors(table, colors);
	fits = widest(text) <= width;
	free(text);
	return fits;
}

void table_print(struct libscols_table *table)
{
	if (scols_print_table(table))
		failed(EXIT_FAILED, "the table could not be printed");
}

static const char *heading_of(struct libscols_table *table, size_t i)
{
	return scols_column_get_name(scols_table_get_column(table, i));
}

static void print_line_below(struct libscols_table *table,
			     struct libscols_line *line)
{
	for (size_t i = 0; i < scols_table_get_ncols(table); i++) {
		struct libscols_cell *cell = scols_line_get_cell(line, i);
		const char *color = scols_cell_get_color(cell);
		bool colored = color && terminal_has_color();

		if (!scols_table_is_noheadings(table))
			printf("%-18s ", heading_of(table, i));
		printf("%s%s%s\n", colored ? color : "",
		       scols_cell_get_data(cell),
		       colored ? terminal_color_end() : "");
	}
}

void table_print_below(struct libscols_table *table)
{
	for (size_t i = 0; i < scols_table_get_nlines(table); i++) {
		if (i)
			putchar('\n');
		print_line_below(table, scols_table_get_line(table, i));
	}
}
