// SPDX-License-Identifier: GPL-2.0
/*
 * A Xen balloon beside the kernel's own, which is part of the kernel and cannot be
 * replaced by a module.
 *
 * The guest's memory is what the kernel's balloon driver makes it, less our balloon.
 * That driver is left to do what only it can: memory beyond what the guest has had
 * so far, and pages for grants.  For a target below, it is told to stay where it is,
 * and we take the rest:
 *
 *	     0            target        base
 *	     |--------------|-------------|
 *	      the guest has   our balloon
 *
 * Targets come from xenstore and from sysfs, and its own code writes them to
 * balloon_stats.target_pages.  There we find them: a watch tells that xenstore's has
 * changed, and we look ten times in a second for the others.  In the meantime that
 * driver begins, by 512 pages at a time; when we have set its target back, it gives
 * them back by itself.
 *
 * What we leave there is a page less than base.  So base itself, which is what a host
 * asks for that gives everything back, is a change as well.
 *
 * Nothing is to be done when Xen suspends, saves or moves the guest: it keeps the
 * balloon with it.
 */
#define pr_fmt(fmt) "xen_balloon: " fmt

#include <linux/atomic.h>
#include <linux/balloon_compaction.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/printk.h>
#include <linux/workqueue.h>

#include <xen/balloon.h>
#include <xen/xen.h>
#include <xen/xenbus.h>

#include "internal.h"

/* From one look at the target to the next. */
#define LOOK_INTERVAL	(HZ / 10)

/* If the kernel's driver does not come to where it shall be, we take that over. */
#define STUCK_TIME	(60 * HZ)

/* Pages that change hands at once when we leave, and how long that may take. */
#define HAND_OVER_PAGES	1024UL
#define HAND_OVER_TIME	(10 * HZ)

static bool deflate_on_oom;
module_param(deflate_on_oom, bool, 0444);
MODULE_PARM_DESC(deflate_on_oom, "Give memory back before a process is killed for want of it (default: no); the balloon's pages count as the guest's then");

static struct balloon *balloon;
static struct device *parent;

/* Of ->look only, and of loading and unloading when it does not run. */
static unsigned long base;		/* what the kernel's driver has without us */
static unsigned long wanted;		/* of the guest, by whoever sets targets */
static unsigned long left;		/* as the target of the kernel's driver */
static unsigned long seen;		/* its pages when ->look ran last ... */
static unsigned long seen_since;	/* ... and since when, in jiffies */

static void look_at_target(struct work_struct *work);
static DECLARE_DELAYED_WORK(look, look_at_target);

/*
 * The kernel's driver and we share what is @target in all.  @found is what it has as
 * its target now; if there is another by then, that is seen at the next look.
 */
static void follow(unsigned long found, unsigned long target)
{
	unsigned long stays = target < base ? base - 1 : target;

	if (cmpxchg(&balloon_stats.target_pages, found, stays) != found)
		return;
	wanted = target;
	left = stays;
	/* Wake it up, unless it is there. */
	if (READ_ONCE(balloon_stats.current_pages) != stays)
		balloon_set_new_target(stays);
	balloon_set_target(balloon, stays - target);
}

/*
 * The kernel's driver gives up after a few refusals, and is short of some pages that it
 * has taken before we were there.  Then it stays where it is.
 */
static void look_whether_stuck(void)
{
	unsigned long pages = READ_ONCE(balloon_stats.current_pages);

	if (pages != seen || pages >= left || wanted >= base) {
		seen = pages;
		seen_since = jiffies;
	} else if (time_after(jiffies, seen_since + STUCK_TIME)) {
		base = pages + 1;
		follow(left, wanted);
	}
}

static void look_at_target(struct work_struct *work)
{
	unsigned long target = READ_ONCE(balloon_stats.target_pages);

	if (target != left) {
		base = max(base, READ_ONCE(balloon_stats.current_pages));
		follow(target, target);
	} else {
		look_whether_stuck();
	}
	schedule_delayed_work(&look, LOOK_INTERVAL);
}

/*
 * The kernel's driver watches, too.  Its watch is older, so it has been called; if not,
 * the next look finds what it has set.
 */
static void target_changed(struct xenbus_watch *watch, const char *path,
			   const char *token)
{
	if (cancel_delayed_work(&look))
		schedule_delayed_work(&look, 0);
}

static struct xenbus_watch target_watch = {
	.node = "memory/target",
	.callback = target_changed,
};

static bool is_watching;	/* written once, before or by the notifier */

/* Without a watch there still is the look. */
static int xenstore_is_there(struct notifier_block *nb, unsigned long event,
			     void *data)
{
	int err = register_xenbus_watch(&target_watch);

	if (err)
		pr_warn("cannot watch memory/target (%d): targets are followed a little later\n",
			err);
	is_watching = !err;
	return NOTIFY_DONE;
}

static struct notifier_block xenstore_notifier = {
	.notifier_call = xenstore_is_there,
};

static void stop_looking(void)
{
	unregister_xenstore_notifier(&xenstore_notifier);
	if (is_watching)
		unregister_xenbus_watch(&target_watch);
	cancel_delayed_work_sync(&look);
}

static unsigned long pages_of_kernel(void)
{
	return READ_ONCE(balloon_stats.current_pages);
}

static unsigned long pages_of_ours(void)
{
	return balloon_actual(balloon);
}

/*
 * Wait until there are @nr pages, for as long as their number changes.
 * Return: true if there are.
 */
static bool wait_for(unsigned long (*pages)(void), unsigned long nr)
{
	unsigned long before = pages(), deadline = jiffies + HAND_OVER_TIME, now;

	while ((now = pages()) != nr && time_before(jiffies, deadline)) {
		if (now != before) {
			before = now;
			deadline = jiffies + HAND_OVER_TIME;
		}
		msleep(20);
	}
	return now == nr;
}

/*
 * Our pages become those of the kernel's driver, some at a time.  It takes before we
 * give: the host may let the guest have no page more than it has now.
 */
static void hand_over(void)
{
	unsigned long ours, step;

	balloon_set_target(balloon, pages_of_ours());
	while ((ours = pages_of_ours())) {
		step = min(ours, HAND_OVER_PAGES);
		if (cmpxchg(&balloon_stats.target_pages, left, left - step) != left)
			return;
		left -= step;
		balloon_set_new_target(left);
		if (!wait_for(pages_of_kernel, left))
			return;
		balloon_set_target(balloon, ours - step);
		if (!wait_for(pages_of_ours, ours - step))
			return;
	}
}

static int __init beside_init(void)
{
	int err;

	if (!xen_domain())
		return -ENODEV;
	parent = root_device_register("xen_balloon");
	if (IS_ERR(parent))
		return PTR_ERR(parent);
	balloon = balloon_register_device(parent, xen_pv_domain() ? &xen_pv_ops :
					  &xen_frames_ops, NULL);
	if (IS_ERR(balloon)) {
		err = PTR_ERR(balloon);
		goto err_unregister_parent;
	}
	if (deflate_on_oom)
		balloon_deflate_on_oom(balloon);
	base = READ_ONCE(balloon_stats.current_pages);
	left = READ_ONCE(balloon_stats.target_pages);
	wanted = left;
	follow(left, left);
	register_xenstore_notifier(&xenstore_notifier);
	schedule_delayed_work(&look, 0);
	return 0;

err_unregister_parent:
	root_device_unregister(parent);
	return err;
}
module_init(beside_init);

/* The kernel's driver goes on with the target that whoever sets targets wants. */
static void __exit beside_exit(void)
{
	stop_looking();
	hand_over();
	if (balloon_unregister_device(balloon))
		pr_err("Xen has kept pages, which this guest has lost until it reboots\n");
	if (cmpxchg(&balloon_stats.target_pages, left, wanted) == left)
		balloon_set_new_target(wanted);
	root_device_unregister(parent);
}
module_exit(beside_exit);

MODULE_DESCRIPTION("Xen balloon whose pages can be moved, beside the kernel's own");
MODULE_LICENSE("GPL");
