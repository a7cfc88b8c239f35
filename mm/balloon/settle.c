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

#include "internal.h"

/*
 * Pages whose state is unknown stay in the balloon: the hypervisor may yet
 * discard what it was told to inflate.
 */
static unsigned int nr_inflated(const struct balloon_core_batch *batch,
				const struct balloon_range *range)
{
	if (batch->result == BALLOON_REJECTED)
		return 0;
	if (batch->result == BALLOON_UNKNOWN)
		return range->nr;
	return range->nr - min(range->nr, range->nr_refused);
}

static unsigned int nr_deflated(const struct balloon_core_batch *batch,
				const struct balloon_range *range)
{
	if (batch->result != BALLOON_ANSWERED)
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
bool balloon_batch_is_clean(const struct balloon_core_batch *batch)
{
	return batch->result == BALLOON_ANSWERED &&
	       !nr_refused(&batch->inflate) && !nr_refused(&batch->deflate);
}

/*
 * The migration code may still hold the page, and even use page->lru after it
 * has dropped the page lock.  A page that somebody else keeps stays immovable.
 */
static void page_reown(struct page *page, struct balloon *b)
{
	unsigned long deadline = jiffies + HZ;

	if (balloon_page_owner(page))
		return;
	while (page_count(page) > 1 && time_before(jiffies, deadline))
		msleep(20);
	if (page_count(page) > 1)
		return;
	lock_page(page);
	balloon_page_set_owner(page, &b->info);
	unlock_page(page);
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

static void range_reown(struct balloon *b, unsigned long pfn,
			unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		page_reown(pfn_to_page(pfn + i), b);
}

/**
 * balloon_settle_pages - do to pages what their next state needs
 * @batch: a DONE batch
 * @refused: list to which the pages are added that the balloon does not get
 * @clean: as of balloon_batch_is_clean()
 *
 * The new pages of a migration took over the charge of the old ones, so only
 * what was refused is to be accounted for.
 *
 * Context: process; takes page locks, unless it is a migration and @clean.
 */
void balloon_settle_pages(struct balloon_core_batch *batch, struct list_head *refused,
			  bool clean)
{
	bool migration = balloon_batch_is_migration(batch);
	struct balloon *b = batch->b;
	const struct balloon_range *range;
	unsigned int i, n;

	for (i = 0; i < batch->inflate.nr && !clean; i++) {
		range = &batch->inflate.range[i];
		n = nr_inflated(batch, range);
		balloon_adjust_managed(b, range->pfn + n, range->nr - n);
		range_hold_back(refused, range->pfn + n, range->nr - n);
	}
	for (i = 0; i < batch->deflate.nr; i++) {
		range = &batch->deflate.range[i];
		n = clean ? range->nr : nr_deflated(batch, range);
		if (!migration) {
			balloon_adjust_managed(b, range->pfn, n);
			balloon_range_free(b, range->pfn, n);
		} else {
			if (unlikely(n < range->nr))
				balloon_adjust_managed(b, range->pfn + n,
						       -(long)(range->nr - n));
			if (batch->purpose == BALLOON_FOR_EXCHANGE)
				balloon_range_disown(range->pfn, n);
			else
				balloon_range_release(range->pfn, n);
		}
		if (unlikely(n < range->nr))
			range_reown(b, range->pfn + n, range->nr - n);
	}
}

static unsigned int __settle_inflated(struct balloon_core_batch *batch,
				      const struct balloon_range *range,
				      bool clean)
{
	unsigned int n = clean ? range->nr : nr_inflated(batch, range);
	bool pair = balloon_batch_is_migration(batch);

	if (likely(n))
		__balloon_end_inflate(&batch->b->info, range->pfn, n, pair);
	if (unlikely(n < range->nr))
		__balloon_refuse_inflate(&batch->b->info, range->pfn + n,
					 range->nr - n, pair);
	return n;
}

static unsigned int __settle_deflated(struct balloon_core_batch *batch,
				      const struct balloon_range *range,
				      bool clean)
{
	unsigned int n = clean ? range->nr : nr_deflated(batch, range);
	bool pair = balloon_batch_is_migration(batch);

	if (batch->purpose == BALLOON_FOR_EXCHANGE)
		__balloon_park(batch->b, range->pfn, n);
	if (likely(n))
		__balloon_end_deflate(&batch->b->info, range->pfn, n, pair);
	if (unlikely(n < range->nr))
		__balloon_refuse_deflate(&batch->b->info, range->pfn + n,
					 range->nr - n, pair);
	return n;
}

/* Let interrupts in now and then: each range may be the last of its block. */
static void __let_interrupts_in(struct balloon *b, unsigned int i)
	__must_hold(&b->pages_lock)
{
	if (i % 32 == 31) {
		spin_unlock_irq(&b->pages_lock);
		spin_lock_irq(&b->pages_lock);
	}
}

/**
 * __balloon_settle_states - change the state of pages as the hypervisor answered
 * @batch: a DONE batch, after balloon_settle_pages()
 * @clean: as of balloon_batch_is_clean()
 *
 * Context: under the device's pages_lock, which is dropped now and then.
 */
void __balloon_settle_states(struct balloon_core_batch *batch, bool clean)
{
	struct balloon *b = batch->b;
	unsigned int inflated = 0, deflated = 0, i;

	lockdep_assert_held(&b->pages_lock);
	for (i = 0; i < batch->inflate.nr; i++) {
		inflated += __settle_inflated(batch, &batch->inflate.range[i],
					      clean);
		__let_interrupts_in(b, i);
	}
	for (i = 0; i < batch->deflate.nr; i++) {
		deflated += __settle_deflated(batch, &batch->deflate.range[i],
					      clean);
		__let_interrupts_in(b, i);
	}
	__balloon_count_settled(batch, inflated, deflated);
}
