// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory a guest can spare before it is short of it.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/nodemask.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

#include "internal.h"

/*
 * By default 1/64 of memory stays available, but not less than 16 MiB.  Half of the
 * slab caches counts as available, and in a small guest that is much of the rest.
 */
#define BALLOON_FLOOR_SHIFT	6
#define BALLOON_FLOOR_MIN	(SZ_16M >> PAGE_SHIFT)

/* Of memory, 1/16 stays free in whole blocks as long as there are holes to take. */
#define BALLOON_SPARE_SHIFT	4

/* A zone that is kept for devices is small if it is less than 1/16 of its node. */
#define LAST_RESORT_SHIFT	4

/* Enough for the kernel to notice. */
#define PAGES_BELOW_LOW		64

/* Newer kernels have it by another name. */
#define NR_ORDERS		ARRAY_SIZE(((struct zone *)NULL)->free_area)

/* Add up a number of each zone that a node has memory in. */
static long sum_of_node(int nid, long (*number)(struct zone *zone))
{
	long sum = 0;
	int i;

	for (i = 0; i < MAX_NR_ZONES; i++) {
		struct zone *zone = NODE_DATA(nid)->node_zones + i;

		if (populated_zone(zone))
			sum += number(zone);
	}
	return sum;
}

static long sum_of_zones(long (*number)(struct zone *zone))
{
	long sum = 0;
	int nid;

	for_each_online_node(nid)
		sum += sum_of_node(nid, number);
	return sum;
}

/* Between the watermarks at which reclaim rests and at which it is waited for. */
static long between_watermarks(struct zone *zone)
{
	return high_wmark_pages(zone) - min_wmark_pages(zone);
}

static long low_watermark(struct zone *zone)
{
	return low_wmark_pages(zone);
}

static long high_watermark(struct zone *zone)
{
	return high_wmark_pages(zone);
}

static long free_above_high(struct zone *zone)
{
	return zone_page_state(zone, NR_FREE_PAGES) - high_wmark_pages(zone);
}

static long free_blocks(struct zone *zone)
{
	unsigned int order;
	long nr = 0;

	for (order = BALLOON_BLOCK_SHIFT; order < NR_ORDERS; order++)
		nr += READ_ONCE(zone->free_area[order].nr_free) <<
		      (order - BALLOON_BLOCK_SHIFT);
	return nr;
}

/*
 * Ordinary allocations come to a zone that is kept for devices when the others have
 * nothing left.  Is this one, and small beside the rest of its node?
 */
static bool is_last_resort(struct zone *zone)
{
	return zone_idx(zone) < ZONE_NORMAL &&
	       zone->present_pages << LAST_RESORT_SHIFT <
	       zone->zone_pgdat->node_present_pages;
}

static long holes(struct zone *zone)
{
	unsigned int order;
	long nr = 0;

	if (is_last_resort(zone))
		return 0;
	for (order = 0; order < BALLOON_BLOCK_SHIFT; order++)
		nr += READ_ONCE(zone->free_area[order].nr_free) << order;
	return nr;
}

static long free_above(long (*watermark)(struct zone *zone))
{
	return (long)global_zone_page_state(NR_FREE_PAGES) - sum_of_zones(watermark);
}

/**
 * balloon_mem_available - pages that can be had without harm
 *
 * The kernel's MemAvailable ends at the high watermarks, and an allocation can
 * have what lies above the low and min ones, too: with transparent huge pages
 * these are a twentieth of a small guest.  So what lies between counts, but only
 * as long as there is memory above the high ones: a balloon does not make
 * kswapd run.
 *
 * Free pages on the processors' own lists do not count, and they can be a
 * twentieth of all memory: an allocation takes them from its own processor only,
 * and from the others only after some memory could be reclaimed.
 *
 * Context: any.
 * Return: number of pages; 0 if none are above the high watermarks.
 */
long balloon_mem_available(void)
{
	long available = si_mem_available();

	return available > 0 ? available + sum_of_zones(between_watermarks) : 0;
}

static long floor_pages = -1;
module_param(floor_pages, long, 0644);
MODULE_PARM_DESC(floor_pages, "Pages that balloons which appear from now on leave to the guest; -1 (default): 1/64 of memory, at least 16 MiB");

static unsigned long default_floor(void)
{
	return max_t(unsigned long, totalram_pages() >> BALLOON_FLOOR_SHIFT,
		     BALLOON_FLOOR_MIN);
}

/**
 * balloon_init_floor - what a balloon leaves to the guest that has just appeared
 * @b: the device
 *
 * Context: any.
 */
void balloon_init_floor(struct balloon *b)
{
	long nr = READ_ONCE(floor_pages);

	b->floor_is_set = nr >= 0;
	b->floor = b->floor_is_set ? min_t(unsigned long, nr, totalram_pages()) :
				     default_floor();
}

/**
 * balloon_set_floor - an administrator says what a balloon leaves to the guest
 * @b: the device
 * @nr: number of pages
 *
 * It is for good: a balloon that appears later, such as the same one when its device
 * was bound again, begins with it.
 *
 * Context: any.
 */
void balloon_set_floor(struct balloon *b, unsigned long nr)
{
	WRITE_ONCE(b->floor, nr);
	WRITE_ONCE(b->floor_is_set, true);
	WRITE_ONCE(floor_pages, nr);
}

/**
 * balloon_room_above_floor - how much may be taken
 * @b: the device
 *
 * Context: any.
 * Return: number of pages that the guest has above its floor.
 */
unsigned long balloon_room_above_floor(struct balloon *b)
{
	long room = balloon_mem_available() - (long)READ_ONCE(b->floor);

	return max(room, 0L);
}

/**
 * balloon_swap_to_spare - pages that can be moved to swap
 * @b: the device
 *
 * A part of swap is left, of twice the floor: when it is full, too, nothing can be
 * reclaimed.
 *
 * Context: any.
 * Return: number of pages.
 */
unsigned long balloon_swap_to_spare(struct balloon *b)
{
	long nr = min_t(long, get_nr_swap_pages(),
			global_node_page_state(NR_INACTIVE_ANON) +
			global_node_page_state(NR_ACTIVE_ANON));

	nr -= 2 * READ_ONCE(b->floor);
	return max(nr, 0L);
}

/**
 * balloon_room_by_swap - how much may be taken to have others moved to swap
 *
 * The kernel begins with that when less is free than the low watermarks, and goes on
 * up to the high ones.  So a few pages more than down to the low ones may be taken,
 * and later others again.
 *
 * Context: any.
 * Return: number of pages; 0 while the kernel is at work.
 */
unsigned long balloon_room_by_swap(void)
{
	long nr = free_above(low_watermark);

	return nr > 0 ? nr + PAGES_BELOW_LOW : 0;
}

/**
 * balloon_swap_in_memory - what zram and the like have
 *
 * Context: any.
 * Return: number of pages of compressed memory.
 */
#if IS_ENABLED(CONFIG_ZSMALLOC)
long balloon_swap_in_memory(void)
{
	return global_zone_page_state(NR_ZSPAGES);
}
#else
long balloon_swap_in_memory(void)
{
	return 0;
}
#endif

/**
 * balloon_missing_to_high - what keeps the kernel from resting
 *
 * Context: any.
 * Return: number of pages that have to be freed until reclaim rests.
 */
unsigned long balloon_missing_to_high(void)
{
	return max(-free_above(high_watermark), 0L);
}

/**
 * balloon_free_to_spare - free pages that nobody will miss for a while
 * @nid: node, or NUMA_NO_NODE for all
 *
 * Context: any.
 * Return: number of free pages above the watermarks at which reclaim rests.
 */
unsigned long balloon_free_to_spare(int nid)
{
	long nr = nid == NUMA_NO_NODE ? sum_of_zones(free_above_high) :
					sum_of_node(nid, free_above_high);

	return max(nr, 0L);
}

/**
 * balloon_spare_blocks - free blocks that the guest can do without
 *
 * Memory that cannot be moved, such as the kernel's own, comes from whole blocks of
 * its own.  Without one it comes from holes in blocks that could have become whole.
 * So a part of memory stays free in whole blocks as long as there is other memory.
 *
 * Context: any; looks at counters only.
 * Return: number of blocks.
 */
unsigned long balloon_spare_blocks(void)
{
	long nr = totalram_pages() >> (BALLOON_BLOCK_SHIFT + BALLOON_SPARE_SHIFT);

	nr = sum_of_zones(free_blocks) - nr;
	return max(nr, 0L);
}

/**
 * balloon_is_last_resort - do ordinary allocations hardly ever come to a page?
 * @page: the page
 *
 * Context: any.
 * Return: true if it is of a zone of last resort, such as ZONE_DMA.
 */
bool balloon_is_last_resort(struct page *page)
{
	return is_last_resort(page_zone(page));
}

/**
 * balloon_holes - free pages in blocks that are not free as a whole
 *
 * Those of a zone of last resort, such as ZONE_DMA, do not count.
 *
 * Context: any; looks at counters only.
 * Return: number of pages.
 */
unsigned long balloon_holes(void)
{
	return sum_of_zones(holes);
}
