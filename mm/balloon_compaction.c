// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon pages, as others call for them: page-level drivers, to put pages into a
 * balloon and to take them out; and compaction, to move pages of any device.
 *
 * Locking is told in mm/balloon/internal.h.
 *
 * page->private is the owning device while the page is movable, page->page_type
 * says "offline" for as long as the page belongs to a device.  page->lru links
 * pages outside of the balloon; that of an isolated page, and of the old page of
 * a migration until it is freed, belongs to the migration code.
 */
#include <linux/balloon_compaction.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>
#include <trace/events/balloon.h>

#include "balloon/internal.h"

/* How long a dequeue waits for isolated pages to come back. */
#define BALLOON_DEQUEUE_TIMEOUT	HZ

/**
 * balloon_page_alloc - allocate a page to put into a balloon
 *
 * Context: process; may reclaim, but gives up early and silently.
 * Return: the page, or NULL.
 */
struct page *balloon_page_alloc(void)
{
	return alloc_page(BALLOON_PAGE_GFP);
}
EXPORT_SYMBOL_GPL(balloon_page_alloc);

static void insert_page(struct balloon_dev_info *b, struct page *page)
{
	lockdep_assert_held(&b->pages_lock);
	__SetPageOffline(page);
	balloon_page_set_owner(page, b);
	__balloon_insert(b, page_to_pfn(page));
}

static void finalize_page(struct page *page)
{
	balloon_page_clear_owner(page);
	balloon_page_clear_offline(page);
}

#ifndef BALLOON_CORE_MIGRATES

/**
 * balloon_page_insert - make a page BALLOONED
 * @b: the device
 * @page: the new page of a migration, in &balloon_dev_info.migratepage
 *
 * Context: under the page lock and @b->pages_lock.
 */
void balloon_page_insert(struct balloon_dev_info *b, struct page *page)
{
	insert_page(b, page);
}
EXPORT_SYMBOL_GPL(balloon_page_insert);

/**
 * balloon_page_finalize - prepare a page for release to the page allocator
 * @page: the old page of a migration, in &balloon_dev_info.migratepage
 *
 * Context: under the page lock.
 */
void balloon_page_finalize(struct page *page)
{
	finalize_page(page);
}
EXPORT_SYMBOL_GPL(balloon_page_finalize);

#endif /* BALLOON_CORE_MIGRATES */

/* A page has come into the balloon (1) or left it (-1). */
static void count_page(struct balloon_dev_info *b, struct page *page, int nr)
{
	balloon_count_on_node(page, nr);
	if (b->adjust_managed_page_count)
		adjust_managed_page_count(page, -nr);
}

/*
 * Is it a page that only the caller uses, and no balloon's?  Its reference count
 * may be above 1 for a moment, when a scanner looks at it.
 */
static bool page_is_enqueueable(struct page *page)
{
	return page_count(page) && !balloon_page_is_taken(page) &&
	       !PageLRU(page) && !PageSlab(page) && !PageReserved(page) &&
	       !PageCompound(page);
}

static int try_enqueue(struct balloon_dev_info *b, struct page *page)
{
	unsigned long flags;
	int err;

	lock_page(page);
	spin_lock_irqsave(&b->pages_lock, flags);
	err = balloon_blocks_reserve(&b->blocks, page_to_pfn(page), 1,
				     GFP_NOWAIT | __GFP_NOWARN);
	if (!err) {
		insert_page(b, page);
		count_page(b, page, 1);
		__balloon_count_enqueued(b);
	}
	spin_unlock_irqrestore(&b->pages_lock, flags);
	unlock_page(page);
	return err;
}

/**
 * balloon_page_enqueue - put a page into the balloon
 * @b: the device
 * @page: page from balloon_page_alloc(), on no list
 *
 * The page is BALLOONED at once: the driver has told the hypervisor before, or
 * does so before it lets anybody dequeue or migrate.
 *
 * Such drivers have nothing to do with a page that cannot be enqueued, since
 * the hypervisor has it already.  So this does not fail for lack of memory: once
 * for each block of 512 pages it needs some 100 bytes, for which it waits.
 *
 * Context: process, takes the page lock, may reclaim memory: hold no lock that
 * a shrinker or an OOM notifier takes.
 * Return: 0; or -EINVAL and a warning, once, if @page is in use or is in a
 * balloon already, and remains the caller's.
 */
int balloon_page_enqueue(struct balloon_dev_info *b, struct page *page)
{
	if (WARN_ONCE(!page_is_enqueueable(page),
		      "balloon: enqueue of a page that is not the caller's\n"))
		return -EINVAL;

	while (try_enqueue(b, page))
		balloon_blocks_prepare(&b->blocks, page_to_pfn(page), 1,
				       GFP_KERNEL | __GFP_NOFAIL);
	return 0;
}
EXPORT_SYMBOL_GPL(balloon_page_enqueue);

/**
 * balloon_page_list_enqueue - put pages into the balloon
 * @b: the device
 * @pages: pages as for balloon_page_enqueue(), linked by page->lru
 *
 * Context: process, takes page locks, may reclaim memory.
 * Return: number of pages enqueued, which is all of them but those for which
 * balloon_page_enqueue() warns; these remain in @pages.
 */
size_t balloon_page_list_enqueue(struct balloon_dev_info *b,
				 struct list_head *pages)
{
	struct page *page, *next;
	size_t nr = 0;

	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		if (!balloon_page_enqueue(b, page))
			nr++;
		else
			list_add_tail(&page->lru, &next->lru);
	}
	return nr;
}
EXPORT_SYMBOL_GPL(balloon_page_list_enqueue);

/* Take a run of BALLOONED pages; they are the caller's to make immovable. */
static unsigned int take_pages(struct balloon_dev_info *b, unsigned int max,
			       unsigned long *pfn)
{
	unsigned long flags;
	unsigned int nr;

	spin_lock_irqsave(&b->pages_lock, flags);
	nr = __balloon_begin_deflate(b, max, pfn);
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return nr;
}

static void forget_pages(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	__balloon_end_deflate(b, pfn, nr, false);
	__balloon_count_dequeued(b, nr);
	spin_unlock_irqrestore(&b->pages_lock, flags);
}

static bool pages_may_come(struct balloon_dev_info *b)
{
	unsigned long flags;
	bool come;

	spin_lock_irqsave(&b->pages_lock, flags);
	come = b->nr_ballooned || !b->isolated_pages;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return come;
}

/**
 * balloon_page_list_dequeue - take pages out of the balloon
 * @b: the device
 * @pages: list to which the pages are added, linked by page->lru
 * @n_req_pages: number of pages wanted
 *
 * If every page is isolated for migration just then, waits for one to come
 * back, a second at most.
 *
 * Context: process, takes page locks, may sleep.
 * Return: number of pages dequeued, less than @n_req_pages if the balloon ran
 * dry.
 */
size_t balloon_page_list_dequeue(struct balloon_dev_info *b,
				 struct list_head *pages, size_t n_req_pages)
{
	size_t done = 0;
	unsigned int nr, i;
	unsigned long pfn;

	might_sleep();
	while (done < n_req_pages) {
		nr = take_pages(b, min_t(size_t, n_req_pages - done, UINT_MAX),
				&pfn);
		if (!nr && !done) {
			wait_event_timeout(b->wait, pages_may_come(b),
					   BALLOON_DEQUEUE_TIMEOUT);
			nr = take_pages(b, 1, &pfn);
		}
		if (!nr)
			break;
		for (i = 0; i < nr; i++) {
			struct page *page = pfn_to_page(pfn + i);

			lock_page(page);
			finalize_page(page);
			count_page(b, page, -1);
			unlock_page(page);
			list_add_tail(&page->lru, pages);
		}
		forget_pages(b, pfn, nr);
		done += nr;
	}
	return done;
}
EXPORT_SYMBOL_GPL(balloon_page_list_dequeue);

/**
 * balloon_page_dequeue - take a page out of the balloon
 * @b: the device
 *
 * Context: process, takes the page lock, may sleep for a second at most while
 * all pages are isolated for migration.
 * Return: the page, which the driver frees after it told the hypervisor, or
 * NULL; warns, once, if the device holds no page at all.
 */
struct page *balloon_page_dequeue(struct balloon_dev_info *b)
{
	LIST_HEAD(pages);

	if (!balloon_page_list_dequeue(b, &pages, 1)) {
		WARN_ONCE(!READ_ONCE(b->nr_ballooned) &&
			  !READ_ONCE(b->isolated_pages),
			  "balloon: dequeue from an empty device\n");
		return NULL;
	}
	return balloon_page_pop(&pages);
}
EXPORT_SYMBOL_GPL(balloon_page_dequeue);

#ifdef CONFIG_BALLOON_COMPACTION

/**
 * balloon_page_isolate - take a page aside for migration
 * @page: a page of any device
 * @mode: does not matter
 *
 * A parked page need not be migrated to make room: it becomes free.
 *
 * Context: under the page lock, with a reference of the caller's.
 * Return: true if the page was BALLOONED and is ISOLATED now.
 */
static bool balloon_page_isolate(struct page *page, isolate_mode_t mode)
{
	struct balloon_dev_info *b = balloon_page_owner(page);
	bool isolated, unparked;

	if (!b)
		return false;
	spin_lock_irq(&b->pages_lock);
	isolated = (!b->adapter || balloon_is_running(b->adapter)) &&
		   __balloon_isolate(b, page_to_pfn(page));
	unparked = !isolated && b->adapter && __balloon_unpark(b->adapter, page);
	spin_unlock_irq(&b->pages_lock);
	if (unparked)
		put_page(page);
	return isolated;
}

/*
 * Compaction waits for what it has migrated, so the last isolated page takes
 * the open batch along.
 */
static struct balloon_core_batch *__batch_to_submit(struct balloon *b)
{
	struct balloon_core_batch *batch = b->open;

	lockdep_assert_held(&b->pages_lock);
	/* A page to inflate is one to deflate, too, and at most a range. */
	if (!batch || (b->isolated_pages && batch->inflate.nr < b->max_ranges &&
		       batch->inflate.nr_pages < b->max_pages))
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
static void balloon_page_putback(struct page *page)
{
	struct balloon_dev_info *b = balloon_page_owner(page);
	struct balloon_core_batch *batch = NULL;

	if (WARN_ON_ONCE(!b))
		return;
	spin_lock_irq(&b->pages_lock);
	__balloon_putback(b, page_to_pfn(page));
	if (b->adapter) {
		batch = __batch_to_submit(b->adapter);
		__balloon_changed(b->adapter);
	} else {
		wake_up(&b->wait);
	}
	spin_unlock_irq(&b->pages_lock);
	if (batch)
		balloon_batch_submit_migration(batch, 0);
}

/*
 * Record that @new takes the place of @old.
 * Return: 0; -ENOBUFS if all batches are in flight; else why it cannot be.
 */
static int __migrate(struct balloon *b, struct page *new,
		     struct page *old)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_is_running(b))
		return -EBUSY;
	if (!balloon_in_reach(b, page_to_pfn(new), 1) ||
	    balloon_blocks_reserve(&b->blocks, page_to_pfn(new), 1,
				   GFP_NOWAIT | __GFP_NOWARN))
		return -EAGAIN;
	if (!b->open) {
		b->open = __balloon_batch_get(b, BALLOON_FOR_MIGRATION);
		if (!b->open) {
			balloon_blocks_unreserve(&b->blocks,
						 page_to_pfn(new), 1);
			return -ENOBUFS;
		}
		balloon_batch_schedule_flush(b);
	}

	if (unlikely(page_zone_id(new) != page_zone_id(old))) {
		balloon_adjust_managed(b, page_to_pfn(new), -1);
		balloon_adjust_managed(b, page_to_pfn(old), 1);
	}
	get_page(new);
	balloon_page_own(&b->info, new);
	balloon_page_clear_owner(old);
	balloon_range_add_page(&b->open->inflate, page_to_pfn(new));
	balloon_range_add_page(&b->open->deflate, page_to_pfn(old));
	__balloon_begin_migrate(&b->info);
	trace_balloon_migrate(b->id, page_to_pfn(old), page_to_pfn(new));
	return 0;
}

/* As ->migratepage() of kernels before 7.0. */
#ifdef BALLOON_CORE_MIGRATES
static int replace_page(struct balloon_dev_info *b, struct page *new,
			struct page *old, enum migrate_mode mode)
{
	int err = b->migratepage(b, new, old, mode);

	if (err && err != -ENOENT)
		return err;
	spin_lock_irq(&b->pages_lock);
	if (!err) {
		get_page(new);
		insert_page(b, new);
		__count_vm_event(BALLOON_MIGRATE);
	}
	b->isolated_pages--;
	spin_unlock_irq(&b->pages_lock);
	finalize_page(old);
	put_page(old);
	/* The old page makes room, whether or not there is a new one. */
	return 0;
}
#else
static int replace_page(struct balloon_dev_info *b, struct page *new,
			struct page *old, enum migrate_mode mode)
{
	return b->migratepage(b, new, old, mode);
}
#endif

/* A page-level driver tells the hypervisor; the core keeps the index. */
static int page_level_migrate(struct balloon_dev_info *b, struct page *new,
			      struct page *old, enum migrate_mode mode)
{
	int err;

	spin_lock_irq(&b->pages_lock);
	err = balloon_blocks_reserve(&b->blocks, page_to_pfn(new), 1,
				     GFP_NOWAIT | __GFP_NOWARN);
	if (err)
		__balloon_count_migrate_failed(b);
	spin_unlock_irq(&b->pages_lock);
	if (err)
		return -EAGAIN;

	err = b->migratepage ? replace_page(b, new, old, mode) : -EBUSY;

	spin_lock_irq(&b->pages_lock);
	if (!err && balloon_page_owner(new) == b) {
		__balloon_replaced(b, page_to_pfn(old));
		count_page(b, old, -1);
		count_page(b, new, 1);
	} else {
		balloon_blocks_unreserve(&b->blocks, page_to_pfn(new), 1);
		__balloon_count_migrate_failed(b);
		if (balloon_page_owner(old) != b) {
			__balloon_lost(b, page_to_pfn(old));
			count_page(b, old, -1);
		}
	}
	wake_up(&b->wait);
	spin_unlock_irq(&b->pages_lock);
	return err;
}

/* As __migrate(); @batch is set to one that is to be submitted now, if any. */
static int try_migrate(struct balloon *b, struct page *new,
		       struct page *old, struct balloon_core_batch **batch)
{
	int err;

	spin_lock_irq(&b->pages_lock);
	err = __migrate(b, new, old);
	if (!err)
		*batch = __batch_to_submit(b);
	if (!b->isolated_pages)
		__balloon_changed(b);
	spin_unlock_irq(&b->pages_lock);
	return err;
}

/* For a wait: is there no sense in another try? */
static bool has_migrated(struct balloon *b, struct page *new,
			 struct page *old, struct balloon_core_batch **batch,
			 int *err)
{
	*err = try_migrate(b, new, old, batch);
	return *err != -ENOBUFS;
}

static void count_migrate_failed(struct balloon *b)
{
	spin_lock_irq(&b->pages_lock);
	__balloon_count_migrate_failed(&b->info);
	spin_unlock_irq(&b->pages_lock);
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
 * Context: process, both page locks held.  Waits for the hypervisor if all
 * batches are in flight, or if @old was the last isolated page or filled the
 * batch: for a second at most, for 20 ms if @mode is MIGRATE_ASYNC.
 * Return: 0; -EAGAIN if all batches are in flight, memory is short or the
 * hypervisor cannot be told of @new; -EBUSY if the device is broken or being
 * unregistered; -EINVAL and a warning, once, if no page of @old's device is
 * isolated.
 */
static int balloon_page_migrate(struct page *new, struct page *old,
				enum migrate_mode mode)
{
	struct balloon_dev_info *info = balloon_page_owner(old);
	unsigned long deadline = jiffies + balloon_patience(mode);
	struct balloon_core_batch *batch = NULL;
	struct balloon *b;
	int err;

	if (WARN_ON_ONCE(!info || !READ_ONCE(info->isolated_pages)))
		return -EINVAL;
	b = info->adapter;
	if (!b)
		return page_level_migrate(info, new, old, mode);
	err = try_migrate(b, new, old, &batch);
	/*
	 * What this thread has isolated is in no batch: all can be settled.  When
	 * one is, another thread may take it first.
	 */
	if (err == -ENOBUFS)
		balloon_wait_locked(b, balloon_time_left(deadline),
				    has_migrated(b, new, old, &batch, &err));
	if (err)
		count_migrate_failed(b);
	if (batch)
		balloon_batch_submit_migration(batch, balloon_time_left(deadline));
	return err == -ENOBUFS ? -EAGAIN : err;
}

const struct movable_operations balloon_movable_ops = {
	.isolate_page = balloon_page_isolate,
	.migrate_page = balloon_page_migrate,
	.putback_page = balloon_page_putback,
};

#ifdef HAVE_SET_MOVABLE_OPS
#ifndef MODULE
static int __init balloon_movable_init(void)
{
	return set_movable_ops(&balloon_movable_ops, PGTY_offline);
}
core_initcall(balloon_movable_init);
#endif
#endif

#endif /* CONFIG_BALLOON_COMPACTION */
