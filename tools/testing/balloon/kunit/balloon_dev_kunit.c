// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of a balloon device: mm/balloon_dev.c and mm/balloon_worker.c.
 *
 * Registration and its failures, the worker that follows the target, its
 * pauses, the floor, and what unregistration does with every kind of page.
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

static void register_undone_on_failure(struct kunit *test)
{
	unsigned int nth;

	for (nth = 1; nth <= BALLOON_NR_BATCHES; nth++) {
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, host_register(test), -ENOMEM);
		KUNIT_EXPECT_EQ(test, test_objects, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_ids, 0);
	}
	fake.no_device = true;
	KUNIT_EXPECT_EQ(test, host_register(test), -ENODEV);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_ids, 0);
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

static void inflation_without_memory_for_the_index(struct kunit *test)
{
	unsigned int nth;

	begin(test);
	fake.stride = BALLOON_BLOCK_PAGES + 1;
	for (nth = 1; nth <= 4; nth++) {
		test_fail_nth = nth;
		balloon_set_target(&host.b, 10);
		run_worker(test);
		fake_let_pass(60 * HZ);
		settle(test);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 10);
		test_fail_nth = 0;
		resize(test, 0);
	}
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

static int dev_test_init(struct kunit *test)
{
	host_init(test);
	return 0;
}

static void dev_test_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, test_warnings, 0);
	KUNIT_EXPECT_TRUE_MSG(test, !fake.violation, "%s", fake.violation);
	host_exit();
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static struct kunit_case dev_test_cases[] = {
	KUNIT_CASE(register_checks_ops),
	KUNIT_CASE(register_undone_on_failure),
	KUNIT_CASE(register_and_unregister),
	KUNIT_CASE(target_is_reached_exactly),
	KUNIT_CASE(target_changes_meanwhile),
	KUNIT_CASE(traffic_is_batched),
	KUNIT_CASE(batches_are_kept_for_migration),
	KUNIT_CASE(floor_is_left),
	KUNIT_CASE(worker_pauses_without_memory),
	KUNIT_CASE(inflation_without_memory_for_the_index),
	KUNIT_CASE(refused_inflation_is_tried_at_intervals),
	KUNIT_CASE(refused_inflation_takes_no_more),
	KUNIT_CASE(refused_deflation_is_tried_at_intervals),
	KUNIT_CASE(deflation_waits_for_isolated_pages),
	KUNIT_CASE(deflation_flushes_migrations),
	KUNIT_CASE(pages_held_by_compaction_do_not_spin_the_worker),
	KUNIT_CASE(unregister_gives_all_back),
	KUNIT_CASE(unregister_while_inflating),
	KUNIT_CASE(unregister_resets_a_silent_hypervisor),
	KUNIT_CASE(unregister_a_broken_device),
	KUNIT_CASE(dying_device_migrates_nothing),
	KUNIT_CASE(unregister_with_a_page_that_is_never_returned),
	KUNIT_CASE(dying_device_begins_nothing),
	{}
};

static struct kunit_suite dev_test_suite = {
	.name = "balloon_dev",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = dev_test_init,
	.exit = dev_test_exit,
	.test_cases = dev_test_cases,
};
kunit_test_suite(dev_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon device");
MODULE_LICENSE("GPL");
