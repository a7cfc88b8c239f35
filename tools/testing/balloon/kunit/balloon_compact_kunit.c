// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/compact.c, exchange.c, background.c and placement.c: which
 * blocks the balloon leaves, which pages are exchanged for which, what is parked, and
 * what happens when the hypervisor or the guest lacks something.  The arena is two
 * blocks.
 */
#include <kunit/test.h>

#include "host_device.h"

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
	KUNIT_EXPECT_TRUE(test, host.b.last_run.asked);
	KUNIT_EXPECT_EQ(test, host.b.last_run.err, 0);
	KUNIT_EXPECT_EQ(test, host.b.last_run.exchanged, host.b.stats.exchanged);
	KUNIT_EXPECT_EQ(test, host.b.last_run.won, 1);
	KUNIT_EXPECT_GE(test, host.b.last_run.began, 1000);
	KUNIT_EXPECT_GE(test, host.b.last_run.ended, host.b.last_run.began);

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

/* Blocks that are full of the balloon, that have free pages, and that others use. */
static void blocks_are_told_apart(struct kunit *test)
{
	const struct zone *zone = page_zone(arena);
	struct balloon_blocks_in in;

	scatter(test, BALLOON_BLOCK_PAGES + 10, 1);
	balloon_count_blocks(&host.b, NULL, &in);
	KUNIT_EXPECT_EQ(test, in.pages, BALLOON_BLOCK_PAGES + 10);
	KUNIT_EXPECT_EQ(test, in.whole, 1);
	KUNIT_EXPECT_EQ(test, in.with_free, 1);
	KUNIT_EXPECT_EQ(test, in.with_others, 0);
	fake_take_page(ARENA_PAGES - 1);
	balloon_count_blocks(&host.b, zone, &in);
	KUNIT_EXPECT_EQ(test, in.whole, 1);
	KUNIT_EXPECT_EQ(test, in.with_free, 0);
	KUNIT_EXPECT_EQ(test, in.with_others, 1);
	balloon_count_blocks(&host.b, zone + 1, &in);
	KUNIT_EXPECT_EQ(test, in.pages + in.whole + in.with_free + in.with_others, 0);
	vacate(test);
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

/* A block that is little use to others takes the pages of one that is. */
static void block_of_last_resort_comes_last(struct kunit *test)
{
	scatter(test, 250, 3);
	KUNIT_ASSERT_LT(test, nr_in(1) + SLACK_PAGES, nr_in(0));
	fake.last_resort = arena + BALLOON_BLOCK_PAGES;
	compact(test, 0);
	KUNIT_EXPECT_EQ(test, nr_in(0), 0);
	KUNIT_EXPECT_EQ(test, nr_in(1), 250);

	/* If holes are left, it goes, too. */
	occupy(0, 2);
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	settle(test);
	KUNIT_EXPECT_EQ(test, nr_in(0), 250);
	KUNIT_EXPECT_EQ(test, nr_in(1), 0);
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

/* A host that does not refuse any more is asked again. */
static void all_come_back(struct kunit *test)
{
	host.refuse = 0;
	host.keep = 0;
	fake_let_pass(64 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

static void refused_exchange(struct kunit *test)
{
	scatter(test, 300, 3);
	host.refuse = 3;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
	host.refuse = 0;
	settle(test);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 0);
	all_come_back(test);
}

/*
 * A host that refuses all, at once: each page is asked for once, and nothing is won,
 * whether pages come back while their block is being evacuated or after that.
 */
static void run_that_is_refused_ends(struct kunit *test)
{
	const unsigned int ranges[] = { 32, BALLOON_BATCH_RANGES };
	unsigned int i;

	scatter(test, 300, 3);
	host.at_once = true;
	for (i = 0; i < ARRAY_SIZE(ranges); i++) {
		host.b.max_ranges = ranges[i];
		host.refuse = BALLOON_BLOCK_PAGES;
		host.keep = BALLOON_BLOCK_PAGES;
		host.b.stats.exchanged = 0;
		KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), 0);
		KUNIT_EXPECT_GT(test, host.b.stats.exchanged, 0);
		KUNIT_EXPECT_LE(test, host.b.stats.exchanged, 300);
		KUNIT_EXPECT_EQ(test, host.b.last_run.won, 0);
		all_come_back(test);
	}
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
	host.b.state = BALLOON_EMPTYING;
	compact(test, -EBUSY);
	host.b.state = BALLOON_RUNNING;
	host.b.state = BALLOON_STALLED;
	compact(test, -EIO);
	host.b.state = BALLOON_RUNNING;
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
}

static void signal_ends_a_run(struct kunit *test)
{
	scatter(test, 300, 3);
	fake.interrupted = true;
	compact(test, -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
	KUNIT_EXPECT_EQ(test, host.b.last_run.err, -ERESTARTSYS);
}

/* Of 2^25 blocks, 64 TiB with pages of 4 KiB: products need more than 32 bits. */
static void large_numbers_of_blocks(struct kunit *test)
{
	static unsigned int nr_with[BALLOON_BLOCK_PAGES + 1];
	const unsigned int many = 1U << 24, half = BALLOON_BLOCK_PAGES / 2;
	unsigned long left, nr;

	if (BITS_PER_LONG < 64)
		kunit_skip(test, "no machine has so much memory");
	nr_with[half - 1] = many;
	nr_with[half + 1] = many;
	KUNIT_EXPECT_EQ(test, sparsest(nr_with, (unsigned long)many * half, &left),
			half + 1);
	KUNIT_EXPECT_EQ(test, left, many / (half + 1));
	KUNIT_EXPECT_EQ(test, sparsest(nr_with, ULONG_MAX, &left),
			BALLOON_BLOCK_PAGES + 1);
	/* The pages of the emptier ones just fit into the fuller ones. */
	KUNIT_EXPECT_EQ(test, balloon_most_that_fit(nr_with, &left, &nr), half + 1);
	KUNIT_EXPECT_EQ(test, nr, many);
	nr_with[half - 1] = 0;
	nr_with[1] = many;
	KUNIT_EXPECT_EQ(test, balloon_most_that_fit(nr_with, &left, &nr), half + 1);
	KUNIT_EXPECT_GT(test, nr, many);
	memset(nr_with, 0, sizeof(nr_with));
}

static bool interrupt(struct kunit *test)
{
	bool before = fake.interrupted;

	fake.interrupted = true;
	fake.woken = true;
	return !before;
}

/* It does not wait for a hypervisor that takes its time. */
static void signal_ends_a_wait(struct kunit *test)
{
	unsigned long start;

	scatter(test, 300, 3);
	fake.step = interrupt;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), -ERESTARTSYS);
	KUNIT_EXPECT_EQ(test, fake.now, start);
	KUNIT_EXPECT_GT(test, host.b.nr_exchanging, 0);
	validate(test);
	fake.interrupted = false;
	fake.step = host_step;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_exchanging, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

static void floor_is_left(struct kunit *test)
{
	scatter(test, 300, 3);
	host.b.floor = ARENA_PAGES;
	fake.mem_available = ARENA_PAGES;
	compact(test, -ENOMEM);
	/* Little above it: a few parked pages at a time. */
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
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_exchanging, 0);
	/* No more are taken; of three pages two were free. */
	KUNIT_EXPECT_LE(test, fake.next,
			block * BALLOON_BLOCK_PAGES + 3 * BALLOON_HOLES_AT_ONCE / 2);
}

static void host_fails_before_holes_come(struct kunit *test)
{
	fail_host_with_holes_of(test, 0);
}

static void host_fails_as_holes_come(struct kunit *test)
{
	fail_host_with_holes_of(test, 1);
}

static unsigned long run_began;
static unsigned int looks;

/* A run that waits for a silent host has nothing parked after a moment. */
static bool look_at_parked(struct kunit *test)
{
	if (!time_before(fake.now, run_began + PARKED_TIMEOUT)) {
		looks++;
		KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	}
	return false;
}

/* What it gives back when the run is over, is freed all the same. */
static void host_answers_late(struct kunit *test)
{
	scatter(test, 300, 3);
	fake.step = look_at_parked;
	run_began = fake.now;
	looks = 0;
	KUNIT_EXPECT_EQ(test, balloon_compact(&host.b), -EIO);
	KUNIT_EXPECT_GT(test, looks, 0);
	KUNIT_EXPECT_PTR_EQ(test, host.b.compaction, NULL);
	KUNIT_EXPECT_GT(test, host.b.nr_exchanging, 0);
	fake.step = host_step;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	KUNIT_EXPECT_EQ(test, host.b.nr_exchanging, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
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

/* What the guest has besides: blocks that are free, and holes. */
static void begin_with_holes(struct kunit *test)
{
	scatter(test, 300, 3);
	fake.holes = ARENA_PAGES;
	balloon_compact_soon(&host.b);
}

static void let_background_run(struct kunit *test, unsigned long jiffies_)
{
	fake_let_pass(jiffies_);
	settle(test);
}

/* Nobody asks for it: a second after the target was reached. */
static void background_run(struct kunit *test)
{
	begin_with_holes(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.exchanged, 0);
	let_background_run(test, HZ);
	KUNIT_EXPECT_GT(test, host.b.stats.exchanged, 0);
	KUNIT_EXPECT_EQ(test, min(nr_in(0), nr_in(1)), 0);
	KUNIT_EXPECT_FALSE(test, host.b.background);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
	KUNIT_EXPECT_FALSE(test, host.b.last_run.asked);
	KUNIT_EXPECT_EQ(test, host.b.last_run.err, 0);
	KUNIT_EXPECT_GE(test, host.b.last_run.won, 1);
}

/* Another node may have what one lacks. */
static void full_node_is_passed_over(struct kunit *test)
{
	begin_with_holes(test);
	fake.node_0_is_full = true;
	fake.other_node = page_to_pfn(arena);
	let_background_run(test, HZ);
	KUNIT_EXPECT_EQ(test, min(nr_in(0), nr_in(1)), 0);
	KUNIT_EXPECT_EQ(test, host.b.last_run.err, 0);
	KUNIT_EXPECT_GE(test, host.b.last_run.won, 1);
}

/* After the first refusal it leaves the rest for later. */
static void background_is_refused(struct kunit *test)
{
	begin_with_holes(test);
	host.refuse = 1;
	let_background_run(test, HZ);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 0);
	KUNIT_EXPECT_EQ(test, host.b.last_run.err, -EAGAIN);
	KUNIT_EXPECT_EQ(test, host.b.last_run.won, 0);
	host.refuse = 0;
	let_background_run(test, 64 * HZ);
	KUNIT_EXPECT_EQ(test, min(nr_in(0), nr_in(1)), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

/* As long as the guest has no more holes than the last run has left, none begins. */
static void background_runs_for_more_holes_only(struct kunit *test)
{
	unsigned int nr_submits, i;

	begin_with_holes(test);
	let_background_run(test, HZ);
	nr_submits = host.nr_submits;
	for (i = 0; i < 8; i++)
		let_background_run(test, BACKGROUND_LOOK_MAX);
	KUNIT_EXPECT_EQ(test, host.nr_submits, nr_submits);
	KUNIT_EXPECT_EQ(test, host.b.look_interval, BACKGROUND_LOOK_MAX);
	KUNIT_EXPECT_FALSE(test, is_worth_a_run(&host.b));
	fake.holes += BALLOON_BLOCK_PAGES;
	KUNIT_EXPECT_TRUE(test, is_worth_a_run(&host.b));
}

static void background_is_not_worth_it(struct kunit *test)
{
	begin_with_holes(test);
	KUNIT_EXPECT_TRUE(test, is_worth_a_run(&host.b));
	fake.holes = BALLOON_BLOCK_PAGES - 1;
	KUNIT_EXPECT_FALSE(test, is_worth_a_run(&host.b));
	fake.holes = ARENA_PAGES;
	host.b.proactiveness = 0;
	KUNIT_EXPECT_FALSE(test, is_worth_a_run(&host.b));
	host.b.proactiveness = 20;
	host.b.target++;
	KUNIT_EXPECT_FALSE(test, is_worth_a_run(&host.b));
	host.b.target--;
	host.b.state = BALLOON_STALLED;
	KUNIT_EXPECT_FALSE(test, is_worth_a_run(&host.b));
	host.b.state = BALLOON_RUNNING;
	KUNIT_EXPECT_TRUE(test, is_worth_a_run(&host.b));
}

static unsigned int reason;		/* of those below: which comes */

static void give_a_reason(bool on)
{
	switch (reason) {
	case 0:
		WRITE_ONCE(host.b.target, on ? 299 : 300);
		break;
	case 1:
		WRITE_ONCE(host.b.oom, on);
		break;
	case 2:
		WRITE_ONCE(host.b.proactiveness, on ? 0 : 20);
		break;
	case 3:
		WRITE_ONCE(host.b.compact_asked, on);
		break;
	case 4:
		fake.free_to_spare = on ? 0 : 1UL << 18;
		break;
	}
}

/* The first allocation is that of the run itself. */
static void reason_comes(void)
{
	if (allocations--)
		test_meanwhile = reason_comes;
	else
		give_a_reason(true);
}

/* Park @nr free pages of the second block. */
static unsigned int park_some(struct kunit *test, unsigned int nr)
{
	unsigned int i, parked = 0;

	spin_lock_irq(&host.b.pages_lock);
	for (i = BALLOON_BLOCK_PAGES; i < ARENA_PAGES && parked < nr; i++)
		if (fake_take_page(i))
			parked += __balloon_park(&host.b, page_to_pfn(arena + i), 1);
	spin_unlock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, nr);
	return parked;
}

/* Whoever wants the memory, a parked page is not in his way; one of the balloon is isolated. */
static void parked_pages_make_room(struct kunit *test)
{
	unsigned int i, isolated = 0;

	scatter(test, 300, 3);
	KUNIT_ASSERT_EQ(test, park_some(test, 20), 20);
	for (i = BALLOON_BLOCK_PAGES; i < ARENA_PAGES; i++)
		isolated += compaction_isolate(arena + i);
	KUNIT_EXPECT_EQ(test, isolated, host.b.isolated_pages);
	KUNIT_EXPECT_GT(test, isolated, 100);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
	validate(test);
	while (compaction_first())
		compaction_putback(compaction_first());

	/* What nobody wants is freed in the end, in pieces. */
	KUNIT_ASSERT_EQ(test, park_some(test, 20), 20);
	balloon_free_parked(&host.b);
	KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
}

/* A target that has come since it was looked whether a run is worth it. */
static void background_leaves_a_new_target_alone(struct kunit *test)
{
	unsigned int nr_submits;

	begin_with_holes(test);
	nr_submits = host.nr_submits;
	host.b.target = 299;
	KUNIT_EXPECT_EQ(test, balloon_compact_in_background(&host.b), 0);
	KUNIT_EXPECT_EQ(test, host.nr_submits, nr_submits);
	KUNIT_EXPECT_FALSE(test, host.b.background);
	host.b.target = 300;
}

/* Whatever else happens ends it at once, with nothing left behind. */
static void background_gives_way(struct kunit *test)
{
	begin_with_holes(test);
	for (reason = 0; reason < 5; reason++) {
		allocations = 2;
		test_meanwhile = reason_comes;
		KUNIT_EXPECT_EQ(test, balloon_compact_in_background(&host.b), 0);
		give_a_reason(false);
		settle(test);
		KUNIT_EXPECT_PTR_EQ(test, test_meanwhile, NULL);
		KUNIT_EXPECT_EQ(test, host.b.holes_left, ULONG_MAX);
		KUNIT_EXPECT_EQ(test, host.b.nr_parked, 0);
		KUNIT_EXPECT_FALSE(test, host.b.background);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 300);
		KUNIT_EXPECT_GT(test, min(nr_in(0), nr_in(1)), 0);
	}
}

/* A deflation waits for its end, since the blocks have the marks of its plan. */
static void deflation_waits_for_the_background(struct kunit *test)
{
	scatter(test, 300, 3);
	host.b.background = true;
	balloon_set_target(&host.b, 100);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 300);
	spin_lock_irq(&host.b.pages_lock);
	host.b.background = false;
	__balloon_changed(&host.b);
	spin_unlock_irq(&host.b.pages_lock);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 100);
}

static struct kunit_case compact_test_cases[] = {
	KUNIT_CASE(sparsest_block_is_left),
	KUNIT_CASE(blocks_are_told_apart),
	KUNIT_CASE(holes_of_others_are_filled),
	KUNIT_CASE(block_of_last_resort_comes_last),
	KUNIT_CASE(shared_blocks_stay),
	KUNIT_CASE(sparsest_block_is_deflated),
	KUNIT_CASE(shared_block_is_deflated),
	KUNIT_CASE(deflation_without_a_plan),
	KUNIT_CASE(refused_exchange),
	KUNIT_CASE(run_that_is_refused_ends),
	KUNIT_CASE(one_run_at_a_time),
	KUNIT_CASE(stopped_device_exchanges_nothing),
	KUNIT_CASE(large_numbers_of_blocks),
	KUNIT_CASE(signal_ends_a_run),
	KUNIT_CASE(signal_ends_a_wait),
	KUNIT_CASE(floor_is_left),
	KUNIT_CASE(exchange_without_memory),
	KUNIT_CASE(host_fails_before_holes_come),
	KUNIT_CASE(host_fails_as_holes_come),
	KUNIT_CASE(host_answers_late),
	KUNIT_CASE(background_run),
	KUNIT_CASE(full_node_is_passed_over),
	KUNIT_CASE(background_is_refused),
	KUNIT_CASE(background_runs_for_more_holes_only),
	KUNIT_CASE(background_is_not_worth_it),
	KUNIT_CASE(parked_pages_make_room),
	KUNIT_CASE(background_leaves_a_new_target_alone),
	KUNIT_CASE(background_gives_way),
	KUNIT_CASE(deflation_waits_for_the_background),
	KUNIT_CASE(random_walk_with_exchanges),
	{}
};

static struct kunit_suite compact_test_suite = {
	.name = "balloon_compact",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = compact_test_cases,
};
kunit_test_suite(compact_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon that compacts itself");
MODULE_LICENSE("GPL");
