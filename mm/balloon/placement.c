// SPDX-License-Identifier: GPL-2.0
/*
 * Placement: which blocks become free if the balloon evacuates them, and which it
 * evacuates first.
 *
 * A block is *vacatable* if nobody but the balloon uses it: it is free as a whole
 * when the balloon has evacuated it.  Blocks of a zone of last resort, such as
 * ZONE_DMA, come last, since ordinary allocations hardly come there.
 *
 * To look at a block costs some instructions for each of its pages, so the result is
 * kept as a mark of the block in the index.  A mark is a hint: if somebody takes a page
 * later, the block is evacuated for nothing.
 *
 * Uses no field of struct page but its reference count.
 */
#include <linux/balloon_compaction.h>
#include <linux/bits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/page_ref.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/**
 * __balloon_block_is_shared - do others use a block, too?
 * @b: the device
 * @index: number of the block
 * @nr: number of pages that do not count; nor do parked ones
 *
 * Context: under @b->pages_lock, or with a device that nobody changes.
 * Return: true if more pages of the block are in use.
 */
bool __balloon_block_is_shared(struct balloon *b, unsigned long index,
			       unsigned int nr)
{
	struct page *page = pfn_to_page(index << BALLOON_BLOCK_SHIFT);
	struct page *end = page + BALLOON_BLOCK_PAGES;
	unsigned int used = 0;

	nr += balloon_blocks_nr_parked(&b->blocks, index);
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

static bool is_last_resort_block(unsigned long index)
{
	return balloon_is_last_resort(pfn_to_page(index << BALLOON_BLOCK_SHIFT));
}

/**
 * balloon_find_vacatable - mark the vacatable blocks, to be evacuated
 * @b: the device
 * @nid: node, or NUMA_NO_NODE for all
 * @last_resort: those of a zone of last resort, too
 *
 * Context: process.
 */
void balloon_find_vacatable(struct balloon *b, int nid, bool last_resort)
{
	unsigned long index = 0;
	unsigned int nr;
	bool shared;

	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && balloon_block_is_on(index, nid)) {
			shared = __balloon_block_is_shared(b, index, nr) ||
				 (!last_resort && is_last_resort_block(index));
			balloon_blocks_mark(&b->blocks, index,
					    shared ? BALLOON_BLOCK_SHARED :
					    BALLOON_BLOCK_EVACUATE);
		}
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr);
}

/**
 * balloon_count_vacatable - all vacatable blocks are to be evacuated; count them
 * @b: the device
 * @nid: node, or NUMA_NO_NODE for all
 * @nr_with: set to the number of blocks by their number of pages of the balloon,
 *	up to BALLOON_BLOCK_PAGES
 *
 * Context: process.
 */
void balloon_count_vacatable(struct balloon *b, int nid,
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
					    BALLOON_BLOCK_EVACUATE);
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
void balloon_keep_fullest(struct balloon *b, int nid,
			  unsigned int most, unsigned long nr_most)
{
	unsigned long index = 0;
	unsigned int nr;
	bool evacuate;

	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && balloon_block_is_on(index, nid) &&
		    balloon_blocks_get_mark(&b->blocks, index)) {
			evacuate = nr < most || (nr == most && nr_most);
			nr_most -= evacuate && nr == most;
			balloon_blocks_mark(&b->blocks, index,
					    evacuate ? BALLOON_BLOCK_EVACUATE :
					    BALLOON_BLOCK_KEEP);
		}
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr);
}

static const struct zone *zone_of_block(unsigned long index)
{
	return page_zone(pfn_to_page(index << BALLOON_BLOCK_SHIFT));
}

static void count_block(struct balloon_blocks_in *in, unsigned int nr, bool shared)
{
	in->pages += nr;
	if (nr == BALLOON_BLOCK_PAGES)
		in->whole++;
	else if (shared)
		in->with_others++;
	else
		in->with_free++;
}

/**
 * balloon_count_blocks - how does a balloon lie?
 * @b: the device
 * @zone: a zone, or NULL for all
 * @in: set to the BALLOONED pages there and to the blocks that they are in
 *
 * Looks at each page of the blocks that the balloon does not fill.
 *
 * Context: process.
 */
void balloon_count_blocks(struct balloon *b, const struct zone *zone,
			  struct balloon_blocks_in *in)
{
	unsigned long index = 0;
	unsigned int nr;

	memset(in, 0, sizeof(*in));
	do {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &index);
		if (nr && (!zone || zone_of_block(index) == zone))
			count_block(in, nr, __balloon_block_is_shared(b, index, nr));
		spin_unlock_irq(&b->pages_lock);
		index++;
		cond_resched();
	} while (nr && !fatal_signal_pending(current));
}

/**
 * balloon_most_that_fit - how many blocks can be evacuated into holes of the others?
 * @nr_with: vacatable blocks by their number of pages of the balloon, of 512
 * @nr_last: set to how many of the blocks with the returned number of pages fit
 * @nr: set to how many blocks fit in all
 *
 * There are @nr_with[i] blocks with i pages, and 512 - i holes in each.  Begin with
 * all holes and no page to move.  Evacuating one block with i pages
 * adds i pages to move and takes its own 512 - i holes away: the difference becomes
 * 512 smaller, whatever i is.  So as long as the difference is d, d / 512
 * more blocks fit.
 *
 * Context: any.
 * Return: the first i of which not all blocks fit.
 */
unsigned int balloon_most_that_fit(const unsigned int *nr_with,
				   unsigned long *nr_last, unsigned long *nr)
{
	u64 holes = 0, pages = 0;
	unsigned int i;

	*nr = 0;
	*nr_last = 0;
	for (i = 1; i <= BALLOON_BLOCK_PAGES; i++)
		holes += (BALLOON_BLOCK_PAGES - (u64)i) * nr_with[i];
	for (i = 1; i < BALLOON_BLOCK_PAGES; i++) {
		*nr_last = (holes - pages) >> BALLOON_BLOCK_SHIFT;
		if (*nr_last < nr_with[i]) {
			*nr += *nr_last;
			break;
		}
		*nr += nr_with[i];
		pages += (u64)i * nr_with[i];
		holes -= (BALLOON_BLOCK_PAGES - (u64)i) * nr_with[i];
	}
	return i;
}

/* In the order of blocks that deflation empties; then come all others. */
static const unsigned char passes[] = {
	BALLOON_BLOCK_EVACUATE,
	BALLOON_BLOCK_SHARED,
};

/*
 * A deflation of @nr pages frees most blocks if it empties those with the fewest
 * pages.  There are @nr_with[i] blocks with i pages: go up from i = 1 for as long as
 * @nr is enough for all of them.
 * Return: the first i for which it is not, and in @remaining for how many of those
 * it is.
 */
static unsigned int sparsest(const unsigned int *nr_with, unsigned long nr,
			     unsigned long *remaining)
{
	unsigned int i;

	for (i = 1; i <= BALLOON_BLOCK_PAGES; i++) {
		u64 pages = (u64)i * nr_with[i];

		if (nr < pages)
			break;
		nr -= pages;
	}
	*remaining = nr / i;
	return i;
}

/* Mark the vacatable blocks that have the fewest pages, as many as @nr fill. */
static void choose_sparsest(struct balloon *b, unsigned long nr,
			    unsigned int *nr_with)
{
	unsigned long remaining;
	unsigned int most;

	balloon_find_vacatable(b, NUMA_NO_NODE, false);
	balloon_count_vacatable(b, NUMA_NO_NODE, nr_with);
	most = sparsest(nr_with, nr, &remaining);
	balloon_keep_fullest(b, NUMA_NO_NODE, most, remaining);
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
void balloon_plan_deflation(struct balloon *b, unsigned long nr)
{
	unsigned int *nr_with = NULL;

	if (nr < READ_ONCE(b->nr_ballooned) && !READ_ONCE(b->compaction))
		nr_with = kcalloc(BALLOON_BLOCK_PAGES + 1, sizeof(*nr_with),
				  GFP_NOWAIT | __GFP_NOWARN);
	if (nr_with)
		choose_sparsest(b, nr, nr_with);
	spin_lock_irq(&b->pages_lock);
	b->pass = nr_with ? 0 : ARRAY_SIZE(passes);
	b->blocks.cursor = 0;
	spin_unlock_irq(&b->pages_lock);
	kfree(nr_with);
}

/*
 * BALLOONED -> PENDING_DEFLATE, as planned: at most @max pages, in @pfn the first.
 * Who calls again lets interrupts in before.
 * Return: number of contiguous pages, at most to the end of their block, or 0; then
 * @more tells whether there may be others.
 */
static unsigned int __take(struct balloon *b, unsigned int max, unsigned long *pfn,
			   bool *more)
{
	unsigned int nr;

	lockdep_assert_held(&b->pages_lock);
	*more = b->pass < ARRAY_SIZE(passes);
	if (!*more)
		return __balloon_begin_deflate(&b->info, max, pfn);
	nr = __balloon_begin_deflate_marked(&b->info, passes[b->pass], max, pfn);
	if (!nr && !b->blocks.cursor)
		b->pass++;
	return nr;
}

/*
 * The same on some nodes.  @index is the number of the block where to begin, at first
 * 0; it becomes where to go on.
 */
static unsigned int __take_on(struct balloon *b, const nodemask_t *nodes,
			      unsigned int max, unsigned long *index,
			      unsigned long *pfn, bool *more)
{
	lockdep_assert_held(&b->pages_lock);
	*more = balloon_blocks_next(&b->blocks, index);
	if (!*more)
		return 0;
	if (node_isset(pfn_to_nid(*index << BALLOON_BLOCK_SHIFT), *nodes))
		return __balloon_begin_deflate_block(&b->info, *index, max, pfn);
	++*index;
	return 0;
}

/**
 * balloon_batch_take - BALLOONED -> PENDING_DEFLATE, as many as a batch has room for
 * @batch: an open batch, to which the pages are added
 * @nr: most pages to take
 * @nodes: on these nodes; NULL: anywhere, as planned
 *
 * Context: process; lets interrupts in between blocks.
 */
void balloon_batch_take(struct balloon_core_batch *batch, unsigned long nr,
			const nodemask_t *nodes)
{
	struct balloon_range_list *list = &batch->deflate;
	struct balloon *b = batch->b;
	unsigned long pfn, index = 0;
	unsigned int n, max;
	bool more;

	nr = min_t(unsigned long, nr, b->max_pages);
	spin_lock_irq(&b->pages_lock);
	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		max = nr - list->nr_pages;
		n = nodes ? __take_on(b, nodes, max, &index, &pfn, &more) :
			    __take(b, max, &pfn, &more);
		if (!n && !more)
			break;
		if (!n) {
			spin_unlock_irq(&b->pages_lock);
			spin_lock_irq(&b->pages_lock);
			continue;
		}
		balloon_range_add(list, pfn, n);
	}
	spin_unlock_irq(&b->pages_lock);
}
