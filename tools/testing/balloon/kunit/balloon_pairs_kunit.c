// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of migrations that come as pairs, for an adapter whose hypervisor moves
 * what is behind one page to another: which page takes the place of which, and what
 * happens if the hypervisor refuses some pairs, or does half of one.
 */
#include <kunit/test.h>

#include "host_device.h"

static struct balloon_dev_ops pair_ops;

/* A balloon of @nr pages, every @stride-th of the arena, all of them isolated. */
static void isolated_balloon(struct kunit *test, unsigned int nr, unsigned int stride)
{
	begin(test);
	fake.next = 0;
	fake.stride = stride;
	resize(test, nr);
	isolate_all(test);
	fake.stride = 1;
	host.nr_pairs = 0;
}

/* The new pages are from @next on. */
static void record_all(struct kunit *test, unsigned int next)
{
	fake.next = next;
	while (compaction_first())
		KUNIT_ASSERT_EQ(test, compaction_record(compaction_first()), 0);
}

/* The host does @what with the i-th pair, and the core hears of it. */
static void answer_pair(struct kunit *test, unsigned int i, unsigned char what)
{
	memset(host.pair, 0, sizeof(host.pair));
	host.pair[i] = what;
	KUNIT_ASSERT_TRUE(test, host_answer_nth(0));
	fake_flush_work(&host.b.reap_work);
	validate(test);
}

/* What no answer has left unclear is all that the host has. */
static unsigned int nr_at_host(void)
{
	unsigned int i, nr = 0;

	for (i = 0; i < ARENA_PAGES; i++)
		nr += fake.page[i].at_host;
	return nr;
}

static void finish(struct kunit *test)
{
	memset(host.pair, 0, sizeof(host.pair));
	while (put_one_back(test))
		;
	settle(test);
	resize(test, 0);
	fake_let_pass(HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* In the order of compaction, which has its own reasons for it. */
static void migrations_come_in_order(struct kunit *test)
{
	static const unsigned int new[] = { 900, 600, 700, 601, 599 };
	static const unsigned int old[] = { 3, 0, 4, 1, 2 };
	struct balloon_batch *batch;
	unsigned int i;

	isolated_balloon(test, 5, 1);
	for (i = 0; i < ARRAY_SIZE(new); i++) {
		fake.next = new[i];
		KUNIT_EXPECT_EQ(test, compaction_record(arena + old[i]), 0);
	}
	batch = host.in_flight[0];
	KUNIT_ASSERT_NOT_NULL(test, batch);
	KUNIT_EXPECT_EQ(test, host.nr_pairs, 5);
	for (i = 0; i < ARRAY_SIZE(new); i++) {
		KUNIT_EXPECT_EQ(test, batch->inflate.range[i].pfn,
				page_to_pfn(arena + new[i]));
		KUNIT_EXPECT_EQ(test, batch->deflate.range[i].pfn,
				page_to_pfn(arena + old[i]));
	}
	settle(test);
	KUNIT_EXPECT_EQ(test, host.nr_moved, 5);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 5);
	finish(test);
}

/* What is not a migration has ranges. */
static void others_come_as_ranges(struct kunit *test)
{
	begin(test);
	fake.step = NULL;
	balloon_set_target(&host.b, 100);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->inflate.nr, 1);
	settle(test);
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->deflate.nr, 1);
	fake.step = host_step;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.nr_pairs, 0);
	finish(test);
}

/* Who does not ask for pairs has ranges in migrations, too. */
static void pairs_are_for_who_asks(struct kunit *test)
{
	unsigned int i;

	host.ops = &host_ops;
	isolated_balloon(test, 8, 1);
	for (i = 0; i < 8; i++) {
		fake.next = 607 - i;
		KUNIT_EXPECT_EQ(test, compaction_record(arena + 7 - i), 0);
	}
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->inflate.nr, 1);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->deflate.nr, 1);
	settle(test);
	finish(test);
}

/* Each one in turn: the others are moved, and the balloon keeps its size. */
static void one_pair_is_refused(struct kunit *test)
{
	const unsigned int nr = 6;
	unsigned int refused;

	for (refused = 0; refused < nr; refused++) {
		isolated_balloon(test, nr, 3);
		record_all(test, 600);
		answer_pair(test, refused, PAIR_NOT_TAKEN | PAIR_NOT_GIVEN);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, nr);
		KUNIT_EXPECT_EQ(test, host.b.stats.refused, 2);
		KUNIT_EXPECT_EQ(test, host.b.stats.freed, nr - 1);
		KUNIT_EXPECT_TRUE(test, fake.page[3 * refused].at_host);
		KUNIT_EXPECT_FALSE(test, fake.page[600 + refused].at_host);
		KUNIT_EXPECT_EQ(test, nr_at_host(), nr);
		/* It can be tried again. */
		KUNIT_EXPECT_TRUE(test, compaction_isolate(arena + 3 * refused));
		finish(test);
		memset(fake.events, 0, sizeof(fake.events));
		host.nr_submits = 0;
	}
}

static void all_pairs_are_refused(struct kunit *test)
{
	isolated_balloon(test, 50, 1);
	memset(host.pair, PAIR_NOT_TAKEN | PAIR_NOT_GIVEN, sizeof(host.pair));
	record_all(test, 600);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.nr_pairs, 50);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 50);
	KUNIT_EXPECT_EQ(test, host.b.stats.refused, 100);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 0);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	/* Nobody asks again, but for what was freed at once. */
	fake_let_pass(HZ);
	KUNIT_EXPECT_EQ(test, host.nr_pairs, 50);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 50);
	finish(test);
}

/* The worker makes up for it. */
static void half_a_pair_is_done(struct kunit *test)
{
	static const struct { unsigned char what; unsigned int held; } cases[] = {
		{ PAIR_NOT_TAKEN, 4 }, { PAIR_NOT_GIVEN, 6 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		isolated_balloon(test, 5, 1);
		record_all(test, 600);
		answer_pair(test, 2, cases[i].what);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, cases[i].held);
		KUNIT_EXPECT_EQ(test, nr_at_host(), cases[i].held);
		memset(host.pair, 0, sizeof(host.pair));
		fake_let_pass(HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
		finish(test);
		memset(fake.events, 0, sizeof(fake.events));
		host.nr_submits = 0;
	}
}

/* Any part of it may have been done: both pages of each pair stay. */
static void result_is_unknown(struct kunit *test)
{
	isolated_balloon(test, 10, 1);
	record_all(test, 600);
	host.error = -EIO;
	host.error_did_it = true;
	host_answer_nth(0);
	fake_flush_work(&host.b.reap_work);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 20);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 20);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* Nothing of it was: the old pages stay, the new ones are free. */
static void hypervisor_has_seen_nothing(struct kunit *test)
{
	isolated_balloon(test, 10, 1);
	host.submit_error = -EIO;
	record_all(test, 600);
	fake_flush_work(&host.b.reap_work);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 10);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 10);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* Every page of a pair is a range, so the smaller bound holds. */
static void bounds_hold_for_pairs(struct kunit *test)
{
	static const struct { unsigned int ranges, pages, most; } bounds[] = {
		{ 0, 0, BALLOON_BATCH_RANGES }, { 20, 0, 20 }, { 0, 30, 30 }, { 1, 1, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		pair_ops.max_ranges = bounds[i].ranges;
		pair_ops.max_pages = bounds[i].pages;
		isolated_balloon(test, 400, 1);
		host.nr_submits = 0;
		host.b.stats.batches = 0;
		host.at_once = true;
		record_all(test, 400);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.nr_submits, DIV_ROUND_UP(400, bounds[i].most));
		KUNIT_EXPECT_EQ(test, host.nr_pairs, 400);
		KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
		finish(test);
		memset(fake.events, 0, sizeof(fake.events));
		host.nr_submits = 0;
	}
}

/* A run of compaction takes several pages of a block, and several holes, at once. */
static void exchanges_come_as_pairs(struct kunit *test)
{
	begin(test);
	fake.stride = 3;
	resize(test, 300);
	fake.stride = 1;
	fake.next = 0;
	/* Pages that are adjacent, and leave together. */
	resize(test, 420);
	host.nr_pairs = 0;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	settle(test);
	KUNIT_EXPECT_GT(test, host.b.stats.exchanged, 50);
	KUNIT_EXPECT_EQ(test, host.nr_pairs, host.b.stats.exchanged);
	KUNIT_EXPECT_EQ(test, host.nr_moved, host.b.stats.exchanged);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 420);
	finish(test);
}

/* Every fifth: the run comes to its end, and nothing is lost. */
static void exchanges_are_refused(struct kunit *test)
{
	unsigned int i;

	begin(test);
	fake.stride = 3;
	resize(test, 300);
	fake.stride = 1;
	fake.next = 0;
	for (i = 0; i < BALLOON_BATCH_RANGES; i += 5)
		host.pair[i] = PAIR_NOT_TAKEN | PAIR_NOT_GIVEN;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	settle(test);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 0);
	KUNIT_EXPECT_EQ(test, host.nr_moved + host.b.stats.refused / 2,
			host.b.stats.exchanged);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 300);
	finish(test);
}

/*
 * The guest sleeps, and its balloon stays as it is: the worker is frozen, compaction
 * is not.
 */
static void sleep_with_a_balloon(struct kunit *test)
{
	isolated_balloon(test, 40, 1);
	fake.step = NULL;
	balloon_set_target(&host.b, 60);
	fake.put_off = balloon_work;
	fake.next = 600;
	while (compaction_first()) {
		host.b.late = LONG_MAX;
		KUNIT_ASSERT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
		fake.put_off = balloon_work;
	}
	host.pair[7] = PAIR_NOT_TAKEN | PAIR_NOT_GIVEN;
	while (host_answer_nth(0))
		;
	fake_let_pass(HZ);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 40);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 40);
	validate(test);
	/* It wakes up. */
	fake.put_off = NULL;
	fake.step = host_step;
	fake_let_pass(HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 60);
	KUNIT_EXPECT_EQ(test, nr_at_host(), 60);
	finish(test);
}

static void any_answer(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(host.pair); i++)
		host.pair[i] = test_random(8) ? 0 : test_random(4);
}

/* With no answer outstanding, the hypervisor has what the balloon has, and no more. */
static void hold_ledgers_against_each_other(struct kunit *test)
{
	while (host_answer_nth(0))
		;
	fake_flush_work(&host.b.reap_work);
	if (host.b.nr_inflating || host.b.nr_deflating)
		return;
	KUNIT_ASSERT_EQ(test, nr_at_host(),
			host.b.nr_ballooned + host.b.isolated_pages);
	KUNIT_ASSERT_EQ(test, nr_at_host(),
			host.b.stats.inflated - host.b.stats.deflated);
}

/* Anything in any order, each step validated, and pairs refused as it comes. */
static void random_walk_with_pairs(struct kunit *test)
{
	unsigned int step;

	begin(test);
	fake.stride = 389;
	fake.zone_boundary = 700;
	for (step = 0; step < 3000; step++) {
		any_answer();
		random_step(test);
		validate(test);
		if (!test_random(8))
			hold_ledgers_against_each_other(test);
		if (!test_random(40)) {
			balloon_compact(&host.b);
			validate(test);
		}
	}
	kunit_info(test, "%u pairs, %u moved, %lu refused, %lu exchanged\n",
		   host.nr_pairs, host.nr_moved, host.b.stats.refused,
		   host.b.stats.exchanged);
	KUNIT_EXPECT_GT(test, host.nr_pairs, 1000);
	KUNIT_EXPECT_GT(test, host.nr_moved, 1000);
	KUNIT_EXPECT_LT(test, host.nr_moved, host.nr_pairs - 100);
	KUNIT_EXPECT_GT(test, host.b.stats.exchanged, 100);
	host.refuse = 0;
	host.keep = 0;
	test_fail_nth = 0;
	finish(test);
}

static int pairs_test_init(struct kunit *test)
{
	int err = device_test_init(test);

	pair_ops = host_ops;
	pair_ops.pairs = true;
	host.ops = &pair_ops;
	return err;
}

static struct kunit_case pairs_test_cases[] = {
	KUNIT_CASE(migrations_come_in_order),
	KUNIT_CASE(others_come_as_ranges),
	KUNIT_CASE(pairs_are_for_who_asks),
	KUNIT_CASE(one_pair_is_refused),
	KUNIT_CASE(all_pairs_are_refused),
	KUNIT_CASE(half_a_pair_is_done),
	KUNIT_CASE(result_is_unknown),
	KUNIT_CASE(hypervisor_has_seen_nothing),
	KUNIT_CASE(bounds_hold_for_pairs),
	KUNIT_CASE(exchanges_come_as_pairs),
	KUNIT_CASE(exchanges_are_refused),
	KUNIT_CASE(sleep_with_a_balloon),
	KUNIT_CASE(random_walk_with_pairs),
	{}
};

static struct kunit_suite pairs_test_suite = {
	.name = "balloon_pairs",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = pairs_test_init,
	.exit = host_test_exit,
	.test_cases = pairs_test_cases,
};
kunit_test_suite(pairs_test_suite);

MODULE_DESCRIPTION("KUnit suite of migrations that come as pairs");
MODULE_LICENSE("GPL");
