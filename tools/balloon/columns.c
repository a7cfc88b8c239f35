// SPDX-License-Identifier: GPL-2.0
/*
 * Which fields a command shows.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "columns.h"
#include "message.h"

static const struct field *find_field(const char *name)
{
	for (unsigned int i = 0; i < nr_fields; i++)
		if (!strcasecmp(fields[i].name, name))
			return &fields[i];
	return NULL;
}

static bool add_columns(struct columns *columns, const char *list)
{
	char names[1024], *rest = names, *name;

	if (snprintf(names, sizeof(names), "%s", list) >= (int)sizeof(names)) {
		failed(EXIT_USAGE, "the list of columns is too long");
		return false;
	}
	while ((name = strsep(&rest, ","))) {
		const struct field *field = find_field(name);

		if (!field || columns->nr == sizeof(columns->field) /
					     sizeof(*columns->field)) {
			failed(EXIT_USAGE, field ? "too many columns at '%s'" :
			       "there is no column '%s': see --help", name);
			return false;
		}
		columns->field[columns->nr++] = field;
	}
	return true;
}

bool columns_parse(struct columns *columns, const char *list,
		   const char *standard)
{
	columns->nr = 0;
	if (!list)
		return add_columns(columns, standard);
	if (*list != '+')
		return add_columns(columns, list);
	return add_columns(columns, standard) && add_columns(columns, list + 1);
}

void columns_all(struct columns *columns)
{
	for (columns->nr = 0; columns->nr < nr_fields; columns->nr++)
		columns->field[columns->nr] = &fields[columns->nr];
}
