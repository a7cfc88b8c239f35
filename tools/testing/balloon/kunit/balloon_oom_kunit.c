// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/oom.c: a guest that runs out of memory takes pages back.
 */
#include <kunit/test.h>

#include "host_device.h"

/* Only a device that says so is squeezed, and its pages stay the guest's. */
static void begin_with_oom(struct kunit *test)
{
	begin(test);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	balloon_deflate_on_oom(&host.b);
}

static void r08_oom_gives_pages_back(struct kunit *test)
{
	unsigned long start, freed;

	begin_with_oom(test);
	resize(test, 40);
	KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
	start = fake.now;
	fake.step = host_step;
	freed = fake_out_of_memory(BALLOON_OOM_PAGES - 30);
	KUNIT_EXPECT_EQ(test, freed, 30);
	KUNIT_EXPECT_EQ(test, fake.now, start);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 10);
	KUNIT_EXPECT_EQ(test, host.b.stats.oom_deflated, 30);
	KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
	/* The hypervisor hears of it, and there is no tug-of-war. */
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.reported, 10);
	KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_LIMITED_BY_OOM);
	fake_let_pass(BALLOON_BACKOFF_MAX / 2);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
	fake_let_pass(BALLOON_BACKOFF_MAX);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 40);
	/* Another balloon has given enough. */
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(BALLOON_OOM_PAGES), 0);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 40);
	/* There is nothing any more. */
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, nr_oom_devices, 0);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
}

static bool run_out_of_memory(struct kunit *test)
{
	fake.step = host_step;
	if (host.nr_inflated == 40)
		KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 20);
	return host_answer_nth(0);
}

/* While the worker inflates: it stops, and so does not take it all again. */
static void r02_oom_stops_inflation(struct kunit *test)
{
	begin_with_oom(test);
	resize(test, 20);
	balloon_set_target(&host.b, 40);
	fake.step = run_out_of_memory;
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 20);
	KUNIT_EXPECT_EQ(test, host.b.stats.oom_deflated, 20);
	fake_let_pass(BALLOON_BACKOFF_MAX / 2);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 20);
	/* What the hypervisor asks for anew is done at once. */
	resize(test, 30);
}

/* A process is not kept waiting for ever by a hypervisor. */
static void oom_with_a_silent_hypervisor(struct kunit *test)
{
	unsigned long start;

	begin_with_oom(test);
	resize(test, 40);
	fake.step = NULL;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(BALLOON_OOM_PAGES - 10), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, BALLOON_OOM_TIMEOUT + HZ);
	validate(test);
	/* It is not asked again before it has answered. */
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(BALLOON_OOM_PAGES - 10), 0);
	KUNIT_EXPECT_EQ(test, fake.now, start);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 30);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(BALLOON_OOM_PAGES - 10), 0);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 20);
}

static void oom_without_a_batch(struct kunit *test)
{
	unsigned long start;

	begin_with_oom(test);
	take_all_batches(test);
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, BALLOON_OOM_TIMEOUT + HZ);
	validate(test);
	/* The watchdog has spoken meanwhile: no waiting any more. */
	KUNIT_ASSERT_EQ(test, host.b.state, BALLOON_STALLED);
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	KUNIT_EXPECT_EQ(test, fake.now, start);
}

/* A task that is bound to a node gets that node's pages, and no others. */
static void oom_on_one_node(struct kunit *test)
{
	nodemask_t nodes = NODE_MASK_NONE;
	unsigned int i, nr = 0;

	begin_with_oom(test);
	fake.stride = BALLOON_BLOCK_PAGES + 1;
	resize(test, 40);
	fake.other_node = page_to_pfn(arena + ARENA_PAGES / 2) &
			  -BALLOON_BLOCK_PAGES;
	for (i = 0; i < ARENA_PAGES; i++)
		nr += fake.page[i].taken && page_to_pfn(arena + i) < fake.other_node;
	KUNIT_ASSERT_GT(test, nr, 10);
	KUNIT_ASSERT_LT(test, nr, 40);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, deflate_device(&host.b, &nodes, 40, HZ), 0);
	node_set(0, nodes);
	KUNIT_EXPECT_EQ(test, deflate_device(&host.b, &nodes, 10, HZ), 10);
	KUNIT_EXPECT_EQ(test, deflate_device(&host.b, &nodes, 40, HZ), nr - 10);
	for (i = 0; i < ARENA_PAGES; i++)
		KUNIT_EXPECT_TRUE(test, !fake.page[i].taken ||
				  page_to_pfn(arena + i) >= fake.other_node);
	KUNIT_EXPECT_EQ(test, deflate_device(&host.b, &nodes, 40, HZ), 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 40 - nr);
}

static struct balloon other[5];

/* Devices without a batch to ask with: each wait is in vain. */
static void others_begin(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(other); i++) {
		device_init(&other[i], &host_ops);
		balloon_deflate_on_oom(&other[i]);
	}
}

/* One deadline for all, and one that can help is not kept from it. */
static void oom_with_many_silent_hypervisors(struct kunit *test)
{
	unsigned long start, last = ARRAY_SIZE(other);
	unsigned int i;

	begin(test);
	others_begin();
	balloon_deflate_on_oom(&host.b);
	resize(test, 40);
	fake.unannounced = true;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 40);
	KUNIT_EXPECT_LE(test, fake.now - start, BALLOON_OOM_TIMEOUT);
	KUNIT_EXPECT_EQ(test, nr_oom_devices, last + 1);
	for (i = 0; i < last; i++)
		balloon_oom_remove(&other[i]);
	KUNIT_EXPECT_EQ(test, nr_oom_devices, 1);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, nr_oom_devices, 0);
}

static struct kunit_case oom_test_cases[] = {
	KUNIT_CASE(oom_with_many_silent_hypervisors),
	KUNIT_CASE(r08_oom_gives_pages_back),
	KUNIT_CASE(r02_oom_stops_inflation),
	KUNIT_CASE(oom_with_a_silent_hypervisor),
	KUNIT_CASE(oom_without_a_batch),
	KUNIT_CASE(oom_on_one_node),
	{}
};

static struct kunit_suite oom_test_suite = {
	.name = "balloon_oom",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = oom_test_cases,
};
kunit_test_suite(oom_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon that is deflated when memory runs out");
MODULE_LICENSE("GPL");
