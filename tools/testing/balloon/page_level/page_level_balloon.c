// SPDX-License-Identifier: GPL-2.0
/*
 * A balloon that uses mainline's page-level API and nothing else, as vmw_balloon
 * and cmm do, to test that API.  The source is the same for the kernel's own
 * core and for ours.
 *
 * Its hypervisor is a bitmap of the pages that it holds.  It overwrites what it
 * takes, and notices on return if somebody else has written to it.
 *
 * debugfs, page_level_balloon/:
 *
 *	target_pages	size of the balloon; a write returns when it is reached,
 *			or with an error (ENOMEM, EBUSY)
 *	ledger_pages	pages that the hypervisor holds
 *	migrated	pages migrated
 *	violations	pages taken twice, given back without having been taken,
 *			or written to meanwhile: must be 0
 *
 * page->lru links pages that are in no device.
 *
 * Lock order:
 *
 *	pl.mutex
 *	  page lock
 *	    pl.b.pages_lock
 *	    host.lock
 */
/* Sparse does not know __has_include. */
#ifdef __has_include
#if __has_include("linux/balloon.h")
#define SINCE_7_0
#endif
#if !__has_include("linux/balloon_compaction.h")
#define ONLY_BALLOON_H
#endif
#endif
#ifdef ONLY_BALLOON_H
#include <linux/balloon.h>
#else
#include <linux/balloon_compaction.h>
#endif
#include <linux/bitmap.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/nodemask.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

/* So many pages at once go through the functions that take lists. */
#define CHUNK		64

/* How long all pages may be isolated before a deflation gives up. */
#define PATIENCE	(10 * HZ)

#define POISON		0xa5

static struct {
	spinlock_t lock;		/* protects what follows */
	unsigned long *ledger;		/* a bit for each page */
	unsigned long end;		/* first page that has none */
	unsigned long nr_pages;		/* bits set */
	unsigned long nr_violations;
	unsigned long nr_migrated;
} host;

static struct {
	struct mutex mutex;		/* serialises changes of size */
	unsigned long nr_pages;		/* under mutex */
	struct balloon_dev_info b;
	struct dentry *dir;
} pl;

/* The hypervisor */

static int host_take(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	if (pfn >= host.end)
		return -EINVAL;
	memset_page(page, 0, POISON, PAGE_SIZE);
	spin_lock(&host.lock);
	if (__test_and_set_bit(pfn, host.ledger))
		host.nr_violations++;
	else
		host.nr_pages++;
	spin_unlock(&host.lock);
	return 0;
}

static bool is_poisoned(struct page *page)
{
	void *p = kmap_local_page(page);
	bool poisoned = !memchr_inv(p, POISON, PAGE_SIZE);

	kunmap_local(p);
	return poisoned;
}

static void host_give(struct page *page)
{
	bool untouched = is_poisoned(page);

	spin_lock(&host.lock);
	if (!__test_and_clear_bit(page_to_pfn(page), host.ledger))
		host.nr_violations++;
	else
		host.nr_pages--;
	host.nr_violations += !untouched;
	spin_unlock(&host.lock);
}

static int host_init(void)
{
	int nid;

	spin_lock_init(&host.lock);
	for_each_online_node(nid)
		host.end = max(host.end, node_end_pfn(nid));
	host.ledger = vzalloc(BITS_TO_LONGS(host.end) * sizeof(long));
	return host.ledger ? 0 : -ENOMEM;
}

/* The balloon */

/* Since 7.0 the core does what is the same in all drivers. */
#ifdef SINCE_7_0
static void devinfo_init(void)
{
	balloon_devinfo_init(&pl.b);
	pl.b.adjust_managed_page_count = true;
}

static void adjust_managed(struct page *page, long nr) { }

static void replace_page(struct balloon_dev_info *b, struct page *newpage,
			 struct page *page)
{
	host_give(page);
}
#else
static void devinfo_init(void)
{
	balloon_devinfo_init(&pl.b);
}

static void adjust_managed(struct page *page, long nr)
{
	adjust_managed_page_count(page, nr);
}

static void replace_page(struct balloon_dev_info *b, struct page *newpage,
			 struct page *page)
{
	unsigned long flags;

	get_page(newpage);
	spin_lock_irqsave(&b->pages_lock, flags);
	balloon_page_insert(b, newpage);
	b->isolated_pages--;
	__count_vm_event(BALLOON_MIGRATE);
	spin_unlock_irqrestore(&b->pages_lock, flags);

	host_give(page);
	balloon_page_finalize(page);
	put_page(page);
}
#endif

static struct page *take_page(void)
{
	struct page *page = balloon_page_alloc();

	if (!page)
		return NULL;
	if (host_take(page)) {
		__free_page(page);
		return NULL;
	}
	adjust_managed(page, -1);
	return page;
}

static void give_page(struct page *page)
{
	host_give(page);
	adjust_managed(page, 1);
	__free_page(page);
}

static int __inflate_one(void)
{
	struct page *page = take_page();

	lockdep_assert_held(&pl.mutex);
	if (!page)
		return -ENOMEM;
	balloon_page_enqueue(&pl.b, page);
	pl.nr_pages++;
	return 0;
}

static int __inflate_list(void)
{
	LIST_HEAD(pages);
	struct page *page;
	unsigned int i;

	lockdep_assert_held(&pl.mutex);
	for (i = 0; i < CHUNK; i++) {
		page = take_page();
		if (!page)
			break;
		list_add(&page->lru, &pages);
	}
	pl.nr_pages += balloon_page_list_enqueue(&pl.b, &pages);
	return i == CHUNK ? 0 : -ENOMEM;
}

/* Both: -EAGAIN if every page is isolated just now. */

static int __deflate_one(void)
{
	struct page *page = balloon_page_dequeue(&pl.b);

	lockdep_assert_held(&pl.mutex);
	if (!page)
		return -EAGAIN;
	give_page(page);
	pl.nr_pages--;
	return 0;
}

static int __deflate_list(void)
{
	LIST_HEAD(pages);
	struct page *page, *next;

	lockdep_assert_held(&pl.mutex);
	pl.nr_pages -= balloon_page_list_dequeue(&pl.b, &pages, CHUNK);
	if (list_empty(&pages))
		return -EAGAIN;
	list_for_each_entry_safe(page, next, &pages, lru) {
		list_del(&page->lru);
		give_page(page);
	}
	return 0;
}

static int __deflate(unsigned long nr_pages)
{
	unsigned long deadline = jiffies + PATIENCE;
	int err;

	for (;;) {
		err = nr_pages < CHUNK ? __deflate_one() : __deflate_list();
		if (!err)
			return 0;
		if (time_after(jiffies, deadline))
			return -EBUSY;
		msleep(20);
	}
}

static int resize(unsigned long target)
{
	int err = 0;

	mutex_lock(&pl.mutex);
	while (!err && pl.nr_pages != target) {
		if (pl.nr_pages > target)
			err = __deflate(pl.nr_pages - target);
		else if (target - pl.nr_pages < CHUNK)
			err = __inflate_one();
		else
			err = __inflate_list();
		cond_resched();
	}
	mutex_unlock(&pl.mutex);
	return err;
}

static int page_level_migratepage(struct balloon_dev_info *b,
				  struct page *newpage, struct page *page,
				  enum migrate_mode mode)
{
	if (host_take(newpage))
		return -EBUSY;
	if (page_zone(page) != page_zone(newpage)) {
		adjust_managed(page, 1);
		adjust_managed(newpage, -1);
	}
	replace_page(b, newpage, page);

	spin_lock(&host.lock);
	host.nr_migrated++;
	spin_unlock(&host.lock);
	return 0;
}

/* debugfs */

static int target_get(void *data, u64 *value)
{
	mutex_lock(&pl.mutex);
	*value = pl.nr_pages;
	mutex_unlock(&pl.mutex);
	return 0;
}

static int target_set(void *data, u64 value)
{
	return value > host.end ? -ERANGE : resize(value);
}
DEFINE_DEBUGFS_ATTRIBUTE(target_fops, target_get, target_set, "%llu\n");

static void debugfs_init(void)
{
	pl.dir = debugfs_create_dir("page_level_balloon", NULL);
	debugfs_create_file_unsafe("target_pages", 0600, pl.dir, NULL,
				   &target_fops);
	debugfs_create_ulong("ledger_pages", 0400, pl.dir, &host.nr_pages);
	debugfs_create_ulong("migrated", 0400, pl.dir, &host.nr_migrated);
	debugfs_create_ulong("violations", 0400, pl.dir, &host.nr_violations);
}

static int __init page_level_init(void)
{
	int err = host_init();

	if (err)
		return err;
	mutex_init(&pl.mutex);
	devinfo_init();
	pl.b.migratepage = page_level_migratepage;
	debugfs_init();
	return 0;
}
module_init(page_level_init);

static void __exit page_level_exit(void)
{
	debugfs_remove_recursive(pl.dir);
	/* Whoever holds a page calls us with it; there is no way but to wait. */
	while (resize(0))
		pr_warn_ratelimited("page_level_balloon: pages do not come back\n");
	vfree(host.ledger);
}
module_exit(page_level_exit);

MODULE_DESCRIPTION("A balloon on the page-level API, without a hypervisor");
MODULE_LICENSE("GPL");
