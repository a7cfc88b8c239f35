// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/floor.c, with memory of our own in the place of the
 * machine's.
 */
#include <kunit/test.h>
#include <linux/balloon_compaction.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/swap.h>
#include <linux/vmstat.h>

static long test_available;
static unsigned long test_totalram;
static long test_free, test_anon, test_swap;

#define si_mem_available()		test_available
#define totalram_pages()		test_totalram
#undef min_wmark_pages
#undef high_wmark_pages
#define min_wmark_pages(zone)		((zone)->present_pages)
#define high_wmark_pages(zone)		((zone)->present_pages + 7000)
#undef low_wmark_pages
#define low_wmark_pages(zone)		300
#undef global_zone_page_state
#define global_zone_page_state(item)	test_free
#undef zone_page_state
#define zone_page_state(zone, item)	((zone)->present_pages + 7000 + test_free)
#undef global_node_page_state
#define global_node_page_state(item)	test_anon
#undef get_nr_swap_pages
#define get_nr_swap_pages()		test_swap
#undef module_param
#define module_param(name, type, mode)	extern int test_no_parameter
#include "../../../../mm/balloon/floor.c"

static unsigned int nr_zones_with_memory(void)
{
	unsigned int nr = 0;
	int nid, z;

	for_each_online_node(nid) {
		for (z = 0; z < MAX_NR_ZONES; z++)
			nr += !!populated_zone(NODE_DATA(nid)->node_zones + z);
	}
	return nr;
}

/* Between the watermarks, too, but for their sake nothing is reclaimed. */
static void memory_is_what_an_allocation_can_have(struct kunit *test)
{
	static const long available[] = { 5000, 1, 0, -300 };
	unsigned int i, nr_zones = nr_zones_with_memory();

	for (i = 0; i < ARRAY_SIZE(available); i++) {
		test_available = available[i];
		KUNIT_EXPECT_EQ(test, balloon_mem_available(),
				available[i] > 0 ?
				available[i] + 7000 * nr_zones : 0);
	}
}

static void floor_is_a_part_of_memory_but_not_too_small(struct kunit *test)
{
	static const unsigned long min = SZ_16M >> PAGE_SHIFT;

	test_totalram = 0;
	KUNIT_EXPECT_EQ(test, default_floor(), min);
	test_totalram = 64 * min;
	KUNIT_EXPECT_EQ(test, default_floor(), min);
	test_totalram = 64 * min + 63;
	KUNIT_EXPECT_EQ(test, default_floor(), min);
	test_totalram = 64 * min + 64;
	KUNIT_EXPECT_EQ(test, default_floor(), min + 1);
	test_totalram = 1UL << 30;
	KUNIT_EXPECT_EQ(test, default_floor(), 1UL << 24);
}

/* What was written is for good, within reason. */
static void floor_outlives_its_balloon(struct kunit *test)
{
	struct balloon *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	test_totalram = 1UL << 20;
	balloon_init_floor(b);
	KUNIT_EXPECT_EQ(test, b->floor, 1UL << 14);
	KUNIT_EXPECT_FALSE(test, b->floor_is_set);
	balloon_set_floor(b, 0);
	KUNIT_EXPECT_EQ(test, b->floor, 0);
	KUNIT_EXPECT_TRUE(test, b->floor_is_set);
	memset(b, 0, sizeof(*b));
	balloon_init_floor(b);
	KUNIT_EXPECT_EQ(test, b->floor, 0);
	KUNIT_EXPECT_TRUE(test, b->floor_is_set);
	floor_pages = LONG_MAX;
	balloon_init_floor(b);
	KUNIT_EXPECT_EQ(test, b->floor, test_totalram);
	floor_pages = -1;
}

/* Only what there is to move, and only where it finds room; some room is left. */
static void swap_is_for_anonymous_memory(struct kunit *test)
{
	struct balloon *b = kunit_kzalloc(test, sizeof(*b), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, b);
	b->floor = 1000;
	test_anon = 4000;
	test_swap = 9000;
	KUNIT_EXPECT_EQ(test, balloon_swap_to_spare(b), 2 * 4000 - 2000);
	test_swap = 5000;
	KUNIT_EXPECT_EQ(test, balloon_swap_to_spare(b), 5000 - 2000);
	test_swap = 2000;
	KUNIT_EXPECT_EQ(test, balloon_swap_to_spare(b), 0);
	test_swap = 0;
	KUNIT_EXPECT_EQ(test, balloon_swap_to_spare(b), 0);
}

/* Down to where the kernel begins to swap, and no further until it has done so. */
static void swapping_is_waited_for(struct kunit *test)
{
	long low = 300L * nr_zones_with_memory();

	test_free = low + 50;
	KUNIT_EXPECT_EQ(test, balloon_room_by_swap(), 50 + PAGES_BELOW_LOW);
	test_free = low;
	KUNIT_EXPECT_EQ(test, balloon_room_by_swap(), 0);
	test_free = low - 50;
	KUNIT_EXPECT_EQ(test, balloon_room_by_swap(), 0);
}

/* Of all nodes, or of one. */
static void free_memory_is_what_reclaim_does_not_want(struct kunit *test)
{
	long nr_zones = nr_zones_with_memory();

	test_free = 20;
	KUNIT_EXPECT_EQ(test, balloon_free_to_spare(NUMA_NO_NODE), 20 * nr_zones);
	KUNIT_EXPECT_GE(test, balloon_free_to_spare(first_online_node), 20);
	KUNIT_EXPECT_LE(test, balloon_free_to_spare(first_online_node), 20 * nr_zones);
	test_free = -20;
	KUNIT_EXPECT_EQ(test, balloon_free_to_spare(NUMA_NO_NODE), 0);
	KUNIT_EXPECT_EQ(test, balloon_free_to_spare(first_online_node), 0);
}

/* One for devices is, beside a large one; a node that has little else is not. */
static void small_zone_is_last_resort(struct kunit *test)
{
	struct pglist_data *node = kunit_kzalloc(test, sizeof(*node), GFP_KERNEL);
	struct zone *zone;

	if (!ZONE_NORMAL)
		kunit_skip(test, "no zone is kept for devices");
	KUNIT_ASSERT_NOT_NULL(test, node);
	for (zone = node->node_zones; zone <= node->node_zones + ZONE_NORMAL; zone++) {
		zone->zone_pgdat = node;
		zone->present_pages = 100;
	}
	node->node_present_pages = 1601;
	KUNIT_EXPECT_TRUE(test, is_last_resort(node->node_zones));
	KUNIT_EXPECT_FALSE(test, is_last_resort(node->node_zones + ZONE_NORMAL));
	node->node_present_pages = 1600;
	KUNIT_EXPECT_FALSE(test, is_last_resort(node->node_zones));
}

static struct kunit_case floor_test_cases[] = {
	KUNIT_CASE(free_memory_is_what_reclaim_does_not_want),
	KUNIT_CASE(swap_is_for_anonymous_memory),
	KUNIT_CASE(swapping_is_waited_for),
	KUNIT_CASE(memory_is_what_an_allocation_can_have),
	KUNIT_CASE(floor_is_a_part_of_memory_but_not_too_small),
	KUNIT_CASE(floor_outlives_its_balloon),
	KUNIT_CASE(small_zone_is_last_resort),
	{}
};

static struct kunit_suite floor_test_suite = {
	.name = "balloon_floor",
	.test_cases = floor_test_cases,
};
kunit_test_suite(floor_test_suite);

MODULE_DESCRIPTION("KUnit suite of what a balloon leaves to the guest");
MODULE_LICENSE("GPL");
