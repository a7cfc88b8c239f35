/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A document that is written as a whole or not at all.
 *
 * It is collected in memory.  A file gets it by a temporary file beside it and
 * a rename, so that whoever reads sees the old one or the new one.
 */
#ifndef BALLOONCTL_OUTPUT_H
#define BALLOONCTL_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct output {
	FILE *stream;		/* write here */
	char *text;
	size_t len;
};

bool output_begin(struct output *output);

/*
 * Write it to @path, or to standard output for NULL.  Says what is wrong.
 * Return: whether it is there, on the disk.
 */
bool output_end(struct output *output, const char *path);

#endif
