// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon_compact.c and mm/balloon_placement.c: which blocks the
 * balloon leaves, which pages are exchanged for which, what is kept aside, and
 * what happens when the hypervisor or the guest lacks something.  The arena is two
 * blocks.
 */
#include <kunit/test.h>

#include "fake_host.h"

static unsigned int nr_in(unsigned int block)
{
	unsigned long first = page_to_pfn(arena) >> BALLOON_BLOCK_SHIFT;

	return balloon_blocks_count(&host.b.blocks, first + block);
}

/* A balloon of @nr pages, every @stride-th of the arena. */
static void scatter(struct kunit *test, unsigned int nr, unsigned int stride)
{
	KUNIT_ASSERT_EQ(test, host_register(test), 0);
	fake.stride = stride;
	resize(test, nr);
	fake.stride = 1;
	fake.next = 0;
}

static void compact(struct kunit *test, int err)
{
	unsigned long nr = host.b.nr_ballooned;

	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), err);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, nr);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, nr);
	KUNIT_EXPECT_PTR_EQ(test, host.b.compaction, NULL);
}

static void sparsest_block_is_left(struct kunit *test)
{
	scatter(test, 300, 3);
	KUNIT_ASSERT_GT(test, nr_in(0), 100);
	KUNIT_ASSERT_GT(test, nr_in(1), 100);
	compact(test, 0);
	KUNIT_EXPECT_EQ(test, min(nr_in(0), nr_in(1)), 0);
	KUNIT_EXPECT_EQ(test, max(nr_in(0), nr_in(1)), 300);
	KUNIT_EXPECT_GE(test, host.b.stats.exchanged, 100);
	KUNIT_EXPECT_LE(test, host.b.stats.exchanged, 200);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 0);

	/* There is nothing to gain. */
	host.b.stats.exchanged = 0;
	compact(test, 0);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
}

/* Of a block, take all but every @nth page for somebody else. */
static void occupy(unsigned int block, unsigned int nth)
{
	unsigned int first = block * BALLOON_BLOCK_PAGES, i;

	for (i = first; i < first + BALLOON_BLOCK_PAGES; i++)
		if (i % nth)
			fake_take_page(i);
}

static void vacate(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++)
		if (fake.page[i].taken && !balloon_page_owner(arena + i))
			put_page(arena + i);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, host.b.nr_ballooned);
}

/* Holes between pages of others are filled, even if whole blocks are left for that. */
static void holes_of_others_are_filled(struct kunit *test)
{
	scatter(test, 100, 1);
	KUNIT_ASSERT_EQ(test, nr_in(0), 100);
	occupy(1, 4);
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	settle(test);
	KUNIT_EXPECT_EQ(test, nr_in(0), 0);
	KUNIT_EXPECT_EQ(test, nr_in(1), 100);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 100);
	vacate(test);
}

/* A block that others use, too, is not left for another such block. */
static void shared_blocks_stay(struct kunit *test)
{
	occupy(0, 2);
	occupy(1, 2);
	scatter(test, 300, 2);
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
	vacate(test);
}

/* Deflation empties what becomes free as a whole, with the fewest pages. */
static void sparsest_block_is_deflated(struct kunit *test)
{
	scatter(test, 300, 3);
	KUNIT_ASSERT_GT(test, nr_in(0), nr_in(1));
	resize(test, nr_in(0));
	KUNIT_EXPECT_EQ(test, nr_in(1), 0);
}

/* ... and what others use, too, if it is not enough for that. */
static void shared_block_is_deflated(struct kunit *test)
{
	unsigned int nr;

	scatter(test, 300, 3);
	nr = nr_in(1);
	occupy(0, 2);
	resize(test, 300 - nr + 1);
	KUNIT_EXPECT_EQ(test, nr_in(1), nr);
	resize(test, 300 - 2 * nr);
	KUNIT_EXPECT_EQ(test, nr_in(1), 0);
	KUNIT_EXPECT_EQ(test, nr_in(0), 300 - 2 * nr);
	vacate(test);
}

/* No memory for a plan: block by block, then. */
static void deflation_without_a_plan(struct kunit *test)
{
	unsigned int nr;

	scatter(test, 300, 3);
	nr = nr_in(1);
	test_fail_nth = 1;
	resize(test, nr);
	KUNIT_EXPECT_EQ(test, test_fail_nth, 0);
	KUNIT_EXPECT_EQ(test, nr_in(1), nr);
}

static void refused_exchange(struct kunit *test)
{
	scatter(test, 300, 3);
	host.refuse = 3;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	host.refuse = 0;
	settle(test);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 0);
	fake_let_pass(64 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

static void one_run_at_a_time(struct kunit *test)
{
	struct balloon_compaction *other = kunit_kzalloc(test, sizeof(*other),
							 GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, other);
	scatter(test, 300, 3);
	host.b.compaction = other;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), -EBUSY);
	host.b.compaction = NULL;
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
	compact(test, 0);
}

static void stopped_device_exchanges_nothing(struct kunit *test)
{
	scatter(test, 300, 3);
	host.b.dying = true;
	compact(test, -EBUSY);
	host.b.dying = false;
	host.b.error = -ETIMEDOUT;
	compact(test, -EIO);
	host.b.error = 0;
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
}

static void signal_ends_a_run(struct kunit *test)
{
	scatter(test, 300, 3);
	fake.interrupted = true;
	compact(test, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
}

static void floor_is_left(struct kunit *test)
{
	scatter(test, 300, 3);
	host.b.floor = ARENA_PAGES;
	fake.mem_available = ARENA_PAGES;
	compact(test, -ENOMEM);
	/* Little above it: a few pages aside at a time. */
	fake.mem_available = ARENA_PAGES + 300 + 40;
	fake.most_taken = 0;
	compact(test, 0);
	KUNIT_EXPECT_EQ(test, fake.most_taken, 300 + 40 / 2);
}

/* Each allocation fails in turn. */
static void exchange_without_memory(struct kunit *test)
{
	unsigned int nth = 0;
	bool failed;
	int err;

	scatter(test, 300, 3);
	do {
		test_fail_nth = ++nth;
		err = balloon_compact(&host.b);
		failed = !test_fail_nth;
		test_fail_nth = 0;
		KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
	} while (failed && nth < 100);
	KUNIT_EXPECT_GT(test, nth, 3);
}

static unsigned int allocations;	/* until the host fails */

static void fail_host(void)
{
	if (allocations--)
		test_meanwhile = fail_host;
	else
		balloon_device_failed(&host.b, -EIO);
}

/* With a batch open already, while block 0 is to be left for holes of @block. */
static void fail_host_with_holes_of(struct kunit *test, unsigned int block)
{
	scatter(test, 300, 3);
	fake.next = block * BALLOON_BLOCK_PAGES;
	allocations = 1;
	test_meanwhile = fail_host;
	compact(test, -EIO);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_aside, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_exchanging, 0);
	/* No more are taken; of three pages two were free. */
	KUNIT_EXPECT_LE(test, fake.next,
			block * BALLOON_BLOCK_PAGES + 3 * HOLES_AT_ONCE / 2);
}

static void host_fails_before_holes_come(struct kunit *test)
{
	fail_host_with_holes_of(test, 0);
}

static void host_fails_as_holes_come(struct kunit *test)
{
	fail_host_with_holes_of(test, 1);
}

/* What it gives back when the run is over, is freed all the same. */
static void host_answers_late(struct kunit *test)
{
	scatter(test, 300, 3);
	fake.step = NULL;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), -EIO);
	KUNIT_EXPECT_PTR_EQ(test, host.b.compaction, NULL);
	KUNIT_EXPECT_GT(test, host.b.nr_exchanging, 0);
	fake.step = host_step;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.error, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_exchanging, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_aside, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

/* While a run waits, anything may happen, one thing at a time. */
static bool walk(struct kunit *test)
{
	static bool inside;

	if (inside)
		return host_step(test);
	inside = true;
	random_step(test);
	inside = false;
	return true;
}

static void random_walk_with_exchanges(struct kunit *test)
{
	unsigned int i;

	/* In the midst of a block. */
	fake.zone_boundary = 700;
	scatter(test, 300, 3);
	for (i = 0; i < 300; i++) {
		unsigned int n = test_random(20);

		while (n--) {
			random_step(test);
			validate(test);
		}
		fake.stride = 1 + 2 * test_random(8);
		fake.step = walk;
		balloon_compact(&host.b);
		fake.step = host_step;
		KUNIT_ASSERT_PTR_EQ(test, host.b.compaction, NULL);
		validate(test);
	}
	kunit_info(test, "%lu exchanged, %lu migrated, %lu refused\n",
		   host.b.stats.exchanged, host.b.stats.migrated,
		   host.b.stats.refused);
	KUNIT_EXPECT_GT(test, host.b.stats.exchanged, 1000);
}

static int compact_test_init(struct kunit *test)
{
	host_init(test);
	return 0;
}

static struct kunit_case compact_test_cases[] = {
	KUNIT_CASE(sparsest_block_is_left),
	KUNIT_CASE(holes_of_others_are_filled),
	KUNIT_CASE(shared_blocks_stay),
	KUNIT_CASE(sparsest_block_is_deflated),
	KUNIT_CASE(shared_block_is_deflated),
	KUNIT_CASE(deflation_without_a_plan),
	KUNIT_CASE(refused_exchange),
	KUNIT_CASE(one_run_at_a_time),
	KUNIT_CASE(stopped_device_exchanges_nothing),
	KUNIT_CASE(signal_ends_a_run),
	KUNIT_CASE(floor_is_left),
	KUNIT_CASE(exchange_without_memory),
	KUNIT_CASE(host_fails_before_holes_come),
	KUNIT_CASE(host_fails_as_holes_come),
	KUNIT_CASE(host_answers_late),
	KUNIT_CASE(random_walk_with_exchanges),
	{}
};

static struct kunit_suite compact_test_suite = {
	.name = "balloon_compact",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = compact_test_init,
	.exit = host_test_exit,
	.test_cases = compact_test_cases,
};
kunit_test_suite(compact_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon that compacts itself");
MODULE_LICENSE("GPL");
