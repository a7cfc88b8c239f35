// SPDX-License-Identifier: GPL-2.0
/*
 * Compaction of the balloon by itself, when an administrator asks for it.
 *
 * The pages of a balloon have no content, so one can be exchanged for any other
 * that is free: cheaper than a migration, and the other may be chosen.  First as
 * many vacatable blocks (mm/balloon_placement.c) are left as the holes in the
 * others can take, those with the fewest pages of the balloon; then the rest, for
 * holes between pages that others use.
 *
 * The page allocator takes single pages from its smallest free pieces, so what
 * it hands out are holes.  Those in blocks that are to be left are kept *aside*,
 * not to be handed out again.  Nothing but pages of blocks that were free as a
 * whole means that no hole is left.
 *
 * What is kept aside is work for nothing.  So of blocks with about as many pages
 * those are left of which the allocator has handed out no hole yet.  It has the
 * holes sorted by size, and goes through all blocks with each, so that takes
 * several rounds.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "balloon_internal.h"

/* Pages that are asked for at once; their addresses are on the stack. */
#define HOLES_AT_ONCE		64U

/* Pages of whole blocks in a row that mean that there are no holes. */
#define MOST_WHOLE		2048

/* Blocks with up to so many pages more than before are left in a round. */
#define ROUND_PAGES		64U

/* Blocks that differ by no more pages are worth the same. */
#define SLACK_PAGES		64U

/**
 * struct balloon_compaction - a run
 * @b: the device
 * @nid: its node
 * @batch: what is being filled, or NULL
 * @exchanged: pages since pages aside were freed last
 * @index: the block that is being left
 * @taken: pages that the allocator has handed out since then: for each, one is
 *	kept aside or on its way
 * @most_aside: the bound on them
 * @nr_whole: pages of blocks that are free as a whole, seen in a row
 * @seen: the block of which a page was found last
 * @seen_hole: may the balloon go there?
 * @nr_with: vacatable blocks by their number of pages of the balloon
 * @free_choice: a marked block with as many pages or more need not be left
 * @nr_left: blocks that were left in this round
 * @no_holes: nothing is left but whole blocks
 */
struct balloon_compaction {
	struct balloon_dev_info *b;
	int nid;
	struct balloon_batch *batch;
	unsigned int exchanged;
	unsigned long index;
	unsigned long taken;
	unsigned long most_aside;
	unsigned int nr_whole;
	unsigned long seen;
	bool seen_hole;
	unsigned int nr_with[BALLOON_BLOCK_PAGES + 1];
	unsigned int free_choice;
	unsigned long nr_left;
	bool no_holes;
};

/*
 * Mark as many vacatable blocks as the holes in the others have room for; more,
 * if there is a @choice.
 * Return: how many can be left.
 */
static unsigned long find_sparsest(struct balloon_compaction *c, bool choice)
{
	unsigned long holes = 0, pages = 0, nr = 0, leave;
	unsigned int i;

	c->nr_left = 0;
	c->free_choice = UINT_MAX;
	c->seen = ULONG_MAX;
	balloon_count_vacatable(c->b, c->nid, c->nr_with);
	for (i = 1; i <= BALLOON_BLOCK_PAGES; i++)
		holes += (BALLOON_BLOCK_PAGES - i) * c->nr_with[i];
	for (i = 1; i < BALLOON_BLOCK_PAGES; i++) {
		leave = (holes - pages) / BALLOON_BLOCK_PAGES;
		if (leave < c->nr_with[i]) {
			nr += leave;
			break;
		}
		nr += c->nr_with[i];
		pages += i * c->nr_with[i];
		holes -= (BALLOON_BLOCK_PAGES - i) * c->nr_with[i];
	}
	if (choice) {
		c->free_choice = max(i, SLACK_PAGES + 1) - SLACK_PAGES;
		balloon_keep_fullest(c->b, c->nid, i + SLACK_PAGES, UINT_MAX);
	} else {
		balloon_keep_fullest(c->b, c->nid, i, leave);
	}
	return nr;
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
	struct balloon_dev_info *b = c->b;

	if (balloon_blocks_get_mark(&b->blocks, index) != BALLOON_BLOCK_LEAVE)
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
	struct balloon_dev_info *b = c->b;

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

/**
 * __balloon_put_aside - keep pages that the balloon has left from being used
 * @b: the device
 * @pfn: first of adjacent pages that nobody owns
 * @nr: number of pages
 *
 * Context: under @b->pages_lock.
 * Return: false if there was no memory for the index, and pages were freed.
 */
bool __balloon_put_aside(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr)
{
	bool aside = true;
	unsigned int n;

	lockdep_assert_held(&b->pages_lock);
	for (; nr; pfn += n, nr -= n) {
		n = min_t(unsigned long, nr,
			  ALIGN(pfn + 1, BALLOON_BLOCK_PAGES) - pfn);
		if (balloon_blocks_put_aside(&b->blocks, pfn, n,
					     GFP_NOWAIT | __GFP_NOWARN)) {
			balloon_range_put(pfn, n);
			aside = false;
		} else {
			b->nr_aside += n;
		}
	}
	return aside;
}

static void put_aside(struct balloon_compaction *c, struct page **pages,
		      unsigned int nr)
{
	unsigned int i;

	spin_lock_irq(&c->b->pages_lock);
	for (i = 0; i < nr; i++)
		/* What was freed would come again, and again. */
		if (!__balloon_put_aside(c->b, page_to_pfn(pages[i]), 1))
			c->no_holes = true;
	spin_unlock_irq(&c->b->pages_lock);
}

/**
 * balloon_free_aside - free the pages that are kept aside
 * @b: the device
 *
 * Context: process.
 */
void balloon_free_aside(struct balloon_dev_info *b)
{
	unsigned long *pages, index = 0;
	unsigned int nr, start, end;

	do {
		spin_lock_irq(&b->pages_lock);
		pages = balloon_blocks_take_aside(&b->blocks, &index, &nr);
		if (pages)
			b->nr_aside -= nr;
		spin_unlock_irq(&b->pages_lock);
		if (pages)
			for_each_set_bitrange(start, end, pages,
					      BALLOON_BLOCK_PAGES)
				balloon_range_put((index << BALLOON_BLOCK_SHIFT) +
						  start, end - start);
		kfree(pages);
		cond_resched();
	} while (pages || index);
}

/* So it is when a free block is broken; what a processor has at hand is mixed. */
static bool is_run(struct page **pages, unsigned int nr)
{
	unsigned long first = page_to_pfn(pages[0]);
	unsigned long last = page_to_pfn(pages[nr - 1]);

	return max(first, last) - min(first, last) == nr - 1;
}

/*
 * @pages has room for @max.
 * Return: number of pages for the balloon, which may be 0.
 */
static unsigned int take_holes(struct balloon_compaction *c,
			       struct page **pages, unsigned int max)
{
	struct page *found[HOLES_AT_ONCE] = { };
	unsigned int i, nr, taken = 0, aside = 0;

	nr = alloc_pages_bulk_array_node((BALLOON_PAGE_GFP & ~__GFP_RECLAIM) |
					 __GFP_THISNODE, c->nid, max, found);
	c->taken += nr;
	for (i = 0; i < nr; i++) {
		if (is_hole(c, found[i], found, nr))
			pages[taken++] = found[i];
		else
			pages[max - ++aside] = found[i];
	}
	put_aside(c, pages + max - aside, aside);
	if (taken)
		c->nr_whole = 0;
	else if (nr && is_run(found, nr))
		c->nr_whole += nr;
	c->no_holes |= !nr || c->nr_whole > MOST_WHOLE;
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

/* Return: 0, or why the run must end: a negative errno. */
static int reason_to_end(struct balloon_dev_info *b)
{
	if (READ_ONCE(b->error))
		return -EIO;
	if (READ_ONCE(b->dying))
		return -EBUSY;
	return signal_pending(current) ? -ERESTARTSYS : 0;
}

/*
 * BALLOONED -> PENDING_DEFLATE, and FREE -> PENDING_INFLATE as many others.
 * Return: how many, or a negative errno.
 */
static int __exchange(struct balloon_compaction *c, struct page **pages,
		      unsigned int nr, bool charge)
{
	struct balloon_dev_info *b = c->b;
	unsigned int reserved, n, done = 0;
	int err = reason_to_end(b);
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
	__balloon_split(b, c->index << BALLOON_BLOCK_SHIFT);
	while (done < reserved) {
		n = balloon_blocks_take_from(&b->blocks, c->index,
					     reserved - done, &pfn);
		if (!n)
			break;
		balloon_range_add(&c->batch->deflate, pfn, n);
		if (charge)
			balloon_account(b, pfn, n);
		done += n;
	}
	for (n = done; n < reserved; n++)
		balloon_blocks_unreserve(&b->blocks, page_to_pfn(pages[n]), 1);
	b->nr_ballooned -= done;
	b->nr_deflating += done;
	b->nr_inflating += done;
	b->stats.enqueued += done;
	b->stats.exchanged += done;
	return done;
}

/* Return: as of __exchange(). */
static int exchange(struct balloon_compaction *c, struct page **pages,
		    unsigned int nr)
{
	/* As in a migration, the new pages take over the charge of the old. */
	bool charge = !is_one_zone(c->index, pages, nr);
	struct balloon_dev_info *b = c->b;
	unsigned long pfn;
	int i, done;

	spin_lock_irq(&b->pages_lock);
	done = __exchange(c, pages, nr, charge);
	spin_unlock_irq(&b->pages_lock);

	for (i = 0; i < done; i++) {
		pfn = page_to_pfn(pages[i]);
		if (charge)
			balloon_account(b, pfn, -1);
		balloon_page_own(b, pages[i]);
		balloon_range_add(&c->batch->inflate, pfn, 1);
	}
	put_aside(c, pages + max(done, 0), nr - max(done, 0));
	return done;
}

static unsigned int pages_left_in(struct balloon_dev_info *b,
				  unsigned long index)
{
	unsigned int nr;

	spin_lock_irq(&b->pages_lock);
	nr = balloon_blocks_nr_set(&b->blocks, index);
	spin_unlock_irq(&b->pages_lock);
	return nr;
}

static void round_submit(struct balloon_compaction *c)
{
	struct balloon_batch *batch = c->batch;

	c->batch = NULL;
	if (!batch)
		return;
	if (batch->inflate.nr)
		balloon_batch_submit(batch);
	else
		balloon_batch_put(batch);
}

/* What was exchanged and what was kept aside is free when this returns. */
static void round_settle(struct balloon_compaction *c)
{
	struct balloon_dev_info *b = c->b;

	round_submit(c);
	wait_event_timeout(b->wait, !READ_ONCE(b->nr_exchanging) ||
			   READ_ONCE(b->error), READ_ONCE(b->ack_timeout));
	c->seen = ULONG_MAX;
	balloon_free_aside(b);
	c->taken = 0;
}

/* The guest keeps enough memory: at least half of what is above the floor. */
static void bound_aside(struct balloon_compaction *c)
{
	if (c->taken < c->most_aside)
		return;
	round_settle(c);
	c->most_aside = balloon_room_above_floor(c->b) / 2;
	c->no_holes |= !c->exchanged || !c->most_aside;
	c->exchanged = 0;
}

static struct balloon_batch *get_batch_to_exchange(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;

	batch = balloon_batch_get(b, BALLOON_BATCH_KEEP,
				  READ_ONCE(b->ack_timeout));
	if (!batch)
		return NULL;
	spin_lock_irq(&b->pages_lock);
	batch->exchange = true;
	b->nr_exchanging++;
	spin_unlock_irq(&b->pages_lock);
	return batch;
}

/* How many pages can be exchanged at once, at least 1. */
static unsigned int room_in_batch(const struct balloon_batch *batch)
{
	return min(BALLOON_BATCH_RANGES -
		   max(batch->inflate.nr, batch->deflate.nr),
		   BALLOON_BATCH_PAGES -
		   max(batch->inflate.nr_pages, batch->deflate.nr_pages));
}

static int leave_block(struct balloon_compaction *c)
{
	struct balloon_dev_info *b = c->b;
	struct page *pages[HOLES_AT_ONCE];
	unsigned int left;
	int nr, err;

	while (!c->no_holes && (left = pages_left_in(b, c->index))) {
		err = reason_to_end(b);
		if (err)
			return err;
		if (!c->batch)
			c->batch = get_batch_to_exchange(b);
		if (!c->batch)
			return reason_to_end(b) ?: -EBUSY;
		nr = min3(left, HOLES_AT_ONCE, room_in_batch(c->batch));
		nr = take_holes(c, pages, min_t(unsigned long, nr,
						c->most_aside - c->taken));
		if (nr) {
			nr = exchange(c, pages, nr);
			/* The others are on their way. */
			if (nr <= 0)
				return nr;
			c->exchanged += nr;
		}
		if (balloon_batch_full(c->batch))
			round_submit(c);
		bound_aside(c);
		cond_resched();
	}
	c->nr_left += !c->no_holes;
	return 0;
}

/* Of those with at most so many pages of the balloon. */
static int leave_blocks(struct balloon_compaction *c, unsigned int most)
{
	struct balloon_dev_info *b = c->b;
	unsigned int nr;
	int err = 0;
	bool may;

	for (c->index = 0; !err && !c->no_holes; c->index++) {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &c->index);
		may = nr && nr <= most &&
		      balloon_block_is_on(c->index, c->nid) &&
		      balloon_blocks_get_mark(&b->blocks, c->index) ==
		      BALLOON_BLOCK_LEAVE;
		spin_unlock_irq(&b->pages_lock);
		if (!nr)
			break;
		if (may)
			err = leave_block(c);
	}
	return err;
}

/* Into the holes of other such blocks, and of others. */
static int leave_sparsest(struct balloon_compaction *c)
{
	unsigned long nr;
	bool choice;
	int err;

	do {
		nr = find_sparsest(c, true);
		err = leave_blocks(c, c->free_choice - 1) ?:
		      leave_blocks(c, BALLOON_BLOCK_PAGES);
		round_settle(c);
		choice = c->nr_left && c->nr_left >= nr / 8;
	} while (!err && !c->no_holes && choice);
	if (err || c->no_holes)
		return err;
	find_sparsest(c, false);
	err = leave_blocks(c, BALLOON_BLOCK_PAGES);
	round_settle(c);
	return err;
}

static int compact_node(struct balloon_compaction *c)
{
	unsigned int most = 0;
	int err;

	c->most_aside = balloon_room_above_floor(c->b) / 2;
	if (!c->most_aside)
		return -ENOMEM;
	balloon_find_vacatable(c->b, c->nid);
	err = leave_sparsest(c);
	c->seen = ULONG_MAX;
	balloon_count_vacatable(c->b, c->nid, c->nr_with);
	c->free_choice = UINT_MAX;
	while (!err && !c->no_holes && most < BALLOON_BLOCK_PAGES) {
		most += ROUND_PAGES;
		err = leave_blocks(c, most);
	}
	round_settle(c);
	return err;
}

static bool compaction_begin(struct balloon_compaction *c)
{
	struct balloon_dev_info *b = c->b;
	bool may;

	spin_lock_irq(&b->pages_lock);
	may = !b->compaction && !b->dying;
	if (may)
		b->compaction = c;
	spin_unlock_irq(&b->pages_lock);
	return may;
}

static void compaction_end(struct balloon_compaction *c)
{
	struct balloon_dev_info *b = c->b;
	bool done;

	do {
		balloon_free_aside(b);
		spin_lock_irq(&b->pages_lock);
		done = !b->nr_aside;
		if (done)
			b->compaction = NULL;
		spin_unlock_irq(&b->pages_lock);
	} while (!done);
}

/**
 * balloon_compact - move the balloon together, so that others get whole blocks
 * @b: the device
 *
 * Context: process; waits, within bounds, for the hypervisor.  Does not reclaim
 * memory, and leaves the guest its floor.
 * Return: 0; -EBUSY if it is being compacted already, emptied, or all batches
 * are in flight for long; -EIO if the hypervisor has failed or is silent;
 * -ENOMEM if the guest has no memory above its floor, or none for the index;
 * -ERESTARTSYS if a signal has come.  After an error part of the work is done.
 */
int balloon_compact(struct balloon_dev_info *b)
{
	struct balloon_compaction *c;
	int nid, err = 0;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->b = b;
	if (!compaction_begin(c)) {
		err = -EBUSY;
		goto out;
	}
	for_each_online_node(nid) {
		c->nid = nid;
		c->seen = ULONG_MAX;
		c->no_holes = false;
		c->nr_whole = 0;
		err = compact_node(c);
		if (err)
			break;
	}
	compaction_end(c);
out:
	kfree(c);
	return err;
}
