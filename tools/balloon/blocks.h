/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's memory holds, in blocks of 2 MiB, zone by zone.
 *
 * From /proc/zoneinfo and /proc/kpageflags; only root may read the latter.
 * Pages of balloons are those that are marked as offline, as virtio-mem's are.
 * Pages on the processors' own lists of free pages count as used.
 */
#ifndef BALLOONCTL_BLOCKS_H
#define BALLOONCTL_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#define BLOCK_SIZE	(2ULL << 20)

struct block {
	uint16_t free;
	uint16_t balloon;
	uint16_t used;
};

enum block_kind {
	BLOCK_HOLE,
	BLOCK_FREE,
	BLOCK_BALLOON,
	BLOCK_SHARED_WITH_FREE,
	BLOCK_SHARED_WITH_OTHERS,
	BLOCK_USED,
	NR_BLOCK_KINDS,
};

struct zone {
	unsigned int node;
	char name[32];
	uint64_t start;			/* page frames */
	uint64_t spanned;
	uint64_t present;
	unsigned int nr_blocks;
	struct block *block;
	uint64_t nr_of[NR_BLOCK_KINDS];
	uint64_t nr_balloon_pages;
};

struct zones {
	unsigned int nr;
	struct zone *zone;
};

/* Says what is wrong and sets the exit code.  Return: whether all went well. */
bool zones_read(struct zones *zones);
void zones_free(struct zones *zones);

/* Of /proc/kpageflags: 0 or a negative errno. */
int zones_readable(void);

unsigned int pages_per_block(void);
enum block_kind block_kind(const struct block *block);
extern const char * const block_kind_names[NR_BLOCK_KINDS];

/*
 * How many blocks "compact" can empty at most: pages of blocks which only balloon
 * and free memory share must fit into holes of others on the same node.
 */
uint64_t zones_most_won(const struct zones *zones);

/* Whole free blocks by /proc/buddyinfo, which everybody may read. */
int free_blocks(uint64_t *nr);

#endif
