// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of a balloon device: mm/balloon_dev.c, mm/balloon_worker.c,
 * mm/balloon_oom.c and mm/balloon_sysfs.c.
 *
 * Registration and its failures, the worker that follows the target, its
 * pauses, the floor, a guest that runs out of memory, what unregistration,
 * suspension and shutdown do with every kind of page, and what sysfs shows of
 * all that.
 */
#include <kunit/test.h>

#include "fake_host.h"

/* Registered only if the case begins like that. */
static void begin(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, host_register(test), 0);
}

/* Lets the worker run once, without a pause having passed. */
static void run_worker(struct kunit *test)
{
	fake_run_work(fake.now);
	settle(test);
}

static void isolate_some(struct kunit *test, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES && nr; i++)
		nr -= compaction_isolate(arena + i);
	KUNIT_ASSERT_EQ(test, nr, 0);
	validate(test);
}

static void register_checks_ops(struct kunit *test)
{
	static const struct balloon_dev_ops no_submit = { .driver = "kunit" };
	static const struct balloon_dev_ops no_name = { .submit = host_submit };

	KUNIT_EXPECT_EQ(test, balloon_register_device(&host.b, NULL, NULL),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, balloon_register_device(&host.b, NULL, &no_submit),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, balloon_register_device(&host.b, NULL, &no_name),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 3);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Each allocation fails in turn: the batches, the number, the device. */
static void register_undone_on_failure(struct kunit *test)
{
	unsigned int nth = 0;
	int err;

	do {
		test_fail_nth = ++nth;
		err = host_register(test);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, test_objects, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_ids, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
		}
	} while (err && nth < 100);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, nth - 1, BALLOON_NR_BATCHES + 2);
}

/* What the module does when it is loaded, and when it goes. */
static void core_init_undone_on_failure(struct kunit *test)
{
	test_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, core_init(), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake.nr_classes, 0);
	fake.no_class = true;
	KUNIT_EXPECT_EQ(test, core_init(), -EEXIST);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 0);
	fake.no_class = false;
	KUNIT_EXPECT_EQ(test, core_init(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_classes, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 1);
	core_exit();
	KUNIT_EXPECT_EQ(test, fake.nr_classes, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 0);
}

static void ack_timeout_is_at_least_a_tick(struct kunit *test)
{
	begin(test);
	KUNIT_EXPECT_EQ(test, host.b.ack_timeout, 30 * HZ);
	balloon_set_ack_timeout(&host.b, 0);
	KUNIT_EXPECT_EQ(test, host.b.ack_timeout, 1);
	balloon_set_ack_timeout(&host.b, 5000);
	KUNIT_EXPECT_EQ(test, host.b.ack_timeout, 5 * HZ);
}

/* An adapter need not have the optional operations. */
static void life_without_optional_operations(struct kunit *test)
{
	static const struct balloon_dev_ops ops = {
		.driver = "kunit",
		.submit = host_submit,
	};

	host.ops = &ops;
	begin(test);
	resize(test, 50);
	resize(test, 20);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);

	/* Without ->reset() a hypervisor that failed keeps what it has. */
	host_init(test);
	host.ops = &ops;
	begin(test);
	resize(test, 50);
	host.submit_error = -EIO;
	balloon_set_target(&host.b, 20);
	run_worker(test);
	KUNIT_EXPECT_EQ(test, host_unregister(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, fake.nr_pinned, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 50);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_ids, 1);
	validate(test);
}

/* Whatever the memory of the device held before. */
static void register_and_unregister(struct kunit *test)
{
	memset(&host.b, 0xa5, sizeof(host.b));
	begin(test);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 1);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_ids, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 0);
}

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

/* Whole blocks first, then as many single pages as are missing. */
static void units_come_and_go(struct kunit *test)
{
	static const struct { unsigned int target, units; } cases[] = {
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
		KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, cases[i].units);
	}
	KUNIT_EXPECT_EQ(test, test_objects, BALLOON_NR_BATCHES);
}

/* An administrator may want single pages, or guests may have nothing else. */
static void units_are_not_wanted_or_not_there(struct kunit *test)
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

static void units_are_of_an_order_up_to_a_block(struct kunit *test)
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
static void unit_is_cut(struct kunit *test)
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

/* The first page of a unit is isolated, and migrated or put back. */
static void unit_loses_a_page(struct kunit *test)
{
	unsigned int i;

	begin(test);
	fake.units = true;
	for (i = 0; i < 2; i++) {
		resize(test, BALLOON_BLOCK_PAGES);
		KUNIT_EXPECT_FALSE(test, compaction_isolate(arena + 1));
		KUNIT_ASSERT_TRUE(test, compaction_isolate(arena));
		KUNIT_EXPECT_TRUE(test, fake_page(arena + 1)->movable);
		validate(test);
		if (i)
			compaction_putback(compaction_first());
		else
			compaction_migrate(compaction_first(), MIGRATE_SYNC);
		settle(test);
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, i);
	}
}

/* Another page takes the place of one that has left: a block, but no unit. */
static void unit_is_filled_up(struct kunit *test)
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

/* Somebody looks at its first page: then they are freed one by one. */
static void unit_is_in_use(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, BALLOON_BLOCK_PAGES);
	get_page(arena);
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	while (host_answer_nth(0))
		;
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
	KUNIT_EXPECT_FALSE(test, PageOffline(arena));
	fake_put_page(arena);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
}

/* So they are if one is faulty. */
static void unit_is_faulty(struct kunit *test)
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
static void unit_is_refused_in_part(struct kunit *test)
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
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_freed_blocks, 0);
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
	struct balloon_batch *batch;
	unsigned long pfn;
	unsigned int nr;

	begin(test);
	fake.zone_boundary = 0;
	pfn = page_to_pfn(first);
	batch = try_get_batch(&host.b);
	KUNIT_ASSERT_NOT_NULL(test, batch);

	/* The last of the runs, which end with their blocks, is cut. */
	KUNIT_ASSERT_EQ(test, balloon_blocks_reserve(bs, pfn,
						     BALLOON_BATCH_PAGES + 1,
						     GFP_KERNEL), 0);
	KUNIT_ASSERT_EQ(test, balloon_blocks_set(bs, pfn,
						 BALLOON_BATCH_PAGES + 1), 0);
	take_pages_into(&host.b, batch, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, BALLOON_BATCH_PAGES);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr, 1);
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
	take_pages_into(&host.b, batch, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, BALLOON_BATCH_PAGES);
	balloon_batch_put(batch);

	batch = try_get_batch(&host.b);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	take_pages_into(&host.b, batch, ULONG_MAX);
	KUNIT_EXPECT_EQ(test, batch->deflate.nr_pages, 1);
	balloon_batch_put(batch);
	balloon_blocks_unreserve(bs, pfn, BALLOON_BATCH_PAGES + 1);
	host.b.nr_ballooned = 0;
	host.b.nr_deflating = 0;

	for (nr = BALLOON_BATCH_PAGES - 1; nr <= BALLOON_BATCH_PAGES + 1; nr++) {
		batch = try_get_batch(&host.b);
		KUNIT_ASSERT_NOT_NULL(test, batch);
		fake.endless = first;
		KUNIT_EXPECT_TRUE(test, alloc_pages_into(&batch->inflate, batch,
							 nr));
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
							  BALLOON_BATCH_KEEP));
		spin_unlock_irq(&host.b.pages_lock);
	}
	spin_lock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_NULL(test, __balloon_batch_get(&host.b, BALLOON_BATCH_KEEP));
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

static bool put_back_or_answer(struct kunit *test)
{
	struct page *page = compaction_first();

	if (page)
		compaction_putback(page);
	return page || host_answer_nth(0);
}

static void deflation_waits_for_isolated_pages(struct kunit *test)
{
	begin(test);
	resize(test, 10);
	isolate_some(test, 10);
	fake.step = put_back_or_answer;
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	settle(test);
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

/* All batches are taken by migrations that the hypervisor does not answer. */
static void take_all_batches(struct kunit *test)
{
	unsigned int i;

	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, BALLOON_NR_BATCHES + 10);
	isolate_some(test, BALLOON_NR_BATCHES + 1);
	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		KUNIT_ASSERT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
		balloon_batch_flush(&host.b);
	}
	KUNIT_ASSERT_EQ(test, host.b.nr_free, 0);
	compaction_putback(compaction_first());
	fake.step = NULL;
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
		fake_run_work(fake.now);
		validate(test);
		/* Not a moment longer than it takes to be found silent. */
		KUNIT_EXPECT_LE(test, fake.now - start, HZ);
		KUNIT_EXPECT_EQ(test, host.b.error, -ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, host.nr_in_flight, BALLOON_NR_BATCHES);
		fake.step = host_step;
		settle(test);
		fake_let_pass(60 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.error, 0);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, targets[i]);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, targets[i]);
	}
}

static void unregister_without_a_batch(struct kunit *test)
{
	begin(test);
	take_all_batches(test);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static bool unregister_begins(struct kunit *test)
{
	if (host.b.dying)
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
		fake_run_work(fake.now);
		KUNIT_EXPECT_TRUE(test, host.b.dying);
		KUNIT_EXPECT_EQ(test, fake.now, start);
		KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
		fake.step = host_step;
		settle(test);
		host.b.dying = false;
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
	KUNIT_EXPECT_TRUE(test, host.b.dying);
	KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	host.b.dying = false;
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
	fake.step = put_back_or_answer;
	put_back_or_answer(test);
	fake_let_pass(100 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static void unregister_gives_all_back(struct kunit *test)
{
	begin(test);
	fake.stride = 5;
	resize(test, 700);
	isolate_some(test, 30);
	while (host.b.isolated_pages > 20)
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
	fake.step = put_back_or_answer;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
}

static void unregister_while_inflating(struct kunit *test)
{
	begin(test);
	balloon_set_ack_timeout(&host.b, 1000);
	fake.step = NULL;
	balloon_set_target(&host.b, 300);
	balloon_batch_flush(&host.b);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 1);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Silent from now on: the hypervisor is made to forget the balloon. */
static void unregister_resets_a_silent_hypervisor(struct kunit *test)
{
	unsigned long start;

	begin(test);
	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 300);
	isolate_some(test, 3);
	KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
						 MIGRATE_ASYNC), 0);
	compaction_putback(compaction_first());
	compaction_putback(compaction_first());
	fake.step = NULL;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_LE(test, fake.now - start, 200 * HZ);
}

static void unregister_a_broken_device(struct kunit *test)
{
	begin(test);
	resize(test, 100);
	host.error = -EIO;
	host.error_did_it = true;
	balloon_set_target(&host.b, 200);
	fake_run_work(fake.now);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.error, -EIO);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 200);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* A hypervisor that keeps everything, for a while or for ever. */
static bool relents(struct kunit *test)
{
	if (time_before(fake.now, fake.until))
		return false;
	host.keep = 0;
	return host_answer_nth(0);
}

static void unregister_while_deflation_is_refused(struct kunit *test)
{
	unsigned long start;

	begin(test);
	resize(test, 40);
	host.keep = UINT_MAX;
	host.at_once = true;
	fake.until = fake.now + 20 * HZ;
	fake.step = relents;
	host.nr_submits = 0;
	host.b.stats.batches = 0;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_LE(test, host.nr_submits, 20 * HZ / BALLOON_BACKOFF_MIN + 2);

	host_init(test);
	begin(test);
	resize(test, 40);
	host.keep = UINT_MAX;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_LE(test, fake.now - start, 200 * HZ);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* An adapter whose ->reset() does not complete what is in flight. */
static void unregister_with_batches_that_are_never_completed(struct kunit *test)
{
	unsigned long start;

	begin(test);
	take_all_batches(test);
	host.never_resets = true;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, host_unregister(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_pinned, 1);
	KUNIT_EXPECT_LE(test, fake.now - start, 300 * HZ);
	validate(test);
}

/* A thread that is about to use a batch counts like a page. */
static void unregister_with_a_batch_in_use(struct kunit *test)
{
	struct balloon_batch *batch;

	begin(test);
	batch = try_get_batch(&host.b);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	KUNIT_EXPECT_EQ(test, host_unregister(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	balloon_batch_put(batch);
	validate(test);
}

static void unregister_from_another_cpu(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, balloon_unregister_device(&host.b), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
}

/* ->reset() never runs beside ->submit(). */
static void unregister_while_submit_hangs(struct kunit *test)
{
	begin(test);
	resize(test, 1);
	isolate_some(test, 1);
	fake.step = NULL;
	host.meanwhile = unregister_from_another_cpu;
	KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
						 MIGRATE_ASYNC), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_pinned, 1);
	/* The memory of the device remains, the answer may still come. */
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
}

/* Unregistered in any state, with any kind of hypervisor. */
static void unregister_after_a_random_walk(struct kunit *test)
{
	unsigned int walk, step, resets = 0;

	for (walk = 0; walk < 60; walk++) {
		unsigned int kind = walk % 4;

		host_init(test);
		test_random_state = walk;
		fake.stride = 389;
		fake.zone_boundary = BALLOON_BLOCK_PAGES;
		fake.units = walk & 4;
		begin(test);
		for (step = 0; step < 100; step++) {
			random_step(test);
			validate(test);
		}
		test_fail_nth = 0;
		host.refuse = 0;
		host.keep = 0;
		fake.step = put_back_or_answer;
		if (kind == 1)
			host.error = -EIO;
		if (kind == 2)
			host.submit_error = -EIO;
		if (kind == 3)
			fake.step = put_one_back;
		KUNIT_ASSERT_EQ(test, host_unregister(test), 0);
		KUNIT_ASSERT_EQ(test, fake.nr_taken, 0);
		KUNIT_ASSERT_EQ(test, test_objects, 0);
		KUNIT_ASSERT_LE(test, host.nr_resets, !!kind);
		resets += host.nr_resets;
	}
	KUNIT_EXPECT_GT(test, resets, 20);
}

static bool migrate_or_answer(struct kunit *test)
{
	struct page *page = compaction_first();

	if (!page)
		return host_answer_nth(0);
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), -EBUSY);
	compaction_putback(page);
	return true;
}

static void dying_device_migrates_nothing(struct kunit *test)
{
	begin(test);
	resize(test, 20);
	isolate_some(test, 5);
	fake.step = migrate_or_answer;
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* A page that compaction never returns: nothing is freed under its feet. */
static void unregister_with_a_page_that_is_never_returned(struct kunit *test)
{
	unsigned long start;

	begin(test);
	resize(test, 20);
	isolate_some(test, 1);
	start = fake.now;
	KUNIT_EXPECT_EQ(test, host_unregister(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_LE(test, fake.now - start, 300 * HZ);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_pinned, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
	/* The memory of the device remains; the page may come back. */
	compaction_putback(compaction_first());
	validate(test);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
}

static void dying_device_begins_nothing(struct kunit *test)
{
	begin(test);
	resize(test, 3);
	host.b.dying = true;
	balloon_set_target(&host.b, 5);
	KUNIT_EXPECT_EQ(test, host.b.target, 3);
	KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
	validate(test);
	host.b.dying = false;
}

/*
 * What an administrator sees, of a device of which every number is another one.
 */
static const struct {
	const char *group, *name, *value;
} sysfs_files[] = {
	{ NULL, "driver", "kunit\n" },
	{ NULL, "state", "running\n" },
	{ NULL, "target_pages", "1\n" },
	{ NULL, "actual_pages", "230\n" },
	{ NULL, "isolated_pages", "20\n" },
	{ NULL, "pending_pages", "300\n" },
	{ NULL, "floor_pages", "2\n" },
	{ NULL, "compact", NULL },
	{ "stats", "enqueued", "1001\n" },
	{ "stats", "dequeued", "1002\n" },
	{ "stats", "inflated", "1003\n" },
	{ "stats", "deflated", "1004\n" },
	{ "stats", "compact_balloon_isolated", "1005\n" },
	{ "stats", "compact_balloon_migrated", "1006\n" },
	{ "stats", "compact_balloon_failed", "1007\n" },
	{ "stats", "compact_balloon_freed", "1008\n" },
	{ "stats", "migrate_failed", "1009\n" },
	{ "stats", "batches", "1010\n" },
	{ "stats", "refused", "1011\n" },
	{ "stats", "alloc_failed", "1012\n" },
	{ "stats", "exchanged", "1013\n" },
	{ "stats", "oom_deflated", "1014\n" },
};

struct sysfs_test {
	struct balloon_dev_info b;
	struct device dev;
	char *buf;
};

static struct sysfs_test *sysfs_begin(struct kunit *test)
{
	struct sysfs_test *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	balloon_devinfo_init(&s->b);
	s->b.ops = &host_ops;
	s->b.target = 1;
	s->b.floor = 2;
	s->b.nr_ballooned = 10;
	s->b.isolated_pages = 20;
	s->b.nr_inflating = 100;
	s->b.nr_deflating = 200;
	s->b.stats = (struct balloon_stats) {
		.enqueued = 1001, .dequeued = 1002, .inflated = 1003,
		.deflated = 1004, .isolated = 1005, .migrated = 1006,
		.putback = 1007, .freed = 1008, .migrate_failed = 1009,
		.batches = 1010, .refused = 1011, .alloc_failed = 1012,
		.exchanged = 1013, .oom_deflated = 1014,
	};
	dev_set_drvdata(&s->dev, &s->b);
	/* sysfs_emit() wants a whole page. */
	s->buf = page_address(arena);
	return s;
}

/* The nth file of all groups, and its group's name. */
static struct device_attribute *sysfs_nth(unsigned int nth, const char **group)
{
	unsigned int i, j;

	for (i = 0; balloon_dev_groups[i]; i++) {
		struct attribute **attrs = balloon_dev_groups[i]->attrs;

		*group = balloon_dev_groups[i]->name;
		for (j = 0; attrs[j]; j++)
			if (!nth--)
				return container_of(attrs[j],
						    struct device_attribute,
						    attr);
	}
	return NULL;
}

static struct device_attribute *sysfs_find(const char *name)
{
	struct device_attribute *attr;
	const char *group;
	unsigned int i;

	for (i = 0; (attr = sysfs_nth(i, &group)); i++)
		if (!strcmp(attr->attr.name, name))
			return attr;
	return NULL;
}

static void sysfs_shows_every_number(struct kunit *test)
{
	struct sysfs_test *s = sysfs_begin(test);
	struct device_attribute *attr;
	const char *group;
	unsigned int i;

	for (i = 0; (attr = sysfs_nth(i, &group)); i++) {
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(sysfs_files));
		KUNIT_ASSERT_TRUE_MSG(test, !strcmp(attr->attr.name,
						    sysfs_files[i].name),
				      "%s", attr->attr.name);
		KUNIT_EXPECT_EQ(test, !group, !sysfs_files[i].group);
		if (group && sysfs_files[i].group)
			KUNIT_EXPECT_EQ(test, strcmp(group, sysfs_files[i].group),
					0);
		KUNIT_EXPECT_EQ(test, attr->attr.mode & 0222,
				attr->store ? 0200 : 0);
		if (!sysfs_files[i].value) {
			KUNIT_EXPECT_NULL(test, attr->show);
			continue;
		}
		KUNIT_EXPECT_EQ(test, attr->show(&s->dev, attr, s->buf),
				strlen(sysfs_files[i].value));
		KUNIT_EXPECT_EQ_MSG(test, strcmp(s->buf, sysfs_files[i].value), 0,
				    "%s: %s", attr->attr.name, s->buf);
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(sysfs_files));
}

static void sysfs_shows_the_state(struct kunit *test)
{
	static const struct { int error; const char *value; } cases[] = {
		{ 0, "running\n" }, { -ETIMEDOUT, "stalled\n" },
		{ -EIO, "broken\n" }, { -ESHUTDOWN, "broken\n" },
	};
	struct device_attribute *attr = sysfs_find("state");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->b.error = cases[i].error;
		attr->show(&s->dev, attr, s->buf);
		KUNIT_EXPECT_EQ(test, strcmp(s->buf, cases[i].value), 0);
	}
}

static void sysfs_sets_the_floor(struct kunit *test)
{
	static const struct { const char *text; long err; unsigned long floor; }
	cases[] = {
		{ "123\n", 0, 123 }, { "0x10", 0, 16 }, { "0\n", 0, 0 },
		{ "", -EINVAL, 0 }, { "x", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "1 2", -EINVAL, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
	};
	struct device_attribute *attr = sysfs_find("floor_pages");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned long most = totalram_pages();
	unsigned int i;
	long done;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		long len = strlen(cases[i].text);

		s->b.floor = 7;
		done = attr->store(&s->dev, attr, cases[i].text, len);
		KUNIT_EXPECT_EQ(test, done, cases[i].err ? cases[i].err : len);
		KUNIT_EXPECT_EQ(test, s->b.floor,
				cases[i].err ? 7 : cases[i].floor);
	}
	/* All of memory, and one page more. */
	for (i = 0; i < 2; i++) {
		int len = scnprintf(s->buf, PAGE_SIZE, "%lu\n", most + i);

		done = attr->store(&s->dev, attr, s->buf, len);
		KUNIT_EXPECT_EQ(test, done, i ? -ERANGE : len);
		KUNIT_EXPECT_EQ(test, s->b.floor, most);
	}
}

static int dev_test_init(struct kunit *test)
{
	host_init(test);
	return 0;
}

/* Only a device that says so is squeezed, and its pages stay the guest's. */
static void begin_with_oom(struct kunit *test)
{
	begin(test);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	test_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, balloon_deflate_on_oom(&host.b), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, host.b.deflate_on_oom);
	KUNIT_ASSERT_EQ(test, balloon_deflate_on_oom(&host.b), 0);
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
	KUNIT_EXPECT_NULL(test, fake.oom);
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
	fake_run_work(fake.now);
	settle(test);
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
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, BALLOON_OOM_TIMEOUT + HZ);
	validate(test);
	settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
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
	KUNIT_ASSERT_EQ(test, host.b.error, -ETIMEDOUT);
	start = fake.now;
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
	KUNIT_EXPECT_EQ(test, fake.now, start);
}

static void r15_freeze_gives_all_back(struct kunit *test)
{
	unsigned int i;

	begin(test);
	for (i = 0; i < 2; i++) {
		resize(test, 40);
		isolate_some(test, 7);
		fake.step = put_back_or_answer;
		KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), 0);
		fake.step = host_step;
		validate(test);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		KUNIT_EXPECT_EQ(test, host.reported, 0);
		KUNIT_EXPECT_EQ(test, host.nr_resets, 0);
		/* Nothing comes before it is thawed. */
		balloon_set_target(&host.b, 20);
		fake_let_pass(100 * HZ);
		KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), 0);
		KUNIT_EXPECT_EQ(test, host.nr_in_flight, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		balloon_thaw(&host.b);
	}
	resize(test, 30);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* The guest sleeps all the same; and wakes up to another hypervisor. */
static void freeze_resets_a_silent_hypervisor(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	fake.step = NULL;
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), 0);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	balloon_thaw(&host.b);
	resize(test, 30);
	KUNIT_EXPECT_EQ(test, host.b.error, 0);
}

static void freeze_fails_if_pages_do_not_come_back(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	isolate_some(test, 1);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), -EBUSY);
	validate(test);
	KUNIT_EXPECT_NE(test, host.b.error, 0);
	compaction_putback(compaction_first());
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* Nothing is given back, and nothing is on its way any more. */
static void shutdown_forgets_the_balloon(struct kunit *test)
{
	unsigned int submits;

	begin(test);
	resize(test, 40);
	fake.step = NULL;
	balloon_set_target(&host.b, 80);
	fake_run_work(fake.now);
	KUNIT_ASSERT_GT(test, host.nr_in_flight, 0);
	balloon_shutdown(&host.b);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 0);
	submits = host.nr_submits;
	balloon_set_target(&host.b, 0);
	fake_let_pass(100 * HZ);
	KUNIT_EXPECT_EQ(test, host.nr_submits, submits);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
	validate(test);
}

static struct kunit_case dev_test_cases[] = {
	KUNIT_CASE(register_checks_ops),
	KUNIT_CASE(register_undone_on_failure),
	KUNIT_CASE(core_init_undone_on_failure),
	KUNIT_CASE(register_and_unregister),
	KUNIT_CASE(ack_timeout_is_at_least_a_tick),
	KUNIT_CASE(life_without_optional_operations),
	KUNIT_CASE(target_is_reached_exactly),
	KUNIT_CASE(target_changes_meanwhile),
	KUNIT_CASE(traffic_is_batched),
	KUNIT_CASE(traffic_fills_batches),
	KUNIT_CASE(units_come_and_go),
	KUNIT_CASE(units_are_not_wanted_or_not_there),
	KUNIT_CASE(units_are_of_an_order_up_to_a_block),
	KUNIT_CASE(unit_is_cut),
	KUNIT_CASE(unit_loses_a_page),
	KUNIT_CASE(unit_is_filled_up),
	KUNIT_CASE(unit_is_in_use),
	KUNIT_CASE(unit_is_faulty),
	KUNIT_CASE(unit_is_refused_in_part),
	KUNIT_CASE(batch_holds_no_more_pages),
	KUNIT_CASE(batches_are_kept_for_migration),
	KUNIT_CASE(floor_is_left),
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
	KUNIT_CASE(r08_oom_gives_pages_back),
	KUNIT_CASE(r02_oom_stops_inflation),
	KUNIT_CASE(oom_with_a_silent_hypervisor),
	KUNIT_CASE(oom_without_a_batch),
	KUNIT_CASE(r15_freeze_gives_all_back),
	KUNIT_CASE(freeze_resets_a_silent_hypervisor),
	KUNIT_CASE(freeze_fails_if_pages_do_not_come_back),
	KUNIT_CASE(shutdown_forgets_the_balloon),
	KUNIT_CASE(unregister_gives_all_back),
	KUNIT_CASE(unregister_while_inflating),
	KUNIT_CASE(unregister_resets_a_silent_hypervisor),
	KUNIT_CASE(unregister_a_broken_device),
	KUNIT_CASE(unregister_without_a_batch),
	KUNIT_CASE(unregister_while_deflation_is_refused),
	KUNIT_CASE(unregister_with_batches_that_are_never_completed),
	KUNIT_CASE(unregister_with_a_batch_in_use),
	KUNIT_CASE(unregister_while_submit_hangs),
	KUNIT_CASE(unregister_after_a_random_walk),
	KUNIT_CASE(dying_device_migrates_nothing),
	KUNIT_CASE(unregister_with_a_page_that_is_never_returned),
	KUNIT_CASE(dying_device_begins_nothing),
	KUNIT_CASE(sysfs_shows_every_number),
	KUNIT_CASE(sysfs_shows_the_state),
	KUNIT_CASE(sysfs_sets_the_floor),
	{}
};

static struct kunit_suite dev_test_suite = {
	.name = "balloon_dev",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = dev_test_init,
	.exit = host_test_exit,
	.test_cases = dev_test_cases,
};
kunit_test_suite(dev_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon device");
MODULE_LICENSE("GPL");
