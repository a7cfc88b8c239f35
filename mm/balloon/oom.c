// SPDX-License-Identifier: GPL-2.0
/*
 * Deflation when the guest runs out of memory, for devices that allow it.
 *
 * An OOM notifier, not a shrinker: a balloon must not shrink because somebody
 * drops caches or reclaims for the page cache's sake.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/cpuset.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mempolicy.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sizes.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <trace/events/balloon.h>

#include "internal.h"

/* What is taken back at a time, before the OOM killer looks for a victim. */
#define BALLOON_OOM_PAGES	(SZ_4M >> PAGE_SHIFT)

/* How long all devices together may keep the OOM killer waiting. */
#define BALLOON_OOM_TIMEOUT	(10 * HZ)

/* Held while devices give pages back; nothing is allocated under it. */
static DEFINE_MUTEX(balloon_oom_lock);
static LIST_HEAD(oom_devices);		/* under balloon_oom_lock */
static unsigned int nr_oom_devices;	/* under balloon_oom_lock */

/*
 * Where has memory run out?  The kernel does not tell, but it is the task that needs
 * memory that calls: by its cpuset or its policy it may be bound to some nodes.  What
 * binds a part of its address space only (mbind) is not seen.
 * Return: the nodes, or NULL for all.
 */
#ifdef CONFIG_NUMA
static const nodemask_t *nodes_in_need(void)
{
	const struct mempolicy *policy = current->mempolicy;
	static nodemask_t nodes;	/* under balloon_oom_lock */

	nodes = cpuset_current_mems_allowed;
	if (policy && policy->mode == MPOL_BIND)
		nodes_and(nodes, nodes, policy->nodes);
	return nodes_subset(node_states[N_MEMORY], nodes) ? NULL : &nodes;
}
#else
static const nodemask_t *nodes_in_need(void)
{
	return NULL;
}
#endif

/* Has the hypervisor yet to answer what it was asked when memory ran out last? */
static bool oom_is_unanswered(struct balloon *b)
{
	bool unanswered;

	spin_lock_irq(&b->pages_lock);
	unanswered = b->oom_batch && b->oom_batch->seq == b->oom_seq;
	spin_unlock_irq(&b->pages_lock);
	return unanswered;
}

/*
 * Give back up to @nr pages, as a batch holds them: on @nodes, or anywhere if that is
 * NULL.  No wait is longer than @timeout jiffies.
 * Return: number of pages given back.
 */
static unsigned long deflate_device(struct balloon *b, const nodemask_t *nodes,
				    unsigned long nr, unsigned long timeout)
{
	unsigned long deflated, deadline = jiffies + timeout;
	struct balloon_core_batch *batch;
	unsigned int seq;

	if (oom_is_unanswered(b))
		return 0;
	batch = balloon_batch_wait(b, BALLOON_FOR_OOM, timeout);
	if (!batch)
		return 0;
	balloon_batch_take(batch, nr, nodes);
	nr = batch->deflate.nr_pages;
	if (!nr) {
		balloon_batch_put(batch);
		return 0;
	}

	spin_lock_irq(&b->pages_lock);
	WRITE_ONCE(b->oom, true);
	deflated = b->stats.deflated;
	seq = batch->seq;
	b->oom_batch = batch;
	b->oom_seq = seq;
	spin_unlock_irq(&b->pages_lock);
	balloon_batch_submit(batch);
	wait_event_timeout(b->wait, READ_ONCE(batch->seq) != seq ||
			   !balloon_is_running(b), balloon_time_left(deadline));

	spin_lock_irq(&b->pages_lock);
	nr = min(nr, b->stats.deflated - deflated);
	__balloon_count_oom_deflated(b, nr);
	if (!balloon_is_leaving(b))
		mod_delayed_work(balloon_target_wq, &b->work, 0);
	spin_unlock_irq(&b->pages_lock);
	return nr;
}

/*
 * Each device has an equal share of the time that is left, so that one that is silent
 * does not keep the others from helping.
 */
static void deflate_devices(const nodemask_t *nodes, unsigned long deadline,
			    unsigned long *freed)
{
	unsigned int nr_left = nr_oom_devices;
	struct balloon *b;
	unsigned long nr;
	long left;

	list_for_each_entry(b, &oom_devices, oom_node) {
		left = deadline - jiffies;
		/* Another one may have given enough already. */
		if (*freed >= BALLOON_OOM_PAGES || left <= 0)
			break;
		nr = deflate_device(b, nodes, BALLOON_OOM_PAGES - *freed,
				    left / nr_left + 1);
		trace_balloon_oom(b->id, nr);
		if (nr)
			dev_info_ratelimited(b->dev, "out of memory: %lu pages given back\n",
					     nr);
		*freed += nr;
		nr_left--;
	}
}

/*
 * Called with the kernel's own OOM lock held; allocates nothing.  Pages of nodes that
 * the task may not use are of use to it, too, if the kernel needs them on its behalf:
 * then nothing is free there either.
 */
static int oom_notify(struct notifier_block *nb, unsigned long unused,
		      void *data)
{
	unsigned long *freed = data, deadline = jiffies + BALLOON_OOM_TIMEOUT;
	const nodemask_t *nodes;

	mutex_lock(&balloon_oom_lock);
	nodes = nodes_in_need();
	deflate_devices(nodes, deadline, freed);
	if (nodes && !*freed && !balloon_free_to_spare(NUMA_NO_NODE))
		deflate_devices(NULL, deadline, freed);
	mutex_unlock(&balloon_oom_lock);
	return NOTIFY_OK;
}

static struct notifier_block oom_notifier = {
	.notifier_call = oom_notify,
};

/**
 * balloon_deflate_on_oom - let the guest have pages back when memory runs out
 * @b: a registered device of which the target was never set
 *
 * Pages of the balloon then count as memory of the guest: they stay in MemTotal
 * and in the zones' managed pages.  After it gave pages back, the balloon tries to
 * reach its target again when memory is available, half a minute later.
 *
 * Context: process, may sleep.
 */
void balloon_deflate_on_oom(struct balloon *b)
{
	mutex_lock(&balloon_oom_lock);
	b->deflate_on_oom = true;
	list_add_tail(&b->oom_node, &oom_devices);
	nr_oom_devices++;
	mutex_unlock(&balloon_oom_lock);
}
EXPORT_SYMBOL_GPL(balloon_deflate_on_oom);

/**
 * balloon_oom_remove - no page of this device is asked for any more
 * @b: a device that is being unregistered
 *
 * Context: process, may sleep.
 */
void balloon_oom_remove(struct balloon *b)
{
	if (!b->deflate_on_oom)
		return;
	mutex_lock(&balloon_oom_lock);
	list_del(&b->oom_node);
	nr_oom_devices--;
	mutex_unlock(&balloon_oom_lock);
}

/**
 * balloon_oom_init - hear of it when memory runs out
 *
 * Return: 0 or a negative errno.
 */
int balloon_oom_init(void)
{
	return register_oom_notifier(&oom_notifier);
}

/**
 * balloon_oom_exit - the opposite of balloon_oom_init()
 *
 * Context: process, may sleep; there is no device.
 */
void balloon_oom_exit(void)
{
	unregister_oom_notifier(&oom_notifier);
}
