/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A choice of fields, in order.
 */
#ifndef BALLOONCTL_COLUMNS_H
#define BALLOONCTL_COLUMNS_H

#include <stdbool.h>

#include "field.h"

struct columns {
	unsigned int nr;
	const struct field *field[64];
};

/*
 * @list: names and commas; "+" in front means in addition to @standard.  Says what
 * is wrong.
 */
bool columns_parse(struct columns *columns, const char *list,
		   const char *standard);
void columns_all(struct columns *columns);

#endif
