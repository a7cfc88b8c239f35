// SPDX-License-Identifier: GPL-2.0
/*
 * Placement: which blocks become free if the balloon leaves them, and which it
 * leaves first.
 *
 * A block is *vacatable* if nobody but the balloon uses it: it is free as a whole
 * when the balloon has left.  To look at a block costs some instructions for each
 * of its pages, so what was found is kept as marks of blocks in the index.  They
 * are hints: if somebody takes a page later, a block is left for nothing.
 *
 * Uses no field of struct page but its reference count.
 */
#include <linux/balloon_compaction.h>
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "balloon_internal.h"

/**
 * __balloon_block_is_shared - do others use a block, too?
 * @b: the device
 * @index: number of the block
 * @nr: number of pages that do not count; nor do those that are kept aside
 *
 * Context: under @b->pages_lock, or with a device that nobody changes.
 * Return: true if more pages of the block are in use.
 */
bool __balloon_block_is_shared(struct balloon_dev_info *b, unsigned long index,
			       unsigned int nr)
{
	struct page *page = pfn_to_page(index << BALLOON_BLOCK_SHIFT);
	struct page *end = page + BALLOON_BLOCK_PAGES;
	unsigned int used = 0;

	nr += balloon_blocks_nr_aside(&b->blocks, index);
	if (nr >= BALLOON_BLOCK_PAGES)
		return false;
	while (page < end && used <= nr) {
		used += page_ref_count(page) || PageCompound(page);
		page++;
	}
	return used > nr;
}

/**
 * balloon_block_is_on - is a block on a node?
 * @index: number of the block, of which the device has a page
 * @nid: node, or NUMA_NO_NODE for all
 *
 * Context: under the device's pages_lock.
 * Return: true if its first page is.
 */
bool balloon_block_is_on(unsigned long index, int nid)
{
	return nid == NUMA_NO_NODE ||
	       pfn_to_nid(index << BALLOON_BLOCK_SHIFT) == nid;
}

/**
 * balloon_find_vacatable - mark the vacatable blocks, to be left
 * @b: the device
 * @nid: node, or NUMA_NO_NODE for all
 *
 * Context: process.
 */
void balloon_find_vacatable(struct balloon_dev_info *b, int nid)
{
	unsigned long index = 0;
	unsigned int nr;
	bool shared;

	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && balloon_block_is_on(index, nid)) {
			shared = __balloon_block_is_shared(b, index, nr);
			balloon_blocks_mark(&b->blocks, index,
					    shared ? BALLOON_BLOCK_SHARED :
					    BALLOON_BLOCK_LEAVE);
		}
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr);
}

/**
 * balloon_count_vacatable - all vacatable blocks are to be left; count them
 * @b: the device
 * @nid: node, or NUMA_NO_NODE for all
 * @nr_with: set to the number of blocks by their number of pages of the balloon,
 *	up to BALLOON_BLOCK_PAGES
 *
 * Context: process.
 */
void balloon_count_vacatable(struct balloon_dev_info *b, int nid,
			     unsigned int *nr_with)
{
	unsigned long index = 0;
	unsigned int nr;

	memset(nr_with, 0, (BALLOON_BLOCK_PAGES + 1) * sizeof(*nr_with));
	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && balloon_block_is_on(index, nid) &&
		    balloon_blocks_get_mark(&b->blocks, index)) {
			balloon_blocks_mark(&b->blocks, index,
					    BALLOON_BLOCK_LEAVE);
			nr_with[nr]++;
		}
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr);
}

/**
 * balloon_keep_fullest - of the vacatable blocks, keep some
 * @b: the device
 * @nid: node, or NUMA_NO_NODE for all
 * @most: blocks with more pages of the balloon are kept
 * @nr_most: of those with so many, all but that number are kept
 *
 * Context: process.
 */
void balloon_keep_fullest(struct balloon_dev_info *b, int nid,
			  unsigned int most, unsigned long nr_most)
{
	unsigned long index = 0;
	unsigned int nr;
	bool leave;

	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && balloon_block_is_on(index, nid) &&
		    balloon_blocks_get_mark(&b->blocks, index)) {
			leave = nr < most || (nr == most && nr_most);
			nr_most -= leave && nr == most;
			balloon_blocks_mark(&b->blocks, index,
					    leave ? BALLOON_BLOCK_LEAVE :
					    BALLOON_BLOCK_KEEP);
		}
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr);
}

/* In the order of blocks that deflation empties; then come all others. */
static const unsigned char turns[] = {
	BALLOON_BLOCK_LEAVE,
	BALLOON_BLOCK_SHARED,
};

/* Mark the vacatable blocks that have the fewest pages, as many as @nr fill. */
static void choose_sparsest(struct balloon_dev_info *b, unsigned long nr,
			    unsigned int *nr_with)
{
	unsigned int i;

	balloon_find_vacatable(b, NUMA_NO_NODE);
	balloon_count_vacatable(b, NUMA_NO_NODE, nr_with);
	for (i = 1; i <= BALLOON_BLOCK_PAGES && nr >= i * nr_with[i]; i++)
		nr -= i * nr_with[i];
	balloon_keep_fullest(b, NUMA_NO_NODE, i, nr / i);
}

/**
 * balloon_plan_deflation - choose which blocks are to be emptied first
 * @b: the device
 * @nr: number of pages that will leave the balloon
 *
 * Those of which most become free as a whole; for what does not fill one, those
 * that others use, too.  Without memory for a plan, or while a compaction has
 * one, there is none.
 *
 * Context: process.
 */
void balloon_plan_deflation(struct balloon_dev_info *b, unsigned long nr)
{
	unsigned int *nr_with = NULL;

	if (nr < READ_ONCE(b->nr_ballooned) && !READ_ONCE(b->compaction))
		nr_with = kcalloc(BALLOON_BLOCK_PAGES + 1, sizeof(*nr_with),
				  GFP_NOWAIT | __GFP_NOWARN);
	if (nr_with)
		choose_sparsest(b, nr, nr_with);
	spin_lock_irq(&b->pages_lock);
	b->turn = nr_with ? 0 : ARRAY_SIZE(turns);
	b->blocks.cursor = 0;
	spin_unlock_irq(&b->pages_lock);
	kfree(nr_with);
}

/**
 * __balloon_take - take pages out of the balloon, as planned
 * @b: the device
 * @max: most pages to take, at least 1
 * @pfn: set to the first page
 * @more: set to true if there may be pages even if none is returned
 *
 * Context: under @b->pages_lock; who calls again lets interrupts in before.
 * Return: number of contiguous pages, at most to the end of their block, or 0.
 */
unsigned int __balloon_take(struct balloon_dev_info *b, unsigned int max,
			    unsigned long *pfn, bool *more)
{
	unsigned int nr;

	lockdep_assert_held(&b->pages_lock);
	*more = b->turn < ARRAY_SIZE(turns);
	if (!*more)
		return balloon_blocks_take(&b->blocks, max, pfn);
	nr = balloon_blocks_take_marked(&b->blocks, turns[b->turn], max, pfn);
	if (!nr && !b->blocks.cursor)
		b->turn++;
	return nr;
}
