// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of a hypervisor that fails, or falls silent: what mm/balloon/batch.c and
 * mm/balloon/settle.c then do with its batches, and the watchdog.
 */
#include <kunit/test.h>

#include "host_device.h"

/* After an error nobody knows what the hypervisor did: pages stay. */
static void answered_with_an_error(struct kunit *test)
{
	unsigned int taken, i;

	resize(test, 8);
	for (i = 0; i < 4; i++)
		KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + i));
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, compaction_record(arena + i), 0);
	balloon_batch_flush(&host.b);
	host.error = -EIO;
	host.error_did_it = test_random(2);
	host_answer_nth(0);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	settle(test);
	taken = fake.nr_taken;
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 4 + 3 + 3);
	KUNIT_EXPECT_EQ(test, taken, 4 + 3 + 3 + 1);

	/* Broken: nothing more is begun, what is held can be let go. */
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena + 7));
	KUNIT_EXPECT_EQ(test, compaction_migrate(arena + 3, MIGRATE_SYNC),
			-EBUSY);
	validate(test);
	compaction_putback(arena + 3);
	validate(test);
	host.nr_submits = 0;
	balloon_set_target(&host.b, 100);
	fake_let_pass(100 * HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, taken);
}

/* Why a device is broken is what broke it first. */
static void first_error_stays(struct kunit *test)
{
	resize(test, 4);
	isolate_all(test);
	while (compaction_first()) {
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
	}
	host.error = -ENXIO;
	host_answer_nth(0);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	host.error = -EIO;
	host_answer_nth(0);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	host.error = 0;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 2 * 2 + 2);
}

static void error_inside_submit(struct kunit *test)
{
	resize(test, 3);
	isolate_all(test);
	host.at_once = true;
	host.error = -EIO;
	while (compaction_first())
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), 0);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 6);
	KUNIT_EXPECT_EQ(test, host.b.nr_submitting, 0);
}

/* Recorded while all was well, submitted when it is not any more. */
static void open_batch_of_a_broken_device(struct kunit *test)
{
	resize(test, 4);
	isolate_all(test);
	KUNIT_EXPECT_EQ(test, compaction_record(arena), 0);
	balloon_batch_flush(&host.b);
	KUNIT_EXPECT_EQ(test, compaction_record(arena + 1), 0);
	host.error = -EIO;
	host_answer_nth(0);
	host.nr_submits = 0;
	compaction_putback(arena + 2);
	compaction_putback(arena + 3);
	settle(test);
	/* The hypervisor has seen nothing of the second: it is undone. */
	KUNIT_EXPECT_EQ(test, host.nr_submits, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 2 + 1 + 2);
	KUNIT_EXPECT_TRUE(test, balloon_blocks_test(&host.b.blocks,
						    page_to_pfn(arena + 1)));
	KUNIT_EXPECT_TRUE(test, fake_page(arena + 1)->movable);
}

static void submit_fails(struct kunit *test)
{
	unsigned int i;

	/* A migration: the pages are where they were. */
	resize(test, 4);
	isolate_all(test);
	host.submit_error = -EIO;
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), 0);
	validate(test);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 4);
	fake_let_pass(60 * HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 4);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_TRUE(test, fake_page(arena + i)->at_host);
}

static void submit_of_an_inflation_fails(struct kunit *test)
{
	host.submit_error = -EIO;
	balloon_set_target(&host.b, 5);
	fake_run_work(fake.now);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static void submit_of_a_deflation_fails(struct kunit *test)
{
	resize(test, 5);
	host.submit_error = -EIO;
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 5);
}

/* A silent hypervisor stops the balloon until it answers. */
static void silent_hypervisor(struct kunit *test)
{
	unsigned long start;

	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 5);
	fake.step = NULL;
	start = fake.now;
	balloon_set_target(&host.b, 20);
	fake_run_work(fake.now);
	while (host.b.state == BALLOON_RUNNING && fake_run_work(start + 100 * HZ))
		;
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, fake.nr_events, 1);
	KUNIT_EXPECT_GE(test, fake.now - start, HZ);
	KUNIT_EXPECT_LE(test, fake.now - start, 3 * HZ);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
	KUNIT_EXPECT_EQ(test, host.b.nr_inflating, 15);

	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 20);
	KUNIT_EXPECT_TRUE(test, compaction_isolate(arena));
	validate(test);
}

/* It is to answer all, and before a device that is going away goes on nothing. */
/* What is not sent because of the silence says nothing of the hypervisor. */
static void unsent_batch_is_no_failure(struct kunit *test)
{
	struct balloon_core_batch *batch;

	resize(test, 10);
	batch = balloon_batch_get(&host.b, BALLOON_FOR_EXCHANGE);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	spin_lock_irq(&host.b.pages_lock);
	host.b.state = BALLOON_STALLED;
	spin_unlock_irq(&host.b.pages_lock);
	KUNIT_EXPECT_TRUE(test, batch_send(batch, false));
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 1);
	balloon_batch_settle(batch);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	settle(test);
}

static void silent_until_all_is_answered(struct kunit *test)
{
	unsigned int dying;

	balloon_set_ack_timeout(&host.b, 1000);
	for (dying = 0; dying < 2; dying++) {
		resize(test, 3);
		isolate_all(test);
		while (compaction_first()) {
			KUNIT_EXPECT_EQ(test,
					compaction_record(compaction_first()), 0);
			balloon_batch_flush(&host.b);
		}
		fake_let_pass(2 * HZ);
		KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
		validate(test);
		host_answer_nth(0);
		fake_flush_work(&host.b.reap_work);
		KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
		validate(test);
		if (dying)
			host.b.state = BALLOON_STOPPED;
		/* Both are done before the first of them is settled. */
		host_answer_nth(0);
		host_answer_nth(0);
		fake_cancel_work(&host.b.work.work);
		fake_flush_work(&host.b.reap_work);
		KUNIT_EXPECT_EQ(test, host.b.state,
				dying ? BALLOON_STOPPED : BALLOON_RUNNING);
		KUNIT_EXPECT_EQ(test, fake_work_pending(&host.b.work.work),
				!dying);
		validate(test);
		host.b.state = BALLOON_RUNNING;
	}
}

static void watchdog_on_another_cpu(struct kunit *test)
{
	balloon_watchdog(&host.b.watchdog.work);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	fake.now += 2 * HZ;
	balloon_watchdog(&host.b.watchdog.work);
	/* A batch that is still being submitted cannot be overdue. */
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

static void watchdog_passes_over_what_is_being_submitted(struct kunit *test)
{
	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 2);
	isolate_all(test);
	KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	host.meanwhile = watchdog_on_another_cpu;
	balloon_batch_flush(&host.b);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	fake_let_pass(2 * HZ);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	/* Found once more, it is no news. */
	balloon_watchdog(&host.b.watchdog.work);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	compaction_putback(compaction_first());
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 2);
}

/* What a silent hypervisor answers in the end may be that it has failed. */
static void failure_after_silence_is_not_forgiven(struct kunit *test)
{
	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 5);
	fake.step = NULL;
	balloon_set_target(&host.b, 20);
	fake_run_work(fake.now);
	while (host.b.state == BALLOON_RUNNING && fake_run_work(fake.now + 100 * HZ))
		;
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	host.error = -EIO;
	host_answer_nth(0);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena));
}

/* Only the watchdog can call a hypervisor silent. */
static void adapter_cannot_time_out(struct kunit *test)
{
	resize(test, 5);
	balloon_set_target(&host.b, 6);
	host.error = -ETIMEDOUT;
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_BROKEN);
}

/* The watchdog's time is that of the oldest batch, not of the first. */
static void slow_hypervisor_is_not_silent(struct kunit *test)
{
	const u64 round_ns = HZ / 4 * (NSEC_PER_SEC / HZ);
	unsigned int i;

	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 40);
	isolate_all(test);
	for (i = 0; i < 40; i++) {
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
		if (i >= 3)
			host_answer_nth(0);
		fake_let_pass(HZ / 4);
		validate(test);
		KUNIT_ASSERT_EQ(test, host.b.state, BALLOON_RUNNING);
	}
	settle(test);
	fake_let_pass(100 * HZ);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	/* Three rounds each but for the last two; what came before took no time. */
	KUNIT_EXPECT_GE(test, host.b.nr_answers, 41);
	KUNIT_EXPECT_EQ(test, host.b.answer_worst_ns, 3 * round_ns);
	KUNIT_EXPECT_EQ(test, host.b.answer_ns, (38 * 3 + 2 + 1) * round_ns);
}

/* The first batch is answered, a later one is not. */
static void silence_after_an_answer_is_found(struct kunit *test)
{
	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, 2);
	isolate_all(test);
	KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	balloon_batch_flush(&host.b);
	fake_let_pass(HZ / 2);
	host_answer_nth(0);
	KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	fake_let_pass(HZ - 1);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	fake_let_pass(2);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_STALLED);
	settle(test);
}

static struct kunit_case failure_test_cases[] = {
	KUNIT_CASE(answered_with_an_error),
	KUNIT_CASE(first_error_stays),
	KUNIT_CASE(error_inside_submit),
	KUNIT_CASE(open_batch_of_a_broken_device),
	KUNIT_CASE(submit_fails),
	KUNIT_CASE(submit_of_an_inflation_fails),
	KUNIT_CASE(submit_of_a_deflation_fails),
	KUNIT_CASE(silent_hypervisor),
	KUNIT_CASE(unsent_batch_is_no_failure),
	KUNIT_CASE(silent_until_all_is_answered),
	KUNIT_CASE(watchdog_passes_over_what_is_being_submitted),
	KUNIT_CASE(failure_after_silence_is_not_forgiven),
	KUNIT_CASE(adapter_cannot_time_out),
	KUNIT_CASE(slow_hypervisor_is_not_silent),
	KUNIT_CASE(silence_after_an_answer_is_found),
	{}
};

static struct kunit_suite failure_test_suite = {
	.name = "balloon_failure",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = registered_test_init,
	.exit = host_test_exit,
	.test_cases = failure_test_cases,
};
kunit_test_suite(failure_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon's hypervisor that fails or falls silent");
MODULE_LICENSE("GPL");
