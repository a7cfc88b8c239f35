// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon devices: their lifetime, and the worker that follows the target.
 *
 * The worker inflates or deflates in batches, several in flight at once, until
 * the balloon has the size that was asked for.  When that cannot be reached it
 * tries again later, and later each time, instead of spinning.
 *
 * page->lru links refused pages that are to be freed.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>

#include "balloon_internal.h"

/* Pauses of a worker that makes no progress double from the first to the last. */
#define BALLOON_BACKOFF_MIN	(HZ / 5)
#define BALLOON_BACKOFF_MAX	(32 * HZ)

/* How often a worker that is busy for long tells how far it has come. */
#define BALLOON_REPORT_INTERVAL	(HZ / 10)

/* Time for a hypervisor to answer, unless balloon_set_ack_timeout() is called. */
#define BALLOON_ACK_TIMEOUT	(30 * HZ)

/* Inflation leaves 1/32 of memory available, but not less than 16 MiB. */
#define BALLOON_FLOOR_SHIFT	5
#define BALLOON_FLOOR_MIN	(SZ_16M >> PAGE_SHIFT)

/* Time for the migration code to return the pages that it holds. */
#define BALLOON_ISOLATED_TIMEOUT	(60 * HZ)

/*
 * Settles batches.  Not freezable: pages must not stay pending over a freeze
 * of the target worker, which runs on system_freezable_wq.
 */
struct workqueue_struct *balloon_wq;

static struct class balloon_class = {
	.name = "balloon",
	.dev_groups = balloon_dev_groups,
};

static DEFINE_IDA(balloon_ida);

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
 * Context: any.
 * Return: number of pages.
 */
unsigned long balloon_actual(struct balloon_dev_info *b)
{
	unsigned long flags, actual;

	spin_lock_irqsave(&b->pages_lock, flags);
	actual = b->nr_ballooned + b->isolated_pages;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return actual;
}

/* Return: true if there were any. */
static bool free_refused(struct balloon_dev_info *b)
{
	struct page *page;
	LIST_HEAD(refused);
	bool any;

	spin_lock_irq(&b->pages_lock);
	list_splice_init(&b->refused, &refused);
	spin_unlock_irq(&b->pages_lock);
	any = !list_empty(&refused);
	while ((page = balloon_page_pop(&refused)))
		balloon_page_free(page);
	return any;
}

static struct balloon_batch *try_get_batch(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;

	spin_lock_irq(&b->pages_lock);
	batch = __balloon_batch_get(b, BALLOON_BATCH_KEEP);
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

static void put_batch(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;

	spin_lock_irq(&b->pages_lock);
	__balloon_batch_put(batch);
	spin_unlock_irq(&b->pages_lock);
}

/* Pages that may be taken before the guest has less than its floor. */
static unsigned long room_above_floor(struct balloon_dev_info *b)
{
	long room = si_mem_available() - (long)READ_ONCE(b->floor);

	return max(room, 0L);
}

/* Return: false if memory ran out before @nr pages were in @list. */
static bool alloc_pages_into(struct balloon_range_list *list,
			     struct balloon_batch *batch, unsigned long nr)
{
	struct page *page;

	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		page = balloon_page_alloc();
		if (!page)
			return false;
		balloon_range_add(list, page_to_pfn(page), 1);
	}
	return true;
}

static void range_put(const struct balloon_range *range)
{
	unsigned int i;

	for (i = 0; i < range->nr; i++)
		put_page(pfn_to_page(range->pfn + i));
}

/* FREE -> PENDING_INFLATE, but for ranges for which memory is too short. */
static bool own_pages(struct balloon_dev_info *b,
		      struct balloon_range_list *list)
{
	unsigned int i, j, nr, nr_pages = 0;

	spin_lock_irq(&b->pages_lock);
	for (nr = 0; nr < list->nr; nr++) {
		if (balloon_blocks_reserve(&b->blocks, list->range[nr].pfn,
					   list->range[nr].nr,
					   GFP_NOWAIT | __GFP_NOWARN))
			break;
		nr_pages += list->range[nr].nr;
	}
	b->nr_inflating += nr_pages;
	b->stats.enqueued += nr_pages;
	spin_unlock_irq(&b->pages_lock);

	for (i = nr; i < list->nr; i++)
		range_put(&list->range[i]);
	for (i = 0; i < nr; i++) {
		for (j = 0; j < list->range[i].nr; j++) {
			struct page *page = pfn_to_page(list->range[i].pfn + j);

			lock_page(page);
			__SetPageOffline(page);
			balloon_page_set_owner(page, b);
			unlock_page(page);
		}
	}
	swap(list->nr, nr);
	list->nr_pages = nr_pages;
	return list->nr == nr;
}

/* Return: 0 if progress was made, -EAGAIN if a pause is due. */
static int balloon_inflate(struct balloon_dev_info *b, unsigned long nr)
{
	struct balloon_batch *batch = get_batch(b);
	unsigned long room = room_above_floor(b);
	bool enough = nr <= room;

	if (!batch)
		return -EAGAIN;
	enough &= alloc_pages_into(&batch->inflate, batch, min(nr, room));
	enough &= own_pages(b, &batch->inflate);
	if (!enough) {
		spin_lock_irq(&b->pages_lock);
		b->stats.alloc_failed++;
		spin_unlock_irq(&b->pages_lock);
	}
	if (!batch->inflate.nr) {
		put_batch(batch);
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

	nr = min_t(unsigned long, nr, BALLOON_BATCH_PAGES);
	spin_lock_irq(&b->pages_lock);
	while (list->nr_pages < nr && !balloon_batch_full(batch)) {
		max = nr - list->nr_pages;
		n = balloon_blocks_take(&b->blocks, max, &pfn);
		if (!n)
			break;
		balloon_range_add(list, pfn, n);
		b->nr_ballooned -= n;
		b->nr_deflating += n;
	}
	spin_unlock_irq(&b->pages_lock);
}

static bool something_to_deflate(struct balloon_dev_info *b)
{
	return READ_ONCE(b->nr_ballooned) || READ_ONCE(b->error) ||
	       READ_ONCE(b->dying);
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
	put_batch(batch);
	balloon_batch_flush(b);
	return wait_event_timeout(b->wait, something_to_deflate(b), HZ) ?
	       0 : -EAGAIN;
}

static bool nothing_in_flight(struct balloon_dev_info *b)
{
	bool nothing;

	spin_lock_irq(&b->pages_lock);
	nothing = list_empty(&b->in_flight) && list_empty(&b->done);
	spin_unlock_irq(&b->pages_lock);
	return nothing;
}

/* Waits until the hypervisor has answered all, or has failed to. */
static void balloon_drain(struct balloon_dev_info *b)
{
	wait_event_timeout(b->wait, nothing_in_flight(b) ||
			   READ_ONCE(b->error) || READ_ONCE(b->dying),
			   2 * READ_ONCE(b->ack_timeout));
}

static void balloon_report(struct balloon_dev_info *b)
{
	b->reported = jiffies;
	if (b->ops->report)
		b->ops->report(b, balloon_actual(b));
}

/* Return: 0 if the target was reached, -EAGAIN if a pause is due. */
static int balloon_follow_target(struct balloon_dev_info *b)
{
	unsigned long held, target;
	int err = 0;

	while (!err) {
		held = balloon_held(b);
		target = READ_ONCE(b->target);
		if (held == target || READ_ONCE(b->dying))
			break;
		if (READ_ONCE(b->error))
			err = -EAGAIN;
		else if (held < target)
			err = balloon_inflate(b, target - held);
		else
			err = balloon_deflate(b, held - target);
		if (time_after(jiffies, b->reported + BALLOON_REPORT_INTERVAL))
			balloon_report(b);
		cond_resched();
	}
	balloon_drain(b);
	if (free_refused(b))
		err = -EAGAIN;
	return err;
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

/* The only thread that inflates and deflates @b for its target. */
static void balloon_work(struct work_struct *work)
{
	struct balloon_dev_info *b = container_of(to_delayed_work(work),
						  struct balloon_dev_info, work);
	unsigned long before = balloon_held(b);
	int err = balloon_follow_target(b);

	balloon_report(b);
	if (READ_ONCE(b->dying))
		return;
	if (err)
		balloon_pause(b, balloon_held(b) != before);
	else
		b->backoff = 0;
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

/**
 * balloon_set_ack_timeout - how long the hypervisor may take to answer
 * @b: the device
 * @ms: milliseconds, at least 1; 30,000 by default
 *
 * After that time the balloon stops until the hypervisor answers.
 *
 * Context: any.
 */
void balloon_set_ack_timeout(struct balloon_dev_info *b, unsigned int ms)
{
	WRITE_ONCE(b->ack_timeout, max(msecs_to_jiffies(ms), 1UL));
}
EXPORT_SYMBOL_GPL(balloon_set_ack_timeout);

/**
 * balloon_register_device - add a balloon
 * @b: memory for the device, any content
 * @parent: the device that it belongs to
 * @ops: what the adapter does for it
 *
 * The balloon is empty and its target 0.  ->submit() may be called as soon as
 * balloon_set_target() was.
 *
 * Context: process, may sleep.
 * Return: 0; -EINVAL if @ops lacks ->submit or ->driver; -ENOMEM; or another
 * negative errno from the driver core.
 */
int balloon_register_device(struct balloon_dev_info *b, struct device *parent,
			    const struct balloon_dev_ops *ops)
{
	int err;

	if (WARN_ON_ONCE(!ops || !ops->submit || !ops->driver))
		return -EINVAL;

	balloon_devinfo_init(b);
	b->ops = ops;
	b->ack_timeout = BALLOON_ACK_TIMEOUT;
	b->floor = max_t(unsigned long, totalram_pages() >> BALLOON_FLOOR_SHIFT,
			 BALLOON_FLOOR_MIN);
	INIT_WORK(&b->reap_work, balloon_reap_work);
	INIT_DELAYED_WORK(&b->flush_work, balloon_flush_work);
	INIT_DELAYED_WORK(&b->watchdog, balloon_watchdog);
	INIT_DELAYED_WORK(&b->work, balloon_work);

	err = balloon_batches_alloc(b);
	if (err)
		goto err_free_batches;
	b->id = ida_alloc(&balloon_ida, GFP_KERNEL);
	if (b->id < 0) {
		err = b->id;
		goto err_free_batches;
	}
	b->dev = device_create(&balloon_class, parent, MKDEV(0, 0), b,
			       "balloon%d", b->id);
	if (IS_ERR(b->dev)) {
		err = PTR_ERR(b->dev);
		goto err_free_id;
	}
	return 0;

err_free_id:
	ida_free(&balloon_ida, b->id);
err_free_batches:
	balloon_batches_free(b);
	return err;
}
EXPORT_SYMBOL_GPL(balloon_register_device);

/* Is no page on its way, and no thread about to use a batch? */
static bool balloon_is_idle(struct balloon_dev_info *b)
{
	bool idle;

	spin_lock_irq(&b->pages_lock);
	idle = !b->isolated_pages && b->nr_free == BALLOON_NR_BATCHES;
	spin_unlock_irq(&b->pages_lock);
	return idle;
}

/* Give everything back through the hypervisor, as far as that works. */
static void balloon_deflate_all(struct balloon_dev_info *b)
{
	unsigned long deadline = jiffies + BALLOON_ISOLATED_TIMEOUT;

	while (!READ_ONCE(b->error) && time_before(jiffies, deadline)) {
		struct balloon_batch *batch = get_batch(b);

		if (!batch)
			break;
		take_pages_into(b, batch, ULONG_MAX);
		if (batch->deflate.nr) {
			balloon_batch_submit(batch);
			continue;
		}
		put_batch(batch);
		balloon_batch_flush(b);
		if (wait_event_timeout(b->wait, balloon_is_idle(b) ||
				       READ_ONCE(b->nr_ballooned) ||
				       READ_ONCE(b->error), HZ) &&
		    balloon_is_idle(b) && !READ_ONCE(b->nr_ballooned))
			break;
	}
}

/* The hypervisor has forgotten the balloon: no need to tell it. */
static void balloon_abandon(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;

	balloon_batch_flush(b);
	flush_work(&b->reap_work);
	wait_event_timeout(b->wait, balloon_is_idle(b),
			   BALLOON_ISOLATED_TIMEOUT);
	while ((batch = try_get_batch(b))) {
		take_pages_into(b, batch, ULONG_MAX);
		if (!batch->deflate.nr) {
			put_batch(batch);
			break;
		}
		balloon_batch_settle(batch);
	}
}

static unsigned long pages_left(struct balloon_dev_info *b)
{
	unsigned long left;

	spin_lock_irq(&b->pages_lock);
	left = b->stats.enqueued - b->stats.dequeued;
	if (!left && b->nr_free != BALLOON_NR_BATCHES)
		left = 1;
	spin_unlock_irq(&b->pages_lock);
	return left;
}

/**
 * balloon_unregister_device - remove a balloon, giving back all of its pages
 * @b: a registered device
 *
 * Pages that are being migrated are waited for, a minute at most.  If the
 * hypervisor fails or is silent, ->reset() makes it forget the balloon.
 *
 * Context: process, may sleep; not concurrently with balloon_set_target().
 * Return: 0, and @b may be freed; or -EBUSY if pages could not be given back.
 * Then @b remains in use for ever and must not be freed.
 */
int balloon_unregister_device(struct balloon_dev_info *b)
{
	unsigned long left;

	spin_lock_irq(&b->pages_lock);
	b->dying = true;
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	cancel_delayed_work_sync(&b->work);

	balloon_deflate_all(b);
	if (pages_left(b) && b->ops->reset) {
		dev_warn(b->dev, "%lu pages not given back, resetting the device\n",
			 pages_left(b));
		spin_lock_irq(&b->pages_lock);
		b->error = -ESHUTDOWN;
		spin_unlock_irq(&b->pages_lock);
		b->ops->reset(b);
		balloon_abandon(b);
	}
	free_refused(b);
	cancel_delayed_work_sync(&b->flush_work);
	cancel_delayed_work_sync(&b->watchdog);
	cancel_work_sync(&b->reap_work);

	left = pages_left(b);
	device_unregister(b->dev);
	if (WARN_ONCE(left, "balloon: unregistered with %lu pages left\n", left)) {
		__module_get(THIS_MODULE);
		return -EBUSY;
	}
	ida_free(&balloon_ida, b->id);
	balloon_batches_free(b);
	return 0;
}
EXPORT_SYMBOL_GPL(balloon_unregister_device);

static int __init balloon_init(void)
{
	int err;

	balloon_wq = alloc_workqueue("balloon", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!balloon_wq)
		return -ENOMEM;
	err = class_register(&balloon_class);
	if (err)
		destroy_workqueue(balloon_wq);
	return err;
}
subsys_initcall(balloon_init);

static void __exit balloon_exit(void)
{
	class_unregister(&balloon_class);
	destroy_workqueue(balloon_wq);
	ida_destroy(&balloon_ida);
}
module_exit(balloon_exit);

MODULE_DESCRIPTION("Memory balloon core");
MODULE_LICENSE("GPL");
