// SPDX-License-Identifier: GPL-2.0
/*
 * Pages from the page allocator to the balloon, and back.
 *
 * They come one by one or, where memory is not scattered, as a *unit*: a whole
 * block of BALLOON_BLOCK_PAGES pages in one allocation.  The index knows which
 * blocks are units.  Of a unit only the first page has a reference, an owner and
 * the mark of movable pages, so nobody can lock another of its pages; each is
 * marked as offline.  A unit is inflated and deflated as a whole.  Before
 * anything else happens to a page of it, it is *split*: into pages like all
 * others.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>
#include <linux/pagemap.h>
#include <linux/string.h>

#include "balloon_internal.h"

#ifndef MODULE
#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX	"balloon_compaction."
#endif

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
 * Return: the first of 1 << @order pages, single ones or of a unit; or NULL.
 */
struct page *balloon_run_alloc(unsigned int order)
{
	struct page *page = alloc_pages(BALLOON_PAGE_GFP & ~__GFP_RECLAIM, order);

	if (page && order < BALLOON_BLOCK_SHIFT)
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
	return alloc_pages_bulk_array(BALLOON_PAGE_GFP, max, pages);
}

/*
 * Are the first of @nr pages a unit?  For pages that nobody can isolate: just
 * allocated, or PENDING_DEFLATE.  The index knows it of others.
 */
static bool is_unit(unsigned long pfn, unsigned int nr)
{
	return nr >= BALLOON_BLOCK_PAGES &&
	       IS_ALIGNED(pfn, BALLOON_BLOCK_PAGES) &&
	       !page_ref_count(pfn_to_page(pfn + 1));
}

/* Of this loop and the next, and the allocator's, is made what a unit costs. */
static void unit_set_offline(struct page *unit)
{
	unsigned int i;

#pragma GCC unroll 8
	for (i = 0; i < BALLOON_BLOCK_PAGES; i++)
		__SetPageOffline(unit + i);
}

/* Of all pages but the first.  Return: the flags that any page has. */
static unsigned long unit_clear_offline(struct page *unit)
{
	unsigned long flags = unit->flags;
	unsigned int i;

#pragma GCC unroll 8
	for (i = 1; i < BALLOON_BLOCK_PAGES; i++) {
		flags |= unit[i].flags;
		__ClearPageOffline(unit + i);
	}
	return flags;
}

static void unit_own(struct balloon_dev_info *b, struct page *unit)
{
	unit_set_offline(unit);
	balloon_page_set_owner(unit, b);
	spin_lock_irq(&b->pages_lock);
	balloon_blocks_set_unit(&b->blocks, page_to_pfn(unit), true);
	spin_unlock_irq(&b->pages_lock);
}

/**
 * balloon_range_own - pages that were just allocated become the device's
 * @b: the device
 * @pfn: first page, reserved in the index like the others
 * @nr: number of pages
 *
 * Context: process.
 */
void balloon_range_own(struct balloon_dev_info *b, unsigned long pfn,
		       unsigned int nr)
{
	unsigned long end = pfn + nr;

	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);

		if (is_unit(pfn, end - pfn)) {
			unit_own(b, page);
			pfn += BALLOON_BLOCK_PAGES;
			continue;
		}
		balloon_page_own(b, page);
		pfn++;
	}
}

static void unit_split(struct balloon_dev_info *b, struct page *unit)
{
	unsigned int i;

	for (i = 1; i < BALLOON_BLOCK_PAGES; i++)
		balloon_page_set_owner(unit + i, b);
	split_page(unit, BALLOON_BLOCK_SHIFT);
}

/**
 * __balloon_split - make single pages of a unit
 * @b: the device
 * @pfn: a page of it; nothing is done if it is of no unit
 *
 * Context: under @b->pages_lock.
 */
void __balloon_split(struct balloon_dev_info *b, unsigned long pfn)
{
	lockdep_assert_held(&b->pages_lock);
	if (!balloon_blocks_is_unit(&b->blocks, pfn))
		return;
	balloon_blocks_set_unit(&b->blocks, pfn, false);
	unit_split(b, pfn_to_page(ALIGN_DOWN(pfn, BALLOON_BLOCK_PAGES)));
}

/**
 * balloon_range_split - make single pages of all units
 * @b: the device
 * @pfn: first page
 * @nr: number of pages
 *
 * Context: process.
 */
void balloon_range_split(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr)
{
	unsigned long end = pfn + nr;

	for (; pfn < end; pfn = ALIGN(pfn + 1, BALLOON_BLOCK_PAGES)) {
		spin_lock_irq(&b->pages_lock);
		__balloon_split(b, pfn);
		spin_unlock_irq(&b->pages_lock);
	}
}

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

		__ClearPageOffline(page);
		if (page_ref_freeze(page, 1)) {
			balloon_page_reset_owner(page);
			page_ref_unfreeze(page, 1);
		} else {
			balloon_page_disown(page);
		}
	}
}

/*
 * Return: false, and nothing has changed, if somebody else has a reference, or
 * a page is faulty: the page allocator looks for that only in single pages.
 */
static bool unit_free(struct page *unit)
{
	unsigned long flags;

	__ClearPageOffline(unit);
	if (!page_ref_freeze(unit, 1)) {
		__SetPageOffline(unit);
		return false;
	}
	flags = unit_clear_offline(unit);
	if (flags & __PG_HWPOISON) {
		page_ref_unfreeze(unit, 1);
		unit_set_offline(unit);
		return false;
	}
	balloon_page_reset_owner(unit);
	page_ref_unfreeze(unit, 1);
	__free_pages(unit, BALLOON_BLOCK_SHIFT);
	return true;
}

/* Return: false if @nr pages do not begin with a unit, or not any more. */
static bool try_unit_free(struct balloon_dev_info *b, unsigned long pfn,
			  unsigned int nr)
{
	if (!is_unit(pfn, nr))
		return false;
	if (unit_free(pfn_to_page(pfn)))
		return true;
	balloon_range_split(b, pfn, BALLOON_BLOCK_PAGES);
	return false;
}

/*
 * Adjacent pages, aligned to @order, of one owner or, if @b is NULL, of none.
 * Return: false, and nothing has changed, if there is another reference to one of
 * them, or one is faulty, or was refused while somebody kept it and has no owner.
 */
static bool run_free(struct balloon_dev_info *b, struct page *run,
		     unsigned int order)
{
	struct page *page, *end = run + BIT(order);

	for (page = run; page < end; page++) {
		if (balloon_page_owner(page) != b || PageHWPoison(page))
			goto undo;
		if (b)
			__ClearPageOffline(page);
		if (!page_ref_freeze(page, 1))
			goto undo_mark;
		balloon_page_reset_owner(page);
	}
	page_ref_unfreeze(run, 1);
	__free_pages(run, order);
	return true;
undo_mark:
	if (b)
		__SetPageOffline(page);
undo:
	while (page-- > run) {
		if (b)
			balloon_page_set_owner(page, b);
		page_ref_unfreeze(page, 1);
		if (b)
			__SetPageOffline(page);
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
static unsigned int piece_free(struct balloon_dev_info *b, unsigned long pfn,
			       unsigned int nr)
{
	unsigned int order;

	if (try_unit_free(b, pfn, nr))
		return BALLOON_BLOCK_SHIFT;
	order = piece_order(pfn, nr);
	if (order && run_free(b, pfn_to_page(pfn), order))
		return order;
	balloon_page_disown(pfn_to_page(pfn));
	__ClearPageOffline(pfn_to_page(pfn));
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
void balloon_range_free(struct balloon_dev_info *b, unsigned long pfn,
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

	if (is_unit(pfn, nr)) {
		__free_pages(pfn_to_page(pfn), BALLOON_BLOCK_SHIFT);
		return BALLOON_BLOCK_SHIFT;
	}
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
		__ClearPageOffline(pfn_to_page(pfn + i));
		__free_page(pfn_to_page(pfn + i));
	}
}
