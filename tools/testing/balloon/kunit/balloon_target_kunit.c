// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the worker that follows the target, mm/balloon/target.c: what it
 * takes and gives back, in which batches, its pauses, and the floor.
 */
#include <kunit/test.h>

#include "host_device.h"

static void target_is_reached_exactly(struct kunit *test)
{
	static const unsigned int targets[] = {
		1, 2, 300, 299, 512, 1000, 1000, 17, 0, 600, 0,
	};
	unsigned int i;

	begin(test);
	fake.stride = 7;
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		resize(test, targets[i]);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, targets[i]);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, targets[i]);
		KUNIT_EXPECT_EQ(test, host.reported, targets[i]);
		KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
	}
}

static bool target_changes(struct kunit *test)
{
	if (host.b.target == 500)
		balloon_set_target(&host.b, 20);
	return host_answer_nth(0);
}

static void target_changes_meanwhile(struct kunit *test)
{
	begin(test);
	fake.stride = 3;
	fake.step = target_changes;
	balloon_set_target(&host.b, 500);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 20);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 20);
}

/* Adjacent pages travel as one range, several batches are in flight at once. */
static void traffic_is_batched(struct kunit *test)
{
	begin(test);
	resize(test, ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 1);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 2);

	fake.stride = 2;
	fake.step = NULL;
	balloon_set_ack_timeout(&host.b, 10);
	balloon_set_target(&host.b, ARENA_PAGES / 2);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight,
			ARENA_PAGES / 2 / BALLOON_BATCH_RANGES);
	settle(test);
}

/* Ranges: as many as a batch holds, and one more. */
static void traffic_fills_batches(struct kunit *test)
{
	static const struct { unsigned int target, submits; } cases[] = {
		{ BALLOON_BATCH_RANGES - 1, 1 },
		{ BALLOON_BATCH_RANGES, 1 },
		{ BALLOON_BATCH_RANGES + 1, 2 },
		{ 2 * BALLOON_BATCH_RANGES, 2 },
	};
	unsigned int i;

	begin(test);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fake.next = 0;
		fake.stride = 2;
		host.nr_submits = 0;
		host.b.stats.batches = 0;
		resize(test, cases[i].target);
		KUNIT_EXPECT_EQ(test, host.nr_submits, cases[i].submits);
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, host.nr_submits, 2 * cases[i].submits);
	}
}

/*
 * The first of more pages than a batch holds.  They are numbers only, of which
 * nobody looks at the struct page; but there must be one.
 */
static struct page *numbers_only(void)
{
	unsigned long pfn = page_to_pfn(arena);

#ifdef PAGES_PER_SECTION
	pfn &= PAGE_SECTION_MASK;
#endif
	return pfn_to_page(pfn + 100);
}

/* Pages: as many as a batch holds, and one more. */
static void batch_holds_no_more_pages(struct kunit *test)
{
	struct page *first = numbers_only();
	struct balloon_blocks *bs = &host.b.blocks;
	struct balloon_core_batch *batch;
	unsigned long pfn;
	unsigned int nr;

	begin(test);
	fake.zone_boundary = 0;
	pfn = page_to_pfn(first);
	batch = balloon_batch_get(&host.b, BALLOON_FOR_TARGET);
	KUNIT_ASSERT_NOT_NULL(test, batch);

	/* The last of the runs, which end with their blocks, is cut. */
	KUNIT_ASSERT_EQ(test, balloon_blocks_reserve(bs, pfn,
						     BALLOON_BATCH_PAGES + 1,
						     GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, balloon_blocks_set(bs, pfn,
						 BALLOON_BATCH_PAGES + 1), 0);
	host.b.nr_ballooned = BALLOON_BATCH_PAGES + 1;
	balloon_batch_take(batch, ULONG_MAX, NULL);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, BALLOON_BATCH_PAGES);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr, 1);
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
	balloon_batch_take(batch, ULONG_MAX, NULL);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, BALLOON_BATCH_PAGES);
	balloon_batch_put(batch);

	batch = balloon_batch_get(&host.b, BALLOON_FOR_TARGET);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	balloon_batch_take(batch, ULONG_MAX, NULL);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, 1);
	balloon_batch_put(batch);
	balloon_blocks_unreserve(bs, pfn, BALLOON_BATCH_PAGES + 1);
	host.b.nr_ballooned = 0;
	host.b.nr_deflating = 0;

	for (nr = BALLOON_BATCH_PAGES - 1; nr <= BALLOON_BATCH_PAGES + 1; nr++) {
		batch = balloon_batch_get(&host.b, BALLOON_FOR_TARGET);
		KUNIT_ASSERT_NOT_NULL(test, batch);
		fake.endless = first;
		KUNIT_EXPECT_TRUE(test, alloc_pages_into(&host.b,
							 &batch->inflate,
							 batch, nr));
		KUNIT_EXPECT_EQ(test, batch->inflate.nr_pages,
				min_t(unsigned int, nr, BALLOON_BATCH_PAGES));
		KUNIT_EXPECT_EQ(test, batch->inflate.nr, 1);
		KUNIT_EXPECT_EQ(test, balloon_batch_full(batch),
				nr >= BALLOON_BATCH_PAGES);
		balloon_batch_put(batch);
	}
	fake.endless = NULL;
	validate(test);
}

/* The host sees to it that they are kept. */
static void adapter_bounds_its_batches(struct kunit *test)
{
	static const struct { unsigned int ranges, pages; } bounds[] = {
		{ 1, 1 }, { 3, 0 }, { 0, 5 }, { 2, 700 }, { UINT_MAX, UINT_MAX },
	};
	struct balloon_dev_ops ops = host_ops;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bounds); i++) {
		ops.max_ranges = min_t(unsigned int, bounds[i].ranges, BALLOON_BATCH_RANGES);
		ops.max_pages = min_t(unsigned int, bounds[i].pages, BALLOON_BATCH_PAGES);
		host.ops = &ops;
		begin(test);
		fake.stride = i & 1 ? 7 : 1;
		resize(test, 600);
		isolate_some(test, 40);
		while (compaction_first())
			KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
								 MIGRATE_SYNC), 0);
		settle(test);
		KUNIT_EXPECT_EQ(test, balloon_actual(&host.b), 600);
		KUNIT_EXPECT_EQ(test, balloon_get_state(&host.b), BALLOON_RUNNING);
		balloon_compact(&host.b);
		validate(test);
		KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
		host.nr_submits = 0;
		memset(fake.events, 0, sizeof(fake.events));
	}
	host.ops = &host_ops;
}

/* A host that answers late is not sent all of a large target at once. */
static void little_is_on_its_way(struct kunit *test)
{
	struct balloon_dev_ops ops = host_ops;

	ops.max_pages = 50;
	host.ops = &ops;
	begin(test);
	fake.step = NULL;
	balloon_set_target(&host.b, 1000);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.b.nr_inflating, 2 * 50);
	KUNIT_EXPECT_FALSE(test, fake_run_work(fake.now));
	/* The host changes its mind, and what it then answers is all. */
	balloon_set_target(&host.b, 10);
	fake.step = host_step;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
	KUNIT_EXPECT_EQ(test, host.b.stats.inflated, 2 * 50);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	host.ops = &host_ops;
}

/* Batches are left for migration while the worker has work without end. */
static void batches_are_kept_for_migration(struct kunit *test)
{
	unsigned int i;

	begin(test);
	resize(test, 1);
	isolate_some(test, 1);
	for (i = 0; i < BALLOON_NR_BATCHES - BALLOON_BATCH_KEEP; i++) {
		spin_lock_irq(&host.b.pages_lock);
		KUNIT_EXPECT_NOT_NULL(test,
				      __balloon_batch_get(&host.b,
							  BALLOON_FOR_TARGET));
		spin_unlock_irq(&host.b.pages_lock);
	}
	spin_lock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_NULL(test, __balloon_batch_get(&host.b, BALLOON_FOR_TARGET));
	spin_unlock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
						 MIGRATE_ASYNC), 0);
	settle(test);
}

static void floor_is_left(struct kunit *test)
{
	begin(test);
	fake.mem_available = host.b.floor + 100;
	balloon_set_target(&host.b, 500);
	run_worker(test);
	KUNIT_EXPECT_LE(test, host.b.nr_ballooned, 100);
	KUNIT_EXPECT_GE(test, host.b.stats.alloc_failed, 1);
	KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_LIMITED_BY_FLOOR);
	KUNIT_EXPECT_EQ(test, fake.nr_events, 1);
	/* Below the floor nothing is taken, and nothing given back. */
	fake.mem_available = host.b.floor - 1;
	resize(test, host.b.nr_ballooned);
	balloon_set_target(&host.b, 500);
	run_worker(test);
	KUNIT_EXPECT_LE(test, host.b.nr_ballooned, 100);
	fake.mem_available = host.b.floor + 1000;
	fake_let_pass(60 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 500);
	KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_NOT_LIMITED);
}

/* At the floor, what others can have in swap is within reach, a little at a time. */
static void cold_memory_goes_to_swap(struct kunit *test)
{
	begin(test);
	fake.mem_available = host.b.floor;
	fake.free_swap = 10000;
	fake.swap_to_spare = 1000;
	fake.room_by_swap = 10;
	resize(test, 100);
	KUNIT_EXPECT_EQ(test, host.b.stats.alloc_failed, 0);
	/* Not while the kernel is busy with it. */
	fake.room_by_swap = 0;
	balloon_set_target(&host.b, 200);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 100);
	/* It is while swap fills. */
	fake.free_swap -= 10;
	fake_let_pass(HZ / 4);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 100);
	/* If it does not fill, the kernel is asked, a little at a time. */
	fake_let_pass(HZ / 2);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 100 + PAGES_TO_ASK);
	fake.room_by_swap = 10;
	fake_let_pass(60 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 200);
	/* Nor when somebody has set what is to stay in memory. */
	host.b.floor_is_set = true;
	balloon_set_target(&host.b, 250);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 200);
	host.b.floor_is_set = false;
	/* Nor when swap is full. */
	fake.swap_to_spare = 0;
	balloon_set_target(&host.b, 300);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 200);
}

/*
 * Others have memory and there is swap, but the kernel may not move it there: what was
 * taken in vain is given back.
 */
static void memory_that_cannot_be_swapped_is_left(struct kunit *test)
{
	unsigned int i;

	begin(test);
	resize(test, 100);
	fake.mem_available = host.b.floor;
	fake.free_swap = 10000;
	fake.swap_to_spare = 1000;
	fake.missing_to_high = 150;
	balloon_set_target(&host.b, 1000);
	run_worker(test);
	for (i = 0; i < 2 * ASKED_IN_VAIN; i++) {
		KUNIT_ASSERT_LE(test, host.b.nr_ballooned,
				100 + PAGES_TO_ASK * ASKED_IN_VAIN);
		if (i == ASKED_IN_VAIN / 2)
			KUNIT_EXPECT_GT(test, host.b.nr_ballooned, 100);
		fake_let_pass(HZ / 2);
		settle(test);
	}
	KUNIT_EXPECT_LT(test, host.b.nr_ballooned,
			100 + PAGES_TO_ASK * ASKED_IN_VAIN - 150 + 1);
	/* It is tried again when another size is wanted. */
	i = host.b.nr_ballooned;
	balloon_set_target(&host.b, 900);
	fake_let_pass(4 * HZ);
	settle(test);
	KUNIT_EXPECT_GT(test, host.b.nr_ballooned, i);
}

/* Swap in memory that takes more than half of what it frees; a new target asks again. */
static void swap_in_memory_is_of_no_use(struct kunit *test)
{
	begin(test);
	resize(test, 100);
	fake.mem_available = host.b.floor;
	fake.free_swap = 10 * SWAP_WINDOW;
	fake.missing_to_high = 30;
	KUNIT_EXPECT_TRUE(test, swap_is_of_use(&host.b));
	fake.free_swap -= SWAP_WINDOW - 1;
	fake.swap_in_memory += SWAP_WINDOW;
	KUNIT_EXPECT_TRUE(test, swap_is_of_use(&host.b));
	fake.free_swap -= 1;
	fake.swap_in_memory -= SWAP_WINDOW / 2;
	KUNIT_EXPECT_TRUE(test, swap_is_of_use(&host.b));
	KUNIT_EXPECT_TRUE(test, swap_is_of_use(&host.b));
	fake.free_swap -= SWAP_WINDOW;
	fake.swap_in_memory += SWAP_WINDOW / 2 + 1;
	KUNIT_EXPECT_FALSE(test, swap_is_of_use(&host.b));
	/* The kernel can rest when it has what is missing. */
	fake.swap_to_spare = 1000;
	host.b.target = 200;
	host.b.round.target = 200;
	balloon_work(&host.b.work.work);
	fake_let_pass(60 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 70);
	fake.room_by_swap = 20;
	resize(test, 210);
}

/* How often the worker runs within @time. */
static unsigned int rounds_within(struct kunit *test, unsigned long time)
{
	struct fake_work *w = fake_find_work(&host.b.work.work);
	unsigned long until = fake.now + time;
	unsigned int before = w->nr_runs;

	while (fake_run_work(until))
		settle(test);
	fake.now = until;
	return w->nr_runs - before;
}

static void worker_pauses_without_memory(struct kunit *test)
{
	unsigned int rounds;

	begin(test);
	fake.no_memory = true;
	balloon_set_target(&host.b, 50);
	run_worker(test);
	rounds = rounds_within(test, 10 * HZ);
	KUNIT_EXPECT_GE(test, rounds, 3);
	KUNIT_EXPECT_LE(test, rounds, 8);
	/* Later less often, but never not at all. */
	rounds_within(test, 100 * HZ);
	rounds = rounds_within(test, 320 * HZ);
	KUNIT_EXPECT_GE(test, rounds, 8);
	KUNIT_EXPECT_LE(test, rounds, 12);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
	/* Which is told once. */
	KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_LIMITED_BY_ALLOCATOR);
	KUNIT_EXPECT_EQ(test, fake.nr_events, 1);
	fake.no_memory = false;
	fake_let_pass(40 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 50);
	KUNIT_EXPECT_EQ(test, rounds_within(test, 1000 * HZ), 0);
}

/* Each allocation of an inflation fails in turn: pages, and the index. */
static void r33_inflation_without_memory(struct kunit *test)
{
	unsigned int nth = 0;
	bool failed;

	begin(test);
	fake.stride = BALLOON_BLOCK_PAGES + 1;
	do {
		unsigned long before = host.b.stats.alloc_failed;

		test_fail_nth = ++nth;
		balloon_set_target(&host.b, 10);
		run_worker(test);
		failed = !test_fail_nth;
		test_fail_nth = 0;
		KUNIT_EXPECT_EQ(test, host.b.stats.alloc_failed - before, failed);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, host.b.nr_ballooned);
		KUNIT_EXPECT_EQ(test, fake_work_pending(&host.b.work.work),
				failed);
		fake_let_pass(60 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 10);
		resize(test, 0);
	} while (failed && nth < 100);
	/* All pages at once; a descriptor and a slot for each of two blocks. */
	KUNIT_EXPECT_EQ(test, nth - 1, 1 + 2 * 2);
}

/* A hypervisor that takes nothing: a try now and then, not all the time. */
static void refused_inflation_is_tried_at_intervals(struct kunit *test)
{
	unsigned int once;

	begin(test);
	for (once = 0; once < 2; once++) {
		host.at_once = once;
		host.refuse = UINT_MAX;
		balloon_set_target(&host.b, 40);
		run_worker(test);
		KUNIT_EXPECT_LE(test, rounds_within(test, 100 * HZ), 30);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
		KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_LIMITED_BY_HOST);
		host.refuse = 0;
		fake_let_pass(40 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 40);
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	}
}

/* A hypervisor that refuses does not cost the guest all of its memory. */
static void refused_inflation_takes_no_more(struct kunit *test)
{
	begin(test);
	host.at_once = true;
	host.refuse = UINT_MAX;
	balloon_set_target(&host.b, 40);
	run_worker(test);
	KUNIT_EXPECT_LE(test, host.b.stats.enqueued, 2 * 40);
}

static void refused_deflation_is_tried_at_intervals(struct kunit *test)
{
	unsigned int once;

	begin(test);
	for (once = 0; once < 2; once++) {
		resize(test, 40);
		host.at_once = once;
		host.keep = UINT_MAX;
		balloon_set_target(&host.b, 0);
		run_worker(test);
		KUNIT_EXPECT_LE(test, rounds_within(test, 100 * HZ), 30);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 40);
		host.keep = 0;
		fake_let_pass(40 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	}
}

static void deflation_waits_for_isolated_pages(struct kunit *test)
{
	begin(test);
	resize(test, 10);
	isolate_some(test, 10);
	fake.step = put_back_or_answer;
	balloon_set_target(&host.b, 0);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, fake.nr_timeouts, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* When it runs dry, deflation takes what was migrated along. */
static void deflation_flushes_migrations(struct kunit *test)
{
	unsigned long start;

	begin(test);
	resize(test, 10);
	isolate_some(test, 10);
	while (host.b.isolated_pages > 1)
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
	start = fake.now;
	balloon_set_target(&host.b, 1);
	fake_run_work(fake.now);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.now, start);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
	compaction_putback(compaction_first());
	validate(test);
}

static void worker_without_a_batch_goes_on_later(struct kunit *test)
{
	static const unsigned int targets[] = { 30, 5 };
	unsigned long start;
	unsigned int i;

	begin(test);
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		take_all_batches(test);
		start = fake.now;
		balloon_set_target(&host.b, targets[i]);
		fake_let_pass(HZ);
		validate(test);
		/* Not a moment longer than it takes to be found silent. */
		KUNIT_EXPECT_LE(test, fake.now - start, HZ);
		KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
		KUNIT_EXPECT_EQ(test, host.nr_in_flight, BALLOON_NR_BATCHES);
		fake.step = host_step;
		settle(test);
		fake_let_pass(60 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, targets[i]);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, targets[i]);
	}
}

static bool unregister_begins(struct kunit *test)
{
	if (balloon_is_leaving(&host.b))
		return false;
	host_unregister_begins();
	return true;
}

/* In whatever the worker does, it does not keep unregistration waiting. */
static void worker_stops_for_unregistration(struct kunit *test)
{
	static const unsigned int targets[] = { 300, 0 };
	unsigned long start;
	unsigned int i;

	begin(test);
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		resize(test, 10);
		isolate_some(test, 10);
		start = fake.now;
		fake.step = unregister_begins;
		balloon_set_target(&host.b, targets[i]);
		world_goes_on(test);
		KUNIT_EXPECT_TRUE(test, balloon_is_leaving(&host.b));
		KUNIT_EXPECT_EQ(test, fake.now, start);
		/* A look at pages that did not come back is the last. */
		fake_let_pass(BALLOON_DRY_TIMEOUT);
		KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
		fake.step = host_step;
		settle(test);
		host.b.state = BALLOON_RUNNING;
		while (compaction_first())
			compaction_putback(compaction_first());
		validate(test);
	}
}

static void unregister_begins_meanwhile(struct kunit *test)
{
	host_unregister_begins();
}

/* Not even when a pause is due. */
static void dying_worker_does_not_come_back(struct kunit *test)
{
	begin(test);
	host.at_once = true;
	host.refuse = UINT_MAX;
	host.meanwhile = unregister_begins_meanwhile;
	balloon_set_target(&host.b, 10);
	fake_run_work(fake.now);
	KUNIT_EXPECT_TRUE(test, balloon_is_leaving(&host.b));
	KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	host.b.state = BALLOON_RUNNING;
	validate(test);
}

static void pages_held_by_compaction_do_not_spin_the_worker(struct kunit *test)
{
	begin(test);
	resize(test, 10);
	isolate_some(test, 10);
	balloon_set_target(&host.b, 0);
	run_worker(test);
	KUNIT_EXPECT_LE(test, rounds_within(test, 100 * HZ), 30);
	KUNIT_EXPECT_EQ(test, host.b.limited_by, BALLOON_LIMITED_BY_ISOLATION);
	while (put_back_or_answer(test))
		;
	fake_let_pass(100 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* Whatever the hypervisor does, the work item does not wait for it. */
static void worker_never_waits(struct kunit *test)
{
	static const unsigned int targets[] = { 300, 3 };
	unsigned int i;

	begin(test);
	fake.step = NULL;
	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		balloon_set_target(&host.b, targets[i]);
		fake_run_work(fake.now);
		KUNIT_EXPECT_EQ(test, host.nr_in_flight, 1);
		KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
		validate(test);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, targets[i]);
		KUNIT_EXPECT_EQ(test, host.reported, targets[i]);
	}
	/* Nor for pages that are isolated. */
	isolate_some(test, 3);
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	validate(test);
	while (compaction_first())
		compaction_putback(compaction_first());
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_waits, 0);
}

static void submit_takes_time(struct kunit *test)
{
	fake.now += HZ / 10;
	host.meanwhile = submit_takes_time;
}

/* A guest that goes to sleep in the midst of a long inflation waits for it. */
static void worker_comes_back_often(struct kunit *test)
{
	unsigned int nr_submits;
	struct fake_work *w;

	begin(test);
	w = fake_find_work(&host.b.work.work);
	fake.stride = 3;
	host.at_once = true;
	host.meanwhile = submit_takes_time;
	balloon_set_target(&host.b, ARENA_PAGES);
	do {
		nr_submits = host.nr_submits;
		KUNIT_ASSERT_TRUE(test, fake_run_work(fake.now));
		KUNIT_EXPECT_LE(test, host.nr_submits - nr_submits, 1);
	} while (w->pending);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 4);
	host.meanwhile = NULL;
	validate(test);
}

/* A new target counts in the midst of a round, and while a pause is due. */
static void new_target_needs_no_pause(struct kunit *test)
{
	unsigned long start;

	begin(test);
	fake.no_memory = true;
	balloon_set_target(&host.b, 50);
	run_worker(test);
	fake.no_memory = false;
	start = fake.now;
	balloon_set_target(&host.b, 30);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 30);
	/* Out of memory, and the hypervisor has yet to answer. */
	fake.mem_available = host.b.floor + 100;
	fake.step = NULL;
	balloon_set_target(&host.b, 500);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 1);
	balloon_set_target(&host.b, 10);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
	KUNIT_EXPECT_EQ(test, fake.now, start);
}

/* A controller may send it every second. */
static void same_target_changes_nothing(struct kunit *test)
{
	struct fake_work *w;
	unsigned int i, runs;

	begin(test);
	balloon_set_target(&host.b, 0);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.nr_reports, 1);
	balloon_deflate_on_oom(&host.b);
	resize(test, 40);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(BALLOON_OOM_PAGES - 30), 30);
	run_worker(test);
	w = fake_find_work(&host.b.work.work);
	runs = w->nr_runs;
	for (i = 0; i < 10; i++) {
		balloon_set_target(&host.b, 40);
		fake_let_pass(HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
	}
	KUNIT_EXPECT_EQ(test, w->nr_runs, runs);
	/* But after a sleep it counts. */
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), 0);
	balloon_thaw(&host.b);
	resize(test, 40);
}

static void kernel_that_saves_a_dump_keeps_its_memory(struct kunit *test)
{
	begin(test);
	fake.kdump = true;
	balloon_set_target(&host.b, 50);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.enqueued, 0);
	KUNIT_EXPECT_EQ(test, host.b.target, 0);
	KUNIT_EXPECT_EQ(test, host.nr_reports, 1);
}

/* And so it does if its owner says so, until the next target after that. */
static void guest_that_opts_out_keeps_its_memory(struct kunit *test)
{
	begin(test);
	may_inflate = false;
	balloon_set_target(&host.b, 50);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.enqueued, 0);
	KUNIT_EXPECT_EQ(test, host.b.target, 0);
	KUNIT_EXPECT_TRUE(test, host.b.opted_out);
	balloon_set_target(&host.b, 0);
	KUNIT_EXPECT_FALSE(test, host.b.opted_out);
	/* Each of both is told. */
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_events, 2);
	may_inflate = true;
	resize(test, 50);
	may_inflate = false;
	resize(test, 0);
	KUNIT_EXPECT_FALSE(test, host.b.opted_out);
	may_inflate = true;
}

/* Memory above 16 TiB, for virtio: it is kept while the balloon takes other. */
static void memory_out_of_reach_is_kept_for_the_round(struct kunit *test)
{
	struct balloon_dev_ops ops = host_ops;
	unsigned int whole;

	ops.max_pfn = page_to_pfn(arena) + 599;
	host.ops = &ops;
	begin(test);
	for (whole = 0; whole < 2; whole++) {
		fake.units = whole;
		/* From the last page down. */
		fake.next = ARENA_PAGES - 1;
		fake.stride = ARENA_PAGES - 1;
		fake.most_taken = 0;
		resize(test, 600);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 600);
		KUNIT_EXPECT_FALSE(test, PageOffline(arena + 600));
		KUNIT_EXPECT_GE(test, fake.most_taken, 601);
		KUNIT_EXPECT_EQ(test, host.b.stats.refused, 0);
		/* Nor does a page go there, or another one take its place. */
		KUNIT_ASSERT_TRUE(test, compaction_isolate(arena));
		fake.next = 600;
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), -EAGAIN);
		compaction_putback(compaction_first());
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	}
	/* All is out of reach: tried at intervals, and nothing is kept. */
	ops.max_pfn = page_to_pfn(arena) - 1;
	balloon_set_target(&host.b, 10);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_LE(test, rounds_within(test, 100 * HZ), 30);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* The floor holds for what is kept, too. */
static void memory_out_of_reach_does_not_cost_all(struct kunit *test)
{
	struct balloon_dev_ops ops = host_ops;

	ops.max_pfn = page_to_pfn(arena) - 1;
	host.ops = &ops;
	begin(test);
	fake.mem_available = host.b.floor + 100;
	balloon_set_target(&host.b, 500);
	run_worker(test);
	KUNIT_EXPECT_LE(test, fake.most_taken, 100);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static struct kunit_case target_test_cases[] = {
	KUNIT_CASE(target_is_reached_exactly),
	KUNIT_CASE(target_changes_meanwhile),
	KUNIT_CASE(traffic_is_batched),
	KUNIT_CASE(traffic_fills_batches),
	KUNIT_CASE(batch_holds_no_more_pages),
	KUNIT_CASE(adapter_bounds_its_batches),
	KUNIT_CASE(little_is_on_its_way),
	KUNIT_CASE(batches_are_kept_for_migration),
	KUNIT_CASE(floor_is_left),
	KUNIT_CASE(cold_memory_goes_to_swap),
	KUNIT_CASE(memory_that_cannot_be_swapped_is_left),
	KUNIT_CASE(swap_in_memory_is_of_no_use),
	KUNIT_CASE(worker_pauses_without_memory),
	KUNIT_CASE(r33_inflation_without_memory),
	KUNIT_CASE(refused_inflation_is_tried_at_intervals),
	KUNIT_CASE(refused_inflation_takes_no_more),
	KUNIT_CASE(refused_deflation_is_tried_at_intervals),
	KUNIT_CASE(deflation_waits_for_isolated_pages),
	KUNIT_CASE(deflation_flushes_migrations),
	KUNIT_CASE(worker_without_a_batch_goes_on_later),
	KUNIT_CASE(worker_stops_for_unregistration),
	KUNIT_CASE(dying_worker_does_not_come_back),
	KUNIT_CASE(pages_held_by_compaction_do_not_spin_the_worker),
	KUNIT_CASE(worker_never_waits),
	KUNIT_CASE(worker_comes_back_often),
	KUNIT_CASE(new_target_needs_no_pause),
	KUNIT_CASE(same_target_changes_nothing),
	KUNIT_CASE(kernel_that_saves_a_dump_keeps_its_memory),
	KUNIT_CASE(guest_that_opts_out_keeps_its_memory),
	KUNIT_CASE(memory_out_of_reach_is_kept_for_the_round),
	KUNIT_CASE(memory_out_of_reach_does_not_cost_all),
	{}
};

static struct kunit_suite target_test_suite = {
	.name = "balloon_target",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = target_test_cases,
};
kunit_test_suite(target_test_suite);

MODULE_DESCRIPTION("KUnit suite of the worker that follows a balloon's target");
MODULE_LICENSE("GPL");
