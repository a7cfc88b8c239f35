// SPDX-License-Identifier: GPL-2.0
/*
 * Following the target: inflation and deflation.
 *
 * The worker inflates or deflates in batches, several in flight at once, until
 * the balloon has the size that was asked for.  When that cannot be reached it
 * tries again later, and later each time, instead of spinning.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "balloon_internal.h"

/* Single pages that are asked for at once; their addresses are on the stack. */
#define PAGES_AT_ONCE		64U

/* How often a worker that is busy for long tells how far it has come. */
#define BALLOON_REPORT_INTERVAL	(HZ / 10)

/* BALLOONED, ISOLATED or about to be: what counts towards the target. */
static unsigned long balloon_held(struct balloon_dev_info *b)
{
	unsigned long flags, held;

	spin_lock_irqsave(&b->pages_lock, flags);
	held = b->nr_ballooned + b->isolated_pages + b->nr_inflating;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return held;
}

/**
 * balloon_actual - size of a balloon as the hypervisor has acknowledged it
 * @b: the device
 *
 * A page that is leaving counts until the guest can use it.  Of one that is being
 * migrated and the one that takes its place, the hypervisor has one, or for a
 * moment both or none: they count as one until both are settled.
 *
 * Context: any.
 * Return: number of pages.
 */
unsigned long balloon_actual(struct balloon_dev_info *b)
{
	unsigned long flags, actual;

	spin_lock_irqsave(&b->pages_lock, flags);
	actual = b->nr_ballooned + b->isolated_pages + b->nr_deflating;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return actual;
}

static struct balloon_batch *try_get_batch(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;

	spin_lock_irq(&b->pages_lock);
	batch = __balloon_batch_get(b, BALLOON_BATCH_KEEP);
	if (batch) {
		batch->for_target = true;
		b->nr_for_target++;
	}
	spin_unlock_irq(&b->pages_lock);
	return batch;
}

/* Waits for the hypervisor to be done with one; the watchdog bounds that. */
static struct balloon_batch *get_batch(struct balloon_dev_info *b)
{
	struct balloon_batch *batch = try_get_batch(b);

	if (!batch)
		wait_event_timeout(b->wait, (batch = try_get_batch(b)) ||
				   READ_ONCE(b->error),
				   2 * READ_ONCE(b->ack_timeout));
	return batch;
}

/**
 * balloon_room_above_floor - how much may be taken
 * @b: the device
 *
 * Context: any.
 * Return: number of pages that the guest has above its floor.
 */
unsigned long balloon_room_above_floor(struct balloon_dev_info *b)
{
	long room = balloon_mem_available() - (long)READ_ONCE(b->floor);

	return max(room, 0L);
}

static bool add_run(struct balloon_range_list *list, unsigned int order)
{
	struct page *page = balloon_run_alloc(order);

	if (!page)
		return false;
	balloon_range_add(list, page_to_pfn(page), BIT(order));
	return true;
}

static bool add_single_pages(struct balloon_range_list *list, unsigned int nr)
{
	struct page *pages[PAGES_AT_ONCE];
	unsigned int i;

	nr = min3(nr, PAGES_AT_ONCE, BALLOON_BATCH_RANGES - list->nr);
	nr = balloon_pages_alloc(pages, nr);
	for (i = 0; i < nr; i++)
		balloon_range_add(list, page_to_pfn(pages[i]), 1);
	return nr;
}

/*
 * Whole blocks first, as long as there are any and as many pages are wanted.
 * Return: false if memory ran out before @nr pages were in @list.
 */
static bool alloc_pages_into(struct balloon_range_list *list,
			     struct balloon_batch *batch, unsigned long nr)
{
	unsigned int order = balloon_inflate_order(), wanted;

	nr = min_t(unsigned long, nr, BALLOON_BATCH_PAGES);
	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		wanted = nr - list->nr_pages;
		if (order && wanted >= BIT(order) && add_run(list, order))
			continue;
		order = 0;
		if (!add_single_pages(list, wanted))
			return false;
	}
	return true;
}

static bool own_range(struct balloon_dev_info *b,
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
	if (owned) {
		b->nr_inflating += range->nr;
		b->stats.enqueued += range->nr;
	} else {
		balloon_blocks_unprepare(&b->blocks, range->pfn, range->nr);
	}
	spin_unlock_irq(&b->pages_lock);
	return owned;
}

/* FREE -> PENDING_INFLATE, but for ranges for which memory is too short. */
static bool own_pages(struct balloon_dev_info *b,
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
	return list->nr == nr;
}

/* Return: 0 if progress was made, -EAGAIN if a pause is due. */
static int balloon_inflate(struct balloon_dev_info *b, unsigned long nr)
{
	struct balloon_batch *batch = get_batch(b);
	bool enough;

	if (!batch)
		return -EAGAIN;
	nr = min(nr, balloon_room_above_floor(b));
	enough = alloc_pages_into(&batch->inflate, batch, nr);
	enough &= own_pages(b, &batch->inflate);
	if (!nr || !enough) {
		spin_lock_irq(&b->pages_lock);
		b->stats.alloc_failed++;
		spin_unlock_irq(&b->pages_lock);
	}
	if (!batch->inflate.nr) {
		balloon_batch_put(batch);
		return -EAGAIN;
	}
	balloon_batch_submit(batch);
	return enough ? 0 : -EAGAIN;
}

/* BALLOONED -> PENDING_DEFLATE */
static void take_pages_into(struct balloon_dev_info *b,
			    struct balloon_batch *batch, unsigned long nr)
{
	struct balloon_range_list *list = &batch->deflate;
	unsigned int n, max;
	unsigned long pfn;
	bool more;

	nr = min_t(unsigned long, nr, BALLOON_BATCH_PAGES);
	spin_lock_irq(&b->pages_lock);
	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		max = nr - list->nr_pages;
		n = __balloon_take(b, max, &pfn, &more);
		if (!n && !more)
			break;
		if (!n) {
			spin_unlock_irq(&b->pages_lock);
			spin_lock_irq(&b->pages_lock);
			continue;
		}
		if (n < BALLOON_BLOCK_PAGES)
			__balloon_split(b, pfn);
		balloon_range_add(list, pfn, n);
		b->nr_ballooned -= n;
		b->nr_deflating += n;
	}
	spin_unlock_irq(&b->pages_lock);
}

static bool something_to_deflate(struct balloon_dev_info *b)
{
	return READ_ONCE(b->nr_ballooned) || READ_ONCE(b->error);
}

/* Return: 0 if progress was made, -EAGAIN if a pause is due. */
static int balloon_deflate(struct balloon_dev_info *b, unsigned long nr)
{
	struct balloon_batch *batch = get_batch(b);

	if (!batch)
		return -EAGAIN;
	take_pages_into(b, batch, nr);
	if (batch->deflate.nr) {
		balloon_batch_submit(batch);
		return 0;
	}
	/* All are isolated or pending: have them come back. */
	balloon_batch_put(batch);
	balloon_batch_flush(b);
	return wait_event_timeout(b->wait, something_to_deflate(b) ||
				  READ_ONCE(b->dying), HZ) ? 0 : -EAGAIN;
}

/* As balloon_deflate(); there is one plan for each time that the worker runs. */
static int balloon_deflate_some(struct balloon_dev_info *b, unsigned long nr,
				bool *planned)
{
	if (!*planned)
		balloon_plan_deflation(b, nr);
	*planned = true;
	return balloon_deflate(b, nr);
}

/* Waits until the hypervisor has answered the worker, or has failed to. */
static void balloon_drain(struct balloon_dev_info *b)
{
	wait_event_timeout(b->wait, !READ_ONCE(b->nr_for_target) ||
			   READ_ONCE(b->error) || READ_ONCE(b->dying),
			   2 * READ_ONCE(b->ack_timeout));
}

/**
 * balloon_report - tell the hypervisor how large the balloon is
 * @b: the device
 *
 * Context: the worker, or when it cannot run.
 */
void balloon_report(struct balloon_dev_info *b)
{
	b->reported = jiffies;
	if (b->ops->report)
		b->ops->report(b, balloon_actual(b));
}

/*
 * A @squeezed balloon does not grow in this round.
 * Return: 0 if the target was reached, -EAGAIN if a pause is due.
 */
static int balloon_follow_target(struct balloon_dev_info *b, bool squeezed)
{
	unsigned long refused = READ_ONCE(b->stats.refused), held, target;
	bool planned = false;
	int err = 0;

	while (!err) {
		held = balloon_held(b);
		target = READ_ONCE(b->target);
		if (held == target || READ_ONCE(b->dying))
			break;
		if (READ_ONCE(b->error) || READ_ONCE(b->stats.refused) != refused)
			err = -EAGAIN;
		else if (held < target)
			err = squeezed || READ_ONCE(b->squeezed) ? -EAGAIN :
			      balloon_inflate(b, target - held);
		else
			err = balloon_deflate_some(b, held - target, &planned);
		if (time_after(jiffies, b->reported + BALLOON_REPORT_INTERVAL))
			balloon_report(b);
		cond_resched();
	}
	balloon_drain(b);
	balloon_free_refused(b);
	return READ_ONCE(b->stats.refused) == refused ? err : -EAGAIN;
}

static void balloon_pause(struct balloon_dev_info *b, bool progress)
{
	if (!b->backoff && !READ_ONCE(b->error))
		dev_info_ratelimited(b->dev, "cannot reach %lu pages, have %lu: trying again at growing intervals\n",
				     READ_ONCE(b->target), balloon_held(b));
	b->backoff = progress ? BALLOON_BACKOFF_MIN :
		     clamp(2 * b->backoff, (unsigned long)BALLOON_BACKOFF_MIN,
			   (unsigned long)BALLOON_BACKOFF_MAX);
	queue_delayed_work(system_freezable_wq, &b->work, b->backoff);
}

/* ->work of a device: the only thread that inflates and deflates it. */
void balloon_work(struct work_struct *work)
{
	struct balloon_dev_info *b = container_of(to_delayed_work(work),
						  struct balloon_dev_info, work);
	unsigned long before = balloon_held(b);
	bool squeezed;
	int err;

	spin_lock_irq(&b->pages_lock);
	squeezed = b->squeezed;
	WRITE_ONCE(b->squeezed, false);
	spin_unlock_irq(&b->pages_lock);

	err = balloon_follow_target(b, squeezed);
	balloon_report(b);
	if (READ_ONCE(b->dying))
		return;
	if (squeezed)
		b->backoff = BALLOON_BACKOFF_MAX;
	if (err)
		balloon_pause(b, balloon_held(b) != before && !squeezed);
	else
		b->backoff = 0;
}

static bool cannot_squeeze(struct balloon_dev_info *b)
{
	return READ_ONCE(b->dying) || READ_ONCE(b->error);
}

/**
 * balloon_squeeze - give pages back to a guest that has run out of memory
 * @b: the device
 * @nr: number of pages wanted; a batch may hold less
 *
 * Context: process, any locks of page reclaim held; waits, within bounds, for
 * the hypervisor.  Allocates nothing.
 * Return: number of pages given back.
 */
unsigned long balloon_squeeze(struct balloon_dev_info *b, unsigned long nr)
{
	struct balloon_batch *batch = balloon_batch_get(b, 0, BALLOON_OOM_TIMEOUT);
	unsigned long deflated;
	unsigned int seq;

	if (!batch)
		return 0;
	take_pages_into(b, batch, nr);
	nr = batch->deflate.nr_pages;
	if (!nr) {
		balloon_batch_put(batch);
		return 0;
	}

	spin_lock_irq(&b->pages_lock);
	WRITE_ONCE(b->squeezed, true);
	deflated = b->stats.deflated;
	seq = batch->seq;
	spin_unlock_irq(&b->pages_lock);
	balloon_batch_submit(batch);
	wait_event_timeout(b->wait, READ_ONCE(batch->seq) != seq ||
			   cannot_squeeze(b), BALLOON_OOM_TIMEOUT);

	spin_lock_irq(&b->pages_lock);
	nr = min(nr, b->stats.deflated - deflated);
	b->stats.oom_deflated += nr;
	if (!b->dying)
		mod_delayed_work(system_freezable_wq, &b->work, 0);
	spin_unlock_irq(&b->pages_lock);
	return nr;
}

/**
 * balloon_set_target - ask for a size
 * @b: the device
 * @nr_pages: how many pages the hypervisor wants it to hold; more than can be
 *	had is asked for again at growing intervals
 *
 * Context: any.
 */
void balloon_set_target(struct balloon_dev_info *b, unsigned long nr_pages)
{
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	if (!b->dying) {
		WRITE_ONCE(b->target, nr_pages);
		mod_delayed_work(system_freezable_wq, &b->work, 0);
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_set_target);

/* Is no page on its way, and no thread about to use a batch? */
static bool balloon_is_idle(struct balloon_dev_info *b)
{
	bool idle;

	spin_lock_irq(&b->pages_lock);
	idle = !b->isolated_pages && b->nr_free == BALLOON_NR_BATCHES;
	spin_unlock_irq(&b->pages_lock);
	return idle;
}

static bool balloon_is_empty(struct balloon_dev_info *b)
{
	return balloon_is_idle(b) && !READ_ONCE(b->nr_ballooned);
}

/**
 * balloon_deflate_all - give everything back, as far as the hypervisor lets us
 * @b: a dying device
 *
 * Context: process; waits, within bounds, for the hypervisor and for pages that
 * are being migrated.
 */
void balloon_deflate_all(struct balloon_dev_info *b)
{
	unsigned long deadline = jiffies + BALLOON_DYING_TIMEOUT;
	unsigned long refused = READ_ONCE(b->stats.refused);
	unsigned long dequeued = READ_ONCE(b->stats.dequeued);
	struct balloon_batch *batch;

	while (!READ_ONCE(b->error) && time_before(jiffies, deadline) &&
	       !balloon_is_empty(b)) {
		batch = get_batch(b);
		if (!batch)
			break;
		take_pages_into(b, batch, ULONG_MAX);
		if (batch->deflate.nr) {
			balloon_batch_submit(batch);
		} else {
			balloon_batch_put(batch);
			balloon_batch_flush(b);
			wait_event_timeout(b->wait, balloon_is_empty(b) ||
					   something_to_deflate(b), HZ);
		}
		if (READ_ONCE(b->stats.dequeued) != dequeued) {
			dequeued = READ_ONCE(b->stats.dequeued);
			deadline = jiffies + BALLOON_DYING_TIMEOUT;
		}
		if (READ_ONCE(b->stats.refused) != refused) {
			refused = READ_ONCE(b->stats.refused);
			wait_event_timeout(b->wait, READ_ONCE(b->error),
					   BALLOON_BACKOFF_MIN);
		}
	}
}

/**
 * balloon_abandon - take back all pages without telling the hypervisor
 * @b: a dying device that the hypervisor has forgotten
 *
 * Context: process; waits, within bounds, for pages that are being migrated.
 */
void balloon_abandon(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;

	balloon_batch_flush(b);
	flush_work(&b->reap_work);
	wait_event_timeout(b->wait, balloon_is_idle(b),
			   BALLOON_DYING_TIMEOUT);
	while ((batch = try_get_batch(b))) {
		take_pages_into(b, batch, ULONG_MAX);
		if (!batch->deflate.nr) {
			balloon_batch_put(batch);
			break;
		}
		balloon_batch_settle(batch);
	}
}
