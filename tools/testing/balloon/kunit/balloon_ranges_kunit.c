// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/ranges.c: pages in any order become as few ranges as
 * possible.
 */
#include <kunit/test.h>

#include "host_device.h"

static void ranges_merge(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(arena);
	struct balloon_range_list *list;

	list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	balloon_range_add(list, pfn + 10, 1);
	balloon_range_add(list, pfn + 11, 4);	/* above */
	balloon_range_add(list, pfn + 8, 2);	/* below */
	KUNIT_EXPECT_EQ(test, list->nr, 1);
	KUNIT_EXPECT_EQ(test, list->range[0].pfn, pfn + 8);
	KUNIT_EXPECT_EQ(test, list->range[0].nr, 7);
	balloon_range_add(list, pfn + 16, 1);	/* a gap */
	KUNIT_EXPECT_EQ(test, list->nr, 2);
	balloon_range_add(list, pfn + 511, 1);
	balloon_range_add(list, pfn + 512, 1);	/* another block */
	KUNIT_EXPECT_EQ(test, list->nr, 3);
	KUNIT_EXPECT_EQ(test, list->nr_pages, 7 + 1 + 2);
	KUNIT_EXPECT_EQ(test, list->range[2].nr_refused, 0);
}

static void check_sorted(struct kunit *test, const struct balloon_range_list *list,
			 unsigned int nr_pages)
{
	unsigned int i, nr = 0;

	for (i = 0; i < list->nr; i++) {
		const struct balloon_range *range = &list->range[i];

		nr += range->nr;
		if (i)
			KUNIT_EXPECT_GE(test, range->pfn,
					range[-1].pfn + range[-1].nr);
	}
	KUNIT_EXPECT_EQ(test, nr, nr_pages);
	KUNIT_EXPECT_EQ(test, list->nr_pages, nr_pages);
}

/* Pages of a few blocks, in any order, become as few ranges as possible. */
static void ranges_sort(struct kunit *test)
{
	static const unsigned int order[] = { 3, 700, 5, 4, 65, 64, 63, 701, 0 };
	unsigned long pfn = page_to_pfn(arena);
	struct balloon_range_list *list;
	unsigned int i;

	list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < ARRAY_SIZE(order); i++)
		balloon_range_add_page(list, pfn + order[i]);
	balloon_ranges_sort(list);
	check_sorted(test, list, ARRAY_SIZE(order));
	/* 0, 3-5, 63-65, 700-701 */
	KUNIT_EXPECT_EQ(test, list->nr, 4);
	KUNIT_EXPECT_EQ(test, list->range[2].pfn, pfn + 63);
	KUNIT_EXPECT_EQ(test, list->range[2].nr, 3);

	/* A whole arena, backwards, is one. */
	list->nr = 0;
	list->nr_pages = 0;
	for (i = BALLOON_BATCH_RANGES; i-- > 0;)
		balloon_range_add_page(list, pfn + i);
	balloon_ranges_sort(list);
	check_sorted(test, list, BALLOON_BATCH_RANGES);
	KUNIT_EXPECT_EQ(test, list->nr, 1);
}

/*
 * Two pages on both sides of each boundary between blocks: joined as long as
 * there is a bitmap for each block, and never across zones.
 */
static void ranges_sort_blocks(struct kunit *test)
{
	unsigned long pfn = page_to_pfn(arena) + BALLOON_BLOCK_PAGES;
	struct balloon_range_list *list;
	unsigned int nr, i;

	list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	balloon_ranges_sort(list);
	KUNIT_EXPECT_EQ(test, list->nr, 0);
	for (nr = 1; nr <= NR_BUCKETS + 2; nr++) {
		list->nr = 0;
		list->nr_pages = 0;
		/* One boundary less than blocks; from above. */
		for (i = nr - 1; i-- > 0;) {
			unsigned long at = pfn + i * BALLOON_BLOCK_PAGES;

			balloon_range_add_page(list, at);
			balloon_range_add_page(list, at - 1);
		}
		balloon_ranges_sort(list);
		check_sorted(test, list, 2 * (nr - 1));
		KUNIT_EXPECT_EQ(test, list->nr,
				nr > NR_BUCKETS ? 2 * (nr - 1) : nr - 1);
	}
}

/* Pages of many blocks keep their number of ranges. */
static void ranges_sort_far_apart(struct kunit *test)
{
	struct balloon_range_list *list;
	unsigned int i;

	list = kunit_kzalloc(test, sizeof(*list), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, list);
	for (i = 0; i < BALLOON_BATCH_RANGES; i++)
		balloon_range_add_page(list, (i * 37 % BALLOON_BATCH_RANGES + 1) *
					     BALLOON_BLOCK_PAGES);
	balloon_ranges_sort(list);
	check_sorted(test, list, BALLOON_BATCH_RANGES);
	KUNIT_EXPECT_EQ(test, list->nr, BALLOON_BATCH_RANGES);
}

static struct kunit_case ranges_test_cases[] = {
	KUNIT_CASE(ranges_merge),
	KUNIT_CASE(ranges_sort),
	KUNIT_CASE(ranges_sort_blocks),
	KUNIT_CASE(ranges_sort_far_apart),
	{}
};

static struct kunit_suite ranges_test_suite = {
	.name = "balloon_ranges",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = ranges_test_cases,
};
kunit_test_suite(ranges_test_suite);

MODULE_DESCRIPTION("KUnit suite of the ranges of a batch");
MODULE_LICENSE("GPL");
