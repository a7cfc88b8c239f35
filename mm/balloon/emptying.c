// SPDX-License-Identifier: GPL-2.0
/*
 * Emptying a balloon: all pages go back to the guest, before the device goes or the
 * guest sleeps.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "internal.h"

/* Is no page on its way, and no thread about to use a batch? */
static bool balloon_is_idle(struct balloon *b)
{
	bool idle;

	spin_lock_irq(&b->pages_lock);
	idle = !b->isolated_pages && b->nr_free == BALLOON_NR_BATCHES;
	spin_unlock_irq(&b->pages_lock);
	return idle;
}

static bool balloon_is_empty(struct balloon *b)
{
	return balloon_is_idle(b) && !READ_ONCE(b->nr_ballooned);
}

static bool something_to_deflate(struct balloon *b)
{
	return READ_ONCE(b->nr_ballooned) || !balloon_is_answered(b);
}

/* A batch of what is BALLOONED; if nothing is, have the others come back. */
static void deflate_some(struct balloon *b, unsigned long deadline)
{
	struct balloon_core_batch *batch;

	batch = balloon_batch_wait(b, BALLOON_FOR_TARGET, balloon_time_left(deadline));
	if (!batch)
		return;
	balloon_batch_take(batch, ULONG_MAX, NULL);
	if (batch->deflate.nr) {
		balloon_batch_submit(batch);
		return;
	}
	balloon_batch_put(batch);
	balloon_batch_flush(b);
	wait_event_timeout(b->wait, balloon_is_empty(b) ||
			   something_to_deflate(b),
			   min_t(unsigned long, balloon_time_left(deadline),
				 BALLOON_DRY_TIMEOUT));
}

/**
 * balloon_deflate_all - give everything back, as far as the hypervisor lets us
 * @b: a dying device
 * @timeout: go on for so long without a page that comes back, in jiffies
 *
 * Context: process; waits for the hypervisor and for pages that are being
 * migrated.
 */
void balloon_deflate_all(struct balloon *b, unsigned long timeout)
{
	unsigned long refused = READ_ONCE(b->stats.refused);
	unsigned long dequeued = READ_ONCE(b->stats.dequeued);
	unsigned long deadline = jiffies + timeout;

	while (balloon_is_answered(b) && time_before(jiffies, deadline) &&
	       !balloon_is_empty(b)) {
		deflate_some(b, deadline);
		if (READ_ONCE(b->stats.dequeued) != dequeued) {
			dequeued = READ_ONCE(b->stats.dequeued);
			deadline = jiffies + timeout;
		}
		if (READ_ONCE(b->stats.refused) != refused) {
			refused = READ_ONCE(b->stats.refused);
			wait_event_timeout(b->wait, !balloon_is_answered(b),
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
void balloon_abandon(struct balloon *b)
{
	struct balloon_core_batch *batch;

	balloon_batch_flush(b);
	flush_work(&b->reap_work);
	wait_event_timeout(b->wait, balloon_is_idle(b),
			   BALLOON_DYING_TIMEOUT);
	while ((batch = balloon_batch_get(b, BALLOON_FOR_TARGET))) {
		balloon_batch_take(batch, ULONG_MAX, NULL);
		if (!batch->deflate.nr) {
			balloon_batch_put(batch);
			break;
		}
		balloon_batch_settle(batch);
	}
}
