/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Width and colours of the terminal, if standard output is one.
 */
#ifndef BALLOONCTL_TERMINAL_H
#define BALLOONCTL_TERMINAL_H

#include <stdbool.h>

bool terminal_set_color(const char *when);
bool terminal_has_color(void);

/* Columns; 0 where standard output is no terminal. */
unsigned int terminal_width(void);

/* The colour of a balloon's state, an escape sequence, or "". */
const char *terminal_state_color(const char *state);
const char *terminal_color_end(void);

#endif
