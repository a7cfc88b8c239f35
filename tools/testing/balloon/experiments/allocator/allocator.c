// SPDX-License-Identifier: GPL-2.0
/*
 * Allocate memory as a balloon does, free it, and say how long each took: what
 * remains of a balloon's cost if it does nothing else.
 *
 * Uses page->lru (of pages that are allocated and nobody else's) as a list.
 */
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>

static unsigned int order;
module_param(order, uint, 0);
MODULE_PARM_DESC(order, "order of each allocation");

static unsigned long nr_pages;
module_param(nr_pages, ulong, 0);
MODULE_PARM_DESC(nr_pages, "pages to allocate in all");

static unsigned long long alloc_ns;
module_param(alloc_ns, ullong, 0444);
MODULE_PARM_DESC(alloc_ns, "nanoseconds that allocating took");

static unsigned long long free_ns;
module_param(free_ns, ullong, 0444);
MODULE_PARM_DESC(free_ns, "nanoseconds that freeing took");

static bool bulk;
module_param(bulk, bool, 0);
MODULE_PARM_DESC(bulk, "allocate single pages many at a time");

#define GFP	(GFP_HIGHUSER_MOVABLE | __GFP_NOMEMALLOC | __GFP_NORETRY | \
		 __GFP_NOWARN)
#define MANY	256

static int alloc_all(struct list_head *pages)
{
	unsigned long nr;

	for (nr = 0; nr < nr_pages; nr += 1UL << order) {
		struct page *page = alloc_pages(GFP, order);

		if (!page)
			return -ENOMEM;
		list_add(&page->lru, pages);
	}
	return 0;
}

static int alloc_bulk(struct list_head *pages)
{
	static struct page *array[MANY];
	unsigned long nr, i, got;

	for (nr = 0; nr < nr_pages; nr += got) {
		memset(array, 0, sizeof(array));
		got = alloc_pages_bulk(GFP, MANY, array);
		for (i = 0; i < got; i++)
			list_add(&array[i]->lru, pages);
		if (!got)
			return -ENOMEM;
	}
	return 0;
}

static void free_all(struct list_head *pages)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, pages, lru)
		__free_pages(page, order);
}

static int __init allocator_init(void)
{
	LIST_HEAD(pages);
	u64 start = ktime_get_raw_ns(), allocated;
	int ret = bulk ? alloc_bulk(&pages) : alloc_all(&pages);

	allocated = ktime_get_raw_ns();
	free_all(&pages);
	alloc_ns = allocated - start;
	free_ns = ktime_get_raw_ns() - allocated;
	return ret;
}
module_init(allocator_init);

static void __exit allocator_exit(void)
{
}
module_exit(allocator_exit);

MODULE_DESCRIPTION("Cost of the page allocator");
MODULE_LICENSE("GPL");
