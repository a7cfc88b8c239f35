/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be known about a balloon, one field each: columns of list and show,
 * metrics, what watch prints.
 */
#ifndef BALLOONCTL_FIELD_H
#define BALLOONCTL_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "balloon.h"

enum unit {
	UNIT_TEXT,
	UNIT_PAGES,
	UNIT_BYTES,
	UNIT_COUNT,
	UNIT_BLOCKS,		/* of 2 MiB */
	UNIT_PERCENT,
	UNIT_SINCE,		/* seconds since boot */
	UNIT_MICROSECONDS,
};

enum what {
	VALUE_ABSENT,		/* this kernel or driver does not have it */
	VALUE_INVALID,		/* it is there and could not be read */
	VALUE_NUMBER,		/* of pages bytes */
	VALUE_TEXT,
};

struct value {
	enum what what;
	uint64_t number;
	char text[LINE_SIZE];
};

struct field {
	const char *name;
	enum unit unit;
	const char *file;	/* in the balloon's folder, or of the guest */
	const char *key;	/* of a line in it, or NULL */
	/* Elsewhere; -ENOENT where it is not known. */
	int (*get)(const struct balloon *balloon, struct value *value);
	bool counter;		/* it only grows */
	bool guest;		/* of the guest, not of the balloon */
	const char *help;
};

extern const struct field fields[];
extern const unsigned int nr_fields;

/* Read one; what cannot be read is said and sets the exit code. */
void field_read(const struct field *field, const struct balloon *balloon,
		struct value *value);

#endif
