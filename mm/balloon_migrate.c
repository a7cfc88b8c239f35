// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon pages moved within guest memory: the callbacks by which compaction
 * isolates, migrates and puts back pages of any device.
 *
 * Locking is told in mm/balloon_internal.h.
 *
 * page->private is the owning device.  page->lru of an isolated page, and of
 * the old page of a migration until it is freed, belongs to the migration code.
 */
#include <linux/balloon_compaction.h>
#include <linux/mm.h>
#include <linux/vmstat.h>

#include "balloon_internal.h"

/**
 * balloon_page_isolate - take a page aside for migration
 * @page: a page of any device
 *
 * Context: under the page lock.
 * Return: true if the page was BALLOONED and is ISOLATED now.
 */
bool balloon_page_isolate(struct page *page)
{
	struct balloon_dev_info *b = balloon_page_owner(page);
	bool isolated;

	if (!b)
		return false;
	spin_lock_irq(&b->pages_lock);
	isolated = !b->dying && !b->error &&
		   balloon_blocks_clear(&b->blocks, page_to_pfn(page));
	if (isolated) {
		/* Nobody has a reference to any other page of a unit. */
		if (IS_ALIGNED(page_to_pfn(page), BALLOON_BLOCK_PAGES))
			__balloon_split(b, page_to_pfn(page));
		b->nr_ballooned--;
		b->isolated_pages++;
		b->stats.isolated++;
		__count_vm_event(COMPACTBALLOONISOLATED);
	}
	spin_unlock_irq(&b->pages_lock);
	return isolated;
}

/*
 * Compaction waits for what it has migrated, so the last isolated page takes
 * the open batch along.
 */
static struct balloon_batch *__batch_to_submit(struct balloon_dev_info *b)
{
	struct balloon_batch *batch = b->open;

	lockdep_assert_held(&b->pages_lock);
	if (!batch || (b->isolated_pages &&
		       batch->inflate.nr < BALLOON_BATCH_RANGES))
		return NULL;
	b->open = NULL;
	return batch;
}

/**
 * balloon_page_putback - a page will not be migrated
 * @page: an ISOLATED page, BALLOONED from now on
 *
 * Context: process, under the page lock.
 */
void balloon_page_putback(struct page *page)
{
	struct balloon_dev_info *b = balloon_page_owner(page);
	struct balloon_batch *batch;

	if (WARN_ON_ONCE(!b))
		return;
	spin_lock_irq(&b->pages_lock);
	if (!WARN_ON_ONCE(!b->isolated_pages ||
			  balloon_blocks_set(&b->blocks, page_to_pfn(page), 1))) {
		b->nr_ballooned++;
		b->isolated_pages--;
		b->stats.putback++;
		__count_vm_event(COMPACTBALLOONFAILED);
	}
	batch = __batch_to_submit(b);
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	if (batch)
		balloon_batch_submit_migration(batch, MIGRATE_ASYNC);
}

/**
 * __balloon_count_freed - old pages of migrations go to the page allocator
 * @b: the device
 * @nr: number of pages
 *
 * Context: under @b->pages_lock.
 */
void __balloon_count_freed(struct balloon_dev_info *b, unsigned int nr)
{
	lockdep_assert_held(&b->pages_lock);
	b->stats.freed += nr;
	__count_vm_events(COMPACTBALLOONFREED, nr);
}

/* Is there a batch for another migration, or no sense in waiting for one? */
static bool batch_may_come(struct balloon_dev_info *b)
{
	bool come;

	spin_lock_irq(&b->pages_lock);
	come = b->open || b->nr_free || b->error || b->dying;
	spin_unlock_irq(&b->pages_lock);
	return come;
}

/* Record that @new takes the place of @old. */
static int __migrate(struct balloon_dev_info *b, struct page *new,
		     struct page *old)
{
	lockdep_assert_held(&b->pages_lock);
	if (b->dying || b->error)
		return -EBUSY;
	if (balloon_blocks_reserve(&b->blocks, page_to_pfn(new), 1,
				   GFP_NOWAIT | __GFP_NOWARN))
		return -EAGAIN;
	if (!b->open) {
		b->open = __balloon_batch_get(b, 0);
		if (!b->open) {
			balloon_blocks_unreserve(&b->blocks,
						 page_to_pfn(new), 1);
			return -EAGAIN;
		}
		balloon_batch_schedule_flush(b);
	}

	if (unlikely(page_zone_id(new) != page_zone_id(old))) {
		balloon_account(b, page_to_pfn(new), -1);
		balloon_account(b, page_to_pfn(old), 1);
	}
	get_page(new);
	balloon_page_own(b, new);
	balloon_page_clear_owner(old);
	balloon_range_add_page(&b->open->inflate, page_to_pfn(new));
	balloon_range_add_page(&b->open->deflate, page_to_pfn(old));
	b->isolated_pages--;
	b->nr_inflating++;
	b->nr_deflating++;
	b->stats.enqueued++;
	b->stats.migrated++;
	__count_vm_event(BALLOON_MIGRATE);
	__count_vm_event(COMPACTBALLOONMIGRATED);
	return 0;
}

/*
 * The driver's hypervisor has given back the old page and not taken the new
 * one: the balloon is smaller now, and nothing was migrated.
 */
static void __page_level_lost(struct balloon_dev_info *b, struct page *old)
{
	lockdep_assert_held(&b->pages_lock);
	balloon_blocks_unreserve(&b->blocks, page_to_pfn(old), 1);
	b->stats.dequeued++;
	b->stats.deflated++;
	b->stats.putback++;
	__count_vm_event(BALLOON_DEFLATE);
	__count_vm_event(COMPACTBALLOONFAILED);
}

/* A page-level driver does the work; the core keeps the index. */
static int page_level_migrate(struct balloon_dev_info *b, struct page *new,
			      struct page *old, enum migrate_mode mode)
{
	int err;

	spin_lock_irq(&b->pages_lock);
	err = balloon_blocks_reserve(&b->blocks, page_to_pfn(new), 1,
				     GFP_NOWAIT | __GFP_NOWARN);
	if (err)
		b->stats.migrate_failed++;
	spin_unlock_irq(&b->pages_lock);
	if (err)
		return -EAGAIN;

	err = b->migratepage ? b->migratepage(b, new, old, mode) : -EBUSY;

	spin_lock_irq(&b->pages_lock);
	if (err) {
		balloon_blocks_unreserve(&b->blocks, page_to_pfn(new), 1);
		b->stats.migrate_failed++;
		if (balloon_page_owner(old) != b)
			__page_level_lost(b, old);
	} else {
		balloon_blocks_unreserve(&b->blocks, page_to_pfn(old), 1);
		b->stats.enqueued++;
		b->stats.dequeued++;
		b->stats.migrated++;
		__count_vm_event(COMPACTBALLOONMIGRATED);
		__balloon_count_freed(b, 1);
	}
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	return err;
}

/**
 * balloon_page_migrate - replace an isolated page
 * @new: page to take into the balloon
 * @old: an ISOLATED page
 * @mode: how patient the migration code is
 *
 * The pair is recorded and the hypervisor told later, with others: @new is
 * PENDING_INFLATE and @old PENDING_DEFLATE until it has answered.
 *
 * Context: process, both page locks held.  Unless @mode is MIGRATE_ASYNC, waits
 * for the hypervisor if all batches are in flight, or if @old was the last
 * isolated page or filled the batch.
 * Return: 0; -EAGAIN if all batches are in flight or memory is short; -EBUSY
 * if the device is broken or being unregistered; -EINVAL and a warning, once, if
 * no page of @old's device is isolated.
 */
int balloon_page_migrate(struct page *new, struct page *old,
			 enum migrate_mode mode)
{
	struct balloon_dev_info *b = balloon_page_owner(old);
	struct balloon_batch *batch = NULL;
	int err;

	if (WARN_ON_ONCE(!b || !READ_ONCE(b->isolated_pages)))
		return -EINVAL;
	if (!b->ops)
		return page_level_migrate(b, new, old, mode);
	/* What this thread has isolated is in no batch: all can be settled. */
	if (mode != MIGRATE_ASYNC && !READ_ONCE(b->open) && !READ_ONCE(b->nr_free))
		wait_event_timeout(b->wait, batch_may_come(b),
				   READ_ONCE(b->ack_timeout));

	spin_lock_irq(&b->pages_lock);
	err = __migrate(b, new, old);
	if (err)
		b->stats.migrate_failed++;
	else
		batch = __batch_to_submit(b);
	if (!b->isolated_pages)
		wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);

	if (batch)
		balloon_batch_submit_migration(batch, mode);
	return err;
}
