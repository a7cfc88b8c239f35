/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the map in text and the map on a page have in common.
 */
#ifndef BALLOONCTL_MAP_H
#define BALLOONCTL_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "blocks.h"

/* The kind of most of @nr blocks. */
enum block_kind map_kind(const struct zone *zone, unsigned int first,
			 unsigned int nr);

/* How many blocks a cell stands for, if there may be @most cells. */
unsigned int map_scale(const struct zone *zone, unsigned int most);

/* In bytes. */
uint64_t map_address(const struct zone *zone, unsigned int block);

/* A drawing, or a page of HTML around it with the figures. */
void map_write_page(const struct zones *zones, FILE *file, bool html);

#endif
