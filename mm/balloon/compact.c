// SPDX-License-Identifier: GPL-2.0
/*
 * Compaction of the balloon by itself: a run, whoever has asked for it.
 *
 * The pages of a balloon have no content.  So one can be exchanged for any page
 * that is free, which costs less than a migration, and the other page may be
 * chosen.  A *hole* is a free page in a block that others use, or that the balloon
 * keeps.  A run exchanges pages of vacatable blocks (mm/balloon/placement.c) for
 * holes; it *evacuates* these blocks, and they become free as a whole.
 *
 * How many blocks can be evacuated?  Their pages must fit into the holes of the
 * vacatable blocks that are kept: most_that_fit() counts.  Blocks with the fewest
 * pages come first, since each costs least and takes the most holes out of the
 * count.  When they are done, the rest is evacuated into holes between pages of
 * others, as long as there are any.
 *
 * Where does the allocator take pages from?  It hands out single pages from its
 * smallest free pieces, so what comes are holes, of any block.  A page of a block
 * that is being evacuated is *parked*: nobody uses it until the round ends, so the
 * allocator cannot hand it out again.  When nothing comes but pages of blocks that
 * are free as a whole, no hole is left and the run is *exhausted*.
 *
 * A page that was parked has cost an allocation for nothing.  So of blocks with
 * about as many pages, those are evacuated of which no hole has come yet.  The
 * allocator sorts its pieces by size and goes through all blocks with each size, so
 * that needs several rounds.
 *
 * A run in the background (mm/balloon/background.c) rests for most of the time, and
 * ends at once when anybody else has something to do with the balloon or the guest's
 * memory.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitops.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/* Pages that are asked for at once; their addresses are on the stack. */
#define HOLES_AT_ONCE		64U

/* Pages of whole blocks in a row that mean that there are no holes. */
#define MOST_WHOLE		2048

/* A round evacuates blocks with up to so many pages more than the one before. */
#define ROUND_PAGES		64U

/* Blocks that differ by no more pages are worth the same. */
#define SLACK_PAGES		64U

/* A wait for the hypervisor after which parked pages are given back. */
#define PARKED_TIMEOUT		(HZ / 10)

/* How long a run in the background works before it rests. */
#define BACKGROUND_SLICE_NS	NSEC_PER_MSEC

/* Of so many parts of one processor's time it has as many as the proactiveness is. */
#define PROACTIVENESS_WHOLE	400

/**
 * struct balloon_compaction - a run
 * @b: the device
 * @nid: its node
 * @batch: what is being filled, or NULL
 * @exchanged: pages since parked pages were freed last
 * @index: the block that is being evacuated
 * @taken: pages that the allocator has handed out since then: for each, one is
 *	parked or on its way
 * @most_parked: the bound on them
 * @nr_whole: pages of blocks that are free as a whole, seen in a row
 * @seen: the block of which a page was found last
 * @seen_hole: may the balloon go there?
 * @nr_with: vacatable blocks by their number of pages of the balloon
 * @free_choice: a marked block with as many pages or more may be kept instead
 * @nr_evacuated: blocks that were evacuated in this round
 * @exhausted: nothing is left but whole blocks
 * @target: the target, as it was when a run in the background began
 * @background: nobody has asked for it
 * @began: when it has rested last, in ns, and since then it only worked
 * @won: blocks that were evacuated
 */
struct balloon_compaction {
	struct balloon *b;
	int nid;
	struct balloon_core_batch *batch;
	unsigned int exchanged;
	unsigned long index;
	unsigned long taken;
	unsigned long most_parked;
	unsigned int nr_whole;
	unsigned long seen;
	bool seen_hole;
	unsigned int nr_with[BALLOON_BLOCK_PAGES + 1];
	unsigned int free_choice;
	unsigned long nr_evacuated;
	bool exhausted;
	unsigned long target;
	bool background;
	u64 began;
	unsigned long won;
};

/*
 * How many vacatable blocks can be evacuated into the holes of the others?
 *
 * There are @nr_with[i] blocks with i pages, and 512 - i holes in each.  Begin with
 * all holes, @holes, and no page to move, @pages.  Evacuating one block with i pages
 * adds i to @pages and takes its own 512 - i holes from @holes: the difference
 * becomes 512 smaller, whatever i is.  So as long as the difference is d, d / 512
 * more blocks fit.
 *
 * Return: the first i of which not all blocks fit, in @nr_last how many of those do,
 * and in @nr how many blocks in all.
 */
static unsigned int most_that_fit(const unsigned int *nr_with,
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

/*
 * Mark as many vacatable blocks as the holes in the others have room for.  With a
 * @choice, mark more: blocks that differ by SLACK_PAGES or less are worth the same,
 * and __block_has_holes() keeps those of which a hole comes.
 * Return: how many can be evacuated.
 */
static unsigned long find_sparsest(struct balloon_compaction *c, bool choice)
{
	unsigned long nr, nr_last;
	unsigned int i;

	c->nr_evacuated = 0;
	c->free_choice = UINT_MAX;
	c->seen = ULONG_MAX;
	balloon_count_vacatable(c->b, c->nid, c->nr_with);
	i = most_that_fit(c->nr_with, &nr_last, &nr);
	if (choice) {
		c->free_choice = max(i, SLACK_PAGES + 1) - SLACK_PAGES;
		balloon_keep_fullest(c->b, c->nid, i + SLACK_PAGES, UINT_MAX);
	} else {
		balloon_keep_fullest(c->b, c->nid, i, nr_last);
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

/*
 * Allocate up to @max pages.  Holes are stored in @pages from its beginning, pages
 * to be parked from its end: together they are no more than @max.
 * Return: number of holes, which may be 0.
 */
static unsigned int take_holes(struct balloon_compaction *c,
			       struct page **pages, unsigned int max)
{
	struct page *found[HOLES_AT_ONCE] = { };
	unsigned int i, nr, taken = 0, parked = 0;

	nr = alloc_pages_bulk_array_node((BALLOON_PAGE_GFP & ~__GFP_RECLAIM) |
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

/*
 * Has anybody else something to do with the balloon, or with the memory that is
 * parked?  An administrator who asks for a run makes this one end.
 */
static bool gives_way(const struct balloon_compaction *c)
{
	struct balloon *b = c->b;

	return READ_ONCE(b->target) != c->target || READ_ONCE(b->oom) ||
	       READ_ONCE(b->isolated_pages) || !READ_ONCE(b->proactiveness) ||
	       READ_ONCE(b->compact_asked) || !balloon_free_to_spare(NUMA_NO_NODE);
}

/* Return: 0, or why the run must end: a negative errno. */
static int reason_to_end(const struct balloon_compaction *c)
{
	if (!balloon_is_answered(c->b))
		return -EIO;
	if (balloon_is_leaving(c->b))
		return -EBUSY;
	if (c->background && gives_way(c))
		return -EAGAIN;
	return signal_pending(current) ? -ERESTARTSYS : 0;
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
	int err = reason_to_end(c);
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
		balloon_range_add(&c->batch->deflate, pfn, n);
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

/* Return: as of __exchange(). */
static int exchange(struct balloon_compaction *c, struct page **pages,
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
		balloon_range_add(&c->batch->inflate, pfn, 1);
	}
	park(c, pages + max(done, 0), nr - max(done, 0));
	return done;
}

static unsigned int pages_in(struct balloon *b, unsigned long index)
{
	unsigned int nr;

	spin_lock_irq(&b->pages_lock);
	nr = balloon_blocks_nr_set(&b->blocks, index);
	spin_unlock_irq(&b->pages_lock);
	return nr;
}

static void round_submit(struct balloon_compaction *c)
{
	struct balloon_core_batch *batch = c->batch;

	c->batch = NULL;
	if (!batch)
		return;
	if (batch->inflate.nr)
		balloon_batch_submit(batch);
	else
		balloon_batch_put(batch);
}

static bool exchanges_are_over(struct balloon_compaction *c)
{
	return !READ_ONCE(c->b->nr_exchanging) || reason_to_end(c);
}

/*
 * What was exchanged and what was parked is free when this returns, unless a
 * signal has come: then the hypervisor's answer frees it.
 */
static void round_settle(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	u64 since;

	round_submit(c);
	since = ktime_get_ns();
	if (!wait_event_interruptible_timeout(b->wait, exchanges_are_over(c),
					      PARKED_TIMEOUT)) {
		balloon_free_parked(b);
		wait_event_interruptible_timeout(b->wait, exchanges_are_over(c),
						 READ_ONCE(b->ack_timeout));
	}
	c->began += ktime_get_ns() - since;
	c->seen = ULONG_MAX;
	balloon_free_parked(b);
	c->taken = 0;
}

/* Return: as of balloon_batch_wait(). */
static struct balloon_core_batch *wait_for_batch(struct balloon_compaction *c)
{
	struct balloon_core_batch *batch;
	struct balloon *b = c->b;
	u64 since = ktime_get_ns();

	batch = balloon_batch_wait(b, BALLOON_FOR_EXCHANGE, PARKED_TIMEOUT);
	if (!batch && !reason_to_end(c)) {
		balloon_free_parked(b);
		c->seen = ULONG_MAX;
		batch = balloon_batch_wait(b, BALLOON_FOR_EXCHANGE,
					   READ_ONCE(b->ack_timeout));
	}
	c->began += ktime_get_ns() - since;
	return batch;
}

/*
 * The guest keeps enough memory: at least half of what is above the floor.  In the
 * background, where parked pages are kept for longer, three quarters of what its node
 * has free above the watermarks, too.
 */
static unsigned long most_to_park(struct balloon_compaction *c)
{
	unsigned long most = balloon_room_above_floor(c->b) / 2;

	return c->background ? min(most, balloon_free_to_spare(c->nid) / 4) : most;
}

static void bound_parked(struct balloon_compaction *c)
{
	if (c->taken < c->most_parked)
		return;
	round_settle(c);
	c->most_parked = most_to_park(c);
	c->exhausted |= !c->exchanged || !c->most_parked;
	c->exchanged = 0;
}

/* How many pages can be exchanged at once, at least 1. */
static unsigned int room_in_batch(const struct balloon_core_batch *batch)
{
	return min(batch->b->max_ranges -
		   max(batch->inflate.nr, batch->deflate.nr),
		   batch->b->max_pages -
		   max(batch->inflate.nr_pages, batch->deflate.nr_pages));
}

/* A share of one processor's time is worked in, the rest of it is rested. */
static void rest(struct balloon_compaction *c)
{
	u64 worked = ktime_get_ns() - c->began;
	unsigned int share = READ_ONCE(c->b->proactiveness);
	unsigned long end;

	if (!c->background || worked < BACKGROUND_SLICE_NS || !share)
		return;
	end = jiffies + 1 + nsecs_to_jiffies(div_u64(worked * (PROACTIVENESS_WHOLE - share),
						     share));
	while (time_before(jiffies, end) && !reason_to_end(c))
		wait_event_timeout(c->b->wait, reason_to_end(c),
				   min(end - jiffies, HZ / 10UL));
	c->began = ktime_get_ns();
}

static int evacuate_block(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	struct page *pages[HOLES_AT_ONCE];
	unsigned int remaining;
	int nr, err;

	while (!c->exhausted && (remaining = pages_in(b, c->index))) {
		err = reason_to_end(c);
		if (err)
			return err;
		if (!c->batch)
			c->batch = wait_for_batch(c);
		if (!c->batch)
			return reason_to_end(c) ?: -EBUSY;
		nr = min3(remaining, HOLES_AT_ONCE, room_in_batch(c->batch));
		nr = take_holes(c, pages, min_t(unsigned long, nr,
						c->most_parked - c->taken));
		if (nr) {
			nr = exchange(c, pages, nr);
			/* The others are on their way. */
			if (nr <= 0) {
				bound_parked(c);
				return nr;
			}
			c->exchanged += nr;
		}
		if (balloon_batch_full(c->batch))
			round_submit(c);
		bound_parked(c);
		rest(c);
		cond_resched();
	}
	c->nr_evacuated += !c->exhausted;
	c->won += !c->exhausted;
	return 0;
}

/* Of those with at most so many pages of the balloon. */
static int evacuate_blocks(struct balloon_compaction *c, unsigned int most)
{
	struct balloon *b = c->b;
	unsigned int nr;
	int err = 0;
	bool may;

	for (c->index = 0; !err && !c->exhausted; c->index++) {
		spin_lock_irq(&b->pages_lock);
		nr = balloon_blocks_next(&b->blocks, &c->index);
		may = nr && nr <= most &&
		      balloon_block_is_on(c->index, c->nid) &&
		      balloon_blocks_get_mark(&b->blocks, c->index) ==
		      BALLOON_BLOCK_EVACUATE;
		spin_unlock_irq(&b->pages_lock);
		if (!nr)
			break;
		if (may)
			err = evacuate_block(c);
	}
	return err;
}

/* Into the holes of other such blocks, and of others. */
static int evacuate_sparsest(struct balloon_compaction *c)
{
	unsigned long nr;
	bool choice;
	int err;

	do {
		nr = find_sparsest(c, true);
		err = evacuate_blocks(c, c->free_choice - 1) ?:
		      evacuate_blocks(c, BALLOON_BLOCK_PAGES);
		round_settle(c);
		/* Another round is worth its look at all blocks if it wins an eighth. */
		choice = c->nr_evacuated && c->nr_evacuated >= nr / 8;
	} while (!err && !c->exhausted && choice);
	if (err || c->exhausted)
		return err;
	find_sparsest(c, false);
	err = evacuate_blocks(c, BALLOON_BLOCK_PAGES);
	round_settle(c);
	return err;
}

static int compact_node(struct balloon_compaction *c)
{
	unsigned int most = 0;
	int err;

	c->most_parked = most_to_park(c);
	if (!c->most_parked)
		return -ENOMEM;
	balloon_find_vacatable(c->b, c->nid);
	err = evacuate_sparsest(c);
	c->seen = ULONG_MAX;
	balloon_count_vacatable(c->b, c->nid, c->nr_with);
	c->free_choice = UINT_MAX;
	while (!err && !c->exhausted && most < BALLOON_BLOCK_PAGES) {
		most += ROUND_PAGES;
		err = evacuate_blocks(c, most);
	}
	round_settle(c);
	return err;
}

/* One that nobody has asked for ends when the target changes, so the balloon has it. */
static bool compaction_begin(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	bool may;

	spin_lock_irq(&b->pages_lock);
	may = !b->compaction && !balloon_is_leaving(b) &&
	      (!c->background || __balloon_held(b) == b->target);
	if (may) {
		b->compaction = c;
		c->target = b->target;
		b->background = c->background;
	}
	spin_unlock_irq(&b->pages_lock);
	return may;
}

/* One that nobody has asked for ends soon. */
static bool compaction_begin_asked(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	bool may;

	spin_lock_irq(&b->pages_lock);
	b->compact_asked++;
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	wait_event_interruptible_timeout(b->wait,
					 !READ_ONCE(b->background),
					 READ_ONCE(b->ack_timeout));
	may = compaction_begin(c);
	spin_lock_irq(&b->pages_lock);
	b->compact_asked--;
	spin_unlock_irq(&b->pages_lock);
	return may;
}

static void compaction_end(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	bool done;

	do {
		balloon_free_parked(b);
		spin_lock_irq(&b->pages_lock);
		done = !b->nr_parked;
		if (done) {
			b->compaction = NULL;
			b->background = false;
			__balloon_changed(b);
		}
		spin_unlock_irq(&b->pages_lock);
	} while (!done);
}

/* Return: 0, or as of balloon_compact(). */
static int compact_nodes(struct balloon_compaction *c)
{
	int nid, err = 0;

	for_each_online_node(nid) {
		c->nid = nid;
		c->seen = ULONG_MAX;
		c->exhausted = false;
		c->nr_whole = 0;
		err = compact_node(c);
		if (err)
			break;
	}
	compaction_end(c);
	return err;
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
int balloon_compact(struct balloon *b)
{
	struct balloon_compaction *c;
	int err = -EBUSY;

	c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (!c)
		return -ENOMEM;
	c->b = b;
	if (compaction_begin_asked(c))
		err = compact_nodes(c);
	else if (signal_pending(current))
		err = -ERESTARTSYS;
	kfree(c);
	return err;
}

/**
 * balloon_compact_in_background - the same, unasked and at leisure
 * @b: the device
 *
 * Context: process; takes &balloon.proactiveness of a processor's time.
 * Return: number of blocks that were evacuated.  &balloon.holes_left is what the run
 * has left if it came to its end, else ULONG_MAX.
 */
unsigned long balloon_compact_in_background(struct balloon *b)
{
	struct balloon_compaction *c;
	unsigned long won = 0;

	c = kzalloc(sizeof(*c), GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	if (!c)
		return 0;
	c->b = b;
	c->background = true;
	c->began = ktime_get_ns();
	if (compaction_begin(c)) {
		int err = compact_nodes(c);

		won = c->won;
		/* One that was not let to its end has more to do. */
		spin_lock_irq(&b->pages_lock);
		b->holes_left = err || READ_ONCE(b->target) != c->target ?
				ULONG_MAX : balloon_holes();
		spin_unlock_irq(&b->pages_lock);
	}
	kfree(c);
	return won;
}
