// SPDX-License-Identifier: GPL-2.0
/* The same, built for the kernel's own core. */
#if __has_include(<linux/balloon.h>)
#include <linux/balloon.h>

#define CORE_MIGRATES

/* What it kept for itself when it was renamed. */
static inline void balloon_page_push(struct list_head *pages, struct page *page)
{
	list_add(&page->lru, pages);
}

static inline struct page *balloon_page_pop(struct list_head *pages)
{
	struct page *page = list_first_entry_or_null(pages, struct page, lru);

	if (page)
		list_del(&page->lru);
	return page;
}
#endif

#include "../page_level_balloon.c"
