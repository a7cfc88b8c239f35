// SPDX-License-Identifier: GPL-2.0
/*
 * watch: a line for each balloon again and again, at once when the kernel says
 * that something has changed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "columns.h"
#include "command.h"
#include "field.h"
#include "format.h"
#include "message.h"
#include "table.h"
#include "terminal.h"

#define STANDARD	"name,size,target,state,limited_by"
#define POLLED_MAX	64
#define TIME_WIDTH	8

/* Files of which kernels may tell changes; others are never ready. */
static const char * const polled_files[] = { "state", "limited_by" };

#define NR_POLLED_FILES	(sizeof(polled_files) / sizeof(*polled_files))

struct polled {
	struct pollfd fd[POLLED_MAX];
	unsigned int nr;
};

/* Changes count from the moment of this read on. */
static void open_polled(struct polled *polled, const struct balloon *balloon)
{
	char path[PATH_MAX], ignored[LINE_SIZE];

	for (size_t i = 0; i < NR_POLLED_FILES; i++) {
		int fd;

		if (polled->nr == POLLED_MAX)
			return;
		path_make(path, "%s/%s", balloon->path, polled_files[i]);
		fd = tree_open(path, O_RDONLY | O_NONBLOCK);
		if (fd < 0)
			continue;
		if (read(fd, ignored, sizeof(ignored)) < 0) {
			close(fd);
			continue;
		}
		polled->fd[polled->nr].events = POLLPRI;
		polled->fd[polled->nr++].fd = fd;
	}
}

static void close_polled(struct polled *polled)
{
	while (polled->nr)
		close(polled->fd[--polled->nr].fd);
}

static int width_of(const struct field *field)
{
	static const int widths[] = {
		[UNIT_TEXT] = 8, [UNIT_PAGES] = 6, [UNIT_BYTES] = 6,
		[UNIT_COUNT] = 10, [UNIT_BLOCKS] = 7, [UNIT_PERCENT] = 3,
		[UNIT_SINCE] = 11, [UNIT_MICROSECONDS] = 7,
	};
	int len = strlen(field->name), width = widths[field->unit];

	return len > width ? len : width;
}

/* Columns to the right that a narrow terminal has no room for are left out. */
static void fit(struct columns *columns)
{
	unsigned int width = terminal_width(), needed = TIME_WIDTH;

	for (unsigned int c = 0; width && c < columns->nr; c++) {
		needed += 1 + width_of(columns->field[c]);
		if (needed <= width || !c)
			continue;
		say("the terminal is too narrow for '%s' and what follows",
		    columns->field[c]->name);
		columns->nr = c;
	}
}

/* Nothing stands behind the last cell of a line, so no space does either. */
static void print_cell(const struct columns *columns, unsigned int c,
		       const char *text, const char *color)
{
	const struct field *field = columns->field[c];
	int pad = width_of(field) - (int)strlen(text);
	bool right = field->unit != UNIT_TEXT;

	if (pad < 0 || (!right && c + 1 == columns->nr))
		pad = 0;
	printf(" %*s%s%s%s%*s", right ? pad : 0, "", color, text,
	       *color ? terminal_color_end() : "", right ? 0 : pad, "");
}

static void print_headings(const struct columns *columns)
{
	char heading[LINE_SIZE];

	printf("%-*s", TIME_WIDTH, "TIME");
	for (unsigned int c = 0; c < columns->nr; c++) {
		table_heading(heading, columns->field[c]->name);
		print_cell(columns, c, heading, "");
	}
	putchar('\n');
}

static void print_text(const struct columns *columns,
		       const struct value *values, bool exact)
{
	char shown[VALUE_SHOWN_MAX], clock[16];
	time_t now = time(NULL);

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime(&now));
	fputs(clock, stdout);
	for (unsigned int c = 0; c < columns->nr; c++) {
		const struct field *field = columns->field[c];

		field_show(field, &values[c], exact, shown);
		print_cell(columns, c, shown,
			   strcmp(field->name, "state") ? "" :
			   terminal_state_color(shown));
	}
	putchar('\n');
}

/* Texts of files are printable ASCII; two of these characters need care. */
static void print_json_text(const char *text)
{
	putchar('"');
	for (; *text; text++)
		printf("%s%c", *text == '"' || *text == '\\' ? "\\" : "",
		       *text);
	putchar('"');
}

/* A line is an object: whoever reads need not wait for an end. */
static void print_json(const struct columns *columns,
		       const struct value *values)
{
	char shown[VALUE_SHOWN_MAX], date[32];
	time_t now = time(NULL);

	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));
	printf("{\"time\": \"%s\"", date);
	for (unsigned int c = 0; c < columns->nr; c++) {
		printf(", \"%s\": ", columns->field[c]->name);
		field_show(columns->field[c], &values[c], true, shown);
		if (values[c].what == VALUE_NUMBER)
			fputs(shown, stdout);
		else if (values[c].what == VALUE_TEXT)
			print_json_text(shown);
		else
			fputs("null", stdout);
	}
	printf("}\n");
}

static void look_at(const struct balloon *balloon,
		    const struct columns *columns,
		    const struct options *options)
{
	struct value *values = calloc(columns->nr, sizeof(*values));

	if (!values) {
		failed(EXIT_FAILED, "no memory left");
		return;
	}
	for (unsigned int c = 0; c < columns->nr; c++)
		field_read(columns->field[c], balloon, &values[c]);
	if (balloon_is_gone(balloon))
		say("%s has gone", balloon->name);
	else if (options->json)
		print_json(columns, values);
	else
		print_text(columns, values, options->bytes);
	free(values);
}

/* Changes between the opening and the wait are seen by the wait. */
static bool look(const struct columns *columns, const struct options *options,
		 struct polled *polled, bool headings)
{
	struct balloons balloons;
	bool any = balloons_find(&balloons, options->names, options->nr_names);

	if (any && headings)
		print_headings(columns);
	for (unsigned int i = 0; any && i < balloons.nr; i++) {
		open_polled(polled, &balloons.balloon[i]);
		look_at(&balloons.balloon[i], columns, options);
	}
	free(balloons.balloon);
	if (fflush(stdout)) {
		failed_errno(errno, "standard output");
		return false;
	}
	return any;
}

static void run_watch(const struct options *options)
{
	struct columns columns;
	struct polled polled = { .nr = 0 };
	bool headings = !options->json && !options->no_headings;
	unsigned long done = 0;

	if (!columns_parse(&columns, options->columns, STANDARD))
		return;
	if (headings)
		fit(&columns);
	while (look(&columns, options, &polled, headings && !done)) {
		if (++done == options->count)
			break;
		poll(polled.fd, polled.nr, options->interval * 1000);
		close_polled(&polled);
	}
	close_polled(&polled);
}

const struct command watch_command = {
	.name = "watch",
	.options = "oJbnic",
	.arguments = "[BALLOON...]",
	.summary = "Print balloons again and again, at once when a state changes.",
	.details = "With --json, a line is an object.\n",
	.lists_columns = true,
	.run = run_watch,
};
