// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from the page allocator to the balloon, and back.
 *
 * They come one by one or, where memory is not scattered, as a *unit*: a whole
 * block of BALLOON_BLOCK_PAGES pages in one allocation.  The pages of a unit
 * are pages like all others from then on, and migrated like them.  But as long
 * as all of them are still there, the index says so, and they go back as a unit.
 */
#include <linux/balloon_compaction.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>

#include "balloon_internal.h"

#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"balloon_compaction."
#endif

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
 * Return: the order to begin with in balloon_range_alloc().
 */
unsigned int balloon_inflate_order(void)
{
	return READ_ONCE(inflate_order);
}

/**
 * balloon_range_alloc - allocate pages to put into a balloon
 * @order: the order wanted; becomes 0 if there is nothing of it
 *
 * Larger orders are taken if they are there, single pages are reclaimed for.
 *
 * Context: process; may reclaim, but gives up early and silently.
 * Return: the first of 1 << @order single pages, or NULL.
 */
struct page *balloon_range_alloc(unsigned int *order)
{
	struct page *page = NULL;

	if (*order)
		page = alloc_pages(BALLOON_PAGE_GFP & ~__GFP_RECLAIM, *order);
	if (page) {
		split_page(page, *order);
		return page;
	}
	*order = 0;
	return balloon_page_alloc();
}

/**
 * balloon_range_put - free pages that did not become the device's
 * @pfn: first page
 * @nr: number of pages
 */
void balloon_range_put(unsigned long pfn, unsigned int nr)
{
	for (; nr; pfn++, nr--)
		put_page(pfn_to_page(pfn));
}

/**
 * balloon_range_own - pages that were just allocated become the device's
 * @b: the device
 * @pfn: first page
 * @nr: number of pages
 */
void balloon_range_own(struct balloon_dev_info *b, unsigned long pfn,
		       unsigned int nr)
{
	for (; nr; pfn++, nr--) {
		struct page *page = pfn_to_page(pfn);

		__SetPageOffline(page);
		balloon_page_set_owner(page, b);
	}
}

/* Called for each page of a migration: inlined, and so not traced, in this file. */
static void page_disown(struct page *page)
{
	if (!balloon_page_owner(page))
		return;
	lock_page(page);
	balloon_page_clear_owner(page);
	unlock_page(page);
}

static void page_free(struct page *page)
{
	__ClearPageOffline(page);
	__free_page(page);
}

/**
 * balloon_page_disown - make a page immovable
 * @page: page that is in no index any more
 *
 * Context: process, takes the page lock.
 */
void balloon_page_disown(struct page *page)
{
	page_disown(page);
}

/**
 * balloon_page_free - give a page to the page allocator
 * @page: page that the device owns no more
 *
 * Drops the device's reference; the page is freed when the migration code, too,
 * has dropped its own.
 *
 * Context: any.
 */
void balloon_page_free(struct page *page)
{
	page_free(page);
}

/*
 * Nobody else has a reference to any of the pages, or can get one.
 * Return: false, and nothing has changed, if somebody has.
 */
static bool unit_freeze(struct page *unit)
{
	unsigned int i;

	for (i = 0; i < BALLOON_BLOCK_PAGES; i++)
		/* The page allocator looks for faulty pages one by one. */
		if (PageHWPoison(unit + i) || !page_ref_freeze(unit + i, 1))
			break;
	if (i == BALLOON_BLOCK_PAGES)
		return true;
	while (i--)
		page_ref_unfreeze(unit + i, 1);
	return false;
}

static bool unit_free(struct page *unit)
{
	unsigned int i;

	if (!unit_freeze(unit))
		return false;
	for (i = 0; i < BALLOON_BLOCK_PAGES; i++) {
		set_page_private(unit + i, 0);
		balloon_page_reset_movable(unit + i);
		__ClearPageOffline(unit + i);
	}
	page_ref_unfreeze(unit, 1);
	__free_pages(unit, BALLOON_BLOCK_SHIFT);
	return true;
}

static bool is_unit(struct balloon_dev_info *b, unsigned long pfn)
{
	unsigned long flags;
	bool is;

	spin_lock_irqsave(&b->pages_lock, flags);
	is = balloon_blocks_is_unit(&b->blocks, pfn);
	spin_unlock_irqrestore(&b->pages_lock, flags);
	return is;
}

/**
 * balloon_range_free - give pages to the page allocator
 * @b: the device
 * @pfn: first page, in no state but PENDING_DEFLATE
 * @nr: number of pages
 *
 * Context: process; takes page locks of pages that the device still owns.
 */
void balloon_range_free(struct balloon_dev_info *b, unsigned long pfn,
			unsigned int nr)
{
	unsigned long end = pfn + nr;

	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		if (end - pfn >= BALLOON_BLOCK_PAGES &&
		    !(pfn & (BALLOON_BLOCK_PAGES - 1)) && is_unit(b, pfn) &&
		    unit_free(page)) {
			pfn += BALLOON_BLOCK_PAGES;
			continue;
		}
		page_disown(page);
		page_free(page);
		pfn++;
	}
}
