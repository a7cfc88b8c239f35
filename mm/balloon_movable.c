// SPDX-License-Identifier: GPL-2.0
/*
 * How this kernel is told that a page can be moved.
 *
 * This is the only file that knows.  Kernels up to 6.16 keep a pointer to the
 * callbacks in page->mapping, set and cleared under the page lock; this file
 * serves them.  Newer kernels choose the callbacks by page type: for those it
 * is replaced by another one with the same two functions.
 */
#include <linux/migrate.h>
#include <linux/mm_types.h>
#include <linux/page-flags.h>

#include "balloon_internal.h"

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	return balloon_page_isolate(page);
}

static int migrate_page(struct page *dst, struct page *src,
			enum migrate_mode mode)
{
	return balloon_page_migrate(dst, src, mode);
}

static const struct movable_operations balloon_movable_ops = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_page,
	.putback_page = balloon_page_putback,
};

/**
 * balloon_page_set_movable - let compaction call us for a page
 * @page: page whose owner is set
 *
 * Context: under the page lock.
 */
void balloon_page_set_movable(struct page *page)
{
	__SetPageMovable(page, &balloon_movable_ops);
}

/**
 * balloon_page_clear_movable - no call for this page any more
 * @page: page that was set movable
 *
 * Context: under the page lock, by which no call is under way.
 */
void balloon_page_clear_movable(struct page *page)
{
	__ClearPageMovable(page);
}

/**
 * balloon_page_has_mapping - does a page belong to anybody else?
 * @page: a page
 *
 * A page that was movable keeps the mark, but no callbacks, until it is freed.
 *
 * Context: any.
 * Return: true if page->mapping is in use.
 */
bool balloon_page_has_mapping(struct page *page)
{
	return page->mapping && !(__PageMovable(page) &&
				  !page_movable_ops(page));
}
