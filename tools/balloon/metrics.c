// SPDX-License-Identifier: GPL-2.0
/*
 * metrics: all numbers, in Prometheus's text format.
 *
 * Units are its base units, bytes and seconds; counters of pages are pages.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "columns.h"
#include "command.h"
#include "field.h"
#include "message.h"
#include "output.h"

/* Words that this version knows; another one is told, too. */
static const char * const states[] = {
	"running", "stalled", "broken", NULL
};

static const char * const limits[] = {
	"none", "floor", "allocator", "host", "oom", "isolation", "opted-out",
	"stalled", "broken", "leaving", NULL
};

static const char *unit_suffix(const struct field *field)
{
	switch (field->unit) {
	case UNIT_PAGES:
	case UNIT_BYTES:
		return "_bytes";
	case UNIT_BLOCKS:
		return strstr(field->name, "blocks") ? "" : "_blocks";
	case UNIT_SINCE:
	case UNIT_MICROSECONDS:
		return "_seconds";
	default:
		return "";
	}
}

static void metric_name(const struct field *field, char name[LINE_SIZE])
{
	snprintf(name, LINE_SIZE, "balloon_%s%s%s%s",
		 field->guest ? "guest_" : "", field->name, unit_suffix(field),
		 field->counter ? "_total" : "");
}

static void write_head(FILE *file, const char *name, const char *help,
		       bool counter)
{
	fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name,
		counter ? "counter" : "gauge");
}

static void write_label(FILE *file, const char *label, const char *text)
{
	fprintf(file, "%s=\"", label);
	for (; *text; text++)
		fprintf(file, "%s%c", *text == '"' || *text == '\\' ? "\\" : "",
			*text);
	fputc('"', file);
}

static void write_number(FILE *file, const struct field *field, uint64_t number)
{
	if (field->unit == UNIT_MICROSECONDS)
		fprintf(file, " %" PRIu64 ".%06" PRIu64 "\n", number / 1000000,
			number % 1000000);
	else
		fprintf(file, " %" PRIu64 "\n", number);
}

/* Those of the guest are asked for once and have no label. */
static void write_field(FILE *file, const struct field *field,
			const struct balloons *balloons)
{
	char name[LINE_SIZE];
	bool head = false;

	metric_name(field, name);
	for (unsigned int i = 0; i < balloons->nr; i++) {
		struct value value;

		field_read(field, &balloons->balloon[i], &value);
		if (value.what != VALUE_NUMBER)
			continue;
		if (!head)
			write_head(file, name, field->help, field->counter);
		head = true;
		fputs(name, file);
		if (!field->guest) {
			write_label(file, "{balloon", balloons->balloon[i].name);
			fputc('}', file);
		}
		write_number(file, field, value.number);
		if (field->guest)
			break;
	}
}

static void write_word(FILE *file, const char *name, const char *balloon,
		       const char *word, bool is)
{
	write_label(file, name, balloon);
	write_label(file, ",is", word);
	fprintf(file, "} %d\n", is);
}

/* A metric for each word that the file may have, of which one is 1. */
static void write_words(FILE *file, const char *name, const char *balloon,
			const char *text, const char * const *words)
{
	bool found = false;

	for (; *words; words++) {
		bool is = !strcmp(text, *words);

		write_word(file, name, balloon, *words, is);
		found |= is;
	}
	if (!found)
		write_word(file, name, balloon, text, true);
}

static void write_choice(FILE *file, const struct field *field,
			 const struct balloons *balloons,
			 const char * const *words)
{
	char name[LINE_SIZE], begin[LINE_SIZE + 16];
	struct value value;
	bool head = false;

	metric_name(field, name);
	snprintf(begin, sizeof(begin), "%s{balloon", name);
	for (unsigned int i = 0; i < balloons->nr; i++) {
		field_read(field, &balloons->balloon[i], &value);
		if (value.what != VALUE_TEXT)
			continue;
		if (!head)
			write_head(file, name, field->help, false);
		head = true;
		write_words(file, begin, balloons->balloon[i].name, value.text,
			    words);
	}
}

static void write_info(FILE *file, const struct balloons *balloons)
{
	static const char * const names[] = {
		"kind", "driver", "version", "features"
	};
	struct columns columns;
	struct value value;

	write_head(file, "balloon_info", "what the balloon is", false);
	columns_parse(&columns, NULL, "kind,driver,version,features");
	for (unsigned int i = 0; i < balloons->nr; i++) {
		const struct balloon *balloon = &balloons->balloon[i];

		write_label(file, "balloon_info{balloon", balloon->name);
		for (unsigned int c = 0; c < columns.nr; c++) {
			field_read(columns.field[c], balloon, &value);
			fprintf(file, ",");
			write_label(file, names[c], value.text);
		}
		fprintf(file, "} 1\n");
	}
}

static void write_all(FILE *file, const struct balloons *balloons)
{
	write_head(file, "balloon_devices", "balloons that have a driver",
		   false);
	fprintf(file, "balloon_devices %u\n", balloons->nr);
	if (balloons->nr)
		write_info(file, balloons);
	for (unsigned int i = 0; balloons->nr && i < nr_fields; i++) {
		const struct field *field = &fields[i];

		if (!strcmp(field->name, "state"))
			write_choice(file, field, balloons, states);
		else if (!strcmp(field->name, "limited_by"))
			write_choice(file, field, balloons, limits);
		else if (field->unit != UNIT_TEXT)
			write_field(file, field, balloons);
	}
}

/* That there is no balloon is something to alert on, so it is written, too. */
static void run_metrics(const struct options *options)
{
	struct balloons balloons;
	struct output output;

	balloons_find(&balloons, NULL, 0);
	if (output_begin(&output)) {
		write_all(output.stream, &balloons);
		output_end(&output, options->output);
	}
	free(balloons.balloon);
}

const struct command metrics_command = {
	.name = "metrics",
	.options = "F",
	.arguments = "",
	.summary = "Write all numbers in Prometheus's text format.",
	.details = "FILE is replaced as a whole: its readers never see half of it.  Without a balloon\n"
		   "it says so (balloon_devices 0), and the exit code is 3.\n",
	.run = run_metrics,
};
