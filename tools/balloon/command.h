/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The commands, and what options they were given.
 */
#ifndef BALLOONCTL_COMMAND_H
#define BALLOONCTL_COMMAND_H

#include <stdbool.h>

struct options {
	const char *columns;
	const char *output;
	bool json;
	bool bytes;
	bool no_headings;
	bool dry_run;
	double interval;	/* seconds */
	unsigned long count;	/* 0: no end */
	char **names;
	unsigned int nr_names;
};

struct command {
	const char *name;
	const char *options;	/* letters, see options.c */
	const char *arguments;
	const char *summary;
	const char *details;	/* or NULL; follows the list of options */
	bool lists_columns;
	void (*run)(const struct options *options);
};

extern const struct command list_command, show_command, map_command,
	compact_command, watch_command, metrics_command, diagnose_command;

/*
 * Parse what follows the command's name.
 * Return: false if there is nothing more to do; the exit code is set.
 */
bool options_parse(const struct command *command, int argc, char **argv,
		   struct options *options);

/*
 * Parse what stands before it.
 * Return: the index of the command, 0 if help is wanted, -1 if nothing is.
 */
int options_before_command(int argc, char **argv);

void options_list(const char *letters);

#endif
