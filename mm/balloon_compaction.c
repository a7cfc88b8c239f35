// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon pages: into the balloon and out of it, for page-level drivers.
 *
 * Locking is told in mm/balloon_internal.h.
 *
 * page->private is the owning device while the page is movable, page->page_type
 * says "offline" for as long as the page belongs to a device.  page->lru links
 * pages outside of the balloon.
 */
#include <linux/balloon_compaction.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/vmstat.h>

#include "balloon_internal.h"

/* How long a dequeue waits for isolated pages to come back. */
#define BALLOON_DEQUEUE_TIMEOUT	HZ

/**
 * balloon_devinfo_init - initialise a device
 * @b: the device
 *
 * Enough for a page-level driver, which needs no counterpart to this.
 * balloon_register_device() does it by itself.
 *
 * Context: any.
 */
void balloon_devinfo_init(struct balloon_dev_info *b)
{
	memset(b, 0, sizeof(*b));
	spin_lock_init(&b->pages_lock);
	balloon_blocks_init(&b->blocks);
	INIT_LIST_HEAD(&b->free);
	INIT_LIST_HEAD(&b->in_flight);
	INIT_LIST_HEAD(&b->done);
	INIT_LIST_HEAD(&b->refused);
	init_waitqueue_head(&b->wait);
}
EXPORT_SYMBOL_GPL(balloon_devinfo_init);

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

/**
 * balloon_page_insert - make a page BALLOONED
 * @b: the device
 * @page: the new page of a migration, in &balloon_dev_info.migratepage
 *
 * Context: under the page lock and @b->pages_lock.
 */
void balloon_page_insert(struct balloon_dev_info *b, struct page *page)
{
	lockdep_assert_held(&b->pages_lock);
	__SetPageOffline(page);
	balloon_page_set_owner(page, b);
	if (!WARN_ON_ONCE(balloon_blocks_set(&b->blocks, page_to_pfn(page), 1)))
		b->nr_ballooned++;
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
	balloon_page_clear_owner(page);
	__ClearPageOffline(page);
}
EXPORT_SYMBOL_GPL(balloon_page_finalize);

/*
 * Is it a page that only the caller uses, and no balloon's?  Its reference count
 * may be above 1 for a moment, when a scanner looks at it.
 */
static bool page_is_enqueueable(struct page *page)
{
	return page_count(page) && !PageOffline(page) &&
	       !balloon_page_has_mapping(page) &&
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
		balloon_page_insert(b, page);
		b->stats.enqueued++;
		b->stats.inflated++;
		count_vm_event(BALLOON_INFLATE);
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
	nr = balloon_blocks_take(&b->blocks, max, pfn);
	b->nr_ballooned -= nr;
	b->nr_deflating += nr;
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return nr;
}

static void forget_pages(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr)
{
	unsigned long flags;

	spin_lock_irqsave(&b->pages_lock, flags);
	balloon_blocks_unreserve(&b->blocks, pfn, nr);
	b->nr_deflating -= nr;
	b->stats.dequeued += nr;
	b->stats.deflated += nr;
	count_vm_events(BALLOON_DEFLATE, nr);
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
			balloon_page_finalize(page);
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
