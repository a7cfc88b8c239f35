// SPDX-License-Identifier: GPL-2.0
/*
 * The callbacks by which this kernel moves a page; see mm/balloon_movable.h.
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

const struct movable_operations balloon_movable_ops = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_page,
	.putback_page = balloon_page_putback,
};

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
