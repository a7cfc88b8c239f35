// SPDX-License-Identifier: GPL-2.0
/*
 * list and show: a table with a line for each balloon, and all about each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <libsmartcols/libsmartcols.h>

#include "columns.h"
#include "command.h"
#include "field.h"
#include "format.h"
#include "message.h"
#include "table.h"
#include "terminal.h"

#define STANDARD	"name,driver,state,target,size,limited_by"

/* Some balloons, their values by column, read once. */
struct reading {
	struct balloons balloons;
	struct columns columns;
	struct value *values;
};

static struct value *row(const struct reading *reading, unsigned int i)
{
	return reading->values + (size_t)i * reading->columns.nr;
}

/* Those that have left meanwhile are left out. */
static void read_rows(struct reading *reading)
{
	struct balloons *balloons = &reading->balloons;
	unsigned int nr_kept = 0;

	for (unsigned int i = 0; i < balloons->nr; i++) {
		struct balloon balloon = balloons->balloon[i];

		for (unsigned int c = 0; c < reading->columns.nr; c++)
			field_read(reading->columns.field[c], &balloon,
				   &row(reading, nr_kept)[c]);
		if (balloon_is_gone(&balloon))
			say("%s has gone while it was read", balloon.name);
		else
			balloons->balloon[nr_kept++] = balloon;
	}
	if (balloons->nr && !nr_kept)
		failed(EXIT_NO_BALLOON, "there is no balloon any more");
	balloons->nr = nr_kept;
}

static bool reading_begin(struct reading *reading,
			  const struct options *options)
{
	if (!balloons_find(&reading->balloons, options->names,
			   options->nr_names))
		return false;
	reading->values = calloc((size_t)reading->balloons.nr *
				 reading->columns.nr, sizeof(struct value));
	if (!reading->values) {
		failed(EXIT_FAILED, "no memory left");
		return false;
	}
	read_rows(reading);
	return reading->balloons.nr;
}

static void reading_end(struct reading *reading)
{
	free(reading->values);
	free(reading->balloons.balloon);
}

static bool is_number(const struct field *field)
{
	return field->unit != UNIT_TEXT;
}

static void make_columns(struct libscols_table *table,
			 const struct columns *columns, bool json)
{
	for (unsigned int c = 0; c < columns->nr; c++)
		table_column(table, columns->field[c]->name,
			     is_number(columns->field[c]), json);
}

/* What is not known is null in JSON, for which the cell stays empty. */
static void fill_cell(struct libscols_line *line, unsigned int c,
		      const struct field *field, const struct value *value,
		      const struct options *options)
{
	char shown[VALUE_SHOWN_MAX];
	const char *color;

	if (options->json && (value->what == VALUE_ABSENT ||
			      value->what == VALUE_INVALID))
		return;
	field_show(field, value, options->json || options->bytes, shown);
	table_set(line, c, shown);
	color = strcmp(field->name, "state") ? "" : terminal_state_color(shown);
	if (*color)
		scols_cell_set_color(scols_line_get_cell(line, c), color);
}

static struct libscols_table *make_table(const struct reading *reading,
					 const struct options *options)
{
	struct libscols_table *table = table_new("balloons", options->json,
						 options->no_headings);

	make_columns(table, &reading->columns, options->json);
	for (unsigned int i = 0; i < reading->balloons.nr; i++) {
		struct libscols_line *line = scols_table_new_line(table, NULL);

		for (unsigned int c = 0; line && c < reading->columns.nr; c++)
			fill_cell(line, c, reading->columns.field[c],
				  &row(reading, i)[c], options);
	}
	return table;
}

/* One below the other, as wide as the longest name. */
static void print_below(const struct reading *reading, unsigned int i,
			const struct options *options)
{
	bool all = !options->columns && !options->no_headings;
	char shown[VALUE_SHOWN_MAX];

	for (unsigned int c = 0; c < reading->columns.nr; c++) {
		const struct field *field = reading->columns.field[c];
		const struct value *value = &row(reading, i)[c];
		const char *color;

		if (all && value->what == VALUE_ABSENT)
			continue;
		field_show(field, value, options->bytes, shown);
		if (!options->no_headings)
			printf("%-24s ", field->name);
		color = strcmp(field->name, "state") ? "" :
			terminal_state_color(shown);
		printf("%s%s%s\n", color, shown,
		       *color ? terminal_color_end() : "");
	}
}

static void print_all_below(const struct reading *reading,
			    const struct options *options)
{
	for (unsigned int i = 0; i < reading->balloons.nr; i++) {
		if (i)
			putchar('\n');
		print_below(reading, i, options);
	}
}

static void run_list(const struct options *options)
{
	struct reading reading = { 0 };
	struct libscols_table *table;

	if (!columns_parse(&reading.columns, options->columns, STANDARD))
		return;
	if (reading_begin(&reading, options)) {
		table = make_table(&reading, options);
		if (options->json || table_fits(table))
			table_print(table);
		else
			table_print_below(table);
		scols_unref_table(table);
	}
	reading_end(&reading);
}

static void run_show(const struct options *options)
{
	struct reading reading = { 0 };
	struct libscols_table *table;

	columns_all(&reading.columns);
	if (options->columns &&
	    !columns_parse(&reading.columns, options->columns, STANDARD))
		return;
	if (reading_begin(&reading, options)) {
		if (options->json) {
			table = make_table(&reading, options);
			table_print(table);
			scols_unref_table(table);
		} else {
			print_all_below(&reading, options);
			if (!options->no_headings && !options->columns)
				balloons_explain_stock(&reading.balloons);
		}
	}
	reading_end(&reading);
}

const struct command list_command = {
	.name = "list",
	.options = "oJbn",
	.arguments = "[BALLOON...]",
	.summary = "List balloons, a line each.",
	.lists_columns = true,
	.run = run_list,
};

const struct command show_command = {
	.name = "show",
	.options = "oJbn",
	.arguments = "[BALLOON...]",
	.summary = "Show all that is known about balloons, a line each field.",
	.lists_columns = true,
	.run = run_show,
};
