/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How this kernel is told that a page can be moved: the only place that knows.
 *
 * Kernels up to 6.16 keep a pointer to the callbacks in page->mapping: this file
 * serves them.  Newer kernels choose the callbacks by page type: for those it is
 * replaced by another with the same functions.
 *
 * Included by mm/balloon/internal.h, which says when a page may be marked.
 */
#ifndef _MM_BALLOON_MOVABLE_H
#define _MM_BALLOON_MOVABLE_H

#include <linux/atomic.h>
#include <linux/migrate.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>

#ifdef CONFIG_BALLOON_COMPACTION

extern const struct movable_operations balloon_movable_ops; /* mm/balloon_compaction.c */

/**
 * balloon_page_has_mapping - does a page belong to anybody else?
 * @page: a page
 *
 * A page that was movable keeps the mark, but no callbacks, until it is freed.
 *
 * Context: any.
 * Return: true if page->mapping is in use.
 */
static inline bool balloon_page_has_mapping(struct page *page)
{
	return page->mapping && !(__PageMovable(page) &&
				  !page_movable_ops(page));
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
static inline bool balloon_page_has_mapping(struct page *page)
{
	return page->mapping;
}

#endif

#endif /* _MM_BALLOON_MOVABLE_H */
