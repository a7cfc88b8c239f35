// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from the page allocator to the balloon, and back.
 *
 * They come one by one or, where memory is not scattered, as a whole block of
 * BALLOON_BLOCK_PAGES pages in one allocation.  That is split at once: whoever
 * comes to a page from outside (compaction, CMA, memory offlining, soft
 * offlining, memory failure, a dump) finds a page like all others, with a
 * reference, an owner and the mark of movable pages of its own.  They are freed
 * in pieces that are as large as their addresses allow.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitops.h>
#include <linux/device.h>
#include <linux/export.h>
#include <linux/list.h>
#include <linux/lockdep.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "internal.h"

/**
 * balloon_in_one_zone - are two pages of the same zone?
 * @first: one page
 * @last: the other; if they are, so are all between them
 *
 * Zones may meet within a block.
 *
 * Context: any.
 * Return: true if they are.
 */
bool balloon_in_one_zone(unsigned long first, unsigned long last)
{
	return page_zone_id(pfn_to_page(first)) ==
	       page_zone_id(pfn_to_page(last));
}

static unsigned int inflate_order = BALLOON_BLOCK_SHIFT;

static int set_inflate_order(const char *value, const struct kernel_param *param)
{
	return param_set_uint_minmax(value, param, 0, BALLOON_BLOCK_SHIFT);
}

static const struct kernel_param_ops inflate_order_ops = {
	.set = set_inflate_order,
	.get = param_get_uint,
};
module_param_cb(inflate_order, &inflate_order_ops, &inflate_order, 0644);
MODULE_PARM_DESC(inflate_order, "Largest order of free memory that balloons take at once: 0 for single pages, up to 9 (default)");

/**
 * balloon_inflate_order - how large the pieces are that inflation begins with
 *
 * Return: the order for balloon_run_alloc(), or 0 for single pages only.
 */
unsigned int balloon_inflate_order(void)
{
	return READ_ONCE(inflate_order);
}

/**
 * balloon_run_alloc - allocate adjacent pages to put into a balloon
 * @order: what order of pages
 *
 * Context: process; takes what is there and does not reclaim.
 * Return: the first of 1 << @order single pages, or NULL.
 */
struct page *balloon_run_alloc(unsigned int order)
{
	struct page *page = alloc_pages(BALLOON_PAGE_GFP & ~__GFP_RECLAIM, order);

	if (page && order)
		split_page(page, order);
	return page;
}

/**
 * balloon_pages_alloc - allocate single pages to put into a balloon
 * @pages: where to store them
 * @max: number of pages wanted
 *
 * Context: process; may reclaim, but gives up early and silently.
 * Return: number of pages, 0 if memory is short.
 */
unsigned int balloon_pages_alloc(struct page **pages, unsigned int max)
{
	memset(pages, 0, max * sizeof(*pages));
	return alloc_pages_bulk(BALLOON_PAGE_GFP, max, pages);
}

/*
 * Of this loop, of splitting, and of the loops in the page allocator, is made
 * what a whole block costs.  No range of one block spans memory sections.
 */
static void pages_own(struct balloon *b, struct page *page,
		      unsigned int nr)
{
	struct page *end = page + nr;

#pragma GCC unroll 8
	for (; page < end; page++)
		balloon_page_own(&b->info, page);
}

/**
 * balloon_range_own - pages that were just allocated become the device's
 * @b: the device
 * @pfn: first page, reserved in the index like the others
 * @nr: number of pages
 *
 * Context: process.
 */
void balloon_range_own(struct balloon *b, unsigned long pfn,
		       unsigned int nr)
{
	unsigned int n;

	for (; nr; pfn += n, nr -= n) {
		n = min_t(unsigned long, nr,
			  ALIGN(pfn + 1, BALLOON_BLOCK_PAGES) - pfn);
		pages_own(b, pfn_to_page(pfn), n);
	}
}

/**
 * balloon_page_push - put a page on a private list
 * @pages: list that no other thread uses
 * @page: page in no device
 *
 * Context: any.
 */
void balloon_page_push(struct list_head *pages, struct page *page)
{
	list_add(&page->lru, pages);
}
EXPORT_SYMBOL_GPL(balloon_page_push);

/**
 * balloon_page_pop - take a page from a private list
 * @pages: list filled by balloon_page_push() or balloon_page_list_dequeue()
 *
 * Context: any.
 * Return: the page, or NULL when @pages is empty.
 */
struct page *balloon_page_pop(struct list_head *pages)
{
	struct page *page = list_first_entry_or_null(pages, struct page, lru);

	if (page)
		list_del(&page->lru);
	return page;
}
EXPORT_SYMBOL_GPL(balloon_page_pop);

/**
 * balloon_page_disown - make a page immovable
 * @page: page that is in no index any more
 *
 * Context: process, takes the page lock.
 */
void balloon_page_disown(struct page *page)
{
	if (!balloon_page_owner(page))
		return;
	lock_page(page);
	balloon_page_clear_owner(page);
	unlock_page(page);
}

/**
 * balloon_range_disown - make pages ordinary ones again, without freeing them
 * @pfn: first page, in no state but PENDING_DEFLATE
 * @nr: number of pages
 *
 * Context: process, takes page locks.
 */
void balloon_range_disown(unsigned long pfn, unsigned int nr)
{
	for (; nr; pfn++, nr--) {
		struct page *page = pfn_to_page(pfn);

		if (balloon_page_freeze(page, true)) {
			balloon_page_reset_owner(page);
			balloon_page_unfreeze(page, false);
		} else {
			balloon_page_disown(page);
			balloon_page_clear_offline(page);
		}
	}
}

/*
 * Adjacent pages, aligned to @order, of one @owner or, if it is NULL, of none: two
 * loops, one for each, since they are what a deflated page costs.
 * Return: false, and nothing has changed, if there is another reference to one of
 * them, or one is faulty, or was refused while somebody kept it and has no owner.
 */
static __always_inline bool run_free(struct balloon_dev_info *owner,
				     struct page *run, unsigned int order)
{
	struct page *page, *end = run + BIT(order);

	for (page = run; page < end; page++) {
		if (balloon_page_owner(page) != owner || PageHWPoison(page))
			goto undo;
		if (!balloon_page_freeze(page, owner))
			goto undo;
		balloon_page_reset_owner(page);
	}
	page_ref_unfreeze(run, 1);
	__free_pages(run, order);
	return true;
undo:
	while (page-- > run) {
		if (owner)
			balloon_page_set_owner(page, owner);
		balloon_page_unfreeze(page, owner);
	}
	return false;
}

/*
 * A piece must not be larger than a pageblock, all pages of which are of a kind;
 * where modules do not know how large that is, there are no pieces.
 */
#ifdef CONFIG_HUGETLB_PAGE_SIZE_VARIABLE
#define PIECE_ORDER	0U
#else
#define PIECE_ORDER	min_t(unsigned int, BALLOON_BLOCK_SHIFT, pageblock_order)
#endif

/* Of the largest aligned piece with which a range of pages begins. */
static unsigned int piece_order(unsigned long pfn, unsigned int nr)
{
	unsigned int order = min(__ffs(pfn | BIT(PIECE_ORDER)), __fls(nr));

	return likely(balloon_in_one_zone(pfn, pfn + BIT(order) - 1)) ? order : 0;
}

/* Return: the order of what was freed, the first of a range of pages. */
static unsigned int piece_free(struct balloon *b, unsigned long pfn,
			       unsigned int nr)
{
	unsigned int order;

	order = piece_order(pfn, nr);
	if (order && run_free(&b->info, pfn_to_page(pfn), order))
		return order;
	balloon_page_disown(pfn_to_page(pfn));
	balloon_page_clear_offline(pfn_to_page(pfn));
	put_page(pfn_to_page(pfn));
	return 0;
}

/**
 * balloon_range_free - give pages to the page allocator
 * @b: the device, which owns them
 * @pfn: first page, in no state but PENDING_DEFLATE
 * @nr: number of pages
 *
 * In pieces as large as they are aligned, since each piece costs as much as one
 * page.
 *
 * Context: process; takes page locks.
 */
void balloon_range_free(struct balloon *b, unsigned long pfn,
			unsigned int nr)
{
	unsigned int order;

	for (; nr; pfn += BIT(order), nr -= BIT(order))
		order = piece_free(b, pfn, nr);
}

/* As piece_free(). */
static unsigned int piece_put(unsigned long pfn, unsigned int nr)
{
	unsigned int order;

	order = piece_order(pfn, nr);
	if (order && run_free(NULL, pfn_to_page(pfn), order))
		return order;
	__free_page(pfn_to_page(pfn));
	return 0;
}

/**
 * balloon_range_put - give pages to the page allocator that no device owns
 * @pfn: first page
 * @nr: number of pages
 *
 * In pieces, as balloon_range_free().  Drops one reference to each; a page is
 * freed when everybody else has dropped his.
 *
 * Context: any.
 */
void balloon_range_put(unsigned long pfn, unsigned int nr)
{
	unsigned int order;

	for (; nr; pfn += BIT(order), nr -= BIT(order))
		order = piece_put(pfn, nr);
}

/**
 * balloon_range_release - give pages to the page allocator that were disowned
 * @pfn: first page
 * @nr: number of pages
 *
 * Context: any.
 */
void balloon_range_release(unsigned long pfn, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		balloon_page_clear_offline(pfn_to_page(pfn + i));
		__free_page(pfn_to_page(pfn + i));
	}
}

static void adjust(struct balloon *b, struct page *page, long nr)
{
	balloon_count_on_node(page, -nr);
	if (!b->deflate_on_oom)
		adjust_managed_page_count(page, nr);
}

/**
 * balloon_adjust_managed - change how much memory the guest has
 * @b: the device
 * @pfn: first of adjacent pages, which may be of several zones
 * @nr: number of pages that the guest gains, negative if it loses them
 *
 * What it can have back when memory runs out, it does not lose.
 *
 * Context: any.
 */
void balloon_adjust_managed(struct balloon *b, unsigned long pfn, long nr)
{
	unsigned long end = pfn + (nr < 0 ? -nr : nr);

	if (!nr)
		return;
	if (likely(balloon_in_one_zone(pfn, end - 1))) {
		adjust(b, pfn_to_page(pfn), nr);
		return;
	}
	for (; pfn < end; pfn++)
		adjust(b, pfn_to_page(pfn), nr < 0 ? -1 : 1);
}

/**
 * balloon_hold_back - keep pages that nobody owns until the worker's round ends
 * @b: the device
 * @pfn: first of pages that were just allocated, of which the hypervisor cannot
 *	be told
 * @nr: number of pages
 *
 * Freed at once, they would be allocated again.
 *
 * Context: process.
 */
void balloon_hold_back(struct balloon *b, unsigned long pfn,
		       unsigned int nr)
{
	dev_warn_once(b->dev, "memory from page frame %lu on is out of the hypervisor's reach\n",
		      b->ops->max_pfn + 1);
	spin_lock_irq(&b->pages_lock);
	for (; nr; pfn++, nr--) {
		__SetPageOffline(pfn_to_page(pfn));
		list_add(&pfn_to_page(pfn)->lru, &b->refused);
	}
	spin_unlock_irq(&b->pages_lock);
}

static void free_list(struct list_head *pages)
{
	struct page *page;

	while ((page = balloon_page_pop(pages)))
		balloon_range_release(page_to_pfn(page), 1);
}

/**
 * balloon_free_refused - free the pages that the hypervisor refused
 * @b: the device
 *
 * Context: process.
 */
void balloon_free_refused(struct balloon *b)
{
	LIST_HEAD(refused);

	spin_lock_irq(&b->pages_lock);
	list_splice_init(&b->refused, &refused);
	spin_unlock_irq(&b->pages_lock);
	free_list(&refused);
}

/**
 * __balloon_park - keep pages from being used until a compaction's round ends
 * @b: the device
 * @pfn: first of adjacent pages that nobody owns
 * @nr: number of pages
 *
 * They are the device's and movable, though they are not in the balloon: whoever
 * wants the memory that they are in the way of gets it, see __balloon_unpark().
 *
 * Context: under @b->pages_lock.
 * Return: false if there was no memory for the index, and pages were freed.
 */
bool __balloon_park(struct balloon *b, unsigned long pfn,
		    unsigned int nr)
{
	bool parked = true;
	unsigned int n;

	lockdep_assert_held(&b->pages_lock);
	for (; nr; pfn += n, nr -= n) {
		n = min_t(unsigned long, nr,
			  ALIGN(pfn + 1, BALLOON_BLOCK_PAGES) - pfn);
		if (balloon_blocks_park(&b->blocks, pfn, n,
					GFP_NOWAIT | __GFP_NOWARN)) {
			balloon_range_put(pfn, n);
			parked = false;
		} else {
			pages_own(b, pfn_to_page(pfn), n);
			b->nr_parked += n;
		}
	}
	return parked;
}

/**
 * __balloon_unpark - let go of a page that somebody wants to isolate
 * @b: the device
 * @page: a page of the device
 *
 * Context: under the page lock and @b->pages_lock.
 * Return: true if it was parked.  It belongs to nobody now, and the caller drops
 * the allocator's reference to it.
 */
bool __balloon_unpark(struct balloon *b, struct page *page)
{
	lockdep_assert_held(&b->pages_lock);
	if (!b->nr_parked ||
	    !balloon_blocks_unpark_page(&b->blocks, page_to_pfn(page)))
		return false;
	b->nr_parked--;
	balloon_page_clear_owner(page);
	balloon_page_clear_offline(page);
	return true;
}

/**
 * balloon_free_parked - free the parked pages
 * @b: the device
 *
 * Context: process.
 */
void balloon_free_parked(struct balloon *b)
{
	unsigned long *pages, index = 0;
	unsigned int nr, start, end;

	do {
		spin_lock_irq(&b->pages_lock);
		pages = balloon_blocks_unpark(&b->blocks, &index, &nr);
		if (pages)
			b->nr_parked -= nr;
		spin_unlock_irq(&b->pages_lock);
		if (pages)
			for_each_set_bitrange(start, end, pages,
					      BALLOON_BLOCK_PAGES)
				balloon_range_free(b, (index << BALLOON_BLOCK_SHIFT) +
						   start, end - start);
		kfree(pages);
		cond_resched();
	} while (pages || index);
}
