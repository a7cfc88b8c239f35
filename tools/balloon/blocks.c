// SPDX-License-Identifier: GPL-2.0
/*
 * Zones, and what their blocks hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "blocks.h"
#include "message.h"
#include "tree.h"

#define ZONEINFO	"/proc/zoneinfo"
#define KPAGEFLAGS	"/proc/kpageflags"
#define BUDDYINFO	"/proc/buddyinfo"

/* <linux/kernel-page-flags.h> */
#define KPF_BUDDY	(1ULL << 10)
#define KPF_NOPAGE	(1ULL << 20)
#define KPF_OFFLINE	(1ULL << 23)

/* No machine has page frames beyond. */
#define PFN_MAX		(1ULL << 48)
#define ORDER_MAX	32

const char * const block_kind_names[NR_BLOCK_KINDS] = {
	[BLOCK_HOLE] = "hole",
	[BLOCK_FREE] = "free",
	[BLOCK_BALLOON] = "balloon",
	[BLOCK_SHARED_WITH_FREE] = "shared_with_free",
	[BLOCK_SHARED_WITH_OTHERS] = "shared_with_others",
	[BLOCK_USED] = "used",
};

unsigned int pages_per_block(void)
{
	return BLOCK_SIZE / tree_page_size();
}

enum block_kind block_kind(const struct block *block)
{
	if (!block->balloon) {
		if (block->used)
			return BLOCK_USED;
		return block->free ? BLOCK_FREE : BLOCK_HOLE;
	}
	if (block->used)
		return BLOCK_SHARED_WITH_OTHERS;
	return block->free ? BLOCK_SHARED_WITH_FREE : BLOCK_BALLOON;
}

static struct zone *add_zone(struct zones *zones, const struct zone *zone)
{
	struct zone *grown = realloc(zones->zone,
				     (zones->nr + 1) * sizeof(*grown));

	if (!grown) {
		failed(EXIT_FAILED, "no memory left");
		return NULL;
	}
	zones->zone = grown;
	grown += zones->nr++;
	*grown = *zone;
	return grown;
}

/* "  KEY NUMBER", or with a colon. */
static void parse_zone_line(struct zone *zone, const char *line)
{
	char key[16];
	uint64_t number;

	if (sscanf(line, " %15[a-z_]%*[: ]%" SCNu64, key, &number) != 2)
		return;
	if (!strcmp(key, "spanned"))
		zone->spanned = number;
	else if (!strcmp(key, "present"))
		zone->present = number;
	else if (!strcmp(key, "start_pfn"))
		zone->start = number;
}

/* Of a zone without pages there is nothing to see. */
static void drop_empty(struct zones *zones)
{
	unsigned int nr_kept = 0;

	for (unsigned int i = 0; i < zones->nr; i++)
		if (zones->zone[i].present && zones->zone[i].spanned &&
		    zones->zone[i].start < PFN_MAX &&
		    zones->zone[i].spanned < PFN_MAX)
			zones->zone[nr_kept++] = zones->zone[i];
	zones->nr = nr_kept;
}

static bool parse_zones(struct zones *zones)
{
	struct zone *zone = NULL, found = { 0 };
	char *text, *rest, *line;
	int err = tree_read(ZONEINFO, &text);

	if (err) {
		failed_errno(-err, ZONEINFO);
		return false;
	}
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (sscanf(line, "Node %u, zone %31s", &found.node,
			   found.name) == 2) {
			zone = add_zone(zones, &found);
			if (!zone)
				break;
		} else if (zone) {
			parse_zone_line(zone, line);
		}
	}
	free(text);
	drop_empty(zones);
	if (!zones->nr)
		failed(EXIT_FAILED, ZONEINFO " has no zone with pages");
	return zones->nr;
}

static void count_page(struct block *block, uint64_t flags)
{
	if (flags & KPF_NOPAGE)
		return;
	if (flags & KPF_BUDDY)
		block->free++;
	else if (flags & KPF_OFFLINE)
		block->balloon++;
	else
		block->used++;
}

/* The file says where memory ends, whatever the zone claims. */
static struct block *block_at(struct zone *zone, uint64_t pfn)
{
	uint64_t index = pfn / pages_per_block() -
			 zone->start / pages_per_block();
	struct block *grown;
	unsigned int nr;

	if (index < zone->nr_blocks)
		return &zone->block[index];
	nr = zone->nr_blocks ? 2 * zone->nr_blocks : 64;
	grown = realloc(zone->block, nr * sizeof(*grown));
	if (!grown)
		return NULL;
	memset(grown + zone->nr_blocks, 0,
	       (nr - zone->nr_blocks) * sizeof(*grown));
	zone->block = grown;
	zone->nr_blocks = nr;
	return &grown[index];
}

static int look_at_zone(struct zone *zone, int fd)
{
	static uint64_t flags[8192];
	uint64_t pfn = zone->start, end = zone->start + zone->spanned;

	while (pfn < end) {
		size_t want = end - pfn < 8192 ? end - pfn : 8192;
		ssize_t got = pread(fd, flags, want * sizeof(*flags),
				    pfn * sizeof(*flags));

		if (got < 0)
			return -errno;
		if (got < (ssize_t)sizeof(*flags))
			break;
		for (size_t i = 0; i < got / sizeof(*flags); i++, pfn++) {
			struct block *block = block_at(zone, pfn);

			if (!block)
				return -ENOMEM;
			count_page(block, flags[i]);
		}
	}
	if (pfn < end)
		say(KPAGEFLAGS " ends at page %" PRIu64 ", before zone %s of node %u does",
		    pfn, zone->name, zone->node);
	zone->nr_blocks = pfn == zone->start ? 0 :
			  (pfn - 1) / pages_per_block() -
			  zone->start / pages_per_block() + 1;
	return 0;
}

static void count_kinds(struct zone *zone)
{
	for (unsigned int i = 0; i < zone->nr_blocks; i++) {
		zone->nr_of[block_kind(&zone->block[i])]++;
		zone->nr_balloon_pages += zone->block[i].balloon;
	}
}

int zones_readable(void)
{
	int fd = tree_open(KPAGEFLAGS, O_RDONLY);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

bool zones_read(struct zones *zones)
{
	int fd, err = 0;

	memset(zones, 0, sizeof(*zones));
	if (!parse_zones(zones))
		return false;
	fd = tree_open(KPAGEFLAGS, O_RDONLY);
	if (fd < 0)
		err = fd;
	for (unsigned int i = 0; i < zones->nr && !err; i++) {
		err = look_at_zone(&zones->zone[i], fd);
		count_kinds(&zones->zone[i]);
	}
	if (fd >= 0)
		close(fd);
	if (err)
		failed_errno(-err, KPAGEFLAGS);
	return !err;
}

void zones_free(struct zones *zones)
{
	for (unsigned int i = 0; i < zones->nr; i++)
		free(zones->zone[i].block);
	free(zones->zone);
	memset(zones, 0, sizeof(*zones));
}

/* Blocks of one node without memory in use, by their balloon pages. */
struct node_blocks {
	unsigned int nr_with[BLOCK_SIZE / 4096 + 1];
	uint64_t holes;
};

static void count_node(const struct zones *zones, unsigned int node,
		       struct node_blocks *blocks)
{
	memset(blocks, 0, sizeof(*blocks));
	for (unsigned int i = 0; i < zones->nr; i++) {
		const struct zone *zone = &zones->zone[i];

		if (zone->node != node)
			continue;
		for (unsigned int b = 0; b < zone->nr_blocks; b++) {
			const struct block *block = &zone->block[b];

			if (block->balloon && !block->used)
				blocks->nr_with[block->balloon]++;
			if (block->balloon || block->used)
				blocks->holes += block->free;
		}
	}
}

/* The emptiest block comes first: its own holes are none any more. */
static uint64_t most_won_on(const struct node_blocks *blocks)
{
	uint64_t holes = blocks->holes, won = 0;
	unsigned int pages = pages_per_block();

	for (unsigned int nr = 1; nr <= pages; nr++)
		for (unsigned int i = 0; i < blocks->nr_with[nr]; i++) {
			if (holes < pages)
				return won;
			holes -= pages;
			won++;
		}
	return won;
}

static bool is_first_of_node(const struct zones *zones, unsigned int i)
{
	for (unsigned int before = 0; before < i; before++)
		if (zones->zone[before].node == zones->zone[i].node)
			return false;
	return true;
}

uint64_t zones_most_won(const struct zones *zones)
{
	static struct node_blocks blocks;
	uint64_t won = 0;

	for (unsigned int i = 0; i < zones->nr; i++) {
		if (!is_first_of_node(zones, i))
			continue;
		count_node(zones, zones->zone[i].node, &blocks);
		won += most_won_on(&blocks);
	}
	return won;
}

/* "Node 0, zone DMA 1 0 2 ...": free pieces of order 0, 1, 2. */
static uint64_t free_blocks_of_line(const char *line)
{
	unsigned int order = 0, block_order = 0;
	char name[32];
	uint64_t nr = 0;
	int used;

	while (1U << block_order < pages_per_block())
		block_order++;
	if (sscanf(line, "Node %*u, zone %31s%n", name, &used) != 1)
		return 0;
	for (line += used; order < ORDER_MAX; order++) {
		char *end;
		uint64_t pieces = strtoull(line, &end, 10);

		if (end == line)
			break;
		line = end;
		if (order >= block_order)
			nr += pieces << (order - block_order);
	}
	return nr;
}

int free_blocks(uint64_t *nr)
{
	char *text, *rest, *line;
	int err = tree_read(BUDDYINFO, &text);

	if (err)
		return err;
	*nr = 0;
	rest = text;
	while ((line = strsep(&rest, "\n")))
		*nr += free_blocks_of_line(line);
	free(text);
	return 0;
}
