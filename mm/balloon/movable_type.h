/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Kernels since 6.17: a page that can be moved has a flag, and the callbacks are found
 * by its type, PageOffline, in a slot of which there is one.
 *
 * Flag and type stay until the page is freed: what code finds by them may be on its way
 * with a page that has no owner any more.  Only of a page to which nobody can get a
 * reference is the type cleared.
 */
#ifndef _MM_BALLOON_MOVABLE_TYPE_H
#define _MM_BALLOON_MOVABLE_TYPE_H

#include <linux/atomic.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>
#include <linux/page_ref.h>

extern const struct movable_operations balloon_movable_ops; /* mm/balloon_compaction.c */

#ifdef MODULE
/* The kernel's own balloon has the slot: mm/balloon/slot.c takes it over. */
extern bool balloon_slot_is_ours;	/* READ_ONCE(), WRITE_ONCE() */

void balloon_movable_get(void);
void balloon_movable_put(void);
void balloon_movable_exit(void);

static inline bool balloon_pages_are_movable(void)
{
	return READ_ONCE(balloon_slot_is_ours);
}
#else
/* It is ours from the beginning. */
static inline void balloon_movable_get(void) { }
static inline void balloon_movable_put(void) { }
static inline void balloon_movable_exit(void) { }

static inline bool balloon_pages_are_movable(void)
{
	return IS_ENABLED(CONFIG_BALLOON_COMPACTION);
}
#endif

/*
 * page->private of a page with an owner.  The mark tells our pages from those of the
 * kernel's own balloon, which has a pointer there, too.
 */
#define BALLOON_OWNER_MARK	1UL

static inline unsigned long balloon_owner_to_private(struct balloon_dev_info *b)
{
	return (unsigned long)b | BALLOON_OWNER_MARK;
}

static inline struct balloon_dev_info *balloon_private_to_owner(unsigned long private)
{
	return private & BALLOON_OWNER_MARK ?
	       (struct balloon_dev_info *)(private & ~BALLOON_OWNER_MARK) : NULL;
}

/**
 * balloon_page_clear_offline - a page is nobody's any more
 * @page: page without an owner, to which others may have a reference
 *
 * The page allocator clears the type, unless the page is faulty, when it does not take
 * it back.
 *
 * Context: any.
 */
static inline void balloon_page_clear_offline(struct page *page)
{
	if (PageHWPoison(page))
		__ClearPageOffline(page);
}

/**
 * balloon_page_freeze - keep others from getting a reference to a page
 * @page: the page
 * @offline: does not matter
 *
 * Context: any.
 * Return: true if there was no other reference; then it is not PageOffline.
 */
static inline bool balloon_page_freeze(struct page *page, bool offline)
{
	if (!page_ref_freeze(page, 1))
		return false;
	__ClearPageOffline(page);
	return true;
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
	if (offline)
		__SetPageOffline(page);
	page_ref_unfreeze(page, 1);
}

/**
 * balloon_page_is_taken - does a page belong to anybody else?
 * @page: a page
 *
 * Context: any.
 * Return: true if it has a mapping or an owner.
 */
static inline bool balloon_page_is_taken(struct page *page)
{
	return page->mapping || page_private(page);
}

/**
 * balloon_page_set_movable - let compaction call us for a page
 * @page: page whose owner is set
 *
 * Context: under the page lock, or while the page is in no index.
 */
static inline void balloon_page_set_movable(struct page *page)
{
	if (!balloon_pages_are_movable())
		return;
	/* Whoever sees the flag sees the owner. */
	smp_mb__before_atomic();
	SetPageMovableOps(page);
}

/* A page without an owner is not isolated. */
static inline void balloon_page_clear_movable(struct page *page) { }
static inline void balloon_page_reset_movable(struct page *page) { }

#endif /* _MM_BALLOON_MOVABLE_TYPE_H */
