// SPDX-License-Identifier: GPL-2.0
/*
 * Compaction of the balloon by itself: a run, whoever has asked for it.
 *
 * The pages of a balloon have no content.  So one can be exchanged for any page
 * that is free, which costs less than a migration, and the other page may be
 * chosen.  A *hole* is a free page in a block that others use, or that the balloon
 * keeps.  A run exchanges pages of vacatable blocks (mm/balloon/placement.c) for
 * holes (mm/balloon/exchange.c); it *evacuates* these blocks, and they become free as
 * a whole.
 *
 * How many blocks can be evacuated?  Their pages must fit into the holes of the
 * vacatable blocks that are kept: balloon_most_that_fit() counts.  Blocks with the
 * fewest pages come first, since each costs least and takes the most holes out of the
 * count.  When they are done, the rest is evacuated into holes between pages of
 * others, as long as there are any.
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
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <trace/events/balloon.h>

#include "compact.h"
#include "internal.h"

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
	i = balloon_most_that_fit(c->nr_with, &nr_last, &nr);
	if (choice) {
		c->free_choice = max(i, SLACK_PAGES + 1) - SLACK_PAGES;
		balloon_keep_fullest(c->b, c->nid, i + SLACK_PAGES, UINT_MAX);
	} else {
		balloon_keep_fullest(c->b, c->nid, i, nr_last);
	}
	return nr;
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
	return !READ_ONCE(c->b->nr_exchanging) || balloon_reason_to_end(c);
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
	/* Of which block a page came back is not known. */
	if (!balloon_was_refused(c))
		c->won += c->nr_leaving;
	c->nr_leaving = 0;
}

/* Return: as of balloon_batch_wait(). */
static struct balloon_core_batch *wait_for_batch(struct balloon_compaction *c)
{
	struct balloon_core_batch *batch;
	struct balloon *b = c->b;
	u64 since = ktime_get_ns();

	batch = balloon_batch_wait(b, BALLOON_FOR_EXCHANGE, PARKED_TIMEOUT);
	if (!batch && !balloon_reason_to_end(c)) {
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
	while (time_before(jiffies, end) && !balloon_reason_to_end(c))
		wait_event_timeout(c->b->wait, balloon_reason_to_end(c),
				   min(end - jiffies, HZ / 10UL));
	c->began = ktime_get_ns();
}

static int evacuate_block(struct balloon_compaction *c)
{
	struct balloon *b = c->b;
	struct page *pages[BALLOON_HOLES_AT_ONCE];
	/* Pages that the hypervisor refuses come back: not again in this round. */
	unsigned int remaining, left = pages_in(b, c->index);
	int nr, err;

	while (!c->exhausted && (remaining = min(left, pages_in(b, c->index)))) {
		err = balloon_reason_to_end(c);
		if (err)
			return err;
		if (!c->batch)
			c->batch = wait_for_batch(c);
		if (!c->batch)
			return balloon_reason_to_end(c) ?: -EBUSY;
		nr = min3(remaining, BALLOON_HOLES_AT_ONCE, room_in_batch(c->batch));
		nr = min_t(unsigned long, nr, c->most_parked - c->taken);
		nr = balloon_take_holes(c, pages, nr);
		if (nr) {
			nr = balloon_exchange(c, pages, nr);
			/* The others are on their way. */
			if (nr <= 0) {
				bound_parked(c);
				return nr;
			}
			c->exchanged += nr;
			c->nr_exchanged += nr;
			left -= nr;
		}
		if (balloon_batch_full(c->batch))
			round_submit(c);
		bound_parked(c);
		rest(c);
		cond_resched();
	}
	if (!c->exhausted && !pages_in(b, c->index)) {
		c->nr_evacuated++;
		c->nr_leaving++;
	}
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
		choice = c->nr_evacuated && c->nr_evacuated >= nr / 8 &&
			 !balloon_was_refused(c);
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
	balloon_find_vacatable(c->b, c->nid, false);
	err = evacuate_sparsest(c);
	c->seen = ULONG_MAX;
	balloon_count_vacatable(c->b, c->nid, c->nr_with);
	c->free_choice = UINT_MAX;
	while (!err && !c->exhausted && most < BALLOON_BLOCK_PAGES) {
		most += ROUND_PAGES;
		err = evacuate_blocks(c, most);
	}
	if (!err && !c->exhausted) {
		c->seen = ULONG_MAX;
		balloon_find_vacatable(c->b, c->nid, true);
		err = evacuate_blocks(c, BALLOON_BLOCK_PAGES);
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
		c->refused = b->stats.refused;
		c->begun = ktime_get_boottime_seconds();
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

static void compaction_end(struct balloon_compaction *c, int err)
{
	struct balloon *b = c->b;
	bool done;

	trace_balloon_compact(b->id, !c->background, err, c->nr_exchanged, c->won);
	do {
		balloon_free_parked(b);
		spin_lock_irq(&b->pages_lock);
		done = !b->nr_parked;
		if (done) {
			b->compaction = NULL;
			b->background = false;
			b->last_run = (struct balloon_run) {
				.asked = !c->background,
				.err = err,
				.exchanged = c->nr_exchanged,
				.won = c->won,
				.began = c->begun,
				.ended = ktime_get_boottime_seconds(),
			};
			__balloon_changed(b);
		}
		spin_unlock_irq(&b->pages_lock);
	} while (!done);
}

/* Return: 0, or as of balloon_compact(). */
static int compact_nodes(struct balloon_compaction *c)
{
	int nid, err = -ENOMEM, this;

	for_each_online_node(nid) {
		c->nid = nid;
		c->seen = ULONG_MAX;
		c->exhausted = false;
		c->nr_whole = 0;
		this = compact_node(c);
		/* Another node may have memory to spare. */
		if (this != -ENOMEM)
			err = this;
		if (err && err != -ENOMEM)
			break;
	}
	compaction_end(c, err);
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
