// SPDX-License-Identifier: GPL-2.0
/*
 * balloonctl: look at the memory balloons of this guest, and have them compact.
 *
 * It reads text of sysfs and proc, and writes to one file, "compact".
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "message.h"

static const struct command * const commands[] = {
	&list_command, &show_command, &map_command, &compact_command,
	&watch_command, &metrics_command, &diagnose_command,
};

#define NR_COMMANDS	(sizeof(commands) / sizeof(*commands))

static void print_help(void)
{
	printf("Usage: balloonctl [options] COMMAND [options]\n\n"
	       "Look at the memory balloons of this guest, and have them compact.\n\n"
	       "Commands:\n");
	for (size_t i = 0; i < NR_COMMANDS; i++)
		printf("  %-10s %s\n", commands[i]->name, commands[i]->summary);
	printf("\nOptions:\n");
	options_list("SChV");
	printf("\nExit codes: 0 well, 1 failed, 2 wrong usage, 3 no balloon, 4 no permission,\n"
	       "5 not offered by this driver or kernel, 130 interrupted.\n"
	       "'balloonctl COMMAND --help' and balloonctl(8) have more.\n");
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static void run(int argc, char **argv)
{
	struct options options = { .interval = 2 };
	int first = options_before_command(argc, argv);
	const struct command *command;

	if (first <= 0) {
		if (!first)
			print_help();
		return;
	}
	if (first == argc) {
		failed(EXIT_USAGE, "which command? see balloonctl --help");
		return;
	}
	command = find(argv[first]);
	if (!command)
		failed(EXIT_USAGE, "there is no command '%s': see balloonctl --help",
		       argv[first]);
	else if (options_parse(command, argc - first, argv + first, &options))
		command->run(&options);
}

int main(int argc, char **argv)
{
	run(argc, argv);
	/* A full disk may show only now. */
	if (fflush(stdout) || ferror(stdout))
		failed_errno(errno, "standard output");
	return exit_code();
}
