// SPDX-License-Identifier: GPL-2.0
/*
 * Following the target: inflation and deflation.
 *
 * The worker inflates or deflates in batches, several in flight at once, until
 * the balloon has the size that was asked for: that is a round.  When it cannot
 * be reached it tries again later, and later each time, instead of spinning.
 *
 * The work item never waits.  A guest that goes to sleep waits for it, so it
 * returns after a tenth of a second and queues itself again; and when only the
 * hypervisor, or a page that comes back, lets it go on, __balloon_changed()
 * queues it.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/crash_dump.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Single pages that are asked for at once; their addresses are on the stack. */
#define PAGES_AT_ONCE		64U

/* So many are taken until it is looked again what can be spared. */
#define PAGES_AT_A_LOOK		max((unsigned long)SZ_8M >> PAGE_SHIFT, \
				    BALLOON_BLOCK_PAGES)

/* How often a worker that is busy for long tells how far it has come. */
#define BALLOON_REPORT_INTERVAL	(HZ / 10)

/* How long the work item goes on before it queues itself again. */
#define BALLOON_SLICE		(HZ / 10)

/* Return: how many pages there are, whether @list has them or they are held back. */
static unsigned int add_run(struct balloon *b, struct balloon_range_list *list,
			    unsigned int order)
{
	struct page *page = balloon_run_alloc(order);

	if (!page)
		return 0;
	if (balloon_in_reach(b, page_to_pfn(page), BIT(order)))
		balloon_range_add(list, page_to_pfn(page), BIT(order));
	else
		balloon_hold_back(b, page_to_pfn(page), BIT(order));
	return BIT(order);
}

/* Return: as of add_run(). */
static unsigned int add_single_pages(struct balloon *b,
				     struct balloon_range_list *list,
				     unsigned int nr)
{
	struct page *pages[PAGES_AT_ONCE];
	unsigned int i;

	nr = min3(nr, PAGES_AT_ONCE, b->max_ranges - list->nr);
	nr = balloon_pages_alloc(pages, nr);
	for (i = 0; i < nr; i++) {
		if (balloon_in_reach(b, page_to_pfn(pages[i]), 1))
			balloon_range_add(list, page_to_pfn(pages[i]), 1);
		else
			balloon_hold_back(b, page_to_pfn(pages[i]), 1);
	}
	return nr;
}

/*
 * Whole blocks first, as long as there are any and as many pages are wanted.
 * Others may take memory meanwhile, another balloon too, so it is looked again and
 * again what the guest has to spare.
 * Return: false if memory ran out before @nr pages were in @list.
 */
static bool alloc_pages_into(struct balloon *b,
			     struct balloon_range_list *list,
			     struct balloon_core_batch *batch, unsigned long nr)
{
	unsigned int order = balloon_inflate_order(), wanted, got;
	unsigned long room = 0, blocks = 0;

	nr = min_t(unsigned long, nr, b->max_pages);
	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		if (!room) {
			room = min(balloon_room_to_inflate(b), PAGES_AT_A_LOOK);
			blocks = balloon_spare_blocks();
		}
		wanted = min(nr - list->nr_pages, room);
		got = 0;
		if (order && wanted >= BIT(order) && blocks)
			got = add_run(b, list, order);
		if (got)
			blocks--;
		else
			order = 0;
		if (!got && wanted)
			got = add_single_pages(b, list, wanted);
		if (!got) {
			b->round.limit = wanted ? BALLOON_LIMITED_BY_ALLOCATOR :
						  BALLOON_LIMITED_BY_FLOOR;
			return false;
		}
		room -= got;
		/* Of memory out of the hypervisor's reach all may be taken. */
		cond_resched();
	}
	return true;
}

static bool own_range(struct balloon *b,
		      const struct balloon_range *range)
{
	bool owned;

	/* Not under the lock: the page allocator may be busy for long. */
	owned = !balloon_blocks_prepare(&b->blocks, range->pfn, range->nr,
					GFP_NOWAIT | __GFP_NOWARN);
	spin_lock_irq(&b->pages_lock);
	owned = owned &&
		!balloon_blocks_reserve(&b->blocks, range->pfn, range->nr,
					GFP_NOWAIT | __GFP_NOWARN);
	if (owned)
		__balloon_begin_inflate(&b->info, range->nr);
	else
		balloon_blocks_unprepare(&b->blocks, range->pfn, range->nr);
	spin_unlock_irq(&b->pages_lock);
	return owned;
}

/* FREE -> PENDING_INFLATE, but for ranges for which memory is too short. */
static bool own_pages(struct balloon *b,
		      struct balloon_range_list *list)
{
	unsigned int i, nr, nr_pages = 0;

	/* One by one: each may be of a new block, and interrupts are off. */
	for (nr = 0; nr < list->nr && own_range(b, &list->range[nr]); nr++)
		nr_pages += list->range[nr].nr;
	for (i = nr; i < list->nr; i++)
		balloon_range_put(list->range[i].pfn, list->range[i].nr);
	for (i = 0; i < nr; i++)
		balloon_range_own(b, list->range[i].pfn, list->range[i].nr);
	swap(list->nr, nr);
	list->nr_pages = nr_pages;
	if (list->nr == nr)
		return true;
	b->round.limit = BALLOON_LIMITED_BY_ALLOCATOR;
	return false;
}

/*
 * Return: 0 if progress was made, -EINPROGRESS if all batches are in flight,
 * -EAGAIN if a pause is due.
 */
static int balloon_inflate(struct balloon *b, unsigned long nr)
{
	struct balloon_core_batch *batch = balloon_batch_get(b, BALLOON_FOR_TARGET);
	bool enough;

	if (!batch)
		return -EINPROGRESS;
	enough = alloc_pages_into(b, &batch->inflate, batch, nr);
	enough &= own_pages(b, &batch->inflate);
	if (!enough) {
		spin_lock_irq(&b->pages_lock);
		__balloon_count_alloc_failed(b);
		spin_unlock_irq(&b->pages_lock);
	}
	if (batch->inflate.nr)
		balloon_batch_submit(batch);
	else
		balloon_batch_put(batch);
	return enough ? 0 : -EAGAIN;
}

/*
 * Blocks are chosen once in a round.
 * Return: as of balloon_inflate(), and -EINPROGRESS if all pages are isolated or
 * pending.
 */
static int balloon_deflate(struct balloon *b, unsigned long nr)
{
	struct balloon_core_batch *batch;
	bool dry;

	/* The blocks have the marks of its plan until it has ended, which is soon. */
	if (READ_ONCE(b->background))
		return -EINPROGRESS;
	batch = balloon_batch_get(b, BALLOON_FOR_TARGET);
	if (!batch)
		return -EINPROGRESS;
	if (!b->round.planned)
		balloon_plan_deflation(b, nr);
	b->round.planned = true;
	balloon_batch_take(batch, nr, NULL);
	dry = !batch->deflate.nr;
	if (!dry) {
		b->round.waited = false;
		balloon_batch_submit(batch);
		return 0;
	}
	/* Have them come back. */
	balloon_batch_put(batch);
	balloon_batch_flush(b);
	b->round.limit = BALLOON_LIMITED_BY_ISOLATION;
	return b->round.waited ? -EAGAIN : -EINPROGRESS;
}

/**
 * balloon_report - tell the hypervisor how large the balloon is
 * @b: the device
 *
 * Context: the worker, or when it cannot run.
 */
void balloon_report(struct balloon *b)
{
	b->reported = jiffies;
	if (b->ops->report)
		b->ops->report(b, balloon_actual(b));
}

static void round_begin(struct balloon *b)
{
	long free_swap = get_nr_swap_pages();

	b->round = (struct balloon_round) {
		.begun = true,
		.target = b->round.target,
		.held = balloon_held(b),
		.refused = READ_ONCE(b->stats.refused),
		.may_ask = free_swap == b->swap.seen,
	};
	if (!b->round.may_ask)
		b->swap.nr_asked = 0;
	b->swap.seen = free_swap;
}

/* What has come in since the work item ran last. */
static void round_update(struct balloon *b)
{
	struct balloon_round *round = &b->round;

	spin_lock_irq(&b->pages_lock);
	b->worker_waits = false;
	round->oom |= b->oom;
	WRITE_ONCE(b->oom, false);
	spin_unlock_irq(&b->pages_lock);
	/* A pause that was due for the old target is none for the new one. */
	if (round->target != READ_ONCE(b->target)) {
		round->err = 0;
		round->limit = BALLOON_NOT_LIMITED;
		b->swap = (struct balloon_swap) { .most = ULONG_MAX };
	}
	round->target = READ_ONCE(b->target);
}

/*
 * One batch towards the target.  A balloon does not grow while memory has run out.
 * Return: 0 if there is more to do; -EALREADY if the target is reached; else as
 * of balloon_inflate().
 */
static int round_step(struct balloon *b)
{
	unsigned long held = balloon_held(b), target = READ_ONCE(b->target);

	if (b->round.err)
		return b->round.err;
	if (held == target)
		return -EALREADY;
	balloon_owe_no_more(b);
	if (held > b->swap.most)
		target = min(target, b->swap.most);
	else
		b->swap.most = ULONG_MAX;
	if (!balloon_is_answered(b) ||
	    READ_ONCE(b->stats.refused) != b->round.refused)
		return -EAGAIN;
	if (held > target)
		return balloon_deflate(b, held - target);
	if (b->round.oom || READ_ONCE(b->oom))
		return -EAGAIN;
	return balloon_inflate(b, target - held);
}

/* Return: as of round_step(), not 0 unless the time is up. */
static int round_run(struct balloon *b)
{
	unsigned long end = jiffies + BALLOON_SLICE;
	int err;

	do {
		err = balloon_is_leaving(b) ? -EALREADY : round_step(b);
		if (time_after(jiffies, b->reported + BALLOON_REPORT_INTERVAL))
			balloon_report(b);
		cond_resched();
	} while (!err && time_before(jiffies, end));
	return err;
}

/*
 * Is there anything in the way, of which __balloon_changed() will tell?  In the
 * midst of a round a batch, or a page to deflate; at its end, the hypervisor has
 * yet to answer.
 */
static bool __must_wait(struct balloon *b, int err)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_is_running(b))
		return false;
	if (err != -EINPROGRESS)
		return b->nr_for_target;
	return !__balloon_target_has_room(b) || !b->nr_ballooned || b->background;
}

/* Return: true if the work item will be queued when there is something to do. */
static bool round_wait(struct balloon *b, int err)
{
	bool wait;

	spin_lock_irq(&b->pages_lock);
	wait = __must_wait(b, err);
	b->worker_waits = wait;
	/* Whoever holds a page may do so for long. */
	if (wait && err == -EINPROGRESS && __balloon_target_has_room(b)) {
		b->round.waited = true;
		queue_delayed_work(balloon_target_wq, &b->work,
				   BALLOON_DRY_TIMEOUT);
	}
	spin_unlock_irq(&b->pages_lock);
	return wait;
}

static void balloon_pause(struct balloon *b, bool progress)
{
	if (!b->backoff && balloon_is_answered(b))
		dev_info_ratelimited(b->dev, "cannot reach %lu pages, have %lu: trying again at growing intervals\n",
				     READ_ONCE(b->target), balloon_held(b));
	b->backoff = progress ? BALLOON_BACKOFF_MIN :
		     clamp(2 * b->backoff, (unsigned long)BALLOON_BACKOFF_MIN,
			   (unsigned long)BALLOON_BACKOFF_MAX);
	queue_delayed_work(balloon_target_wq, &b->work, b->backoff);
}

static void set_limit(struct balloon *b, enum balloon_limit limit)
{
	if (b->limited_by == limit)
		return;
	WRITE_ONCE(b->limited_by, limit);
	schedule_work(&b->tell_work);
}

/* @err: 0 if the target is reached, or why a pause is due. */
static void round_end(struct balloon *b, int err)
{
	struct balloon_round *round = &b->round;

	round->begun = false;
	balloon_free_refused(b);
	balloon_report(b);
	if (balloon_is_leaving(b))
		return;
	if (READ_ONCE(b->stats.refused) != round->refused) {
		err = -EAGAIN;
		round->limit = BALLOON_LIMITED_BY_HOST;
	}
	if (round->oom) {
		b->backoff = BALLOON_BACKOFF_MAX;
		round->limit = BALLOON_LIMITED_BY_OOM;
	}
	set_limit(b, err ? round->limit : BALLOON_NOT_LIMITED);
	if (err)
		balloon_pause(b, balloon_held(b) != round->held &&
			      !round->oom);
	else
		b->backoff = 0;
	if (!err && balloon_held(b) != round->held)
		balloon_compact_soon(b);
}

/**
 * balloon_work - follow the target; nothing else inflates and deflates for it
 * @work: ->work of a device
 *
 * Context: a worker of balloon_target_wq, for a tenth of a second; never waits.
 */
void balloon_work(struct work_struct *work)
{
	struct balloon *b = container_of(to_delayed_work(work),
						  struct balloon, work);
	int err;

	if (!b->round.begun)
		round_begin(b);
	round_update(b);
	err = round_run(b);
	if (err && err != -EALREADY && err != -EINPROGRESS)
		b->round.err = err;
	if (err && round_wait(b, err))
		return;
	if (!err || err == -EINPROGRESS)
		queue_delayed_work(balloon_target_wq, &b->work, 0);
	else
		round_end(b, err == -EALREADY ? 0 : err);
}

/* The guest's owner may do without; the host still hears how the guest fares. */
static bool may_inflate = true;
module_param_named(inflate, may_inflate, bool, 0644);
MODULE_PARM_DESC(inflate, "Let balloons take memory, whatever size the hypervisor asks for (default: Y)");

/**
 * balloon_set_target - ask for a size
 * @b: the device
 * @nr_pages: how many pages the hypervisor wants it to hold; more than can be
 *	had is asked for again at growing intervals
 *
 * The same target again changes nothing.  A kernel that was started to save the
 * memory of one that has crashed has little of its own: its balloon stays empty,
 * whatever the target.  So does one of which the guest's owner has said so.
 *
 * Context: any.
 */
void balloon_set_target(struct balloon *b, unsigned long nr_pages)
{
	unsigned long flags;
	bool opted_out = nr_pages && !READ_ONCE(may_inflate);

	if (nr_pages && is_kdump_kernel()) {
		dev_info_once(b->dev, "this kernel saves a dump: the balloon stays empty\n");
		nr_pages = 0;
	}
	if (opted_out) {
		dev_info_once(b->dev, "the parameter \"inflate\" is off: the balloon stays empty\n");
		nr_pages = 0;
	}
	spin_lock_irqsave(&b->pages_lock, flags);
	if (READ_ONCE(b->opted_out) != opted_out) {
		WRITE_ONCE(b->opted_out, opted_out);
		schedule_work(&b->tell_work);
	}
	if (!balloon_is_leaving(b) && (!b->has_target || nr_pages != b->target)) {
		b->has_target = true;
		WRITE_ONCE(b->target, nr_pages);
		wake_up(&b->wait);
		mod_delayed_work(balloon_target_wq, &b->work, 0);
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_set_target);
