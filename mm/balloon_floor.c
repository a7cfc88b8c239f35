// SPDX-License-Identifier: GPL-2.0
/*
 * How much memory a guest can spare before a balloon squeezes it.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/sizes.h>

#include "balloon_internal.h"

/* By default 1/64 of memory stays available, but not less than 4 MiB. */
#define BALLOON_FLOOR_SHIFT	6
#define BALLOON_FLOOR_MIN	(SZ_4M >> PAGE_SHIFT)

/* Free pages on the processors' own lists. */
static unsigned long nr_pcp_pages(struct zone *zone)
{
	unsigned long nr = 0;
	int cpu;

	if (!populated_zone(zone))
		return 0;
	for_each_online_cpu(cpu)
		nr += READ_ONCE(per_cpu_ptr(zone->per_cpu_pageset, cpu)->count);
	return nr;
}

/**
 * balloon_mem_available - pages that can be had without harm
 *
 * MemAvailable counts pages on the processors' own lists as used, and they can
 * be a twentieth of all memory.  An allocation that would fail takes them back.
 *
 * Context: any.
 * Return: number of pages, negative if the guest is short already.
 */
long balloon_mem_available(void)
{
	long available = si_mem_available();
	int nid, i;

	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++)
			available += nr_pcp_pages(&NODE_DATA(nid)->node_zones[i]);
	return available;
}

/**
 * balloon_default_floor - what a balloon leaves, unless told otherwise
 *
 * Context: any.
 * Return: number of pages.
 */
unsigned long balloon_default_floor(void)
{
	return max_t(unsigned long, totalram_pages() >> BALLOON_FLOOR_SHIFT,
		     BALLOON_FLOOR_MIN);
}
