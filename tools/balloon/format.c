// SPDX-License-Identifier: GPL-2.0
/*
 * Values as people read them, or exact.
 */
#include <inttypes.h>
#include <stdio.h>

#include "format.h"
#include "tree.h"

void show_size(uint64_t bytes, char shown[VALUE_SHOWN_MAX])
{
	static const char units[] = "BKMGTPE";
	unsigned int unit = 0;
	uint64_t tenths;

	while (bytes >> (10 * unit) >= 1024)
		unit++;
	if (!unit) {
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 "B", bytes);
		return;
	}
	tenths = (bytes >> (10 * (unit - 1))) * 10 / 1024;
	if (tenths % 10)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 ".%" PRIu64 "%c",
			 tenths / 10, tenths % 10, units[unit]);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 "%c", tenths / 10,
			 units[unit]);
}

static void show_since(uint64_t since, char shown[VALUE_SHOWN_MAX])
{
	uint64_t now = tree_uptime(), ago = now - since;

	if (now < since || !now)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s after boot",
			 since);
	else if (ago < 100)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s ago", ago);
	else if (ago < 100 * 60)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " min ago",
			 ago / 60);
	else if (ago < 100 * 3600)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " h ago",
			 ago / 3600);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " days ago",
			 ago / 86400);
}

static void show_microseconds(uint64_t us, char shown[VALUE_SHOWN_MAX])
{
	if (us < 10000)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " us", us);
	else if (us < 10000000)
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " ms", us / 1000);
	else
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64 " s", us / 1000000);
}

static void show_number(enum unit unit, uint64_t number,
			char shown[VALUE_SHOWN_MAX])
{
	switch (unit) {
	case UNIT_PAGES:
	case UNIT_BYTES:
		show_size(number, shown);
		break;
	case UNIT_SINCE:
		show_since(number, shown);
		break;
	case UNIT_MICROSECONDS:
		show_microseconds(number, shown);
		break;
	default:
		snprintf(shown, VALUE_SHOWN_MAX, "%" PRIu64, number);
	}
}

void field_show(const struct field *field, const struct value *value,
		bool exact, char shown[VALUE_SHOWN_MAX])
{
	switch (value->what) {
	case VALUE_ABSENT:
		snprintf(shown, VALUE_SHOWN_MAX, "-");
		break;
	case VALUE_INVALID:
		snprintf(shown, VALUE_SHOWN_MAX, "?");
		break;
	case VALUE_TEXT:
		snprintf(shown, VALUE_SHOWN_MAX, "%s", value->text);
		break;
	case VALUE_NUMBER:
		show_number(exact ? UNIT_COUNT : field->unit, value->number,
			    shown);
		break;
	}
}
