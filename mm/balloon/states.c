// SPDX-License-Identifier: GPL-2.0
/*
 * The states of a balloon's pages: every change of one is a function here.
 *
 * Transitions are called under the device's pages_lock.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/bug.h>
#include <linux/export.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/vmstat.h>
#include <trace/events/balloon.h>

#include "internal.h"

/**
 * DOC: page states
 *
 * ::
 *
 *	    FREE -- begin_inflate --> PENDING_INFLATE -- end_inflate --> BALLOONED
 *	     ^                               |                            |  |  ^
 *	     |<------- refuse_inflate -------'                            |  |  |
 *	     |                                                            |  |  |
 *	     |                                  ISOLATED <-- isolate -----'  |  |
 *	     |                                   |    '------ putback -------|--|
 *	     |                             begin_migrate                     |  |
 *	     |                                   v                           |  |
 *	     '-- end_deflate ---------- PENDING_DEFLATE <-- begin_deflate ---'  |
 *	                                         '---------- refuse_deflate ----'
 *
 * begin_migrate changes two pages: the new one becomes PENDING_INFLATE, the old
 * one PENDING_DEFLATE.
 *
 * A run of compaction parks pages: from FREE, and as such they count, to FREE, see
 * __balloon_park().
 *
 * A page-level driver tells its hypervisor by itself, so its pages are inserted
 * BALLOONED and replaced at once.
 *
 * A transition changes the index, the counter of the state and the statistics,
 * and cannot fail.  What can fail comes before: the reservation of a page in the
 * index, which a page has in every state but FREE.
 */

/**
 * __balloon_begin_inflate - FREE -> PENDING_INFLATE
 * @b: the device
 * @nr: number of pages, reserved in the index
 */
void __balloon_begin_inflate(struct balloon_dev_info *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->nr_inflating += nr;
	b->stats.enqueued += nr;
}

static void __drop(struct balloon_dev_info *b, unsigned long pfn, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	balloon_blocks_unreserve(&b->blocks, pfn, nr);
	b->stats.dequeued += nr;
}

/* The index knows whether they were reserved, and are not BALLOONED already. */
static bool __insert(struct balloon_dev_info *b, unsigned long pfn,
		     unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	if (WARN_ON_ONCE(balloon_blocks_set(&b->blocks, pfn, nr)))
		return false;
	b->nr_ballooned += nr;
	return true;
}

/*
 * Of a migration, the page that comes and the one that leaves count as one, here
 * and in balloon_actual(): until the one that comes is settled.
 */
static void __leave_inflating(struct balloon_dev_info *b, unsigned int nr,
			      bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	WARN_ON_ONCE(b->nr_inflating < nr);
	b->nr_inflating -= nr;
	if (!pair)
		return;
	WARN_ON_ONCE(b->nr_deflating < nr);
	b->nr_deflating -= nr;
}

static void __leave_deflating(struct balloon_dev_info *b, unsigned int nr,
			      bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	if (pair)
		return;
	WARN_ON_ONCE(b->nr_deflating < nr);
	b->nr_deflating -= nr;
}

/**
 * __balloon_end_inflate - PENDING_INFLATE -> BALLOONED
 * @b: the device
 * @pfn: first page
 * @nr: number of pages, at least 1
 * @pair: they take the places of others
 */
void __balloon_end_inflate(struct balloon_dev_info *b, unsigned long pfn,
			   unsigned int nr, bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	__insert(b, pfn, nr);
	__leave_inflating(b, nr, pair);
	trace_balloon_inflate(balloon_id(b), pfn, nr);
}

/**
 * __balloon_refuse_inflate - PENDING_INFLATE -> FREE
 * @b: the device
 * @pfn: first of pages that the hypervisor did not take
 * @nr: number of pages, at least 1
 * @pair: they were to take the places of others
 */
void __balloon_refuse_inflate(struct balloon_dev_info *b, unsigned long pfn,
			      unsigned int nr, bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	__drop(b, pfn, nr);
	__leave_inflating(b, nr, pair);
}

static void __begin_deflate(struct balloon_dev_info *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	WARN_ON_ONCE(b->nr_ballooned < nr);
	b->nr_ballooned -= nr;
	b->nr_deflating += nr;
}

/**
 * __balloon_begin_deflate - BALLOONED -> PENDING_DEFLATE, wherever they are
 * @b: the device
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Return: number of contiguous pages, at most to the end of their block; 0 if
 * there is none.
 */
unsigned int __balloon_begin_deflate(struct balloon_dev_info *b, unsigned int max,
				     unsigned long *pfn)
{
	unsigned int nr;

	lockdep_assert_held(&b->pages_lock);
	nr = balloon_blocks_take(&b->blocks, max, pfn);
	__begin_deflate(b, nr);
	return nr;
}

/**
 * __balloon_begin_deflate_marked - BALLOONED -> PENDING_DEFLATE in marked blocks
 * @b: the device
 * @mark: the blocks' mark
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Return: as of balloon_blocks_take_marked().
 */
unsigned int __balloon_begin_deflate_marked(struct balloon_dev_info *b,
					    unsigned char mark, unsigned int max,
					    unsigned long *pfn)
{
	unsigned int nr;

	lockdep_assert_held(&b->pages_lock);
	nr = balloon_blocks_take_marked(&b->blocks, mark, max, pfn);
	__begin_deflate(b, nr);
	return nr;
}

/**
 * __balloon_begin_deflate_block - BALLOONED -> PENDING_DEFLATE in one block
 * @b: the device
 * @index: number of the block
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Return: as of __balloon_begin_deflate().
 */
unsigned int __balloon_begin_deflate_block(struct balloon_dev_info *b,
					   unsigned long index, unsigned int max,
					   unsigned long *pfn)
{
	unsigned int nr;

	lockdep_assert_held(&b->pages_lock);
	nr = balloon_blocks_take_from(&b->blocks, index, max, pfn);
	__begin_deflate(b, nr);
	return nr;
}

/**
 * __balloon_end_deflate - PENDING_DEFLATE -> FREE
 * @b: the device
 * @pfn: first page
 * @nr: number of pages, at least 1
 * @pair: others take their places
 */
void __balloon_end_deflate(struct balloon_dev_info *b, unsigned long pfn,
			   unsigned int nr, bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	__drop(b, pfn, nr);
	__leave_deflating(b, nr, pair);
	trace_balloon_deflate(balloon_id(b), pfn, nr);
}

/**
 * __balloon_refuse_deflate - PENDING_DEFLATE -> BALLOONED
 * @b: the device
 * @pfn: first of pages that the hypervisor did not give back
 * @nr: number of pages, at least 1
 * @pair: others were to take their places
 */
void __balloon_refuse_deflate(struct balloon_dev_info *b, unsigned long pfn,
			      unsigned int nr, bool pair)
{
	lockdep_assert_held(&b->pages_lock);
	__insert(b, pfn, nr);
	__leave_deflating(b, nr, pair);
}

#ifdef CONFIG_BALLOON_COMPACTION

/**
 * __balloon_isolate - BALLOONED -> ISOLATED
 * @b: the device
 * @pfn: a page of the device
 *
 * Return: false, and nothing is changed, if the page is not BALLOONED.
 */
bool __balloon_isolate(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_blocks_clear(&b->blocks, pfn))
		return false;
	b->nr_ballooned--;
	b->isolated_pages++;
	b->stats.isolated++;
	__count_vm_event(COMPACTBALLOONISOLATED);
	return true;
}

/**
 * __balloon_putback - ISOLATED -> BALLOONED
 * @b: the device
 * @pfn: the page
 */
void __balloon_putback(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	if (WARN_ON_ONCE(!b->isolated_pages) || !__insert(b, pfn, 1))
		return;
	b->isolated_pages--;
	b->stats.putback++;
	__count_vm_event(COMPACTBALLOONFAILED);
}

/**
 * __balloon_begin_migrate - ISOLATED -> PENDING_DEFLATE, FREE -> PENDING_INFLATE
 * @b: the device, one isolated page of which has a successor, which is reserved
 */
void __balloon_begin_migrate(struct balloon_dev_info *b)
{
	lockdep_assert_held(&b->pages_lock);
	WARN_ON_ONCE(!b->isolated_pages);
	b->isolated_pages--;
	b->nr_deflating++;
	__balloon_begin_inflate(b, 1);
	b->stats.migrated++;
	__count_vm_event(BALLOON_MIGRATE);
	__count_vm_event(COMPACTBALLOONMIGRATED);
}

static void __count_freed(struct balloon_dev_info *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.freed += nr;
	__count_vm_events(COMPACTBALLOONFREED, nr);
}

#else

static void __count_freed(struct balloon_dev_info *b, unsigned int nr) { }

#endif /* CONFIG_BALLOON_COMPACTION */

/**
 * __balloon_count_settled - count what the hypervisor did with a batch
 * @batch: the batch, of which every page has left its PENDING state
 * @inflated: number of pages that it took
 * @deflated: number of pages that it gave back
 *
 * A migration changes the size of the balloon only as far as the hypervisor took
 * part of it.
 */
void __balloon_count_settled(const struct balloon_core_batch *batch,
			     unsigned int inflated, unsigned int deflated)
{
	struct balloon_dev_info *b = &batch->b->info;

	lockdep_assert_held(&b->pages_lock);
	b->stats.refused += batch->inflate.nr_pages - inflated +
			    batch->deflate.nr_pages - deflated;
	if (balloon_batch_is_migration(batch)) {
		unsigned int both = min(inflated, deflated);

		if (batch->purpose == BALLOON_FOR_MIGRATION)
			__count_freed(b, deflated);
		inflated -= both;
		deflated -= both;
	}
	b->stats.inflated += inflated;
	b->stats.deflated += deflated;
	count_vm_events(BALLOON_INFLATE, inflated);
	count_vm_events(BALLOON_DEFLATE, deflated);
}

/**
 * __balloon_count_migrate_failed - a migration failed, for whatever reason
 * @b: the device
 */
void __balloon_count_migrate_failed(struct balloon_dev_info *b)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.migrate_failed++;
}

/**
 * __balloon_count_exchanged - pages were exchanged by balloon_compact()
 * @b: the device
 * @nr: number of pages
 */
void __balloon_count_exchanged(struct balloon *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.exchanged += nr;
}

/**
 * __balloon_count_batch - a batch is submitted
 * @b: the device
 */
void __balloon_count_batch(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.batches++;
}

/**
 * __balloon_count_alloc_failed - inflation found no page
 * @b: the device
 */
void __balloon_count_alloc_failed(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.alloc_failed++;
}

/**
 * __balloon_count_oom_deflated - pages were given back for want of memory
 * @b: the device
 * @nr: number of pages
 */
void __balloon_count_oom_deflated(struct balloon *b, unsigned long nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.oom_deflated += nr;
}

/**
 * __balloon_insert - a page-level driver's page becomes BALLOONED
 * @b: the device
 * @pfn: the page, reserved in the index
 */
void __balloon_insert(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	__insert(b, pfn, 1);
}

/**
 * __balloon_count_enqueued - a page-level driver's balloon has grown by a page
 * @b: the device, into which the page was inserted
 */
void __balloon_count_enqueued(struct balloon_dev_info *b)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.enqueued++;
	b->stats.inflated++;
	count_vm_event(BALLOON_INFLATE);
}

/**
 * __balloon_count_dequeued - a page-level driver's balloon has shrunk
 * @b: the device
 * @nr: number of pages that have left the PENDING_DEFLATE state
 */
void __balloon_count_dequeued(struct balloon_dev_info *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.deflated += nr;
	count_vm_events(BALLOON_DEFLATE, nr);
}

#ifdef CONFIG_BALLOON_COMPACTION

/**
 * __balloon_replaced - a page-level driver has put another page in the place of one
 * @b: the device, into which the driver has inserted the other, and of which it
 *	has decremented @isolated_pages
 * @pfn: the page, ISOLATED, which is FREE now
 */
void __balloon_replaced(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	__drop(b, pfn, 1);
	b->stats.enqueued++;
	b->stats.migrated++;
	__count_vm_event(COMPACTBALLOONMIGRATED);
	__count_freed(b, 1);
}

/**
 * __balloon_lost - a page-level driver's hypervisor has given back a page, and not
 * taken the one that was to replace it
 * @b: the device, of which the driver has decremented @isolated_pages
 * @pfn: the page, ISOLATED, which is FREE now
 *
 * The balloon is smaller, and nothing was migrated.
 */
void __balloon_lost(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	__drop(b, pfn, 1);
	b->stats.putback++;
	__count_vm_event(COMPACTBALLOONFAILED);
	__balloon_count_dequeued(b, 1);
}

#endif /* CONFIG_BALLOON_COMPACTION */

/**
 * __balloon_held - what of a balloon counts towards its target
 * @b: the device
 *
 * Context: under @b->pages_lock.
 * Return: number of pages that are BALLOONED, ISOLATED or about to be.
 */
unsigned long __balloon_held(struct balloon *b)
{
	lockdep_assert_held(&b->pages_lock);
	return b->nr_ballooned + b->isolated_pages + b->nr_inflating;
}

/**
 * balloon_held - what of a balloon counts towards its target
 * @b: the device
 *
 * Context: any.
 * Return: as of __balloon_held().
 */
unsigned long balloon_held(struct balloon *b)
{
	unsigned long flags, held;

	spin_lock_irqsave(&b->pages_lock, flags);
	held = __balloon_held(b);
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return held;
}

/**
 * balloon_actual - size of a balloon as the hypervisor has acknowledged it
 * @b: the device
 *
 * A page that is leaving counts until the guest can use it.  Of one that is being
 * migrated and the one that takes its place, the hypervisor has one, or for a
 * moment both or none: they count as one until both are settled.
 *
 * Context: any.
 * Return: number of pages.
 */
unsigned long balloon_actual(struct balloon *b)
{
	unsigned long flags, actual;

	spin_lock_irqsave(&b->pages_lock, flags);
	actual = b->nr_ballooned + b->isolated_pages + b->nr_deflating;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return actual;
}
EXPORT_SYMBOL_GPL(balloon_actual);
