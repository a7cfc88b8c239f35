// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: how page ranges travel to the hypervisor and back.
 *
 * A device owns BALLOON_NR_BATCHES batches, so that nothing is allocated on the
 * way.  Whoever fills one submits it.  When the adapter has completed it, it is
 * settled (mm/balloon_settle.c) and returns to the pool.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include "balloon_internal.h"

/* A migration is submitted after this time, whoever still holds pages. */
#define BALLOON_FLUSH_DELAY	msecs_to_jiffies(4)

/**
 * balloon_batches_alloc - allocate the batches of a device
 * @b: the device, with ->ops set
 *
 * Return: 0 or -ENOMEM; call balloon_batches_free() in either case.
 */
int balloon_batches_alloc(struct balloon_dev_info *b)
{
	unsigned int i;

	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		struct balloon_batch *batch;

		batch = kzalloc(sizeof(*batch) + b->ops->batch_priv_size,
				GFP_KERNEL);
		if (!batch)
			return -ENOMEM;
		batch->b = b;
		b->batch[i] = batch;
		list_add(&batch->node, &b->free);
		b->nr_free++;
	}
	return 0;
}

/**
 * balloon_batches_free - free the batches of a device
 * @b: the device; no batch is in use
 */
void balloon_batches_free(struct balloon_dev_info *b)
{
	unsigned int i;

	for (i = 0; i < BALLOON_NR_BATCHES; i++)
		kfree(b->batch[i]);
}

/**
 * __balloon_batch_get - take an empty batch
 * @b: the device
 * @keep: leave at least this many for others
 *
 * Context: under @b->pages_lock.
 * Return: an OPEN batch or NULL.
 */
struct balloon_batch *__balloon_batch_get(struct balloon_dev_info *b,
					  unsigned int keep)
{
	struct balloon_batch *batch;

	lockdep_assert_held(&b->pages_lock);
	if (b->nr_free <= keep)
		return NULL;
	batch = list_first_entry(&b->free, struct balloon_batch, node);
	list_del_init(&batch->node);
	b->nr_free--;
	batch->state = BALLOON_BATCH_OPEN;
	batch->inflate.nr = 0;
	batch->inflate.nr_pages = 0;
	batch->deflate.nr = 0;
	batch->deflate.nr_pages = 0;
	batch->error = 0;
	batch->rejected = false;
	batch->for_target = false;
	batch->exchange = false;
	return batch;
}

static struct balloon_batch *try_get(struct balloon_dev_info *b,
				     unsigned int keep)
{
	struct balloon_batch *batch = NULL;

	spin_lock_irq(&b->pages_lock);
	if (!b->dying && !b->error)
		batch = __balloon_batch_get(b, keep);
	spin_unlock_irq(&b->pages_lock);
	return batch;
}

/**
 * balloon_batch_get - wait for an empty batch
 * @b: the device
 * @keep: leave at least this many for others
 * @timeout: in jiffies
 *
 * Context: process.
 * Return: an OPEN batch; or NULL if none came or the device has stopped.
 */
struct balloon_batch *balloon_batch_get(struct balloon_dev_info *b,
					unsigned int keep, unsigned long timeout)
{
	struct balloon_batch *batch = NULL;

	wait_event_timeout(b->wait, (batch = try_get(b, keep)) ||
			   READ_ONCE(b->dying) || READ_ONCE(b->error), timeout);
	return batch;
}

/**
 * __balloon_batch_put - return a batch to the pool
 * @batch: the batch
 *
 * Context: under the device's pages_lock, which must be dropped before
 * anything else: the device may be unregistered from then on.
 */
void __balloon_batch_put(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;

	lockdep_assert_held(&b->pages_lock);
	batch->state = BALLOON_BATCH_FREE;
	batch->seq++;
	b->nr_for_target -= batch->for_target;
	b->nr_exchanging -= batch->exchange;
	list_move(&batch->node, &b->free);
	b->nr_free++;
	wake_up(&b->wait);
}

/**
 * balloon_batch_put - return a batch that was not needed
 * @batch: an OPEN batch without pages
 *
 * Context: process.
 */
void balloon_batch_put(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;

	spin_lock_irq(&b->pages_lock);
	__balloon_batch_put(batch);
	spin_unlock_irq(&b->pages_lock);
}

static void __set_error(struct balloon_dev_info *b, int error)
{
	lockdep_assert_held(&b->pages_lock);
	/* A hypervisor that fails after a silence is not to be forgiven. */
	if (b->error && (b->error != -ETIMEDOUT || error == -ETIMEDOUT))
		return;
	b->error = error;
	wake_up(&b->wait);
	if (error == -ETIMEDOUT)
		dev_err(b->dev, "hypervisor does not answer for %u ms: balloon stopped until it does\n",
			jiffies_to_msecs(READ_ONCE(b->ack_timeout)));
	else
		dev_err(b->dev, "hypervisor failed (%d): balloon stopped, unbind and bind the device to restart it\n",
			error);
}

/* Only the watchdog says that the hypervisor is silent. */
static int adapter_error(int error)
{
	return error == -ETIMEDOUT ? -EIO : error;
}

/**
 * balloon_device_failed - the hypervisor will not answer any more
 * @b: the device
 * @error: negative errno
 *
 * For adapters that learn of it in another way than by a batch.  The device is
 * marked broken; the pages of batches in flight stay in the balloon.
 *
 * Context: any.
 */
void balloon_device_failed(struct balloon_dev_info *b, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	__set_error(b, adapter_error(error));
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_device_failed);

/**
 * __balloon_forgive - let a silent hypervisor that has answered go on
 * @b: the device
 *
 * Context: under @b->pages_lock.
 */
void __balloon_forgive(struct balloon_dev_info *b)
{
	lockdep_assert_held(&b->pages_lock);
	if (b->error != -ETIMEDOUT || !list_empty(&b->in_flight) ||
	    !list_empty(&b->done))
		return;
	b->error = 0;
	dev_info(b->dev, "hypervisor answers again\n");
	if (!b->dying)
		mod_delayed_work(system_freezable_wq, &b->work, 0);
}

/*
 * Pages that the guest cannot use from now on.  In a migration the new pages
 * take over the charge of the old ones.
 */
static void account_inflating(struct balloon_dev_info *b,
			      const struct balloon_range_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		balloon_account(b, list->range[i].pfn, -(long)list->range[i].nr);
}

/* Return: true if @batch is DONE and the caller's to settle. */
static bool batch_send(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;
	bool submitting, done;
	unsigned long flags;
	int err;

	balloon_ranges_sort(&batch->inflate);
	balloon_ranges_sort(&batch->deflate);
	if (!balloon_batch_is_migration(batch))
		account_inflating(b, &batch->inflate);

	spin_lock_irqsave(&b->pages_lock, flags);
	batch->state = BALLOON_BATCH_SUBMITTING;
	batch->submitted = jiffies;
	list_add_tail(&batch->node, &b->in_flight);
	b->stats.batches++;
	err = b->error;
	submitting = !err;
	b->nr_submitting += submitting;
	spin_unlock_irqrestore(&b->pages_lock, flags);

	if (submitting)
		err = adapter_error(b->ops->submit(b, batch));

	spin_lock_irqsave(&b->pages_lock, flags);
	b->nr_submitting -= submitting;
	if (!b->nr_submitting && b->dying)
		wake_up(&b->wait);
	if (err) {
		batch->error = err;
		batch->rejected = true;
		batch->state = BALLOON_BATCH_DONE;
		__set_error(b, err);
	}
	done = batch->state == BALLOON_BATCH_DONE;
	if (!done) {
		batch->state = BALLOON_BATCH_IN_FLIGHT;
		queue_delayed_work(balloon_wq, &b->watchdog,
				   READ_ONCE(b->ack_timeout));
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return done;
}

/**
 * balloon_batch_submit - tell the hypervisor about a batch
 * @batch: an OPEN batch with at least one range
 *
 * Context: process, no page lock held.
 */
void balloon_batch_submit(struct balloon_batch *batch)
{
	if (batch_send(batch))
		balloon_batch_settle(batch);
}

static bool batch_answered(struct balloon_batch *batch, unsigned int seq)
{
	struct balloon_dev_info *b = batch->b;
	unsigned long flags;
	bool answered;

	spin_lock_irqsave(&b->pages_lock, flags);
	answered = b->error || batch->seq != seq ||
		   (batch->state == BALLOON_BATCH_DONE &&
		    !balloon_batch_is_clean(batch));
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return answered;
}

/* For the work item to settle, which holds no page lock. */
static void batch_defer(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	list_move_tail(&batch->node, &b->done);
	queue_work(balloon_wq, &b->reap_work);
	wake_up(&b->wait);
	spin_unlock_irqrestore(&b->pages_lock, flags);
}

/**
 * balloon_batch_submit_migration - tell the hypervisor about migrated pages
 * @batch: an OPEN batch with migrations only
 * @mode: unless MIGRATE_ASYNC, wait for the answer, so that compaction sees
 *	the pages that it has freed
 *
 * Context: process, page locks may be held, by which the device stays.
 */
void balloon_batch_submit_migration(struct balloon_batch *batch,
				    enum migrate_mode mode)
{
	struct balloon_dev_info *b = batch->b;
	unsigned int seq = batch->seq;

	if (batch_send(batch)) {
		if (balloon_batch_is_clean(batch))
			balloon_batch_settle(batch);
		else
			batch_defer(batch);
	} else if (mode != MIGRATE_ASYNC) {
		wait_event_timeout(b->wait, batch_answered(batch, seq),
				   READ_ONCE(b->ack_timeout));
	}
}

/**
 * balloon_batch_flush - submit the migrations recorded so far
 * @b: the device
 *
 * Context: process, no page lock held.
 */
void balloon_batch_flush(struct balloon_dev_info *b)
{
	struct balloon_batch *batch;
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	batch = b->open;
	b->open = NULL;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	if (batch)
		balloon_batch_submit(batch);
}

/**
 * balloon_batch_schedule_flush - submit an open batch soon
 * @b: the device, whose ->open was just set
 *
 * Context: any.
 */
void balloon_batch_schedule_flush(struct balloon_dev_info *b)
{
	queue_delayed_work(balloon_wq, &b->flush_work, BALLOON_FLUSH_DELAY);
}

/* ->flush_work of a device. */
void balloon_flush_work(struct work_struct *work)
{
	balloon_batch_flush(container_of(to_delayed_work(work),
					 struct balloon_dev_info, flush_work));
}

/* ->watchdog of a device: marks it as stalled when its hypervisor is silent. */
void balloon_watchdog(struct work_struct *work)
{
	struct balloon_dev_info *b;
	struct balloon_batch *batch;
	unsigned long flags, due, now = jiffies;

	b = container_of(to_delayed_work(work), struct balloon_dev_info,
			 watchdog);
	spin_lock_irqsave(&b->pages_lock, flags);
	list_for_each_entry(batch, &b->in_flight, node) {
		if (batch->state != BALLOON_BATCH_IN_FLIGHT)
			continue;
		due = batch->submitted + READ_ONCE(b->ack_timeout);
		if (time_before(now, due))
			queue_delayed_work(balloon_wq, &b->watchdog, due - now);
		else
			__set_error(b, -ETIMEDOUT);
		break;
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
}

/**
 * balloon_batch_complete - the hypervisor has answered
 * @batch: the batch that ->submit() was given
 * @error: 0, and @batch's ranges tell in &balloon_range.nr_refused what was
 *	refused; or a negative errno if it is not known what the hypervisor did
 *	or will do.  Then the pages of @batch stay in the balloon and the device
 *	is marked broken.
 *
 * Context: any.  May be called from within ->submit().
 */
void balloon_batch_complete(struct balloon_batch *batch, int error)
{
	struct balloon_dev_info *b = batch->b;
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	switch (batch->state) {
	case BALLOON_BATCH_SUBMITTING:
		batch->state = BALLOON_BATCH_DONE;
		break;
	case BALLOON_BATCH_IN_FLIGHT:
		batch->state = BALLOON_BATCH_DONE;
		list_move_tail(&batch->node, &b->done);
		queue_work(balloon_wq, &b->reap_work);
		wake_up(&b->wait);
		break;
	default:
		WARN_ONCE(1, "balloon batch completed twice\n");
		goto out;
	}
	batch->error = adapter_error(error);
	if (error)
		__set_error(b, batch->error);
out:
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_batch_complete);
