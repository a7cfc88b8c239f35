// SPDX-License-Identifier: GPL-2.0
/*
 * When a balloon compacts itself unasked: a second after the target was reached,
 * since it may have taken whole blocks, and when the guest has more holes than after
 * the last run.  That is looked for at growing intervals, by a timer that wakes no
 * processor.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/workqueue.h>

#include "internal.h"

/* From the target to the first run. */
#define BACKGROUND_DELAY	HZ

/* From one look for holes to the next: it doubles from the first to the last. */
#define BACKGROUND_LOOK_MIN	(30 * HZ)
#define BACKGROUND_LOOK_MAX	(32 * 60 * HZ)

/* Has the guest's memory changed so that a run may win a block? */
static bool is_worth_a_run(struct balloon *b)
{
	unsigned long holes = balloon_holes(), left;

	spin_lock_irq(&b->pages_lock);
	left = b->holes_left;
	spin_unlock_irq(&b->pages_lock);
	return READ_ONCE(b->proactiveness) && balloon_is_running(b) &&
	       balloon_held(b) == READ_ONCE(b->target) &&
	       READ_ONCE(b->nr_ballooned) && holes >= BALLOON_BLOCK_PAGES &&
	       (left == ULONG_MAX || holes >= left + BALLOON_BLOCK_PAGES);
}

/**
 * balloon_compact_work - compact the balloon in the background, if it is worth it
 * @work: ->compact_work of a device
 *
 * Context: a worker of balloon_wq; for as long as the run takes.
 */
void balloon_compact_work(struct work_struct *work)
{
	struct balloon *b = container_of(to_delayed_work(work), struct balloon,
					 compact_work);

	if (is_worth_a_run(b) && balloon_compact_in_background(b))
		b->look_interval = 0;
	b->look_interval = clamp(2 * b->look_interval,
				 (unsigned long)BACKGROUND_LOOK_MIN,
				 (unsigned long)BACKGROUND_LOOK_MAX);
	spin_lock_irq(&b->pages_lock);
	if (READ_ONCE(b->proactiveness) && !balloon_is_leaving(b))
		queue_delayed_work(balloon_wq, &b->look_work, b->look_interval);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * balloon_look_work - look again whether a run is worth it
 * @work: ->look_work of a device
 *
 * Context: a worker of balloon_wq; its timer does not wake a processor that is
 *	idle.
 */
void balloon_look_work(struct work_struct *work)
{
	struct balloon *b = container_of(to_delayed_work(work), struct balloon,
					 look_work);

	spin_lock_irq(&b->pages_lock);
	if (!balloon_is_leaving(b))
		mod_delayed_work(balloon_wq, &b->compact_work, 0);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * balloon_set_proactiveness - how much time runs in the background may take
 * @b: the device
 * @proactiveness: 0, never, to BALLOON_PROACTIVENESS_MAX
 *
 * With 0 a run that was under way has ended on return, unless the hypervisor is
 * silent.
 *
 * Context: process, may sleep.
 */
void balloon_set_proactiveness(struct balloon *b, unsigned int proactiveness)
{
	WRITE_ONCE(b->proactiveness, proactiveness);
	balloon_compact_soon(b);
	if (proactiveness)
		return;
	wake_up(&b->wait);
	wait_event_interruptible_timeout(b->wait, !READ_ONCE(b->background),
					 READ_ONCE(b->ack_timeout));
}

/**
 * balloon_compact_soon - the balloon may have taken whole blocks
 * @b: the device
 *
 * Context: process.
 */
void balloon_compact_soon(struct balloon *b)
{
	spin_lock_irq(&b->pages_lock);
	b->holes_left = ULONG_MAX;
	if (READ_ONCE(b->proactiveness) && !balloon_is_leaving(b))
		mod_delayed_work(balloon_wq, &b->compact_work, BACKGROUND_DELAY);
	spin_unlock_irq(&b->pages_lock);
}
