// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the life of a balloon device, mm/balloon/device.c: registration
 * and its failures, and what unregistration, suspension and shutdown do with
 * every kind of page.
 */
#include <kunit/test.h>

#include "host_device.h"

static void register_checks_ops(struct kunit *test)
{
	static const struct balloon_dev_ops no_submit = { .driver = "kunit" };
	static const struct balloon_dev_ops no_name = { .submit = host_submit };

	KUNIT_EXPECT_EQ(test, PTR_ERR(balloon_register_device(NULL, NULL, NULL)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(balloon_register_device(NULL, &no_submit, NULL)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, PTR_ERR(balloon_register_device(NULL, &no_name, NULL)),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 3);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Each allocation fails in turn: the balloon, its batches, the number, the device. */
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
	KUNIT_EXPECT_EQ(test, nth - 1, BALLOON_NR_BATCHES + 3);
}

/* What the module does when it is loaded, and when it goes. */
static void core_init_undone_on_failure(struct kunit *test)
{
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, core_init(), -ENOMEM);
		KUNIT_EXPECT_EQ(test, fake.nr_classes, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 0);
	}
	fake.no_oom = true;
	KUNIT_EXPECT_EQ(test, core_init(), -EBUSY);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 0);
	fake.no_oom = false;
	fake.no_class = true;
	KUNIT_EXPECT_EQ(test, core_init(), -EEXIST);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 0);
	fake.no_class = false;
	KUNIT_EXPECT_EQ(test, core_init(), 0);
	KUNIT_EXPECT_EQ(test, fake.nr_classes, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, 2);
	KUNIT_EXPECT_NOT_NULL(test, fake.oom);
	core_exit();
	KUNIT_EXPECT_NULL(test, fake.oom);
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
	/* Nothing of the adapter is in use any more. */
	KUNIT_EXPECT_PTR_EQ(test, host.b.ops, &no_ops);
	KUNIT_EXPECT_EQ(test, no_ops.submit(&host.b, NULL), -ESHUTDOWN);
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

static void unregister_without_a_batch(struct kunit *test)
{
	begin(test);
	take_all_batches(test);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
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
	KUNIT_EXPECT_EQ(test, host.reported, 0);
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
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
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
	struct balloon_core_batch *batch;

	begin(test);
	batch = balloon_batch_get(&host.b, BALLOON_FOR_TARGET);
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
	host.b.state = BALLOON_EMPTYING;
	balloon_set_target(&host.b, 5);
	KUNIT_EXPECT_EQ(test, host.b.target, 3);
	KUNIT_EXPECT_FALSE(test, fake_work_pending(&host.b.work.work));
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
	validate(test);
	host.b.state = BALLOON_RUNNING;
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
	unsigned long start;

	begin(test);
	resize(test, 40);
	fake.step = NULL;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, 2 * HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.reported, 0);
	KUNIT_EXPECT_EQ(test, host.nr_resets, 1);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	balloon_thaw(&host.b);
	resize(test, 30);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

/* In the midst of a round that was to end with a pause. */
static void freeze_ends_a_round(struct kunit *test)
{
	begin(test);
	fake.mem_available = host.b.floor + 20;
	fake.step = NULL;
	balloon_set_target(&host.b, 30);
	fake_run_work(fake.now);
	KUNIT_EXPECT_TRUE(test, host.b.round.begun);
	KUNIT_EXPECT_EQ(test, host.b.round.err, -EAGAIN);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), 0);
	balloon_thaw(&host.b);
	fake.mem_available = host.b.floor + 2000;
	resize(test, 30);
}

static void freeze_fails_if_pages_do_not_come_back(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	isolate_some(test, 1);
	fake.step = host_step;
	KUNIT_EXPECT_EQ(test, balloon_freeze(&host.b), -EBUSY);
	validate(test);
	KUNIT_EXPECT_NE(test, host.b.state, BALLOON_RUNNING);
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
	KUNIT_CASE(r15_freeze_gives_all_back),
	KUNIT_CASE(freeze_resets_a_silent_hypervisor),
	KUNIT_CASE(freeze_ends_a_round),
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
	{}
};

static struct kunit_suite dev_test_suite = {
	.name = "balloon_dev",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = dev_test_cases,
};
kunit_test_suite(dev_test_suite);

MODULE_DESCRIPTION("KUnit suite of the life of a balloon device");
MODULE_LICENSE("GPL");
