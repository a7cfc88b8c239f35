// SPDX-License-Identifier: GPL-2.0
/*
 * Batches: how page ranges travel to the hypervisor and back.
 *
 * A device owns BALLOON_NR_BATCHES batches, so that nothing is allocated on the
 * way.  Whoever fills one submits it.  When the adapter has completed it, it is
 * settled (mm/balloon/settle.c) and returns to the pool.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <trace/events/balloon.h>

#include "internal.h"

/*
 * Settles batches.  Not freezable: pages must not stay pending over a freeze
 * of the target worker.
 */
struct workqueue_struct *balloon_wq;

/*
 * Follows targets.  Frozen when the guest goes to sleep.  The worker may be busy
 * for long, which must not keep other work of its processor waiting, so it does
 * not count for how many of them may run.  Not unbound: some kernels (6.12 is one)
 * run no item of an unbound queue any more after one was cancelled while the
 * queue was frozen.
 */
struct workqueue_struct *balloon_target_wq;

/* A migration is submitted after this time, whoever still holds pages. */
#define BALLOON_FLUSH_DELAY	msecs_to_jiffies(4)

/**
 * balloon_batches_alloc - allocate the batches of a device
 * @b: the device, with ->ops set
 *
 * Return: 0 or -ENOMEM; call balloon_batches_free() in either case.
 */
int balloon_batches_alloc(struct balloon *b)
{
	unsigned int i;

	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		struct balloon_core_batch *batch;

		batch = kzalloc(sizeof(*batch) + b->ops->batch_priv_size,
				GFP_KERNEL);
		if (!batch)
			return -ENOMEM;
		batch->priv = batch->adapter;
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
void balloon_batches_free(struct balloon *b)
{
	unsigned int i;

	for (i = 0; i < BALLOON_NR_BATCHES; i++)
		kfree(b->batch[i]);
}

/**
 * __balloon_changed - tell whoever waits for a change of a device's counts
 * @b: the device
 *
 * Context: under @b->pages_lock.
 */
void __balloon_changed(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	wake_up(&b->wait);
	if (b->worker_waits && !balloon_is_leaving(b))
		mod_delayed_work(balloon_target_wq, &b->work, 0);
	b->worker_waits = false;
}

/**
 * __balloon_target_has_room - may the worker have another batch?
 * @b: the device
 *
 * A target that changes is followed when what was submitted before has been
 * answered, so a running balloon begins no batch while as many pages are on their
 * way as two of the largest have.
 *
 * Context: under @b->pages_lock.
 * Return: true if it may.
 */
bool __balloon_target_has_room(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	return b->nr_free > BALLOON_BATCH_KEEP &&
	       (!balloon_is_running(b) ||
		b->nr_inflating + b->nr_deflating < 2UL * b->max_pages);
}

/* Is there a hypervisor to ask?  The target worker also empties a device that leaves. */
static bool may_ask(struct balloon *b, enum balloon_batch_purpose purpose)
{
	return purpose == BALLOON_FOR_TARGET ? balloon_is_answered(b) :
					       balloon_is_running(b);
}

static bool __may_get(struct balloon *b,
		      enum balloon_batch_purpose purpose)
{
	lockdep_assert_held(&b->pages_lock);
	switch (purpose) {
	case BALLOON_FOR_TARGET:
		/* Without a hypervisor, too: it is settled without one. */
		return __balloon_target_has_room(b);
	case BALLOON_FOR_EXCHANGE:
		return b->nr_free > BALLOON_BATCH_KEEP && may_ask(b, purpose);
	case BALLOON_FOR_OOM:
	case BALLOON_FOR_MIGRATION:
		break;
	}
	return b->nr_free && may_ask(b, purpose);
}

/**
 * __balloon_batch_get - take an empty batch
 * @b: the device
 * @purpose: what for
 *
 * Context: under @b->pages_lock.
 * Return: an OPEN batch; or NULL if there is none, if others are to have it, or if
 * the device has stopped.
 */
struct balloon_core_batch *__balloon_batch_get(struct balloon *b,
					       enum balloon_batch_purpose purpose)
{
	struct balloon_core_batch *batch;

	lockdep_assert_held(&b->pages_lock);
	if (!__may_get(b, purpose))
		return NULL;
	batch = list_first_entry(&b->free, struct balloon_core_batch, node);
	list_del_init(&batch->node);
	b->nr_free--;
	b->nr_for_target += purpose == BALLOON_FOR_TARGET;
	b->nr_exchanging += purpose == BALLOON_FOR_EXCHANGE;
	batch->state = BALLOON_BATCH_OPEN;
	batch->purpose = purpose;
	batch->result = BALLOON_ANSWERED;
	batch->inflate.nr = 0;
	batch->inflate.nr_pages = 0;
	batch->deflate.nr = 0;
	batch->deflate.nr_pages = 0;
	return batch;
}

/**
 * balloon_batch_get - take an empty batch
 * @b: the device
 * @purpose: what for
 *
 * Context: process.
 * Return: as of __balloon_batch_get().
 */
struct balloon_core_batch *balloon_batch_get(struct balloon *b,
					     enum balloon_batch_purpose purpose)
{
	struct balloon_core_batch *batch;

	spin_lock_irq(&b->pages_lock);
	batch = __balloon_batch_get(b, purpose);
	spin_unlock_irq(&b->pages_lock);
	return batch;
}

/**
 * balloon_batch_wait - wait for an empty batch
 * @b: the device
 * @purpose: what for
 * @timeout: jiffies
 *
 * A signal ends the wait for an exchange, which somebody has asked for.
 *
 * Context: process, may sleep.
 * Return: as of __balloon_batch_get(); NULL, too, when the time is up.
 */
struct balloon_core_batch *balloon_batch_wait(struct balloon *b,
					      enum balloon_batch_purpose purpose,
					      unsigned long timeout)
{
	struct balloon_core_batch *batch = NULL;

	if (purpose == BALLOON_FOR_EXCHANGE)
		wait_event_interruptible_timeout(b->wait,
						 (batch = balloon_batch_get(b, purpose)) ||
						 !may_ask(b, purpose), timeout);
	else
		wait_event_timeout(b->wait,
				   (batch = balloon_batch_get(b, purpose)) ||
				   !may_ask(b, purpose), timeout);
	return batch;
}

/**
 * __balloon_batch_put - return a batch to the pool
 * @batch: the batch
 *
 * Context: under the device's pages_lock, which must be dropped before
 * anything else: the device may be unregistered from then on.
 */
void __balloon_batch_put(struct balloon_core_batch *batch)
{
	struct balloon *b = batch->b;

	lockdep_assert_held(&b->pages_lock);
	batch->state = BALLOON_BATCH_FREE;
	batch->seq++;
	b->nr_for_target -= batch->purpose == BALLOON_FOR_TARGET;
	b->nr_exchanging -= batch->purpose == BALLOON_FOR_EXCHANGE;
	list_move(&batch->node, &b->free);
	b->nr_free++;
	__balloon_changed(b);
}

/**
 * balloon_batch_put - return a batch that was not needed
 * @batch: an OPEN batch without pages
 *
 * Context: process.
 */
void balloon_batch_put(struct balloon_core_batch *batch)
{
	struct balloon *b = batch->b;

	spin_lock_irq(&b->pages_lock);
	__balloon_batch_put(batch);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * __balloon_set_state - a device is in another state
 * @b: the device
 * @state: the state
 *
 * Context: under @b->pages_lock.
 */
void __balloon_set_state(struct balloon *b, enum balloon_state state)
{
	lockdep_assert_held(&b->pages_lock);
	WRITE_ONCE(b->state, state);
	trace_balloon_state(b->id, state);
	schedule_work(&b->tell_work);
}

static void __hypervisor_is_silent(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_is_answered(b))
		return;
	__balloon_set_state(b, balloon_is_leaving(b) ? BALLOON_STOPPED :
						       BALLOON_STALLED);
	__balloon_changed(b);
	dev_err(b->dev, "hypervisor does not answer for %u ms: balloon stopped until it does\n",
		jiffies_to_msecs(READ_ONCE(b->ack_timeout)));
}

/* A hypervisor that fails after a silence is not waited for any more. */
static void __hypervisor_has_failed(struct balloon *b, int error)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_is_answered(b) && b->state != BALLOON_STALLED)
		return;
	__balloon_set_state(b, balloon_is_leaving(b) ? BALLOON_STOPPED :
						       BALLOON_BROKEN);
	__balloon_changed(b);
	dev_err(b->dev, "hypervisor failed (%d): balloon stopped, unbind and bind the device to restart it\n",
		error);
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
void balloon_device_failed(struct balloon *b, int error)
{
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	__hypervisor_has_failed(b, error);
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_device_failed);

/**
 * __balloon_answers_again - a hypervisor that was silent may have answered all
 * @b: the device
 *
 * Context: under @b->pages_lock.
 */
void __balloon_answers_again(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	if (b->state != BALLOON_STALLED || !list_empty(&b->in_flight) ||
	    !list_empty(&b->done))
		return;
	__balloon_set_state(b, BALLOON_RUNNING);
	dev_info(b->dev, "hypervisor answers again\n");
	mod_delayed_work(balloon_target_wq, &b->work, 0);
}

/*
 * Pages that the guest cannot use from now on.  In a migration the new pages
 * take over the charge of the old ones.
 */
static void account_inflating(struct balloon *b,
			      const struct balloon_range_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		balloon_adjust_managed(b, list->range[i].pfn, -(long)list->range[i].nr);
}

/* The hypervisor has it, or it is known already that it will not; or it has answered. */
static void __batch_sent(struct balloon_core_batch *batch, int err, bool awaited)
{
	struct balloon *b = batch->b;

	lockdep_assert_held(&b->pages_lock);
	if (err) {
		batch->result = BALLOON_REJECTED;
		batch->state = BALLOON_BATCH_DONE;
	}
	if (batch->state == BALLOON_BATCH_DONE)
		return;
	batch->state = BALLOON_BATCH_IN_FLIGHT;
	batch->awaited = awaited;
	queue_delayed_work(balloon_wq, &b->watchdog, READ_ONCE(b->ack_timeout));
}

/*
 * Return: true if @batch is DONE and the caller's to settle.  When it is DONE later,
 * it is the caller's, too, if @awaited, until batch_stop_waiting(); else the work
 * item's.
 */
static bool batch_send(struct balloon_core_batch *batch, bool awaited)
{
	struct balloon *b = batch->b;
	bool submitting, done;
	unsigned long flags;
	int err = -EIO;

	if (!balloon_batch_is_paired(batch)) {
		balloon_ranges_sort(&batch->inflate);
		balloon_ranges_sort(&batch->deflate);
	}
	if (!balloon_batch_is_migration(batch))
		account_inflating(b, &batch->inflate);

	spin_lock_irqsave(&b->pages_lock, flags);
	batch->state = BALLOON_BATCH_SUBMITTING;
	batch->submitted = jiffies;
	batch->sent = ktime_get_ns();
	list_add_tail(&batch->node, &b->in_flight);
	submitting = balloon_is_answered(b);
	if (submitting) {
		__balloon_count_batch(b);
		trace_balloon_batch_submit(b->id, batch->purpose,
					   batch->inflate.nr_pages,
					   batch->deflate.nr_pages);
	}
	b->nr_submitting += submitting;
	spin_unlock_irqrestore(&b->pages_lock, flags);

	if (submitting)
		err = b->ops->submit(b, &batch->batch);

	spin_lock_irqsave(&b->pages_lock, flags);
	b->nr_submitting -= submitting;
	if (!b->nr_submitting && balloon_is_leaving(b))
		wake_up(&b->wait);
	__batch_sent(batch, err, awaited);
	/* One that is silent was not asked, and may answer again. */
	if (err && submitting)
		__hypervisor_has_failed(b, err);
	done = batch->state == BALLOON_BATCH_DONE;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return done;
}

/**
 * balloon_batch_settle - change the state of pages as the hypervisor answered
 * @batch: a DONE batch, or an OPEN one if there is no hypervisor to ask any more
 *
 * Context: process; takes page locks, unless it is a migration for which
 * balloon_batch_is_clean().
 */
void balloon_batch_settle(struct balloon_core_batch *batch)
{
	struct balloon *b = batch->b;
	bool clean = balloon_batch_is_clean(batch), held_back, parked;
	LIST_HEAD(refused);

	balloon_settle_pages(batch, &refused, clean);
	spin_lock_irq(&b->pages_lock);
	__balloon_settle_states(batch, clean);
	list_splice(&refused, &b->refused);
	/* The worker sees its own refusals; a migration's it is to make up. */
	if (!clean && batch->purpose != BALLOON_FOR_TARGET &&
	    !balloon_is_leaving(b))
		mod_delayed_work(balloon_target_wq, &b->work,
				 BALLOON_BACKOFF_MIN);
	list_del_init(&batch->node);
	__balloon_answers_again(b);
	/* A balloon that has stopped takes nothing, so nothing is held back. */
	held_back = balloon_is_answered(b);
	parked = batch->purpose != BALLOON_FOR_EXCHANGE || b->compaction;
	if (!held_back || !parked) {
		/* Nobody else frees them, and the batch keeps the device. */
		spin_unlock_irq(&b->pages_lock);
		if (!held_back)
			balloon_free_refused(b);
		if (!parked)
			balloon_free_parked(b);
		spin_lock_irq(&b->pages_lock);
	}
	__balloon_batch_put(batch);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * balloon_batch_submit - tell the hypervisor about a batch
 * @batch: an OPEN batch with at least one range
 *
 * Context: process, no page lock held.
 */
void balloon_batch_submit(struct balloon_core_batch *batch)
{
	if (batch_send(batch, false))
		balloon_batch_settle(batch);
}

/* Return: as of batch_send(). */
static bool batch_stop_waiting(struct balloon_core_batch *batch)
{
	struct balloon *b = batch->b;
	unsigned long flags;
	bool done;

	spin_lock_irqsave(&b->pages_lock, flags);
	done = batch->state == BALLOON_BATCH_DONE;
	batch->awaited = false;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return done;
}

/* For the work item to settle, which holds no page lock. */
static void batch_defer(struct balloon_core_batch *batch)
{
	struct balloon *b = batch->b;
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
 * @patience: wait so many jiffies at most for the answer, so that compaction
 *	sees the pages that it has freed; or 0
 *
 * Who waits frees the pages, too.  They come to the lists of the processor that
 * compaction runs on, which it drains; on those of another one they would keep their
 * blocks from being whole.
 *
 * Context: process, page locks may be held, by which the device stays.
 */
void balloon_batch_submit_migration(struct balloon_core_batch *batch, long patience)
{
	struct balloon *b = batch->b;

	if (!batch_send(batch, true)) {
		balloon_wait_locked(b, patience,
				    !balloon_is_answered(b) ||
				    READ_ONCE(batch->state) == BALLOON_BATCH_DONE);
		if (!batch_stop_waiting(batch))
			return;
	}
	if (balloon_batch_is_clean(batch))
		balloon_batch_settle(batch);
	else
		batch_defer(batch);
}

/**
 * balloon_batch_flush - submit the migrations recorded so far
 * @b: the device
 *
 * Context: process, no page lock held.
 */
void balloon_batch_flush(struct balloon *b)
{
	struct balloon_core_batch *batch;
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
void balloon_batch_schedule_flush(struct balloon *b)
{
	queue_delayed_work(balloon_wq, &b->flush_work, BALLOON_FLUSH_DELAY);
}

/**
 * balloon_flush_work - submit the open batch of migrations
 * @work: ->flush_work of a device
 *
 * Context: a worker of balloon_wq.
 */
void balloon_flush_work(struct work_struct *work)
{
	balloon_batch_flush(container_of(to_delayed_work(work),
					 struct balloon, flush_work));
}

/**
 * balloon_watchdog - mark a device as stalled when its hypervisor is silent
 * @work: ->watchdog of a device
 *
 * Context: a worker of balloon_wq.
 */
void balloon_watchdog(struct work_struct *work)
{
	struct balloon *b;
	struct balloon_core_batch *batch;
	unsigned long flags, due, now = jiffies;

	b = container_of(to_delayed_work(work), struct balloon,
			 watchdog);
	spin_lock_irqsave(&b->pages_lock, flags);
	list_for_each_entry(batch, &b->in_flight, node) {
		if (batch->state != BALLOON_BATCH_IN_FLIGHT)
			continue;
		due = batch->submitted + READ_ONCE(b->ack_timeout);
		if (time_before(now, due))
			queue_delayed_work(balloon_wq, &b->watchdog, due - now);
		else
			__hypervisor_is_silent(b);
		break;
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
}

static void __count_answer(struct balloon_core_batch *batch, int error)
{
	struct balloon *b = batch->b;
	u64 took = ktime_get_ns() - batch->sent;

	lockdep_assert_held(&b->pages_lock);
	/* How long nobody answered is not how long an answer takes. */
	if (!error) {
		b->nr_answers++;
		b->answer_ns += took;
		b->answer_worst_ns = max(b->answer_worst_ns, took);
	}
	trace_balloon_batch_complete(b->id, batch->purpose, error, took);
}

/**
 * balloon_batch_complete - the hypervisor has answered
 * @given: the batch that ->submit() was given
 * @error: 0, and the batch's ranges tell in &balloon_range.nr_refused what was
 *	refused; or a negative errno if it is not known what the hypervisor did
 *	or will do.  Then its pages stay in the balloon and the device
 *	is marked broken.
 *
 * Context: any.  May be called from within ->submit().
 */
void balloon_batch_complete(struct balloon_batch *given, int error)
{
	struct balloon_core_batch *batch = container_of(given, struct balloon_core_batch, batch);
	struct balloon *b = batch->b;
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	switch (batch->state) {
	case BALLOON_BATCH_SUBMITTING:
		batch->state = BALLOON_BATCH_DONE;
		break;
	case BALLOON_BATCH_IN_FLIGHT:
		WRITE_ONCE(batch->state, BALLOON_BATCH_DONE);
		if (!batch->awaited) {
			list_move_tail(&batch->node, &b->done);
			queue_work(balloon_wq, &b->reap_work);
		}
		wake_up(&b->wait);
		break;
	default:
		WARN_ONCE(1, "balloon batch completed twice\n");
		goto out;
	}
	WRITE_ONCE(b->late, 0);
	__count_answer(batch, error);
	if (error) {
		batch->result = BALLOON_UNKNOWN;
		__hypervisor_has_failed(b, error);
	}
out:
	spin_unlock_irqrestore(&b->pages_lock, flags);
}
EXPORT_SYMBOL_GPL(balloon_batch_complete);

/**
 * balloon_reap_work - settle what was completed meanwhile
 * @work: ->reap_work of a device
 *
 * Context: a worker of balloon_wq; takes page locks.
 */
void balloon_reap_work(struct work_struct *work)
{
	struct balloon *b;
	struct balloon_core_batch *batch;
	unsigned long flags;

	b = container_of(work, struct balloon, reap_work);
	for (;;) {
		spin_lock_irqsave(&b->pages_lock, flags);
		batch = list_first_entry_or_null(&b->done, struct balloon_core_batch,
						 node);
		if (batch)
			list_del_init(&batch->node);
		spin_unlock_irqrestore(&b->pages_lock, flags);
		if (!batch)
			return;
		balloon_batch_settle(batch);
	}
}

/**
 * balloon_queues_init - allocate the workqueues of all devices
 *
 * Context: process.
 * Return: 0 or -ENOMEM.
 */
int balloon_queues_init(void)
{
	balloon_wq = alloc_workqueue("balloon", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!balloon_wq)
		return -ENOMEM;
	balloon_target_wq = alloc_workqueue("balloon_target", WQ_PERCPU | WQ_CPU_INTENSIVE |
					    WQ_FREEZABLE | WQ_MEM_RECLAIM, 0);
	if (balloon_target_wq)
		return 0;
	destroy_workqueue(balloon_wq);
	return -ENOMEM;
}

/**
 * balloon_queues_exit - the opposite of balloon_queues_init()
 *
 * Context: process; there is no device.
 */
void balloon_queues_exit(void)
{
	destroy_workqueue(balloon_target_wq);
	destroy_workqueue(balloon_wq);
}
