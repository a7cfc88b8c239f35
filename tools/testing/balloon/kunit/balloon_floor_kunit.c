// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon_floor.c, with nodes, zones and processors of our
 * own in the place of the machine's.
 */
#include <kunit/test.h>
#include <linux/balloon_compaction.h>
#include <linux/cpumask.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/module.h>
#include <linux/nodemask.h>
#include <linux/percpu.h>
#include <linux/sizes.h>

#define NR_TEST_NODES	2
#define NR_TEST_CPUS	3

static struct {
	struct zone node_zones[MAX_NR_ZONES];
	struct per_cpu_pages lists[MAX_NR_ZONES][NR_TEST_CPUS];
} test_node[NR_TEST_NODES];
static long test_available;
static unsigned long test_totalram;

#undef for_each_online_node
#define for_each_online_node(nid)	for (nid = 0; nid < NR_TEST_NODES; nid++)
#undef for_each_online_cpu
#define for_each_online_cpu(cpu)	for (cpu = 0; cpu < NR_TEST_CPUS; cpu++)
#undef NODE_DATA
#define NODE_DATA(nid)			(&test_node[nid])
#undef per_cpu_ptr
#define per_cpu_ptr(array, cpu)		(&(array)[cpu])
#define si_mem_available()		test_available
#define totalram_pages()		test_totalram
#include "../../../../mm/balloon_floor.c"

/* All zones of all nodes, and lists of all processors, empty. */
static int floor_test_init(struct kunit *test)
{
	unsigned int i, j;

	memset(test_node, 0, sizeof(test_node));
	for (i = 0; i < NR_TEST_NODES; i++) {
		for (j = 0; j < MAX_NR_ZONES; j++) {
			struct zone *zone = &test_node[i].node_zones[j];

			zone->present_pages = 1000;
			zone->per_cpu_pageset = test_node[i].lists[j];
		}
	}
	test_available = 5000;
	return 0;
}

static void lists_of_all_processors_count(struct kunit *test)
{
	unsigned int i, j, k, sum = 0;

	KUNIT_EXPECT_EQ(test, balloon_mem_available(), 5000);
	for (i = 0; i < NR_TEST_NODES; i++) {
		for (j = 0; j < MAX_NR_ZONES; j++) {
			for (k = 0; k < NR_TEST_CPUS; k++) {
				test_node[i].lists[j][k].count = 1 + i + j + k;
				sum += 1 + i + j + k;
				KUNIT_EXPECT_EQ(test, balloon_mem_available(),
						5000 + sum);
			}
		}
	}
}

/* A zone without memory has no lists of its own. */
static void empty_zone_is_not_looked_at(struct kunit *test)
{
	test_node[1].lists[0][0].count = 7;
	test_node[0].node_zones[0].present_pages = 0;
	test_node[0].node_zones[0].per_cpu_pageset = NULL;
	KUNIT_EXPECT_EQ(test, balloon_mem_available(), 5007);
}

static void shortage_is_negative(struct kunit *test)
{
	test_available = -300;
	test_node[0].lists[0][0].count = 100;
	KUNIT_EXPECT_EQ(test, balloon_mem_available(), -200);
}

static void floor_is_a_part_of_memory_but_not_too_small(struct kunit *test)
{
	static const unsigned long min = SZ_4M >> PAGE_SHIFT;

	test_totalram = 0;
	KUNIT_EXPECT_EQ(test, balloon_default_floor(), min);
	test_totalram = 64 * min;
	KUNIT_EXPECT_EQ(test, balloon_default_floor(), min);
	test_totalram = 64 * min + 63;
	KUNIT_EXPECT_EQ(test, balloon_default_floor(), min);
	test_totalram = 64 * min + 64;
	KUNIT_EXPECT_EQ(test, balloon_default_floor(), min + 1);
	test_totalram = 1UL << 30;
	KUNIT_EXPECT_EQ(test, balloon_default_floor(), 1UL << 24);
}

static struct kunit_case floor_test_cases[] = {
	KUNIT_CASE(lists_of_all_processors_count),
	KUNIT_CASE(empty_zone_is_not_looked_at),
	KUNIT_CASE(shortage_is_negative),
	KUNIT_CASE(floor_is_a_part_of_memory_but_not_too_small),
	{}
};

static struct kunit_suite floor_test_suite = {
	.name = "balloon_floor",
	.init = floor_test_init,
	.test_cases = floor_test_cases,
};
kunit_test_suite(floor_test_suite);

MODULE_DESCRIPTION("KUnit suite of what a balloon leaves to the guest");
MODULE_LICENSE("GPL");
