// SPDX-License-Identifier: GPL-2.0
/*
 * Settling: what the hypervisor's answer to a batch does to its pages.
 *
 * Settling may need page locks, to make a page immovable that was BALLOONED, or
 * to take back one that the hypervisor refused.  The migration code calls us
 * with page locks held, so there only a batch that needs none is settled at
 * once (see balloon_batch_is_clean()); the others are left to a work item.
 *
 * page->lru links refused pages; page->private is the owner.
 */
#include <linux/balloon_compaction.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "balloon_internal.h"

/*
 * Pages whose state is unknown stay in the balloon: the hypervisor may yet
 * discard what it was told to inflate.
 */
static unsigned int nr_inflated(const struct balloon_batch *batch,
				const struct balloon_range *range)
{
	if (batch->rejected)
		return 0;
	if (batch->error)
		return range->nr;
	return range->nr - min(range->nr, range->nr_refused);
}

static unsigned int nr_deflated(const struct balloon_batch *batch,
				const struct balloon_range *range)
{
	if (batch->error)
		return 0;
	return range->nr - min(range->nr, range->nr_refused);
}

static unsigned int nr_refused(const struct balloon_range_list *list)
{
	unsigned int i, nr = 0;

	for (i = 0; i < list->nr; i++)
		nr += list->range[i].nr_refused;
	return nr;
}

/**
 * balloon_batch_is_clean - can a migration be settled without page locks?
 * @batch: a DONE batch that carries both directions
 *
 * Its old pages were made immovable when they were migrated and its new pages
 * need not be.
 *
 * Context: @batch is the caller's, or under the device's pages_lock.
 * Return: true if the hypervisor refused nothing.
 */
bool balloon_batch_is_clean(const struct balloon_batch *batch)
{
	return !batch->error && !nr_refused(&batch->inflate) &&
	       !nr_refused(&batch->deflate);
}

/*
 * The migration code may still hold the page, and even use page->lru after it
 * has dropped the page lock.  A page that somebody else keeps stays immovable.
 */
static void page_reown(struct page *page, struct balloon_dev_info *b)
{
	unsigned long deadline = jiffies + HZ;

	if (balloon_page_owner(page))
		return;
	while (page_count(page) > 1 && time_before(jiffies, deadline))
		msleep(20);
	if (page_count(page) > 1)
		return;
	lock_page(page);
	balloon_page_set_owner(page, b);
	unlock_page(page);
}

static void free_list(struct list_head *pages)
{
	struct page *page;

	while ((page = balloon_page_pop(pages)))
		balloon_range_release(page_to_pfn(page), 1);
}

/* The pages are freed when the worker's round ends, not to be taken again. */
static void range_hold_back(struct list_head *refused, unsigned long pfn,
			    unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		struct page *page = pfn_to_page(pfn + i);

		balloon_page_disown(page);
		list_add(&page->lru, refused);
	}
}

static void range_reown(struct balloon_dev_info *b, unsigned long pfn,
			unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		page_reown(pfn_to_page(pfn + i), b);
}

/**
 * balloon_account - change how much memory the guest has
 * @b: the device
 * @pfn: first of adjacent pages, which may be of several zones
 * @nr: number of pages that the guest gains, negative if it loses them
 *
 * What it can have back when memory runs out, it does not lose.
 *
 * Context: any.
 */
void balloon_account(struct balloon_dev_info *b, unsigned long pfn, long nr)
{
	unsigned long end = pfn + (nr < 0 ? -nr : nr);

	if (!nr || b->deflate_on_oom)
		return;
	if (likely(balloon_in_one_zone(pfn, end - 1))) {
		adjust_managed_page_count(pfn_to_page(pfn), nr);
		return;
	}
	for (; pfn < end; pfn++)
		adjust_managed_page_count(pfn_to_page(pfn), nr < 0 ? -1 : 1);
}

/*
 * What must be done to pages before their state may change.  The new pages of a
 * migration took over the charge of the old ones, so only what was refused is
 * to be accounted for.
 */
static void settle_pages(struct balloon_batch *batch, struct list_head *refused,
			 bool clean)
{
	bool migration = balloon_batch_is_migration(batch);
	struct balloon_dev_info *b = batch->b;
	const struct balloon_range *range;
	unsigned int i, n;

	for (i = 0; i < batch->inflate.nr && !clean; i++) {
		range = &batch->inflate.range[i];
		n = nr_inflated(batch, range);
		if (n < range->nr)
			balloon_range_split(b, range->pfn, range->nr);
		balloon_account(b, range->pfn + n, range->nr - n);
		range_hold_back(refused, range->pfn + n, range->nr - n);
	}
	for (i = 0; i < batch->deflate.nr; i++) {
		range = &batch->deflate.range[i];
		n = clean ? range->nr : nr_deflated(batch, range);
		if (n < range->nr)
			balloon_range_split(b, range->pfn, range->nr);
		if (!migration) {
			balloon_account(b, range->pfn, n);
			balloon_range_free(b, range->pfn, n);
		} else {
			balloon_account(b, range->pfn + n, -(long)(range->nr - n));
			if (batch->exchange)
				balloon_range_disown(range->pfn, n);
			else
				balloon_range_release(range->pfn, n);
		}
		range_reown(b, range->pfn + n, range->nr - n);
	}
}

static void __make_ballooned(struct balloon_dev_info *b, unsigned long pfn,
			     unsigned int nr)
{
	if (nr && !WARN_ON_ONCE(balloon_blocks_set(&b->blocks, pfn, nr)))
		b->nr_ballooned += nr;
}

static void __make_free(struct balloon_dev_info *b, unsigned long pfn,
			unsigned int nr)
{
	if (nr)
		balloon_blocks_unreserve(&b->blocks, pfn, nr);
	b->stats.dequeued += nr;
}

/*
 * A migration changes the size of the balloon only as far as the hypervisor
 * took part of it.
 */
static void __count(const struct balloon_batch *batch, unsigned int inflated,
		    unsigned int deflated)
{
	struct balloon_dev_info *b = batch->b;

	if (balloon_batch_is_migration(batch)) {
		unsigned int both = min(inflated, deflated);

		if (!batch->exchange)
			__balloon_count_freed(b, deflated);
		inflated -= both;
		deflated -= both;
	}
	b->stats.inflated += inflated;
	b->stats.deflated += deflated;
	count_vm_events(BALLOON_INFLATE, inflated);
	count_vm_events(BALLOON_DEFLATE, deflated);
}

/*
 * Of a migration, the page that comes and the one that leaves count as one, here
 * and in balloon_actual(), however far the two have been settled.
 */
static unsigned int __settle_inflated(struct balloon_batch *batch,
				      const struct balloon_range *range,
				      bool clean)
{
	unsigned int n = clean ? range->nr : nr_inflated(batch, range);
	struct balloon_dev_info *b = batch->b;

	__make_ballooned(b, range->pfn, n);
	__make_free(b, range->pfn + n, range->nr - n);
	b->nr_inflating -= range->nr;
	if (balloon_batch_is_migration(batch))
		b->nr_deflating -= range->nr;
	return n;
}

static unsigned int __settle_deflated(struct balloon_batch *batch,
				      const struct balloon_range *range,
				      bool clean)
{
	unsigned int n = clean ? range->nr : nr_deflated(batch, range);
	struct balloon_dev_info *b = batch->b;

	if (batch->exchange)
		__balloon_put_aside(b, range->pfn, n);
	__make_free(b, range->pfn, n);
	__make_ballooned(b, range->pfn + n, range->nr - n);
	if (!balloon_batch_is_migration(batch))
		b->nr_deflating -= range->nr;
	return n;
}

/* Let interrupts in now and then: each range may be the last of its block. */
static void __breathe(struct balloon_dev_info *b, unsigned int i)
	__must_hold(&b->pages_lock)
{
	if (i % 32 == 31) {
		spin_unlock_irq(&b->pages_lock);
		spin_lock_irq(&b->pages_lock);
	}
}

static void __settle_states(struct balloon_batch *batch, bool clean)
{
	struct balloon_dev_info *b = batch->b;
	unsigned int inflated = 0, deflated = 0, i;

	lockdep_assert_held(&b->pages_lock);
	for (i = 0; i < batch->inflate.nr; i++) {
		inflated += __settle_inflated(batch, &batch->inflate.range[i],
					      clean);
		__breathe(b, i);
	}
	for (i = 0; i < batch->deflate.nr; i++) {
		deflated += __settle_deflated(batch, &batch->deflate.range[i],
					      clean);
		__breathe(b, i);
	}
	b->stats.refused += batch->inflate.nr_pages - inflated +
			    batch->deflate.nr_pages - deflated;
	__count(batch, inflated, deflated);
}

/**
 * balloon_batch_settle - change the state of pages as the hypervisor answered
 * @batch: a DONE batch, or an OPEN one if there is no hypervisor to ask any more
 *
 * Context: process; takes page locks, unless it is a migration for which
 * balloon_batch_is_clean().
 */
void balloon_batch_settle(struct balloon_batch *batch)
{
	struct balloon_dev_info *b = batch->b;
	bool clean = balloon_batch_is_clean(batch);
	LIST_HEAD(refused);

	settle_pages(batch, &refused, clean);
	/* A balloon that has stopped takes nothing, so nothing is held back. */
	if (READ_ONCE(b->error))
		free_list(&refused);

	spin_lock_irq(&b->pages_lock);
	__settle_states(batch, clean);
	list_splice(&refused, &b->refused);
	/* The worker sees its own refusals; a migration's it is to make up. */
	if (!clean && !batch->for_target && !b->dying)
		mod_delayed_work(system_freezable_wq, &b->work,
				 BALLOON_BACKOFF_MIN);
	list_del_init(&batch->node);
	__balloon_forgive(b);
	if (batch->exchange && !b->compaction) {
		/* Nobody else does, and the batch keeps the device. */
		spin_unlock_irq(&b->pages_lock);
		balloon_free_aside(b);
		spin_lock_irq(&b->pages_lock);
	}
	__balloon_batch_put(batch);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * balloon_free_refused - free the pages that the hypervisor refused
 * @b: the device
 *
 * Context: process.
 */
void balloon_free_refused(struct balloon_dev_info *b)
{
	LIST_HEAD(refused);

	spin_lock_irq(&b->pages_lock);
	list_splice_init(&b->refused, &refused);
	spin_unlock_irq(&b->pages_lock);
	free_list(&refused);
}

/* ->reap_work of a device: settles what was completed meanwhile. */
void balloon_reap_work(struct work_struct *work)
{
	struct balloon_dev_info *b;
	struct balloon_batch *batch;
	unsigned long flags;

	b = container_of(work, struct balloon_dev_info, reap_work);
	for (;;) {
		spin_lock_irqsave(&b->pages_lock, flags);
		batch = list_first_entry_or_null(&b->done, struct balloon_batch,
						 node);
		if (batch)
			list_del_init(&batch->node);
		spin_unlock_irqrestore(&b->pages_lock, flags);
		if (!batch)
			return;
		balloon_batch_settle(batch);
	}
}
