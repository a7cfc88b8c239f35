// SPDX-License-Identifier: GPL-2.0
/*
 * The terminal.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"
#include "tree.h"

static enum {
	COLOR_AUTO,
	COLOR_ALWAYS,
	COLOR_NEVER,
} color;

bool terminal_set_color(const char *when)
{
	if (!strcmp(when, "auto"))
		color = COLOR_AUTO;
	else if (!strcmp(when, "always"))
		color = COLOR_ALWAYS;
	else if (!strcmp(when, "never"))
		color = COLOR_NEVER;
	else
		return false;
	return true;
}

bool terminal_has_color(void)
{
	const char *type = getenv("TERM"), *none = getenv("NO_COLOR");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(none && *none) &&
	       type && strcmp(type, "dumb");
}

unsigned int terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t number;

	if (columns && !parse_number(columns, &number) && number &&
	    number <= 10000)
		return number;
	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return size.ws_col;
	return 0;
}

const char *terminal_state_color(const char *state)
{
	if (!terminal_has_color())
		return "";
	if (!strcmp(state, "running"))
		return "\033[32m";
	if (!strcmp(state, "stalled"))
		return "\033[33m";
	return strcmp(state, "broken") ? "" : "\033[31m";
}

const char *terminal_color_end(void)
{
	return terminal_has_color() ? "\033[0m" : "";
}
