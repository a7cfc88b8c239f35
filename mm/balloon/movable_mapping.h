/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels up to 6.16: a page that can be moved has a pointer to the callbacks in
 * page->mapping.
 */
#ifndef _MM_BALLOON_MOVABLE_MAPPING_H
#define _MM_BALLOON_MOVABLE_MAPPING_H

#include <linux/atomic.h>
#include <linux/migrate.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>

/* The callbacks are found by the page itself. */
static inline void balloon_movable_get(void) { }
static inline void balloon_movable_put(void) { }
static inline void balloon_movable_exit(void) { }

static inline bool balloon_pages_are_movable(void)
{
	return IS_ENABLED(CONFIG_BALLOON_COMPACTION);
}

/* page->private of a page with an owner. */
static inline unsigned long balloon_owner_to_private(struct balloon_dev_info *b)
{
	return (unsigned long)b;
}

static inline struct balloon_dev_info *balloon_private_to_owner(unsigned long private)
{
	return (struct balloon_dev_info *)private;
}

/**
 * balloon_page_clear_offline - a page is nobody's any more
 * @page: page without an owner, to which others may have a reference
 *
 * Context: any.
 */
static inline void balloon_page_clear_offline(struct page *page)
{
	__ClearPageOffline(page);
}

/**
 * balloon_page_freeze - keep others from getting a reference to a page
 * @page: the page
 * @offline: is it PageOffline?
 *
 * Memory offlining takes a page that is PageOffline and has no reference for one that
 * it may do without, so the type goes first.
 *
 * Context: any.
 * Return: true if there was no other reference; then it is not PageOffline.
 */
static inline bool balloon_page_freeze(struct page *page, bool offline)
{
	if (offline)
		__ClearPageOffline(page);
	if (page_ref_freeze(page, 1))
		return true;
	if (offline)
		__SetPageOffline(page);
	return false;
}

/**
 * balloon_page_unfreeze - the opposite of balloon_page_freeze()
 * @page: the page
 * @offline: is it to be PageOffline?
 *
 * Context: any.
 */
static inline void balloon_page_unfreeze(struct page *page, bool offline)
{
	page_ref_unfreeze(page, 1);
	if (offline)
		__SetPageOffline(page);
}

#ifdef CONFIG_BALLOON_COMPACTION

extern const struct movable_operations balloon_movable_ops; /* mm/balloon_compaction.c */

/**
 * balloon_page_is_taken - does a page belong to anybody else?
 * @page: a page
 *
 * A page that was movable keeps the mark, but no callbacks, until it is freed.
 *
 * Context: any.
 * Return: true if it is PageOffline, or page->mapping is in use.
 */
static inline bool balloon_page_is_taken(struct page *page)
{
	return PageOffline(page) ||
	       (page->mapping && !(__PageMovable(page) && !page_movable_ops(page)));
}

/**
 * balloon_page_set_movable - let compaction call us for a page
 * @page: page whose owner is set
 *
 * Context: under the page lock, or while the page is in no index.
 */
static inline void balloon_page_set_movable(struct page *page)
{
	/* Whoever sees this sees the owner. */
	smp_store_release((unsigned long *)&page->mapping,
			  (unsigned long)&balloon_movable_ops |
			  PAGE_MAPPING_MOVABLE);
}

/**
 * balloon_page_clear_movable - no call for this page any more
 * @page: page that was set movable
 *
 * Context: under the page lock, by which no call is under way.
 */
static inline void balloon_page_clear_movable(struct page *page)
{
	__ClearPageMovable(page);
}

/**
 * balloon_page_reset_movable - a page is as if it had never been movable
 * @page: page that was set movable
 *
 * Context: while nobody else has a reference, or can get one.
 */
static inline void balloon_page_reset_movable(struct page *page)
{
	/* Scanners look at it without a lock or a reference. */
	WRITE_ONCE(page->mapping, NULL);
}

#else

static inline void balloon_page_set_movable(struct page *page) { }
static inline void balloon_page_clear_movable(struct page *page) { }
static inline void balloon_page_reset_movable(struct page *page) { }
static inline bool balloon_page_is_taken(struct page *page)
{
	return PageOffline(page) || page->mapping;
}

#endif

#endif /* _MM_BALLOON_MOVABLE_MAPPING_H */
