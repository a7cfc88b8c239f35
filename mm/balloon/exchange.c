// SPDX-License-Identifier: GPL-2.0
/*
 * Exchanges: pages of a block that is being evacuated, for holes.
 *
 * Where does the allocator take pages from?  It hands out single pages from its
 * smallest free pieces, so what comes are holes, of any block.  A page of a block
 * that is being evacuated is *parked*: nobody uses it until the round ends, so the
 * allocator cannot hand it out again.  When nothing comes but pages of blocks that
 * are free as a whole, no hole is left and the run is *exhausted*.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "compact.h"
#include "internal.h"

/* Pages of whole blocks in a row that mean that there are no holes. */
#define MOST_WHOLE		2048

/*
 * Has anybody else something to do with the balloon, or with the memory that is
 * parked?  An administrator who asks for a run makes this one end; and a refusal, which
 * the target worker is to make up for.
 */
static bool gives_way(const struct balloon_compaction *c)
{
	struct balloon *b = c->b;

	return READ_ONCE(b->target) != c->target || READ_ONCE(b->oom) ||
	       READ_ONCE(b->isolated_pages) || !READ_ONCE(b->proactiveness) ||
	       READ_ONCE(b->compact_asked) || balloon_was_refused(c) ||
	       !balloon_free_to_spare(NUMA_NO_NODE);
}

/**
 * balloon_reason_to_end - must a run end?
 * @c: the run
 *
 * Context: process; does not sleep.
 * Return: 0; -EIO if the hypervisor has failed or is silent; -EBUSY if the device is
 * leaving; -EAGAIN if a run in the background gives way; -ERESTARTSYS if a signal has
 * come.
 */
int balloon_reason_to_end(const struct balloon_compaction *c)
{
	if (!balloon_is_answered(c->b))
		return -EIO;
	if (balloon_is_leaving(c->b))
		return -EBUSY;
	if (c->background && gives_way(c))
		return -EAGAIN;
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

static unsigned int nr_in_block(unsigned long index, struct page **pages,
				unsigned int nr)
{
	unsigned int i, n = 0;

	for (i = 0; i < nr; i++)
		n += page_to_pfn(pages[i]) >> BALLOON_BLOCK_SHIFT == index;
	return n;
}

/* A block of which a hole has come may stay, if there is a choice. */
static bool __block_has_holes(struct balloon_compaction *c, unsigned long index,
			      struct page **pages, unsigned int nr)
{
	struct balloon *b = c->b;

	lockdep_assert_held(&b->pages_lock);
	if (balloon_blocks_get_mark(&b->blocks, index) != BALLOON_BLOCK_EVACUATE)
		return balloon_blocks_count(&b->blocks, index) ||
		       __balloon_block_is_shared(b, index, nr_in_block(index, pages, nr));
	if (index == c->index ||
	    balloon_blocks_nr_set(&b->blocks, index) < c->free_choice)
		return false;
	balloon_blocks_mark(&b->blocks, index, BALLOON_BLOCK_KEEP);
	return true;
}

/* Return: may the balloon have this page, one of @nr that were just allocated? */
static bool is_hole(struct balloon_compaction *c, struct page *page,
		    struct page **pages, unsigned int nr)
{
	unsigned long index = page_to_pfn(page) >> BALLOON_BLOCK_SHIFT;
	struct balloon *b = c->b;

	if (!balloon_in_reach(b, page_to_pfn(page), 1))
		return false;
	if (index == c->seen)
		return c->seen_hole;
	balloon_blocks_prepare(&b->blocks, page_to_pfn(page), 1,
			       GFP_NOWAIT | __GFP_NOWARN);
	spin_lock_irq(&b->pages_lock);
	c->seen = index;
	c->seen_hole = __block_has_holes(c, index, pages, nr);
	spin_unlock_irq(&b->pages_lock);
	return c->seen_hole;
}

static void park(struct balloon_compaction *c, struct page **pages,
		 unsigned int nr)
{
	unsigned int i;

	spin_lock_irq(&c->b->pages_lock);
	for (i = 0; i < nr; i++)
		/* What was freed would come again, and again. */
		if (!__balloon_park(c->b, page_to_pfn(pages[i]), 1))
			c->exhausted = true;
	spin_unlock_irq(&c->b->pages_lock);
}

/*
 * Are these pages one run?  They are if the allocator has split a free block for
 * them; what a processor's own list hands out is mixed.
 */
static bool is_run(struct page **pages, unsigned int nr)
{
	unsigned long first = page_to_pfn(pages[0]);
	unsigned long last = page_to_pfn(pages[nr - 1]);

	return max(first, last) - min(first, last) == nr - 1;
}

/**
 * balloon_take_holes - allocate pages, and find the holes among them
 * @c: the run
 * @pages: where addresses are stored: those of holes from its beginning, those of
 *	pages to be parked from its end
 * @max: most pages to allocate, up to BALLOON_HOLES_AT_ONCE
 *
 * Context: process; does not reclaim memory.
 * Return: number of holes, which may be 0.
 */
unsigned int balloon_take_holes(struct balloon_compaction *c, struct page **pages,
				unsigned int max)
{
	struct page *found[BALLOON_HOLES_AT_ONCE] = { };
	unsigned int i, nr, taken = 0, parked = 0;

	nr = alloc_pages_bulk_node((BALLOON_PAGE_GFP & ~__GFP_RECLAIM) |
					 __GFP_THISNODE, c->nid, max, found);
	c->taken += nr;
	for (i = 0; i < nr; i++) {
		if (is_hole(c, found[i], found, nr))
			pages[taken++] = found[i];
		else
			pages[max - ++parked] = found[i];
	}
	park(c, pages + max - parked, parked);
	if (taken)
		c->nr_whole = 0;
	else if (nr && is_run(found, nr))
		c->nr_whole += nr;
	c->exhausted |= !nr || c->nr_whole > MOST_WHOLE;
	return taken;
}

/* Are all pages of a block, and all others that take their place, in one zone? */
static bool is_one_zone(unsigned long index, struct page **pages, unsigned int nr)
{
	struct page *first = pfn_to_page(index << BALLOON_BLOCK_SHIFT);
	int zone = page_zone_id(first);
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (page_zone_id(pages[i]) != zone)
			return false;
	return page_zone_id(first + BALLOON_BLOCK_PAGES - 1) == zone;
}

/* How many of @nr pages, up to the first that is not, are of one block? */
static unsigned int nr_in_a_row(unsigned long index, struct page **pages,
				unsigned int nr)
{
	unsigned int n = 0;

	while (n < nr && page_to_pfn(pages[n]) >> BALLOON_BLOCK_SHIFT == index)
		n++;
	return n;
}

/* Each page is one half of a pair, if the adapter asks for pairs. */
static void put_in_batch(struct balloon *b, struct balloon_range_list *list,
			 unsigned long pfn, unsigned int nr)
{
	if (!b->ops->pairs) {
		balloon_range_add(list, pfn, nr);
		return;
	}
	for (; nr; pfn++, nr--)
		balloon_range_add_page(list, pfn);
}

/*
 * BALLOONED -> PENDING_DEFLATE, and FREE -> PENDING_INFLATE as many others.
 * Return: how many, or a negative errno.
 */
static int __exchange(struct balloon_compaction *c, struct page **pages,
		      unsigned int nr, bool charge)
{
	struct balloon *b = c->b;
	unsigned int reserved, n, done = 0;
	int err = balloon_reason_to_end(c);
	unsigned long pfn;

	lockdep_assert_held(&b->pages_lock);
	if (err)
		return err;
	for (reserved = 0; reserved < nr; reserved += n) {
		pfn = page_to_pfn(pages[reserved]) & ~(BALLOON_BLOCK_PAGES - 1);
		n = nr_in_a_row(pfn >> BALLOON_BLOCK_SHIFT, pages + reserved,
				nr - reserved);
		if (balloon_blocks_reserve(&b->blocks, pfn, n,
					   GFP_NOWAIT | __GFP_NOWARN))
			break;
	}
	if (!reserved)
		return -ENOMEM;
	while (done < reserved) {
		n = __balloon_begin_deflate_block(&b->info, c->index, reserved - done,
						  &pfn);
		if (!n)
			break;
		put_in_batch(b, &c->batch->deflate, pfn, n);
		if (charge)
			balloon_adjust_managed(b, pfn, n);
		done += n;
	}
	for (n = done; n < reserved; n++)
		balloon_blocks_unreserve(&b->blocks, page_to_pfn(pages[n]), 1);
	__balloon_begin_inflate(&b->info, done);
	__balloon_count_exchanged(b, done);
	return done;
}

/**
 * balloon_exchange - pages of the block that is being evacuated leave for holes
 * @c: the run, with an open batch
 * @pages: the holes; those that are not used are parked
 * @nr: number of holes
 *
 * Context: process.
 * Return: number of pages that were exchanged, which may be 0; or a negative errno.
 */
int balloon_exchange(struct balloon_compaction *c, struct page **pages,
		     unsigned int nr)
{
	/* As in a migration, the new pages take over the charge of the old. */
	bool charge = !is_one_zone(c->index, pages, nr);
	struct balloon *b = c->b;
	unsigned long pfn;
	int i, done;

	spin_lock_irq(&b->pages_lock);
	done = __exchange(c, pages, nr, charge);
	spin_unlock_irq(&b->pages_lock);

	for (i = 0; i < done; i++) {
		pfn = page_to_pfn(pages[i]);
		if (charge)
			balloon_adjust_managed(b, pfn, -1);
		balloon_page_own(&b->info, pages[i]);
		put_in_batch(b, &c->batch->inflate, pfn, 1);
	}
	park(c, pages + max(done, 0), nr - max(done, 0));
	return done;
}
