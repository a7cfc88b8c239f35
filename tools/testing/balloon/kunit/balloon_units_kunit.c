// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of whole blocks, which the worker takes and frees at once while it can:
 * mm/balloon/target.c and mm/balloon/pages.c.  Each page of one is a page like
 * all others.
 */
#include <kunit/test.h>

#include "host_device.h"

/* Whole blocks first, then as many single pages as are missing. */
static void blocks_come_and_go(struct kunit *test)
{
	static const struct { unsigned int target, blocks; } cases[] = {
		{ 1, 0 }, { BALLOON_BLOCK_PAGES - 1, 0 },
		{ BALLOON_BLOCK_PAGES, 1 }, { BALLOON_BLOCK_PAGES + 1, 1 },
		{ 2 * BALLOON_BLOCK_PAGES, 2 },
	};
	unsigned int i;

	begin(test);
	fake.units = true;
	fake.zone_boundary = BALLOON_BLOCK_PAGES;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		/* Single pages do not fill a block by chance. */
		fake.next = BALLOON_BLOCK_PAGES + 3;
		fake.stride = 3;
		fake.nr_freed_blocks = 0;
		resize(test, cases[i].target);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, cases[i].target);
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, cases[i].blocks);
	}
	KUNIT_EXPECT_EQ(test, test_objects, BALLOON_NR_BATCHES + 1);
}

/* An administrator may want single pages, or guests may have nothing else. */
static void blocks_are_not_wanted_or_not_there(struct kunit *test)
{
	begin(test);
	fake.stride = 389;
	resize(test, BALLOON_BLOCK_PAGES);
	resize(test, 0);
	fake.units = true;
	inflate_order = 0;
	resize(test, BALLOON_BLOCK_PAGES);
	resize(test, 0);
	inflate_order = BALLOON_BLOCK_SHIFT;
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

static void inflation_begins_with_an_order_up_to_a_block(struct kunit *test)
{
	static const struct { const char *text; int err; unsigned int order; }
	cases[] = {
		{ "0\n", 0, 0 }, { "4", 0, 4 }, { "9\n", 0, 9 },
		{ "10", -EINVAL, 9 }, { "-1", -EINVAL, 9 }, { "x", -EINVAL, 9 },
		{ "", -EINVAL, 9 },
	};
	const struct kernel_param param = { .arg = &inflate_order };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ(test, set_inflate_order(cases[i].text, &param),
				cases[i].err);
		KUNIT_EXPECT_EQ(test, balloon_inflate_order(), cases[i].order);
	}
}

/* Deflated in part, and the rest later. */
static void block_is_cut(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, BALLOON_BLOCK_PAGES);
	resize(test, 500);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 500);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

/* What can come to any page of a whole block finds a page like all others. */
static void each_page_of_a_block_is_a_page(struct kunit *test)
{
	unsigned int i;

	begin(test);
	fake.units = true;
	resize(test, BALLOON_BLOCK_PAGES);
	for (i = 0; i < BALLOON_BLOCK_PAGES; i++) {
		KUNIT_ASSERT_EQ(test, page_count(arena + i), 1);
		KUNIT_ASSERT_TRUE(test, PageOffline(arena + i));
		KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + i));
		compaction_putback(compaction_first());
	}
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 1);
}

/* Any page of a block is isolated, and migrated or put back. */
static void block_loses_a_page(struct kunit *test)
{
	static const unsigned int page[] = { 0, 1, BALLOON_BLOCK_PAGES - 1 };
	unsigned int i, back;

	begin(test);
	fake.units = true;
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		for (back = 0; back < 2; back++) {
			fake.nr_freed_blocks = 0;
			resize(test, BALLOON_BLOCK_PAGES);
			KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + page[i]));
			validate(test);
			if (back)
				compaction_putback(compaction_first());
			else
				compaction_migrate(compaction_first(), MIGRATE_SYNC);
			settle(test);
			resize(test, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, back);
		}
	}
}

/* Another page takes the place of one that has left: freed as one all the same. */
static void block_is_filled_up(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, BALLOON_BLOCK_PAGES);
	isolate_some(test, 1);
	fake.next = BALLOON_BLOCK_PAGES;
	compaction_migrate(compaction_first(), MIGRATE_SYNC);
	settle(test);
	KUNIT_EXPECT_FALSE(test, fake.page[0].taken);
	KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + BALLOON_BLOCK_PAGES));
	fake.next = 0;
	compaction_migrate(compaction_first(), MIGRATE_SYNC);
	settle(test);
	KUNIT_EXPECT_TRUE(test, fake.page[0].taken);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 1);
}

/* Somebody looks at one of its pages: that one is freed when he has done so. */
static void page_of_a_block_is_in_use(struct kunit *test)
{
	static const unsigned int page[] = { 0, 100, BALLOON_BLOCK_PAGES - 1 };
	unsigned int i;

	begin(test);
	fake.units = true;
	for (i = 0; i < ARRAY_SIZE(page); i++) {
		resize(test, BALLOON_BLOCK_PAGES);
		get_page(arena + page[i]);
		balloon_set_target(&host.b, 0);
		fake_run_work(fake.now);
		while (host_answer_nth(0))
			;
		while (fake_run_work(fake.now))
			;
		KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
		KUNIT_EXPECT_FALSE(test, PageOffline(arena + page[i]) && !FAKE_TYPE_STAYS);
		fake_put_page(arena + page[i]);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		validate(test);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

/* The page allocator looks only at single pages whether they are faulty. */
static void page_of_a_block_is_faulty(struct kunit *test)
{
	unsigned int i;

	begin(test);
	fake.units = true;
	for (i = 0; i < BALLOON_BLOCK_PAGES; i += BALLOON_BLOCK_PAGES - 1) {
		if (!IS_ENABLED(CONFIG_MEMORY_FAILURE))
			continue;
		resize(test, BALLOON_BLOCK_PAGES);
		SetPageHWPoison(arena + i);
		resize(test, 0);
		ClearPageHWPoison(arena + i);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

/* The hypervisor takes or gives back only a part. */
static void block_is_refused_in_part(struct kunit *test)
{
	begin(test);
	fake.units = true;
	host.refuse = 5;
	balloon_set_target(&host.b, BALLOON_BLOCK_PAGES);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, BALLOON_BLOCK_PAGES - 5);
	host.refuse = 0;
	resize(test, 0);
	resize(test, BALLOON_BLOCK_PAGES);
	host.keep = 5;
	balloon_set_target(&host.b, 0);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
	host.keep = 0;
	fake_let_pass(60 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

static struct kunit_case units_test_cases[] = {
	KUNIT_CASE(blocks_come_and_go),
	KUNIT_CASE(blocks_are_not_wanted_or_not_there),
	KUNIT_CASE(inflation_begins_with_an_order_up_to_a_block),
	KUNIT_CASE(block_is_cut),
	KUNIT_CASE(each_page_of_a_block_is_a_page),
	KUNIT_CASE(block_loses_a_page),
	KUNIT_CASE(block_is_filled_up),
	KUNIT_CASE(page_of_a_block_is_in_use),
	KUNIT_CASE(page_of_a_block_is_faulty),
	KUNIT_CASE(block_is_refused_in_part),
	{}
};

static struct kunit_suite units_test_suite = {
	.name = "balloon_units",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = units_test_cases,
};
kunit_test_suite(units_test_suite);

MODULE_DESCRIPTION("KUnit suite of whole blocks in a balloon");
MODULE_LICENSE("GPL");
