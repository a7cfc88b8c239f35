// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the API of page-level drivers, mm/balloon_compaction.c.
 *
 * The units' warnings are counted, none reaches the log.
 */
#include <kunit/test.h>

#include "fake_host.h"

static struct page *enqueue_new(struct kunit *test)
{
	struct page *page = balloon_page_alloc();

	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_ASSERT_EQ(test, balloon_page_enqueue(&host.b.info, page), 0);
	validate(test);
	return page;
}

static void expect_clean(struct kunit *test, struct page *page)
{
	KUNIT_EXPECT_FALSE(test, PageOffline(page) && !FAKE_TYPE_STAYS);
	KUNIT_EXPECT_FALSE(test, fake_page(page)->movable);
	KUNIT_EXPECT_EQ(test, page_private(page), 0);
	KUNIT_EXPECT_EQ(test, page_count(page), 1);
}

static void enqueue_and_dequeue(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 1);
	KUNIT_EXPECT_PTR_EQ(test, balloon_page_dequeue(&host.b.info), page);
	expect_clean(test, page);
	KUNIT_EXPECT_EQ(test, host.b.stats.dequeued, 1);
	fake_put_page(page);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static void enqueue_refuses_a_page_in_a_balloon(struct kunit *test)
{
	struct page *page = enqueue_new(test);
	struct balloon_dev_info *other;

	KUNIT_EXPECT_EQ(test, balloon_page_enqueue(&host.b.info, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	validate(test);

	other = kunit_kzalloc(test, sizeof(*other), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, other);
	balloon_devinfo_init(other);
	KUNIT_EXPECT_EQ(test, balloon_page_enqueue(other, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, other->nr_ballooned, 0);
	validate(test);
}

/* Page-level drivers ignore what enqueueing returns, so it does not fail. */
static void enqueue_without_memory(struct kunit *test)
{
	unsigned int nth;

	/* The descriptor, then its slot; a known block needs neither. */
	for (nth = 1; nth <= 3; nth++) {
		struct page *page = balloon_page_alloc();

		test_gfp = 0;
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, balloon_page_enqueue(&host.b.info, page), 0);
		validate(test);
		KUNIT_EXPECT_EQ(test, test_fail_nth, nth == 3);
		KUNIT_EXPECT_EQ(test, !!(test_gfp & __GFP_NOFAIL), nth != 3);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 1);
		fake_put_page(balloon_page_dequeue(&host.b.info));
		KUNIT_EXPECT_EQ(test, test_objects, 0);
	}
	test_fail_nth = 0;
}

static unsigned int nr_robberies;

/* Others use the block that was prepared, and free it when they are done. */
static void rob(void)
{
	unsigned long pfn = page_to_pfn(arena) + 100;

	if (!nr_robberies || !nr_robberies--)
		return;
	spin_lock_irq(&host.b.pages_lock);
	if (!balloon_blocks_reserve(&host.b.blocks, pfn, 1, GFP_NOWAIT))
		balloon_blocks_unreserve(&host.b.blocks, pfn, 1);
	test_fail_nth = 1;
	spin_unlock_irq(&host.b.pages_lock);
}

static void enqueue_robbed_of_memory(struct kunit *test)
{
	struct page *page = balloon_page_alloc();

	fake.before_lock_page = rob;
	nr_robberies = 5;
	KUNIT_EXPECT_EQ(test, balloon_page_enqueue(&host.b.info, page), 0);
	KUNIT_EXPECT_EQ(test, nr_robberies, 0);
	fake.before_lock_page = NULL;
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 1);
	validate(test);
}

static void list_enqueue_without_memory(struct kunit *test)
{
	unsigned int nth;

	fake.stride = BALLOON_BLOCK_PAGES + 1;
	for (nth = 1; nth <= 4; nth++) {
		LIST_HEAD(pages);
		unsigned int i;

		for (i = 0; i < 6; i++)
			balloon_page_push(&pages, balloon_page_alloc());
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, balloon_page_list_enqueue(&host.b.info, &pages),
				6);
		KUNIT_EXPECT_EQ(test, test_fail_nth, 0);
		KUNIT_EXPECT_TRUE(test, list_empty(&pages));
		validate(test);
		KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages,
								6), 6);
		while (!list_empty(&pages))
			fake_put_page(balloon_page_pop(&pages));
		KUNIT_EXPECT_EQ(test, test_objects, 0);
	}
}

/* Each kind of page that is not the caller's alone, one by one. */
static void enqueue_refuses_a_page_in_use(struct kunit *test)
{
	struct page *compound = fake_alloc_compound();
	struct page *page = balloon_page_alloc();
	void *object = kzalloc(64, GFP_KERNEL);

	if (compound)
		expect_no_enqueue(test, compound);
	if (object)
		expect_no_enqueue(test, virt_to_page(object));
	KUNIT_EXPECT_NOT_NULL(test, compound);
	KUNIT_EXPECT_NOT_NULL(test, object);

	page->mapping = (void *)&fake;
	expect_no_enqueue(test, page);
	page->mapping = NULL;
	__SetPageReserved(page);
	expect_no_enqueue(test, page);
	__ClearPageReserved(page);
	SetPageLRU(page);
	expect_no_enqueue(test, page);
	ClearPageLRU(page);
	set_page_count(page, 0);
	expect_no_enqueue(test, page);
	set_page_count(page, 1);

	expect_clean(test, page);
	KUNIT_EXPECT_EQ(test, balloon_page_enqueue(&host.b.info, page), 0);
	validate(test);
	if (compound)
		fake_free_compound(compound);
	kfree(object);
}

#ifndef BALLOON_CORE_MIGRATES
/* Only a migration has made a reservation for the page. */
static void insert_outside_of_a_migration(struct kunit *test)
{
	struct page *page = balloon_page_alloc();

	fake_lock_page(page);
	spin_lock_irq(&host.b.pages_lock);
	balloon_page_insert(&host.b.info, page);
	spin_unlock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
	balloon_page_finalize(page);
	unlock_page(page);
	expect_clean(test, page);
	validate(test);
}
#endif

static void alloc_without_memory(struct kunit *test)
{
	fake.no_memory = true;
	KUNIT_EXPECT_NULL(test, balloon_page_alloc());
}

static void r01_list_enqueue_and_dequeue(struct kunit *test)
{
	struct page *page, *next, *bad = enqueue_new(test);
	unsigned long last = 0;
	unsigned int i;
	LIST_HEAD(pages);

	fake.stride = 37;
	for (i = 0; i < 20; i++) {
		balloon_page_push(&pages, balloon_page_alloc());
		if (i == 10)
			balloon_page_push(&pages, bad);
	}
	KUNIT_EXPECT_EQ(test, balloon_page_list_enqueue(&host.b.info, &pages), 20);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_PTR_EQ(test, balloon_page_pop(&pages), bad);
	KUNIT_EXPECT_NULL(test, balloon_page_pop(&pages));
	validate(test);

	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 0), 0);
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 5), 5);
	validate(test);
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 99),
			16);
	validate(test);
	list_for_each_entry_safe(page, next, &pages, lru) {
		KUNIT_EXPECT_GT(test, page_to_pfn(page), last);
		last = page_to_pfn(page);
		expect_clean(test, page);
		list_del(&page->lru);
		fake_put_page(page);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_waits, 0);
}

static void lists_of_any_length(struct kunit *test)
{
	unsigned int i, nr = BALLOON_BLOCK_PAGES + 10;
	struct page *page;
	LIST_HEAD(pages);

	KUNIT_EXPECT_EQ(test, balloon_page_list_enqueue(&host.b.info, &pages), 0);
	KUNIT_EXPECT_NULL(test, balloon_page_pop(&pages));
	for (i = 0; i < nr; i++)
		balloon_page_push(&pages, balloon_page_alloc());
	KUNIT_EXPECT_EQ(test, balloon_page_list_enqueue(&host.b.info, &pages), nr);
	KUNIT_EXPECT_TRUE(test, list_empty(&pages));
	validate(test);
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages,
							SIZE_MAX), nr);
	validate(test);
	for (i = 0; (page = balloon_page_pop(&pages)); i++)
		fake_put_page(page);
	KUNIT_EXPECT_EQ(test, i, nr);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static void r23_dequeue_from_empty_device(struct kunit *test)
{
	LIST_HEAD(pages);

	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 3), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&pages));
	validate(test);
	KUNIT_EXPECT_NULL(test, balloon_page_dequeue(&host.b.info));
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, fake.nr_waits, 0);
	validate(test);
}

static void r23_dequeue_waits_for_isolated_pages(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	fake.step = put_one_back;
	KUNIT_EXPECT_PTR_EQ(test, balloon_page_dequeue(&host.b.info), page);
	KUNIT_EXPECT_EQ(test, fake.nr_waits, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_timeouts, 0);
	validate(test);
}

static void dequeue_does_not_wait_for_ever(struct kunit *test)
{
	struct page *page = enqueue_new(test);
	unsigned long start = fake.now;
	LIST_HEAD(pages);

	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_NULL(test, balloon_page_dequeue(&host.b.info));
	KUNIT_EXPECT_LE(test, fake.now - start, 10 * HZ);
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 1), 0);
	/* A page that may be had is not kept waiting by one that may not. */
	enqueue_new(test);
	start = fake.now;
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 9), 1);
	KUNIT_EXPECT_EQ(test, fake.now, start);
	validate(test);
}

static void isolate_and_putback(struct kunit *test)
{
	struct page *page = enqueue_new(test);
	LIST_HEAD(pages);

	KUNIT_EXPECT_TRUE(test, compaction_isolate(page));
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.isolated_pages, 1);
	/* ISOLATED: neither once more nor into a dequeue. */
	KUNIT_EXPECT_FALSE(test, compaction_isolate(page));
	validate(test);
	KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages, 1), 0);
	compaction_putback(page);
	validate(test);
	KUNIT_EXPECT_TRUE(test, compaction_isolate(page));
	compaction_putback(page);
	KUNIT_EXPECT_PTR_EQ(test, balloon_page_dequeue(&host.b.info), page);
	KUNIT_EXPECT_EQ(test, host.b.stats.putback, 2);
}

static void isolate_refuses_a_foreign_page(struct kunit *test)
{
	struct page *page = balloon_page_alloc();

	fake_lock_page(page);
	KUNIT_EXPECT_FALSE(test, balloon_page_isolate(page, 0));
	unlock_page(page);
	validate(test);
}

static int page_level_error;

/* As such drivers do it. */
#ifdef BALLOON_CORE_MIGRATES
static int page_level_migratepage(struct balloon_dev_info *b,
				  struct page *newpage, struct page *page,
				  enum migrate_mode mode)
{
	return page_level_error;
}
#else
static int page_level_migratepage(struct balloon_dev_info *b,
				  struct page *newpage, struct page *page,
				  enum migrate_mode mode)
{
	if (page_level_error)
		return page_level_error;
	get_page(newpage);
	spin_lock_irq(&b->pages_lock);
	balloon_page_insert(b, newpage);
	b->isolated_pages--;
	spin_unlock_irq(&b->pages_lock);
	balloon_page_finalize(page);
	fake_put_page(page);
	fake_count_vm_events(BALLOON_MIGRATE, 1);
	return 0;
}
#endif

static void page_level_migration(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	host.b.migratepage = page_level_migratepage;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	page_level_error = -EAGAIN;
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_ASYNC), -EAGAIN);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.migrate_failed, 1);
	page_level_error = 0;
	test_fail_nth = 1;
	fake.next = BALLOON_BLOCK_PAGES;
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_ASYNC), -EAGAIN);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.migrate_failed, 2);

	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), 0);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONFREED], 1);
	KUNIT_EXPECT_FALSE(test, fake_page(page)->taken);
	page = balloon_page_dequeue(&host.b.info);
	KUNIT_ASSERT_NOT_NULL(test, page);
	KUNIT_EXPECT_GE(test, arena_index(page), BALLOON_BLOCK_PAGES);
	expect_clean(test, page);
}

/* As a driver does whose hypervisor gives back the old page and takes no new one. */
#ifdef BALLOON_CORE_MIGRATES
#define HALF_MIGRATED	0
static int half_migratepage(struct balloon_dev_info *b, struct page *newpage,
			    struct page *page, enum migrate_mode mode)
{
	return -ENOENT;
}
#else
#define HALF_MIGRATED	(-EBUSY)
static int half_migratepage(struct balloon_dev_info *b, struct page *newpage,
			    struct page *page, enum migrate_mode mode)
{
	balloon_page_finalize(page);
	fake_put_page(page);
	spin_lock_irq(&b->pages_lock);
	b->isolated_pages--;
	spin_unlock_irq(&b->pages_lock);
	return HALF_MIGRATED;
}
#endif

static void page_level_migration_shrinks_the_balloon(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	enqueue_new(test);
	host.b.migratepage = half_migratepage;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), HALF_MIGRATED);
	/* The page is the migration code's alone, which frees it. */
	if (HALF_MIGRATED) {
		fake_page(page)->isolated = false;
		list_del(&page->lru);
		fake_put_page(page);
	}
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONFAILED], 1);
	KUNIT_EXPECT_EQ(test, fake.events[BALLOON_INFLATE] -
			fake.events[BALLOON_DEFLATE], 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
}

/* Between zones, too; what a page of the balloon is, it is of its zone. */
static void page_level_pages_are_not_managed(struct kunit *test)
{
	struct page *page;

	host.b.adjust_managed_page_count = true;
	host.b.migratepage = page_level_migratepage;
	fake.zone_boundary = BALLOON_BLOCK_PAGES;
	page = enqueue_new(test);
	enqueue_new(test);
	KUNIT_EXPECT_EQ(test, fake.managed[0], -2);
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	fake.next = BALLOON_BLOCK_PAGES;
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), 0);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.managed[0], -1);
	KUNIT_EXPECT_EQ(test, fake.managed[1], -1);
	host.b.migratepage = half_migratepage;
	page = arena + BALLOON_BLOCK_PAGES;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), HALF_MIGRATED);
	KUNIT_EXPECT_EQ(test, fake.managed[1], 0);
	KUNIT_EXPECT_NOT_NULL(test, balloon_page_dequeue(&host.b.info));
	KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
}

static void page_level_migration_without_a_callback(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), -EBUSY);
	validate(test);
	compaction_putback(page);
	validate(test);
}

static void page_level_random_walk(struct kunit *test)
{
	unsigned int step;

	host.b.migratepage = page_level_migratepage;
	fake.stride = 389;
	fake.step = put_one_back;
	for (step = 0; step < 3000; step++) {
		struct page *page = arena + test_random(ARENA_PAGES);
		LIST_HEAD(pages);

		switch (test_random(6)) {
		case 0:
		case 1:
			page = balloon_page_alloc();
			if (page && balloon_page_enqueue(&host.b.info, page))
				fake_put_page(page);
			break;
		case 2:
			compaction_isolate(page);
			break;
		case 3:
			put_one_back(test);
			break;
		case 4:
			page = compaction_first();
			page_level_error = test_random(4) ? 0 : -EAGAIN;
			if (page)
				compaction_migrate(page, MIGRATE_ASYNC);
			break;
		default:
			balloon_page_list_dequeue(&host.b.info, &pages,
						  test_random(8));
			while ((page = balloon_page_pop(&pages)))
				fake_put_page(page);
		}
		validate(test);
	}
}

/*
 * Marking a page movable is the business of mm/balloon/movable.h, which the
 * other cases replace.  The page lock keeps the kernel's own compaction away.
 */
#ifdef HAVE_SET_MOVABLE_OPS
static void movable_page_leads_to_the_core(struct kunit *test)
{
	struct page *page = enqueue_new(test);

	KUNIT_EXPECT_FALSE(test, PageMovableOps(page));
	KUNIT_EXPECT_TRUE(test, real_is_taken(page));
	fake_lock_page(page);
	real_set_movable(page);
	KUNIT_EXPECT_TRUE(test, page_has_movable_ops(page));
	KUNIT_EXPECT_PTR_EQ(test, balloon_page_owner(page), &host.b.info);
	/* Another balloon has a pointer there. */
	KUNIT_EXPECT_NULL(test, balloon_private_to_owner((unsigned long)&fake));
	unlock_page(page);
	validate(test);
}
#else
static void movable_page_leads_to_the_core(struct kunit *test)
{
	struct page *page = enqueue_new(test);
	const struct movable_operations *ops;

	fake_lock_page(page);
	real_set_movable(page);
	ops = page_movable_ops(page);
	KUNIT_ASSERT_NOT_NULL(test, ops);
	KUNIT_EXPECT_TRUE(test, real_is_taken(page));
	KUNIT_EXPECT_TRUE(test, ops->isolate_page(page, 0));
	KUNIT_EXPECT_EQ(test, host.b.isolated_pages, 1);
	KUNIT_EXPECT_FALSE(test, ops->isolate_page(page, 0));
	KUNIT_EXPECT_EQ(test, ops->migrate_page(page, page, MIGRATE_ASYNC),
			-EBUSY);
	ops->putback_page(page);
	KUNIT_EXPECT_EQ(test, host.b.isolated_pages, 0);
	real_clear_movable(page);
	KUNIT_EXPECT_NULL(test, page_movable_ops(page));
	KUNIT_EXPECT_TRUE(test, real_is_taken(page));
	/* The mark stays until the page is freed, and is nobody's mapping. */
	__ClearPageOffline(page);
	KUNIT_EXPECT_FALSE(test, real_is_taken(page));
	real_reset_movable(page);
	KUNIT_EXPECT_NULL(test, page->mapping);
	/* Anybody else's, such as an anonymous page's. */
	page->mapping = (void *)((unsigned long)&fake | 1);
	KUNIT_EXPECT_TRUE(test, real_is_taken(page));
	page->mapping = NULL;
	__SetPageOffline(page);
	unlock_page(page);
	validate(test);
}
#endif

static int page_level_init(struct kunit *test)
{
	host_init(test);
	fake_device_blank();
	page_level_error = 0;
	nr_robberies = 0;
	return 0;
}

static struct kunit_case page_level_test_cases[] = {
	KUNIT_CASE(enqueue_and_dequeue),
	KUNIT_CASE(enqueue_refuses_a_page_in_a_balloon),
	KUNIT_CASE(enqueue_without_memory),
	KUNIT_CASE(enqueue_robbed_of_memory),
	KUNIT_CASE(list_enqueue_without_memory),
	KUNIT_CASE(enqueue_refuses_a_page_in_use),
#ifndef BALLOON_CORE_MIGRATES
	KUNIT_CASE(insert_outside_of_a_migration),
#endif
	KUNIT_CASE(alloc_without_memory),
	KUNIT_CASE(r01_list_enqueue_and_dequeue),
	KUNIT_CASE(lists_of_any_length),
	KUNIT_CASE(r23_dequeue_from_empty_device),
	KUNIT_CASE(r23_dequeue_waits_for_isolated_pages),
	KUNIT_CASE(dequeue_does_not_wait_for_ever),
	KUNIT_CASE(isolate_and_putback),
	KUNIT_CASE(isolate_refuses_a_foreign_page),
	KUNIT_CASE(page_level_migration),
	KUNIT_CASE(page_level_migration_shrinks_the_balloon),
	KUNIT_CASE(page_level_pages_are_not_managed),
	KUNIT_CASE(page_level_migration_without_a_callback),
	KUNIT_CASE(page_level_random_walk),
	KUNIT_CASE(movable_page_leads_to_the_core),
	{}
};

static struct kunit_suite page_level_test_suite = {
	.name = "balloon_page_level",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = page_level_init,
	.exit = host_test_exit,
	.test_cases = page_level_test_cases,
};

kunit_test_suite(page_level_test_suite);

MODULE_DESCRIPTION("KUnit suite of the API of page-level drivers");
MODULE_LICENSE("GPL");
