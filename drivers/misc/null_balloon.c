// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon without a hypervisor, to try the balloon core and to measure it.
 *
 * The host is part of this file.  It keeps a ledger of the page frames that it
 * holds and treats their contents as badly as a real one may: a page that it
 * takes is overwritten, a page that it gives back is zeroed.  So it notices a
 * guest that inflates a page twice, deflates one that it never inflated or
 * writes to one while it is inflated.  How fast it answers, what it refuses and
 * how it fails is set in configfs; see Documentation/mm/balloon_drivers.rst.
 *
 * No field of struct page is used: a page is a frame number and its contents.
 *
 * Lock order:
 *
 *	nb->mutex
 *	  the core's locks
 *	    nb->lock (interrupts off)
 *	      the locks of the xarray, the slab allocator, the timer
 *
 * nb->lock is not held where the core is told that a batch is complete.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitops.h>
#include <linux/configfs.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/highmem.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/ktime.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/time64.h>
#include <linux/xarray.h>

/* What a page that the host holds is filled with. */
#define HOST_POISON		0xdb

/* Pages per entry of the ledger: one bit each, in an xarray value. */
#define LEDGER_PAGES		(BITS_PER_LONG / 2)

#define MAX_LATENCY_US		(60 * USEC_PER_SEC)
#define MAX_ACK_TIMEOUT_MS	(3600 * MSEC_PER_SEC)

struct null_balloon {
	struct config_item item;
	struct balloon *b;		/* constant while power is on */
	const struct balloon_dev_ops *ops;	/* likewise */
	struct hrtimer timer;		/* armed under lock, for ->accepted */

	/* Protected by mutex; shown without. */
	struct mutex mutex;
	bool lost;			/* could not be unregistered */
	unsigned long power;
	unsigned long target_pages;
	unsigned long ack_timeout_ms;	/* 0: the core's default */
	unsigned long deflate_on_oom;	/* from the next power on */
	unsigned long pairs;		/* likewise */
	struct device *parent;		/* constant while power is on */

	/* Protected by lock; shown without. */
	spinlock_t lock;
	struct list_head accepted;	/* struct null_cmd, not yet answered */
	unsigned long latency_us;
	unsigned long refuse_every;
	unsigned long fail;
	unsigned long fail_late;
	unsigned long silent;
	unsigned long nr_offered;	/* pages, while refuse_every is set */
	struct xarray ledger;		/* bits by page frame / LEDGER_PAGES */
	unsigned long ledger_pages;
	unsigned long ledger_inflated;
	unsigned long ledger_deflated;
	unsigned long ledger_moved;
	unsigned long ledger_double_inflate;
	unsigned long ledger_unknown_deflate;
	unsigned long ledger_used_while_inflated;
	bool complained;
};

/*
 * Our part of a batch, used if it is not answered inside ->submit().  Protected
 * by the lock while it is in ->accepted, else owned by who took it from there.
 */
struct null_cmd {
	struct list_head node;
	struct balloon_batch *batch;
	ktime_t due;
};

static struct null_balloon *to_null_balloon(struct config_item *item)
{
	return container_of(item, struct null_balloon, item);
}

/*
 * The host
 */

static void __host_complain(struct null_balloon *nb, unsigned long *counter,
			    unsigned long pfn, const char *what)
{
	lockdep_assert_held(&nb->lock);
	(*counter)++;
	if (nb->complained)
		return;
	nb->complained = true;
	dev_warn(nb->parent, "page frame %#lx was %s\n", pfn, what);
}

/*
 * Return: 0; -EALREADY if it is so already; or -ENOMEM, which clearing a bit
 * cannot give.  Never sleeps.
 */
static int __ledger_set(struct null_balloon *nb, unsigned long pfn, bool held)
{
	unsigned long index = pfn / LEDGER_PAGES, bit = BIT(pfn % LEDGER_PAGES);
	unsigned long old, new;

	lockdep_assert_held(&nb->lock);
	old = xa_to_value(xa_load(&nb->ledger, index));
	new = held ? old | bit : old & ~bit;
	if (new == old)
		return -EALREADY;
	return xa_err(xa_store(&nb->ledger, index,
			       new ? xa_mk_value(new) : NULL,
			       GFP_NOWAIT | __GFP_NOWARN));
}

/* Return: false if the host refuses, also because its ledger cannot grow. */
static bool __host_take_page(struct null_balloon *nb, unsigned long pfn)
{
	int err;

	if (nb->refuse_every && ++nb->nr_offered % nb->refuse_every == 0)
		return false;
	err = __ledger_set(nb, pfn, true);
	if (err == -EALREADY) {
		__host_complain(nb, &nb->ledger_double_inflate, pfn,
				"inflated twice");
	} else if (!err) {
		nb->ledger_pages++;
		nb->ledger_inflated++;
	}
	return err != -ENOMEM;
}

/* Return: false if the host does not have the page. */
static bool __host_give_page(struct null_balloon *nb, unsigned long pfn)
{
	if (__ledger_set(nb, pfn, false)) {
		__host_complain(nb, &nb->ledger_unknown_deflate, pfn,
				"deflated, but not inflated");
		return false;
	}
	nb->ledger_pages--;
	nb->ledger_deflated++;
	return true;
}

/* A refused page ends its range, as the contract has it. */
static void host_take_range(struct null_balloon *nb,
			    struct balloon_range *range)
{
	unsigned long pfn = range->pfn, end = pfn + range->nr, flags;
	bool taken;

	for (; pfn < end; pfn++) {
		spin_lock_irqsave(&nb->lock, flags);
		taken = __host_take_page(nb, pfn);
		spin_unlock_irqrestore(&nb->lock, flags);
		if (!taken)
			break;
		memset_page(pfn_to_page(pfn), 0, HOST_POISON, PAGE_SIZE);
	}
	range->nr_refused = end - pfn;
}

static void host_give_page(struct null_balloon *nb, unsigned long pfn)
{
	unsigned long flags;
	void *contents;
	bool given;

	spin_lock_irqsave(&nb->lock, flags);
	given = __host_give_page(nb, pfn);
	spin_unlock_irqrestore(&nb->lock, flags);
	if (!given)
		return;

	contents = kmap_local_page(pfn_to_page(pfn));
	if (memchr_inv(contents, HOST_POISON, PAGE_SIZE)) {
		spin_lock_irqsave(&nb->lock, flags);
		__host_complain(nb, &nb->ledger_used_while_inflated, pfn,
				"written to while it was inflated");
		spin_unlock_irqrestore(&nb->lock, flags);
	}
	memset(contents, 0, PAGE_SIZE);
	kunmap_local(contents);
}

static void host_give_range(struct null_balloon *nb,
			    const struct balloon_range *range)
{
	unsigned int i;

	for (i = 0; i < range->nr; i++)
		host_give_page(nb, range->pfn + i);
}

/* Of one page and another: the host does it as a whole, or not at all. */
static void host_move_pair(struct null_balloon *nb, struct balloon_range *new,
			   struct balloon_range *old)
{
	unsigned long flags;

	host_take_range(nb, new);
	old->nr_refused = new->nr_refused;
	if (old->nr_refused)
		return;
	host_give_range(nb, old);
	spin_lock_irqsave(&nb->lock, flags);
	nb->ledger_moved++;
	spin_unlock_irqrestore(&nb->lock, flags);
}

static void host_move(struct null_balloon *nb, struct balloon_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->inflate.nr; i++)
		host_move_pair(nb, &batch->inflate.range[i],
			       &batch->deflate.range[i]);
}

static void host_take_and_give(struct null_balloon *nb,
			       struct balloon_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->inflate.nr; i++)
		host_take_range(nb, &batch->inflate.range[i]);
	for (i = 0; i < batch->deflate.nr; i++)
		host_give_range(nb, &batch->deflate.range[i]);
}

static void host_forget(struct null_balloon *nb)
{
	unsigned long index, bits, bit;
	void *entry;

	xa_for_each(&nb->ledger, index, entry) {
		bits = xa_to_value(entry);
		for_each_set_bit(bit, &bits, LEDGER_PAGES)
			host_give_page(nb, index * LEDGER_PAGES + bit);
		cond_resched();
	}
}

/*
 * The adapter
 */

/*
 * The host acts when the guest is about to be told, not when it is asked: that
 * leaves a guest that does not wait for the answer the most time to be caught.
 * With an error it has done nothing.
 */
static void null_balloon_answer(struct null_balloon *nb,
				struct balloon_batch *batch, int error)
{
	bool migration = batch->inflate.nr && batch->deflate.nr;

	if (!error && migration && nb->ops->pairs)
		host_move(nb, batch);
	else if (!error)
		host_take_and_give(nb, batch);
	balloon_batch_complete(batch, error);
}

/*
 * One timer serves all batches.  A timer in each batch would not do: the core
 * may free a batch that is complete, while the callback of the timer, which
 * completed it, has yet to return.  "Soft", because a host that fills megabytes
 * takes too long for a hard interrupt.
 */
static void __null_balloon_arm(struct null_balloon *nb)
{
	const struct null_cmd *cmd;
	ktime_t due = KTIME_MAX;

	lockdep_assert_held(&nb->lock);
	if (nb->silent || list_empty(&nb->accepted))
		return;
	list_for_each_entry(cmd, &nb->accepted, node)
		due = min(due, cmd->due);
	hrtimer_start(&nb->timer, due, HRTIMER_MODE_ABS_SOFT);
}

static enum hrtimer_restart null_balloon_timer(struct hrtimer *timer)
{
	struct null_balloon *nb = container_of(timer, struct null_balloon,
					       timer);
	struct null_cmd *cmd, *next;
	ktime_t now = ktime_get();
	unsigned long flags;
	LIST_HEAD(due);
	int error;

	spin_lock_irqsave(&nb->lock, flags);
	list_for_each_entry_safe(cmd, next, &nb->accepted, node) {
		if (!nb->silent && cmd->due <= now)
			list_move_tail(&cmd->node, &due);
	}
	error = nb->fail_late ? -EIO : 0;
	__null_balloon_arm(nb);
	spin_unlock_irqrestore(&nb->lock, flags);

	/* "_safe": a batch that was answered belongs to the core. */
	list_for_each_entry_safe(cmd, next, &due, node)
		null_balloon_answer(nb, cmd->batch, error);
	return HRTIMER_NORESTART;
}

/* Several threads may be in here at once, each with a batch of its own. */
static int null_balloon_submit(struct balloon *b,
			       struct balloon_batch *batch)
{
	struct null_balloon *nb = balloon_data(b);
	struct null_cmd *cmd = balloon_batch_priv(batch);
	bool rejected, at_once;
	unsigned long flags;
	int error;

	spin_lock_irqsave(&nb->lock, flags);
	rejected = nb->fail;
	error = nb->fail_late ? -EIO : 0;
	at_once = !nb->latency_us && !nb->silent;
	if (!rejected && !at_once) {
		cmd->batch = batch;
		cmd->due = ktime_add_us(ktime_get(), nb->latency_us);
		list_add_tail(&cmd->node, &nb->accepted);
		__null_balloon_arm(nb);
	}
	spin_unlock_irqrestore(&nb->lock, flags);

	if (rejected)
		return -EIO;
	if (at_once)
		null_balloon_answer(nb, batch, error);
	return 0;
}

static void null_balloon_reset(struct balloon *b)
{
	struct null_balloon *nb = balloon_data(b);
	struct null_cmd *cmd, *next;
	LIST_HEAD(held);

	/* In this order: nobody arms the timer for an empty list. */
	spin_lock_irq(&nb->lock);
	list_splice_init(&nb->accepted, &held);
	spin_unlock_irq(&nb->lock);
	hrtimer_cancel(&nb->timer);

	host_forget(nb);
	list_for_each_entry_safe(cmd, next, &held, node)
		null_balloon_answer(nb, cmd->batch, -ENODEV);
}

static const struct balloon_dev_ops null_balloon_ops = {
	.driver = "null_balloon",
	.batch_priv_size = sizeof(struct null_cmd),
	.submit = null_balloon_submit,
	.reset = null_balloon_reset,
};

static const struct balloon_dev_ops null_balloon_pair_ops = {
	.driver = "null_balloon",
	.batch_priv_size = sizeof(struct null_cmd),
	.pairs = true,
	.submit = null_balloon_submit,
	.reset = null_balloon_reset,
};

static void __null_balloon_configure(struct null_balloon *nb)
{
	lockdep_assert_held(&nb->mutex);
	if (nb->ack_timeout_ms)
		balloon_set_ack_timeout(nb->b, nb->ack_timeout_ms);
	balloon_set_target(nb->b, nb->target_pages);
}

static int __null_balloon_power_on(struct null_balloon *nb)
{
	char *name;

	lockdep_assert_held(&nb->mutex);
	name = kasprintf(GFP_KERNEL, "null_balloon-%s",
			 config_item_name(&nb->item));
	if (!name)
		return -ENOMEM;
	nb->parent = root_device_register(name);
	kfree(name);
	if (IS_ERR(nb->parent))
		return PTR_ERR(nb->parent);

	nb->ops = nb->pairs ? &null_balloon_pair_ops : &null_balloon_ops;
	nb->b = balloon_register_device(nb->parent, nb->ops, nb);
	if (IS_ERR(nb->b)) {
		root_device_unregister(nb->parent);
		return PTR_ERR(nb->b);
	}
	if (nb->deflate_on_oom)
		balloon_deflate_on_oom(nb->b);
	WRITE_ONCE(nb->power, 1);
	__null_balloon_configure(nb);
	return 0;
}

/* The host stays: pages that the guest has lost remain in the ledger. */
static int __null_balloon_power_off(struct null_balloon *nb)
{
	int err;

	lockdep_assert_held(&nb->mutex);
	WRITE_ONCE(nb->power, 0);
	err = balloon_unregister_device(nb->b);
	/* The callback that completed the last batch may still be running. */
	hrtimer_cancel(&nb->timer);
	if (err) {
		/* The host holds pages, and a call of ->submit() may still run. */
		dev_err(nb->parent, "cannot be unregistered (%d), leaked for good\n",
			err);
		nb->lost = true;
		config_item_get(&nb->item);
		get_device(nb->parent);
		__module_get(THIS_MODULE);
	}
	root_device_unregister(nb->parent);
	return err;
}

/*
 * configfs: each file is a member of struct null_balloon
 */

static int null_balloon_set_power(struct null_balloon *nb,
				  unsigned long *power, unsigned long value)
{
	int err = 0;

	mutex_lock(&nb->mutex);
	if (nb->lost)
		err = -EBUSY;
	else if (value != *power)
		err = value ? __null_balloon_power_on(nb) :
			      __null_balloon_power_off(nb);
	mutex_unlock(&nb->mutex);
	return err;
}

static int null_balloon_set_guest(struct null_balloon *nb,
				  unsigned long *member, unsigned long value)
{
	mutex_lock(&nb->mutex);
	WRITE_ONCE(*member, value);
	if (nb->power)
		__null_balloon_configure(nb);
	mutex_unlock(&nb->mutex);
	return 0;
}

/* Not under the mutex: a silence can be ended while power off waits for it. */
static int null_balloon_set_host(struct null_balloon *nb,
				 unsigned long *member, unsigned long value)
{
	spin_lock_irq(&nb->lock);
	WRITE_ONCE(*member, value);
	nb->nr_offered = 0;		/* to have the same refusals again */
	__null_balloon_arm(nb);
	spin_unlock_irq(&nb->lock);
	return 0;
}

static ssize_t null_balloon_store(struct null_balloon *nb,
				  unsigned long *member,
				  int (*set)(struct null_balloon *nb,
					     unsigned long *member,
					     unsigned long value),
				  unsigned long max, const char *page,
				  size_t count)
{
	unsigned long value;
	int err;

	err = kstrtoul(page, 0, &value);
	if (!err && value > max)
		err = -ERANGE;
	if (!err)
		err = set(nb, member, value);
	return err ?: count;
}

/* Without a write bit in @mode, configfs opens no file for writing. */
#define NULL_BALLOON_ATTR(name, mode, set, max)				\
static unsigned long *null_balloon_##name(struct config_item *item)	\
{									\
	return (void *)to_null_balloon(item) +				\
		offsetof(struct null_balloon, name);			\
}									\
									\
static ssize_t null_balloon_##name##_show(struct config_item *item,	\
					  char *page)			\
{									\
	return sysfs_emit(page, "%lu\n",				\
			  READ_ONCE(*null_balloon_##name(item)));	\
}									\
									\
static ssize_t null_balloon_##name##_store(struct config_item *item,	\
					   const char *page,		\
					   size_t count)		\
{									\
	return null_balloon_store(to_null_balloon(item),		\
				  null_balloon_##name(item), set, max,	\
				  page, count);				\
}									\
									\
static struct configfs_attribute null_balloon_attr_##name = {		\
	.ca_name = #name,						\
	.ca_owner = THIS_MODULE,					\
	.ca_mode = mode,						\
	.show = null_balloon_##name##_show,				\
	.store = null_balloon_##name##_store,				\
}

NULL_BALLOON_ATTR(power, 0644, null_balloon_set_power, 1);
NULL_BALLOON_ATTR(target_pages, 0644, null_balloon_set_guest, ULONG_MAX);
NULL_BALLOON_ATTR(ack_timeout_ms, 0644, null_balloon_set_guest,
		  MAX_ACK_TIMEOUT_MS);
NULL_BALLOON_ATTR(deflate_on_oom, 0644, null_balloon_set_guest, 1);
NULL_BALLOON_ATTR(pairs, 0644, null_balloon_set_guest, 1);
NULL_BALLOON_ATTR(latency_us, 0644, null_balloon_set_host, MAX_LATENCY_US);
NULL_BALLOON_ATTR(refuse_every, 0644, null_balloon_set_host, ULONG_MAX);
NULL_BALLOON_ATTR(fail, 0644, null_balloon_set_host, 1);
NULL_BALLOON_ATTR(fail_late, 0644, null_balloon_set_host, 1);
NULL_BALLOON_ATTR(silent, 0644, null_balloon_set_host, 1);
NULL_BALLOON_ATTR(ledger_pages, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_inflated, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_deflated, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_moved, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_double_inflate, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_unknown_deflate, 0444, NULL, 0);
NULL_BALLOON_ATTR(ledger_used_while_inflated, 0444, NULL, 0);

static struct configfs_attribute *null_balloon_attrs[] = {
	&null_balloon_attr_power,
	&null_balloon_attr_target_pages,
	&null_balloon_attr_ack_timeout_ms,
	&null_balloon_attr_deflate_on_oom,
	&null_balloon_attr_pairs,
	&null_balloon_attr_latency_us,
	&null_balloon_attr_refuse_every,
	&null_balloon_attr_fail,
	&null_balloon_attr_fail_late,
	&null_balloon_attr_silent,
	&null_balloon_attr_ledger_pages,
	&null_balloon_attr_ledger_inflated,
	&null_balloon_attr_ledger_deflated,
	&null_balloon_attr_ledger_moved,
	&null_balloon_attr_ledger_double_inflate,
	&null_balloon_attr_ledger_unknown_deflate,
	&null_balloon_attr_ledger_used_while_inflated,
	NULL,
};

static void null_balloon_release(struct config_item *item)
{
	struct null_balloon *nb = to_null_balloon(item);

	xa_destroy(&nb->ledger);
	kfree(nb);
}

static struct configfs_item_operations null_balloon_item_ops = {
	.release = null_balloon_release,
};

static const struct config_item_type null_balloon_type = {
	.ct_item_ops = &null_balloon_item_ops,
	.ct_attrs = null_balloon_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *null_balloon_make_item(struct config_group *group,
						  const char *name)
{
	struct null_balloon *nb = kzalloc(sizeof(*nb), GFP_KERNEL);

	if (!nb)
		return ERR_PTR(-ENOMEM);
	config_item_init_type_name(&nb->item, name, &null_balloon_type);
	mutex_init(&nb->mutex);
	spin_lock_init(&nb->lock);
	INIT_LIST_HEAD(&nb->accepted);
	xa_init(&nb->ledger);
	hrtimer_setup(&nb->timer, null_balloon_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_ABS_SOFT);
	return &nb->item;
}

/* rmdir; configfs has seen to it that no store runs any more. */
static void null_balloon_drop_item(struct config_group *group,
				   struct config_item *item)
{
	struct null_balloon *nb = to_null_balloon(item);

	null_balloon_set_power(nb, &nb->power, 0);
	config_item_put(item);
}

static struct configfs_group_operations null_balloon_group_ops = {
	.make_item = null_balloon_make_item,
	.drop_item = null_balloon_drop_item,
};

static const struct config_item_type null_balloon_group_type = {
	.ct_group_ops = &null_balloon_group_ops,
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem null_balloon_subsys = {
	.su_group.cg_item = {
		.ci_namebuf = "null_balloon",
		.ci_type = &null_balloon_group_type,
	},
};

static int __init null_balloon_init(void)
{
	config_group_init(&null_balloon_subsys.su_group);
	mutex_init(&null_balloon_subsys.su_mutex);
	return configfs_register_subsystem(&null_balloon_subsys);
}
module_init(null_balloon_init);

static void __exit null_balloon_exit(void)
{
	configfs_unregister_subsystem(&null_balloon_subsys);
}
module_exit(null_balloon_exit);

MODULE_DESCRIPTION("Balloon without a hypervisor");
MODULE_LICENSE("GPL");
