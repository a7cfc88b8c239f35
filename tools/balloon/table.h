/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tables of libsmartcols.
 */
#ifndef BALLOONCTL_TABLE_H
#define BALLOONCTL_TABLE_H

#include <stdbool.h>

#include "tree.h"

struct libscols_line;
struct libscols_table;

/* Never fails: without memory the program ends. */
struct libscols_table *table_new(const char *name, bool json, bool no_headings);

/* Headings are capitals, as those of lsmem are; keys of JSON are not. */
void table_heading(char heading[LINE_SIZE], const char *name);
void table_column(struct libscols_table *table, const char *name, bool number,
		  bool json);
void table_set(struct libscols_line *line, unsigned int column,
	       const char *text);

/* Is the terminal wide enough for it? */
bool table_fits(struct libscols_table *table);
void table_print(struct libscols_table *table);

/* The same on a narrow terminal: cells below each other. */
void table_print_below(struct libscols_table *table);

#endif
