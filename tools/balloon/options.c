// SPDX-License-Identifier: GPL-2.0
/*
 * One table of all options.  A command names the letters of those that it has.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "field.h"
#include "message.h"
#include "terminal.h"
#include "tree.h"

#define INTERVAL_MAX	86400.0

/* Every command has these. */
#define COMMON		"SChV"

static const struct option_info {
	char id;
	char letter;		/* 0: the long name alone */
	const char *name;
	const char *argument;
	const char *help;
} table[] = {
	{ 'o', 'o', "output", "COLUMNS", "columns to show, with commas between; +COLUMNS adds" },
	{ 'F', 'o', "output", "FILE", "write to this file, which is replaced when all is well" },
	{ 'J', 'J', "json", NULL, "JSON, with exact numbers" },
	{ 'b', 'b', "bytes", NULL, "exact numbers: bytes, seconds" },
	{ 'n', 'n', "noheadings", NULL, "no headings" },
	{ 'i', 'i', "interval", "SECONDS", "time between two looks (2)" },
	{ 'c', 'c', "count", "N", "end after so many lines" },
	{ 'd', 0, "dry-run", NULL, "say what it would give, and do nothing" },
	{ 'S', 0, "sysroot", "DIR", "look at a recorded tree, not at this machine" },
	{ 'C', 0, "color", "WHEN", "auto, always or never" },
	{ 'h', 'h', "help", NULL, "show this" },
	{ 'V', 'V', "version", NULL, "show the version" },
};

#define NR_OPTIONS	(sizeof(table) / sizeof(*table))

static const struct option_info *find(char id)
{
	for (size_t i = 0; i < NR_OPTIONS; i++)
		if (table[i].id == id)
			return &table[i];
	return NULL;
}

void options_list(const char *letters)
{
	char name[64];

	for (; *letters; letters++) {
		const struct option_info *info = find(*letters);

		snprintf(name, sizeof(name), "%s%s%s", info->name,
			 info->argument ? " " : "", info->argument ?: "");
		if (info->letter)
			printf("  -%c, --%-20s %s\n", info->letter, name,
			       info->help);
		else
			printf("      --%-20s %s\n", name, info->help);
	}
}

static void list_columns(void)
{
	printf("\nColumns:\n");
	for (unsigned int i = 0; i < nr_fields; i++)
		printf("  %-24s %s\n", fields[i].name, fields[i].help);
}

static void print_help(const struct command *command)
{
	printf("Usage: balloonctl %s [options]%s%s\n\n%s\n\nOptions:\n",
	       command->name, *command->arguments ? " " : "",
	       command->arguments, command->summary);
	options_list(command->options);
	options_list(COMMON);
	if (command->details)
		printf("\n%s", command->details);
	if (command->lists_columns)
		list_columns();
	printf("\nMore is in balloonctl(8).\n");
}

/* Return: whether the text is a number of that range, all of it. */
static bool parse_interval(const char *text, double *interval)
{
	char *end;

	*interval = strtod(text, &end);
	return end != text && !*end && *interval > 0 &&
	       *interval <= INTERVAL_MAX;
}

static bool parse_count(const char *text, unsigned long *count)
{
	uint64_t number;

	if (parse_number(text, &number) || !number || number > ULONG_MAX)
		return false;
	*count = number;
	return true;
}

/* Return: whether the value is right. */
static bool set(char id, const char *value, struct options *options)
{
	switch (id) {
	case 'o':
		options->columns = value;
		return true;
	case 'F':
		options->output = value;
		return *value;
	case 'J':
		return options->json = true;
	case 'b':
		return options->bytes = true;
	case 'n':
		return options->no_headings = true;
	case 'd':
		return options->dry_run = true;
	case 'i':
		return parse_interval(value, &options->interval);
	case 'c':
		return parse_count(value, &options->count);
	case 'S':
		tree_set_root(value);
		return *value;
	case 'C':
		return terminal_set_color(value);
	}
	return false;
}

/* getopt's two descriptions of the options that are called @letters. */
struct getopt_tables {
	char letters[2 * NR_OPTIONS + 3];
	struct option names[NR_OPTIONS + 1];
};

static void make_tables(struct getopt_tables *tables, const char *start,
			const char *ids)
{
	char *letter = stpcpy(tables->letters, start);
	struct option *name = tables->names;

	memset(tables->names, 0, sizeof(tables->names));
	for (; *ids; ids++) {
		const struct option_info *info = find(*ids);

		if (info->letter) {
			*letter++ = info->letter;
			if (info->argument)
				*letter++ = ':';
		}
		name->name = info->name;
		name->has_arg = !!info->argument;
		name++->val = info->id;
	}
	*letter = 0;
}

/* getopt returns the letter of a short option, the id of a long one. */
static const struct option_info *found(const char *ids, int c)
{
	for (; *ids; ids++) {
		const struct option_info *info = find(*ids);

		if (info->id == c || info->letter == c)
			return info;
	}
	return NULL;
}

/* Return: 'h' or 'V' if that was asked for, PARSED, or WRONG. */
#define PARSED	0
#define WRONG	1

static int parse(const char *command, const char *start, const char *ids,
		 int argc, char **argv, struct options *options)
{
	struct getopt_tables tables;
	const struct option_info *info;
	int c;

	make_tables(&tables, start, ids);
	opterr = 0;
	while ((c = getopt_long(argc, argv, tables.letters, tables.names,
				NULL)) != -1) {
		info = c == ':' || c == '?' ? NULL : found(ids, c);
		if (info && (info->id == 'h' || info->id == 'V'))
			return info->id;
		if (info && set(info->id, optarg, options))
			continue;
		if (info)
			failed(EXIT_USAGE, "--%s: '%s' is no such value",
			       info->name, optarg);
		else
			failed(EXIT_USAGE, "%s '%s': see balloonctl %s%s--help",
			       c == ':' ? "an argument is missing after" :
			       "no such option", argv[optind - 1], command,
			       *command ? " " : "");
		return WRONG;
	}
	return PARSED;
}

static void version(void)
{
	printf("balloonctl %s\n", VERSION);
}

bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *options)
{
	char ids[NR_OPTIONS + 1];
	int how;

	snprintf(ids, sizeof(ids), "%s" COMMON, command->options);
	optind = 0;
	how = parse(command->name, ":", ids, argc, argv, options);
	if (how == 'h')
		print_help(command);
	if (how == 'V')
		version();
	if (how != PARSED)
		return false;
	options->names = argv + optind;
	options->nr_names = argc - optind;
	if (options->nr_names && !*command->arguments) {
		failed(EXIT_USAGE, "%s takes no argument such as '%s'",
		       command->name, options->names[0]);
		return false;
	}
	return true;
}

int options_before_command(int argc, char **argv)
{
	struct options none = { 0 };
	int how = parse("", "+:", COMMON, argc, argv, &none);

	if (how == 'V')
		version();
	if (how == 'h')
		return 0;
	return how == PARSED ? optind : -1;
}
