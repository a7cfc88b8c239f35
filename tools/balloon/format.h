/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values as people read them, or exact.
 */
#ifndef BALLOONCTL_FORMAT_H
#define BALLOONCTL_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include "field.h"

#define VALUE_SHOWN_MAX	LINE_SIZE

/* 1536 MiB is "1.5G". */
void show_size(uint64_t bytes, char shown[VALUE_SHOWN_MAX]);

/* Exact: bytes, seconds, counts. */
void field_show(const struct field *field, const struct value *value,
		bool exact, char shown[VALUE_SHOWN_MAX]);

#endif
