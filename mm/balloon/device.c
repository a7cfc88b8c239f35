// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon devices: from registration to unregistration.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Time for a hypervisor to answer, unless balloon_set_ack_timeout() is called. */
#define BALLOON_ACK_TIMEOUT	(30 * HZ)

static struct class balloon_class = {
	.name = "balloon",
	.dev_groups = balloon_dev_groups,
};

static DEFINE_IDA(balloon_ida);

/**
 * balloon_set_ack_timeout - how long the hypervisor may take to answer
 * @b: the device
 * @ms: milliseconds, at least 1; 30,000 by default
 *
 * After that time the balloon stops until the hypervisor answers.
 *
 * Context: any.
 */
void balloon_set_ack_timeout(struct balloon *b, unsigned int ms)
{
	WRITE_ONCE(b->ack_timeout, max(msecs_to_jiffies(ms), 1UL));
}
EXPORT_SYMBOL_GPL(balloon_set_ack_timeout);

/**
 * balloon_data - what an adapter gave to balloon_register_device()
 * @b: the balloon
 *
 * Context: any.
 * Return: the pointer.
 */
void *balloon_data(const struct balloon *b)
{
	return b->data;
}
EXPORT_SYMBOL_GPL(balloon_data);

/**
 * balloon_get_state - what the core makes of the hypervisor
 * @b: the balloon
 *
 * Context: any.
 * Return: its state, which may have changed meanwhile.
 */
enum balloon_state balloon_get_state(const struct balloon *b)
{
	return READ_ONCE(b->state);
}
EXPORT_SYMBOL_GPL(balloon_get_state);

/**
 * balloon_devinfo_init - initialise the pages of a balloon
 * @b: the pages
 *
 * Enough for a page-level driver, which needs no counterpart to this.
 * balloon_register_device() does it by itself.
 *
 * Context: process, may sleep.
 */
void balloon_devinfo_init(struct balloon_dev_info *b)
{
	memset(b, 0, sizeof(*b));
	spin_lock_init(&b->pages_lock);
	balloon_blocks_init(&b->blocks);
	init_waitqueue_head(&b->wait);
	balloon_movable_get();
}
EXPORT_SYMBOL_GPL(balloon_devinfo_init);

static unsigned int bound(unsigned int wanted, unsigned int most)
{
	return wanted ? min(wanted, most) : most;
}

static void device_init(struct balloon *b, const struct balloon_dev_ops *ops)
{
	balloon_devinfo_init(&b->info);
	b->adapter = b;
	INIT_LIST_HEAD(&b->free);
	INIT_LIST_HEAD(&b->in_flight);
	INIT_LIST_HEAD(&b->done);
	INIT_LIST_HEAD(&b->refused);
	b->ops = ops;
	b->max_ranges = bound(ops->max_ranges, BALLOON_BATCH_RANGES);
	b->max_pages = bound(ops->max_pages, BALLOON_BATCH_PAGES);
	b->ack_timeout = BALLOON_ACK_TIMEOUT;
	balloon_init_floor(b);
	INIT_WORK(&b->reap_work, balloon_reap_work);
	INIT_DELAYED_WORK(&b->flush_work, balloon_flush_work);
	INIT_DELAYED_WORK(&b->watchdog, balloon_watchdog);
	INIT_DELAYED_WORK(&b->work, balloon_work);
	INIT_DELAYED_WORK(&b->compact_work, balloon_compact_work);
	INIT_DEFERRABLE_WORK(&b->look_work, balloon_look_work);
	INIT_WORK(&b->tell_work, balloon_tell_work);
	b->holes_left = ULONG_MAX;
	b->swap.most = ULONG_MAX;
	b->proactiveness = BALLOON_PROACTIVENESS_DEFAULT;
	b->registered = ktime_get_boottime_seconds();
}

/**
 * balloon_register_device - add a balloon
 * @parent: the device that it belongs to
 * @ops: what the adapter does for it
 * @data: the adapter's own, for balloon_data()
 *
 * The balloon is empty and its target 0.  ->submit() may be called as soon as
 * balloon_set_target() was.
 *
 * Context: process, may sleep.
 * Return: the balloon; -EINVAL if @ops lacks ->submit or ->driver; -ENOMEM; or
 * another negative errno from the driver core, as a pointer.
 */
struct balloon *balloon_register_device(struct device *parent,
					const struct balloon_dev_ops *ops,
					void *data)
{
	struct balloon *b;
	int err;

	if (WARN_ON_ONCE(!ops || !ops->submit || !ops->driver))
		return ERR_PTR(-EINVAL);
	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return ERR_PTR(-ENOMEM);

	device_init(b, ops);
	b->data = data;

	err = balloon_batches_alloc(b);
	if (err)
		goto err_free;
	b->id = ida_alloc(&balloon_ida, GFP_KERNEL);
	if (b->id < 0) {
		err = b->id;
		goto err_free;
	}
	b->dev = device_create(&balloon_class, parent, MKDEV(0, 0), b,
			       "balloon%d", b->id);
	if (IS_ERR(b->dev)) {
		err = PTR_ERR(b->dev);
		goto err_free_id;
	}
	dev_info(b->dev, "%s on balloon_compaction %s: pages can%s be moved, floor %lu pages\n",
		 ops->driver, BALLOON_VERSION,
		 balloon_pages_are_movable() ? "" : "not", b->floor);
	return b;

err_free_id:
	ida_free(&balloon_ida, b->id);
err_free:
	balloon_batches_free(b);
	kfree(b);
	balloon_movable_put();
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(balloon_register_device);

static unsigned long pages_left(struct balloon *b)
{
	unsigned long left;

	spin_lock_irq(&b->pages_lock);
	left = b->stats.enqueued - b->stats.dequeued;
	if (!left && b->nr_free != BALLOON_NR_BATCHES)
		left = 1;
	spin_unlock_irq(&b->pages_lock);
	return left;
}

/*
 * Have the hypervisor forget a device that submits nothing any more.  What it
 * shows as the balloon's size must not be left from before.
 * Return: false if it cannot, or a call of ->submit() does not end.
 */
static bool balloon_forget(struct balloon *b)
{
	if (!b->ops->reset ||
	    !wait_event_timeout(b->wait, !READ_ONCE(b->nr_submitting),
				BALLOON_DYING_TIMEOUT))
		return false;
	if (b->ops->report)
		b->ops->report(b, 0);
	b->ops->reset(b);
	return true;
}

/* The hypervisor did not take part: go on without it, if it can be reset. */
static void balloon_reset(struct balloon *b, unsigned long left)
{
	spin_lock_irq(&b->pages_lock);
	__balloon_set_state(b, BALLOON_STOPPED);
	spin_unlock_irq(&b->pages_lock);
	if (b->ops->reset)
		dev_warn(b->dev, "%lu pages not given back, resetting the device\n",
			 left);
	if (balloon_forget(b))
		balloon_abandon(b);
}

/* From now on nothing is isolated, and no work item changes the size. */
static void balloon_stop(struct balloon *b, enum balloon_state state)
{
	spin_lock_irq(&b->pages_lock);
	__balloon_set_state(b, balloon_is_answered(b) ? state : BALLOON_STOPPED);
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	cancel_delayed_work_sync(&b->work);
	cancel_delayed_work_sync(&b->look_work);
	cancel_delayed_work_sync(&b->compact_work);
}

/*
 * Give back all pages: goes on for as long as some come back, and for @timeout
 * without.
 * Return: number of pages that could not be given back.
 */
static unsigned long balloon_empty(struct balloon *b,
				   unsigned long timeout)
{
	unsigned long left;

	balloon_stop(b, BALLOON_EMPTYING);
	balloon_deflate_all(b, timeout);
	if (balloon_is_answered(b))
		balloon_report(b);
	left = pages_left(b);
	if (left)
		balloon_reset(b, left);
	balloon_free_refused(b);
	cancel_delayed_work_sync(&b->flush_work);
	cancel_delayed_work_sync(&b->watchdog);
	cancel_work_sync(&b->reap_work);
	return pages_left(b);
}

/**
 * balloon_freeze - give back all pages before the hypervisor forgets the balloon
 * @b: a registered device
 *
 * For a suspended or hibernated guest: its device may have lost its memory when
 * the guest goes on.  If the hypervisor fails, or no page comes back for a
 * second, ->reset() makes it forget the balloon.  Nothing is submitted from then
 * on.
 *
 * Context: process, may sleep, the target worker may be frozen; not concurrently
 * with balloon_set_target().
 * Return: 0, and balloon_thaw() is to follow when the adapter can submit again;
 * or -EBUSY if pages could not be given back; then the balloon stays broken.
 */
int balloon_freeze(struct balloon *b)
{
	unsigned long left = balloon_empty(b, BALLOON_FREEZE_TIMEOUT);

	if (!left)
		return 0;
	dev_err(b->dev, "%lu pages not given back: cannot be suspended\n", left);
	return -EBUSY;
}
EXPORT_SYMBOL_GPL(balloon_freeze);

/**
 * balloon_thaw - go on with an empty balloon
 * @b: a device for which balloon_freeze() returned 0
 *
 * The adapter calls balloon_set_target() when it knows the target.
 *
 * Context: process.
 */
void balloon_thaw(struct balloon *b)
{
	spin_lock_irq(&b->pages_lock);
	__balloon_set_state(b, BALLOON_RUNNING);
	b->has_target = false;
	b->worker_waits = false;
	/* The worker was stopped in the midst of one. */
	b->round = (struct balloon_round) { };
	b->backoff = 0;
	spin_unlock_irq(&b->pages_lock);
}
EXPORT_SYMBOL_GPL(balloon_thaw);

/**
 * balloon_shutdown - stop a balloon for good, because the guest ends
 * @b: a registered device
 *
 * Gives no page back: nobody would use them.  But whatever kernel runs next, it
 * must not lose pages of which the hypervisor has yet to hear, so ->reset()
 * makes it forget the balloon.
 *
 * Context: process, may sleep; not concurrently with balloon_set_target().
 */
void balloon_shutdown(struct balloon *b)
{
	balloon_stop(b, BALLOON_STOPPED);
	balloon_forget(b);
}
EXPORT_SYMBOL_GPL(balloon_shutdown);

/* In the place of an adapter's: from now on nothing of it is called. */
static int no_submit(struct balloon *b, struct balloon_batch *batch)
{
	return -ESHUTDOWN;
}

static const struct balloon_dev_ops no_ops = {
	.driver = "none",
	.submit = no_submit,
};

/*
 * Pages are still the hypervisor's: they belong to a balloon for ever, so that
 * nobody uses them, and compaction asks this code about them.
 */
static void balloon_keep(struct balloon *b)
{
	__module_get(THIS_MODULE);
	b->ops = &no_ops;
	get_device(b->dev);
	cancel_work_sync(&b->tell_work);
	device_unregister(b->dev);
}

/**
 * balloon_unregister_device - remove a balloon, giving back all of its pages
 * @b: what balloon_register_device() returned; not to be used afterwards
 *
 * Goes on for as long as pages come back, and for a minute without.  If the
 * hypervisor fails or is silent, ->reset() makes it forget the balloon.
 *
 * Context: process, may sleep; not concurrently with balloon_set_target().
 * Return: 0; or -EBUSY if pages could not be given back.  Then the core keeps
 * them, and calls nothing of the adapter any more; but if it is ->submit() that
 * does not return, what that uses must stay.
 */
int balloon_unregister_device(struct balloon *b)
{
	unsigned long left;

	balloon_oom_remove(b);
	left = balloon_empty(b, BALLOON_DYING_TIMEOUT);
	if (WARN_ONCE(left, "balloon: unregistered with %lu pages left\n", left)) {
		balloon_keep(b);
		return -EBUSY;
	}
	cancel_work_sync(&b->tell_work);
	device_unregister(b->dev);
	ida_free(&balloon_ida, b->id);
	balloon_batches_free(b);
	kfree(b);
	balloon_movable_put();
	return 0;
}
EXPORT_SYMBOL_GPL(balloon_unregister_device);

static int __init balloon_init(void)
{
	int err;

	err = balloon_queues_init();
	if (err)
		return err;
	err = balloon_oom_init();
	if (err)
		goto err_queues_exit;
	err = class_register(&balloon_class);
	if (err)
		goto err_oom_exit;
	return 0;

err_oom_exit:
	balloon_oom_exit();
err_queues_exit:
	balloon_queues_exit();
	return err;
}
subsys_initcall(balloon_init);

static void __exit balloon_exit(void)
{
	class_unregister(&balloon_class);
	balloon_movable_exit();
	balloon_oom_exit();
	balloon_queues_exit();
	ida_destroy(&balloon_ida);
}
module_exit(balloon_exit);

MODULE_DESCRIPTION("Memory balloon core");
MODULE_VERSION(BALLOON_VERSION);
MODULE_LICENSE("GPL");
