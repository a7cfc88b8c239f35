// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon devices: from registration to unregistration.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "balloon_internal.h"

/* Time for a hypervisor to answer, unless balloon_set_ack_timeout() is called. */
#define BALLOON_ACK_TIMEOUT	(30 * HZ)

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
	b->floor = balloon_default_floor();
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

/* The hypervisor did not take part: go on without it, if it can be reset. */
static void balloon_reset(struct balloon_dev_info *b, unsigned long left)
{
	spin_lock_irq(&b->pages_lock);
	b->error = -ESHUTDOWN;
	spin_unlock_irq(&b->pages_lock);
	if (!b->ops->reset)
		return;

	dev_warn(b->dev, "%lu pages not given back, resetting the device\n",
		 left);
	if (!wait_event_timeout(b->wait, !READ_ONCE(b->nr_submitting),
				BALLOON_DYING_TIMEOUT))
		return;
	b->ops->reset(b);
	balloon_abandon(b);
}

/* From now on nothing is isolated, and no work item changes the size. */
static void balloon_stop(struct balloon_dev_info *b, int error)
{
	spin_lock_irq(&b->pages_lock);
	b->dying = true;
	if (error)
		b->error = error;
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	cancel_delayed_work_sync(&b->work);
}

/*
 * Give back all pages: goes on for as long as some come back, and for a minute
 * without.
 * Return: number of pages that could not be given back.
 */
static unsigned long balloon_empty(struct balloon_dev_info *b)
{
	unsigned long left;

	balloon_stop(b, 0);
	balloon_deflate_all(b);
	if (!READ_ONCE(b->error))
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
 * the guest goes on.  If the hypervisor fails or is silent, ->reset() makes it
 * forget the balloon.  Nothing is submitted from then on.
 *
 * Context: process, may sleep, the target worker may be frozen; not concurrently
 * with balloon_set_target().
 * Return: 0, and balloon_thaw() is to follow when the adapter can submit again;
 * or -EBUSY if pages could not be given back; then the balloon stays broken.
 */
int balloon_freeze(struct balloon_dev_info *b)
{
	unsigned long left = balloon_empty(b);

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
void balloon_thaw(struct balloon_dev_info *b)
{
	spin_lock_irq(&b->pages_lock);
	b->error = 0;
	b->dying = false;
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
void balloon_shutdown(struct balloon_dev_info *b)
{
	balloon_stop(b, -ESHUTDOWN);
	wait_event_timeout(b->wait, !READ_ONCE(b->nr_submitting),
			   BALLOON_DYING_TIMEOUT);
	if (b->ops->reset)
		b->ops->reset(b);
}
EXPORT_SYMBOL_GPL(balloon_shutdown);

/**
 * balloon_unregister_device - remove a balloon, giving back all of its pages
 * @b: a registered device
 *
 * Goes on for as long as pages come back, and for a minute without.  If the
 * hypervisor fails or is silent, ->reset() makes it forget the balloon.
 *
 * Context: process, may sleep; not concurrently with balloon_set_target().
 * Return: 0, and @b may be freed; or -EBUSY if pages could not be given back.
 * Then @b and its ops remain in use for ever and must not be freed.
 */
int balloon_unregister_device(struct balloon_dev_info *b)
{
	unsigned long left;

	balloon_oom_exit(b);
	left = balloon_empty(b);
	if (WARN_ONCE(left, "balloon: unregistered with %lu pages left\n", left)) {
		__module_get(THIS_MODULE);
		get_device(b->dev);
		device_unregister(b->dev);
		return -EBUSY;
	}
	device_unregister(b->dev);
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
