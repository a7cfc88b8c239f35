// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the life of an adapter's pages: mm/balloon_compaction.c,
 * mm/balloon/batch.c and mm/balloon/settle.c, through a hypervisor and a
 * compaction under our control.
 *
 *	FREE -> PENDING_INFLATE -> BALLOONED -> PENDING_DEFLATE -> FREE
 *	                             |  ^
 *	                           ISOLATED
 *
 * Every transition is walked, and those that must not be are tried.  The units'
 * warnings are counted, none reaches the log.
 */
#include <kunit/test.h>

#include "host_device.h"

/* One page inflated and acknowledged. */
static struct page *inflate_one(struct kunit *test, unsigned int index)
{
	fake.next = index;
	resize(test, host.b.nr_ballooned + host.b.isolated_pages + 1);
	KUNIT_ASSERT_TRUE(test, fake_page(arena + index)->at_host);
	return arena + index;
}

static void putback_all(struct kunit *test)
{
	while (put_one_back(test))
		validate(test);
}

/* While the worker waits for the hypervisor; then that answers. */
static bool step_inflating(struct kunit *test)
{
	LIST_HEAD(pages);
	unsigned int i;

	if (host.b.nr_inflating) {
		KUNIT_EXPECT_EQ(test, host.b.nr_inflating, 10);
		KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
		for (i = 0; i < 10; i++)
			KUNIT_EXPECT_FALSE(test, compaction_isolate(arena + i));
		KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages,
								1), 0);
		validate(test);
	}
	return host_answer_nth(0);
}

/* Rule 1: what the hypervisor has not acknowledged is in no pool. */
static void pending_inflate_is_out_of_reach(struct kunit *test)
{
	unsigned int i;

	fake.step = step_inflating;
	balloon_set_target(&host.b, 10);
	world_goes_on(test);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 1);
	for (i = 0; i < 10; i++)
		KUNIT_EXPECT_TRUE(test, compaction_isolate(arena + i));
	validate(test);
}

static bool step_deflating(struct kunit *test)
{
	unsigned int i;

	if (host.b.nr_deflating) {
		KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 6);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 10);
		KUNIT_EXPECT_EQ(test, balloon_actual(&host.b), 10);
		for (i = 0; i < 6; i++)
			KUNIT_EXPECT_FALSE(test, compaction_isolate(arena + i));
		KUNIT_EXPECT_TRUE(test, compaction_isolate(arena + 6));
		validate(test);
		compaction_putback(arena + 6);
	}
	return host_answer_nth(0);
}

/* Rule 2: pages are freed after the acknowledgement, not before. */
static void pending_deflate_is_out_of_reach(struct kunit *test)
{
	resize(test, 10);
	fake.step = step_deflating;
	balloon_set_target(&host.b, 4);
	world_goes_on(test);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 2);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 4);
}

/* A page that is not BALLOONED: nobody gets it, and nobody puts it in again. */
static void expect_out_of_reach(struct kunit *test, struct page *page)
{
	unsigned long ballooned = host.b.nr_ballooned;
	LIST_HEAD(pages);

	fake_lock_page(page);
	KUNIT_EXPECT_FALSE(test, balloon_page_isolate(page, 0));
	unlock_page(page);
	KUNIT_EXPECT_FALSE(test, balloon_blocks_test(&host.b.blocks,
						     page_to_pfn(page)));
	if (PageOffline(page) && (page_private(page) || !FAKE_TYPE_STAYS))
		expect_no_enqueue(test, page);
	if (!ballooned)
		KUNIT_EXPECT_EQ(test, balloon_page_list_dequeue(&host.b.info, &pages,
								1), 0);
	validate(test);
}

/* The worker takes what it may, and waits for no more than it may. */
static void expect_no_deflation(struct kunit *test)
{
	unsigned int deflated = host.nr_deflated;
	bool (*step)(struct kunit *test) = fake.step;

	fake.step = NULL;
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, host.nr_deflated, deflated);
	balloon_set_target(&host.b, 1);
	fake.step = step;
	validate(test);
}

/*
 * A page in each of its states but BALLOONED; what must be refused there is
 * tried, and changes nothing.
 */
static void only_ballooned_pages_can_be_had(struct kunit *test)
{
	struct page *old = arena + 7, *new = arena + 600;

	/* FREE */
	expect_out_of_reach(test, old);

	/* PENDING_INFLATE */
	fake.step = NULL;
	fake.next = 7;
	balloon_set_target(&host.b, 1);
	fake_run_work(fake.now);
	KUNIT_ASSERT_EQ(test, host.b.nr_inflating, 1);
	expect_out_of_reach(test, old);
	expect_no_deflation(test);
	settle(test);
	KUNIT_ASSERT_TRUE(test, balloon_blocks_test(&host.b.blocks,
						    page_to_pfn(old)));

	/* ISOLATED */
	KUNIT_ASSERT_TRUE(test, compaction_isolate(old));
	expect_out_of_reach(test, old);
	expect_no_deflation(test);

	/* The two halves of a migration, recorded and then in flight. */
	fake.next = 600;
	host.b.isolated_pages++;
	KUNIT_EXPECT_EQ(test, compaction_record(old), 0);
	host.b.isolated_pages--;
	KUNIT_ASSERT_EQ(test, host.nr_in_flight, 0);
	expect_out_of_reach(test, old);
	expect_out_of_reach(test, new);
	balloon_batch_flush(&host.b);
	KUNIT_ASSERT_EQ(test, host.nr_in_flight, 1);
	expect_out_of_reach(test, old);
	expect_out_of_reach(test, new);
	expect_no_deflation(test);
	settle(test);

	/* PENDING_DEFLATE */
	balloon_set_target(&host.b, 0);
	fake_run_work(fake.now);
	KUNIT_ASSERT_EQ(test, host.b.nr_deflating, 1);
	expect_out_of_reach(test, new);
	settle(test);
	expect_out_of_reach(test, new);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* Calls that the migration code does not make; counters stay what they are. */
static void only_isolated_pages_migrate(struct kunit *test)
{
	struct page *page = inflate_one(test, 7), *new = arena + 600;

	fake_lock_page(page);
	balloon_page_putback(page);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, balloon_page_migrate(new, page, MIGRATE_SYNC),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	unlock_page(page);
	validate(test);

	/* Not even while another one is isolated. */
	fake.next = 8;
	resize(test, 2);
	KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + 8));
	fake_lock_page(page);
	balloon_page_putback(page);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	unlock_page(page);
	validate(test);
	compaction_putback(arena + 8);

	/* Nor is a page that the hypervisor has not taken yet BALLOONED by it. */
	fake.step = NULL;
	fake.next = 9;
	balloon_set_target(&host.b, 3);
	fake_run_work(fake.now);
	KUNIT_ASSERT_EQ(test, host.b.nr_inflating, 1);
	fake_lock_page(arena + 9);
	balloon_page_putback(arena + 9);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	unlock_page(arena + 9);
	validate(test);
	settle(test);

	/* Pages that are in no balloon. */
	fake_lock_page(new);
	balloon_page_putback(new);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, balloon_page_migrate(page, new, MIGRATE_SYNC),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	unlock_page(new);
	validate(test);
}

static void migration_waits_for_the_answer(struct kunit *test)
{
	struct page *old = inflate_one(test, 7), *new = arena + 600;

	fake.next = 600;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(old));
	KUNIT_EXPECT_EQ(test, compaction_record(old), 0);
	validate(test);
	/* The last isolated page has taken the batch along, nobody waited. */
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 1);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->inflate.range[0].pfn,
			page_to_pfn(new));
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->deflate.range[0].pfn,
			page_to_pfn(old));
	KUNIT_EXPECT_EQ(test, host.b.nr_inflating, 1);
	KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 1);
	/* The size does not change meanwhile. */
	KUNIT_EXPECT_EQ(test, balloon_actual(&host.b), 1);
	KUNIT_EXPECT_TRUE(test, fake_page(old)->taken);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(old));
	KUNIT_EXPECT_FALSE(test, compaction_isolate(new));
	validate(test);

	settle(test);
	KUNIT_EXPECT_FALSE(test, fake_page(old)->taken);
	KUNIT_EXPECT_TRUE(test, fake_page(new)->at_host);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 1);
	KUNIT_EXPECT_TRUE(test, compaction_isolate(new));
	compaction_putback(new);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* The zone of the new page is charged, that of the old one is not any more. */
static void r04_migration_between_zones(struct kunit *test)
{
	static const unsigned int refuse[] = { 0, 1, 0 }, keep[] = { 0, 0, 1 };
	unsigned int i;

	fake.zone_boundary = BALLOON_BLOCK_PAGES;
	for (i = 0; i < ARRAY_SIZE(refuse); i++) {
		struct page *page = inflate_one(test, 7);

		KUNIT_EXPECT_EQ(test, fake.managed[0], -1);
		fake.next = 600;
		KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
		KUNIT_EXPECT_EQ(test, compaction_record(page), 0);
		KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
		KUNIT_EXPECT_EQ(test, fake.managed[1], -1);
		validate(test);
		host.refuse = refuse[i];
		host.keep = keep[i];
		host_answer_nth(0);
		fake_flush_work(&host.b.reap_work);
		validate(test);
		KUNIT_EXPECT_EQ(test, -fake.managed[0], keep[i]);
		KUNIT_EXPECT_EQ(test, -fake.managed[1], !refuse[i]);
		host.refuse = 0;
		host.keep = 0;
		resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
		KUNIT_EXPECT_EQ(test, fake.managed[1], 0);
	}
}

static void last_isolated_page_submits(struct kunit *test)
{
	unsigned int i;

	resize(test, 5);
	host.nr_submits = 0;
	host.b.stats.batches = 0;
	isolate_all(test);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, compaction_record(arena + i), 0);
	compaction_putback(arena + 3);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 0);
	compaction_putback(arena + 4);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 1);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->inflate.nr_pages, 3);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
}

static void expect_events(struct kunit *test, long isolated, long migrated,
			  long failed, long freed)
{
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONISOLATED], isolated);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONMIGRATED], migrated);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONFAILED], failed);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONFREED], freed);
	validate(test);
}

/* /proc/vmstat: what is isolated is migrated or fails, then is freed. */
static void compaction_events_balance(struct kunit *test)
{
	unsigned int i;

	resize(test, 9);
	expect_events(test, 0, 0, 0, 0);
	isolate_all(test);
	expect_events(test, 9, 0, 0, 0);
	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ(test, compaction_record(arena + i), 0);
	expect_events(test, 9, 6, 0, 0);
	compaction_putback(arena + 6);
	expect_events(test, 9, 6, 1, 0);
	putback_all(test);
	expect_events(test, 9, 6, 3, 0);
	settle(test);
	expect_events(test, 9, 6, 3, 6);

	/* Two old pages that the hypervisor keeps are not freed. */
	isolate_all(test);
	host.keep = 2;
	while (compaction_first())
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	balloon_batch_flush(&host.b);
	host_answer_nth(0);
	fake_flush_work(&host.b.reap_work);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONISOLATED], 18);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONMIGRATED], 15);
	KUNIT_EXPECT_EQ(test, fake.events[COMPACTBALLOONFREED],
			15 - host.b.stats.refused);
	KUNIT_EXPECT_GE(test, host.b.stats.refused, 2);
	host.keep = 0;
}

/* An old page is freed even if the hypervisor does not take the new one. */
static void freed_without_a_new_page(struct kunit *test)
{
	struct page *page = inflate_one(test, 3);

	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	host.refuse = 1;
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), 0);
	fake_flush_work(&host.b.reap_work);
	expect_events(test, 1, 1, 0, 1);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 0);
	host.refuse = 0;
}

/* No migration is recorded: the last putback has nothing to submit. */
static void putback_alone_submits_nothing(struct kunit *test)
{
	resize(test, 3);
	isolate_all(test);
	host.nr_submits = 0;
	host.b.stats.batches = 0;
	test_fail_nth = 1;
	fake.next = 700;
	KUNIT_EXPECT_EQ(test, compaction_record(arena), -EAGAIN);
	validate(test);
	putback_all(test);
	fake_let_pass(HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_submits, 0);
}

static void full_batch_is_submitted(struct kunit *test)
{
	unsigned int i, nr = BALLOON_BATCH_RANGES;

	/* Every second page, so that each is a range of its own. */
	fake.stride = 2;
	resize(test, nr + 2);
	isolate_all(test);
	fake.next = 1;
	host.nr_submits = 0;
	host.b.stats.batches = 0;
	for (i = 0; i < nr + 2; i++) {
		KUNIT_EXPECT_EQ(test, host.nr_submits, i >= nr);
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		validate(test);
	}
	KUNIT_EXPECT_EQ(test, host.nr_submits, 2);
	KUNIT_EXPECT_EQ(test, host.in_flight[0]->deflate.nr, nr);
	KUNIT_EXPECT_EQ(test, host.in_flight[1]->deflate.nr, 2);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, nr + 2);
}

/* Compaction that never finishes does not keep migrated pages from the host. */
static void open_batch_is_flushed(struct kunit *test)
{
	resize(test, 2);
	isolate_all(test);
	KUNIT_EXPECT_EQ(test, compaction_record(arena), 0);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 0);
	fake_let_pass(HZ / 10);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 1);
	/* The next one starts a new batch, with a time of its own. */
	KUNIT_EXPECT_EQ(test, compaction_record(arena + 1), 0);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 2);
	settle(test);
}

static void migration_waits(struct kunit *test)
{
	static const enum migrate_mode modes[] = {
		MIGRATE_ASYNC, MIGRATE_SYNC_LIGHT, MIGRATE_SYNC,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		resize(test, 2);
		isolate_all(test);
		fake.nr_waits = 0;
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 modes[i]), 0);
		KUNIT_EXPECT_EQ(test, fake.nr_waits, 0);
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 modes[i]), 0);
		KUNIT_EXPECT_EQ(test, fake.nr_waits, 1);
		KUNIT_EXPECT_EQ(test, fake.nr_timeouts, 0);
		/* Compaction sees its free blocks. */
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 2);
		KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 2);
		validate(test);
	}
}

static void sync_migration_does_not_wait_for_ever(struct kunit *test)
{
	unsigned long start = fake.now;
	struct page *page;

	balloon_set_ack_timeout(&host.b, 2000);
	page = inflate_one(test, 0);
	fake.step = NULL;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC), 0);
	validate(test);
	KUNIT_EXPECT_LE(test, fake.now - start, 3 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

static void answer_inside_submit(struct kunit *test)
{
	unsigned int i;

	host.at_once = true;
	fake.step = NULL;
	resize(test, 20);
	isolate_all(test);
	for (i = 0; i < 20; i++) {
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), 0);
		validate(test);
	}
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 20);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_waits, 0);
}

static void answers_in_any_order(struct kunit *test)
{
	resize(test, 6);
	isolate_all(test);
	while (compaction_first()) {
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
		validate(test);
	}
	KUNIT_ASSERT_EQ(test, host.nr_in_flight, 6);
	host_answer_nth(5);
	validate(test);
	host_answer_nth(2);
	host_answer_nth(0);
	validate(test);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 6);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 6);
}

/* All batches are in flight with a migration each, and @more pages are isolated. */
static void fill_all_batches(struct kunit *test, unsigned int more)
{
	unsigned int i;

	resize(test, BALLOON_NR_BATCHES + more);
	isolate_all(test);
	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
	}
}

/* All batches are in flight: the page stays isolated, nothing is lost. */
static void migration_without_a_batch(struct kunit *test)
{
	struct page *page;

	fill_all_batches(test, 1);
	page = compaction_first();
	KUNIT_EXPECT_EQ(test, compaction_record(page), -EAGAIN);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.stats.migrate_failed, 1);
	host_answer_nth(3);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, compaction_record(page), 0);
	settle(test);
}

/* One is waited for, for as long as the mode allows. */
static void migration_waits_for_a_batch(struct kunit *test)
{
	static const struct { enum migrate_mode mode; long most; } cases[] = {
		{ MIGRATE_ASYNC, HZ / 50 },
		{ MIGRATE_SYNC_LIGHT, HZ },
		{ MIGRATE_SYNC, HZ },
	};
	unsigned long start, start_of_all;
	unsigned int c;

	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		fill_all_batches(test, 2);
		host.b.late = 0;
		fake.nr_waits = 0;
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 cases[c].mode), 0);
		KUNIT_EXPECT_EQ(test, fake.nr_waits, 1);
		KUNIT_EXPECT_EQ(test, host.b.stats.migrate_failed, 0);
		settle(test);
	}

	resize(test, BALLOON_NR_BATCHES + 2);
	isolate_all(test);
	while (host.b.nr_free) {
		KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
	}
	/* The hypervisor is silent.  Who waits for longer does so all the same. */
	host.b.late = 0;
	fake.step = NULL;
	start_of_all = fake.now;
	for (c = 0; c < ARRAY_SIZE(cases); c++) {
		start = fake.now;
		KUNIT_EXPECT_NE(test, compaction_migrate(compaction_first(),
							 cases[c].mode), 0);
		KUNIT_EXPECT_LE(test, fake.now - start, cases[c].most);
		validate(test);
	}
	KUNIT_EXPECT_GE(test, fake.now - start_of_all, HZ);
	KUNIT_EXPECT_LE(test, fake.now - start_of_all, HZ + HZ / 50);
	putback_all(test);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

static bool has_answered;

/* The first batch after nearly a second, and no other. */
static bool answer_one_late(struct kunit *test)
{
	if (has_answered)
		return false;
	has_answered = true;
	fake.now += HZ - 1;
	return host_answer_nth(0);
}

/* Page locks are held for a second at most, whatever is waited for. */
static void migration_waits_once(struct kunit *test)
{
	unsigned long start;

	fill_all_batches(test, 1);
	host.b.late = 0;
	has_answered = false;
	fake.step = answer_one_late;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(), MIGRATE_SYNC), 0);
	KUNIT_EXPECT_TRUE(test, has_answered);
	KUNIT_EXPECT_LE(test, fake.now - start, HZ);
	fake.step = host_step;
	settle(test);
}

/* A batch that was not sent says nothing of the hypervisor. */
static void late_is_who_has_not_answered(struct kunit *test)
{
	struct balloon_core_batch *batch;

	resize(test, 1);
	host.b.late = HZ;
	batch = balloon_batch_get(&host.b, BALLOON_FOR_TARGET);
	KUNIT_ASSERT_NOT_NULL(test, batch);
	balloon_batch_put(batch);
	KUNIT_EXPECT_EQ(test, host.b.late, HZ);
	resize(test, 2);
	KUNIT_EXPECT_EQ(test, host.b.late, 0);
}

static void migration_without_memory(struct kunit *test)
{
	struct page *page = inflate_one(test, 0);
	unsigned int nth;

	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	for (nth = 1; nth <= 2; nth++) {
		fake.next = 800;
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, compaction_migrate(page, MIGRATE_SYNC),
				-EAGAIN);
		validate(test);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 1);
	}
	compaction_putback(page);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 0);
	validate(test);
}

static void inflation_refused_in_part(struct kunit *test)
{
	fake.step = host_step;
	host.refuse = 3;
	balloon_set_target(&host.b, 10);
	world_goes_on(test);
	validate(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 7);
	KUNIT_EXPECT_EQ(test, host.b.stats.refused, 3);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 7);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	/* It is not over: the worker tries again after a while. */
	KUNIT_EXPECT_TRUE(test, fake_work_pending(&host.b.work.work));
	host.refuse = 0;
	fake_let_pass(HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 10);
}

static void deflation_refused_in_part(struct kunit *test)
{
	resize(test, 10);
	host.keep = 3;
	balloon_set_target(&host.b, 5);
	fake_run_work(fake.now);
	settle(test);
	/* Five pages in one range, the hypervisor kept three. */
	KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 0);
	KUNIT_EXPECT_GE(test, host.b.nr_ballooned, 5);
	KUNIT_EXPECT_GE(test, host.b.stats.refused, 3);
	host.keep = 0;
	fake_let_pass(60 * HZ);
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 5);
}

/* Each half of a pair may be refused by itself. */
static void migration_refused(struct kunit *test)
{
	static const struct { unsigned int refuse, keep, held; } cases[] = {
		{ 1, 0, 0 },	/* the new page is not taken, the old given */
		{ 0, 1, 2 },	/* the new page is taken, the old not given */
		{ 1, 1, 1 },	/* as if nothing had happened */
	};
	static const enum migrate_mode modes[] = { MIGRATE_ASYNC, MIGRATE_SYNC };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (j = 0; j < ARRAY_SIZE(modes); j++) {
			resize(test, 1);
			isolate_all(test);
			host.refuse = cases[i].refuse;
			host.keep = cases[i].keep;
			KUNIT_EXPECT_EQ(test,
					compaction_migrate(compaction_first(),
							   modes[j]), 0);
			validate(test);
			/* Before the worker mends it. */
			host_answer_nth(0);
			fake_flush_work(&host.b.reap_work);
			validate(test);
			KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, cases[i].held);
			host.refuse = 0;
			host.keep = 0;
			resize(test, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		}
	}
}

static bool let_go(struct kunit *test)
{
	put_page(arena);
	fake.step = NULL;
	return true;
}

/*
 * The hypervisor does not give back an old page that the migration code still
 * has.
 * Return: how long the core waited for it, while @step ran.
 */
static unsigned long refuse_while_held(struct kunit *test, struct page *page,
				       unsigned int refuse,
				       bool (*step)(struct kunit *test))
{
	unsigned long start;

	fake.next = 600;
	KUNIT_ASSERT_TRUE(test, compaction_isolate(page));
	KUNIT_EXPECT_EQ(test, compaction_record(page), 0);
	host.keep = 1;
	host.refuse = refuse;
	get_page(page);
	fake.step = step;
	start = fake.now;
	host_answer_nth(0);
	fake_flush_work(&host.b.reap_work);
	return fake.now - start;
}

static void refused_page_that_is_still_held(struct kunit *test)
{
	struct page *page = inflate_one(test, 0);
	unsigned long waited = refuse_while_held(test, page, 0, let_go);

	KUNIT_EXPECT_NE(test, waited, 0);
	KUNIT_EXPECT_LE(test, waited, HZ / 10);
	validate(test);
	KUNIT_EXPECT_TRUE(test, compaction_isolate(page));
	compaction_putback(page);
	host.keep = 0;
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

/* It may be held for ever: then it cannot be moved, but is not lost. */
static void refused_page_that_is_held_for_ever(struct kunit *test)
{
	struct page *page = inflate_one(test, 0);
	unsigned long waited = refuse_while_held(test, page, 1, NULL);

	KUNIT_EXPECT_GE(test, waited, HZ);
	KUNIT_EXPECT_LE(test, waited, 2 * HZ);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 1);
	KUNIT_EXPECT_TRUE(test, PageOffline(page));
	KUNIT_EXPECT_FALSE(test, fake_page(page)->movable);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(page));
	put_page(page);
	host.keep = 0;
	host.refuse = 0;
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
}

static void flush_from_another_cpu(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, host.b.nr_submitting, 1);
	KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	balloon_batch_flush(&host.b);
	KUNIT_EXPECT_EQ(test, host.b.nr_submitting, 1);
	host_unregister_begins();
	fake.woken = false;
}

/* The second is through before the first; a dying device waits for both. */
static void submits_from_several_cpus(struct kunit *test)
{
	resize(test, 3);
	isolate_all(test);
	KUNIT_EXPECT_EQ(test, compaction_record(compaction_first()), 0);
	host.meanwhile = flush_from_another_cpu;
	balloon_batch_flush(&host.b);
	KUNIT_EXPECT_TRUE(test, fake.woken);
	KUNIT_EXPECT_EQ(test, host.b.nr_submitting, 0);
	KUNIT_EXPECT_EQ(test, host.nr_in_flight, 2);
	compaction_putback(compaction_first());
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 3);
	host.b.state = BALLOON_RUNNING;
}

static void batch_is_completed_once(struct kunit *test)
{
	struct balloon_batch *batch;

	fake.step = NULL;
	balloon_set_target(&host.b, 5);
	fake_run_work(fake.now);
	batch = host.in_flight[0];
	KUNIT_ASSERT_NOT_NULL(test, batch);
	host_answer_nth(0);
	balloon_batch_complete(batch, 0);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	settle(test);
	balloon_batch_complete(batch, -EIO);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 5);
	validate(test);
}

static void batch_is_full(struct kunit *test)
{
	struct balloon_core_batch *batch = host.b.batch[0];

	KUNIT_EXPECT_FALSE(test, balloon_batch_full(batch));
	batch->inflate.nr = BALLOON_BATCH_RANGES - 1;
	batch->inflate.nr_pages = BALLOON_BATCH_PAGES - 1;
	batch->deflate.nr = BALLOON_BATCH_RANGES - 1;
	batch->deflate.nr_pages = BALLOON_BATCH_PAGES - 1;
	KUNIT_EXPECT_FALSE(test, balloon_batch_full(batch));
	batch->inflate.nr++;
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
	batch->inflate.nr--;
	batch->inflate.nr_pages++;
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
	batch->inflate.nr_pages--;
	batch->deflate.nr++;
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
	batch->deflate.nr--;
	batch->deflate.nr_pages++;
	KUNIT_EXPECT_TRUE(test, balloon_batch_full(batch));
}

/* Others wait for the locks of these pages. */
static void wait_under_page_locks_is_short(struct kunit *test)
{
	unsigned long start;
	unsigned int i, n;

	resize(test, BALLOON_NR_BATCHES + 10);
	for (i = 0, n = 0; n < BALLOON_NR_BATCHES + 4; i++)
		n += compaction_isolate(arena + i);
	fake.step = NULL;
	/* All batches but one are in flight, for hours. */
	for (i = 1; i < BALLOON_NR_BATCHES; i++) {
		KUNIT_ASSERT_EQ(test, compaction_record(compaction_first()), 0);
		balloon_batch_flush(&host.b);
	}
	while (host.b.isolated_pages > 3)
		compaction_putback(compaction_first());
	start = fake.now;
	while (host.b.isolated_pages > 1)
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), 0);
	/* The last one is waited for, the others are not any more. */
	KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
						 MIGRATE_SYNC), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, HZ);
	for (i = 0; i < 3; i++) {
		KUNIT_ASSERT_TRUE(test, compaction_isolate(arena + ARENA_PAGES - 1) ||
				  compaction_isolate(arena + BALLOON_NR_BATCHES + 4 + i));
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), -EAGAIN);
		compaction_putback(compaction_first());
	}
	KUNIT_EXPECT_LE(test, fake.now - start, HZ);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	/* It answers: now it is waited for again. */
	settle(test);
	KUNIT_EXPECT_EQ(test, host.b.late, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_deflating, 0);
}

/* Anything in any order, each step validated; in the end nothing is left. */
static void random_walk(struct kunit *test)
{
	unsigned int step;

	fake.stride = 389;
	/* In the midst of a block. */
	fake.zone_boundary = 700;
	fake.mem_available = 1UL << 18;
	for (step = 0; step < 4000; step++) {
		random_step(test);
		validate(test);
	}
	kunit_info(test, "%lu inflated, %lu migrated, %lu refused\n",
		   host.b.stats.inflated, host.b.stats.migrated,
		   host.b.stats.refused);
	KUNIT_EXPECT_GT(test, host.b.stats.migrated, 1000);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 100);

	host.refuse = 0;
	host.keep = 0;
	test_fail_nth = 0;
	putback_all(test);
	settle(test);
	resize(test, 0);
	fake_let_pass(100 * HZ);
	validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
	KUNIT_EXPECT_EQ(test, fake.managed[1], 0);
}

static struct kunit_case batch_test_cases[] = {
	KUNIT_CASE(pending_inflate_is_out_of_reach),
	KUNIT_CASE(pending_deflate_is_out_of_reach),
	KUNIT_CASE(only_ballooned_pages_can_be_had),
	KUNIT_CASE(only_isolated_pages_migrate),
	KUNIT_CASE(migration_waits_for_the_answer),
	KUNIT_CASE(r04_migration_between_zones),
	KUNIT_CASE(last_isolated_page_submits),
	KUNIT_CASE(compaction_events_balance),
	KUNIT_CASE(freed_without_a_new_page),
	KUNIT_CASE(putback_alone_submits_nothing),
	KUNIT_CASE(full_batch_is_submitted),
	KUNIT_CASE(open_batch_is_flushed),
	KUNIT_CASE(migration_waits),
	KUNIT_CASE(sync_migration_does_not_wait_for_ever),
	KUNIT_CASE(answer_inside_submit),
	KUNIT_CASE(answers_in_any_order),
	KUNIT_CASE(migration_without_a_batch),
	KUNIT_CASE(migration_waits_for_a_batch),
	KUNIT_CASE(migration_waits_once),
	KUNIT_CASE(late_is_who_has_not_answered),
	KUNIT_CASE(migration_without_memory),
	KUNIT_CASE(inflation_refused_in_part),
	KUNIT_CASE(deflation_refused_in_part),
	KUNIT_CASE(migration_refused),
	KUNIT_CASE(refused_page_that_is_still_held),
	KUNIT_CASE(refused_page_that_is_held_for_ever),
	KUNIT_CASE(submits_from_several_cpus),
	KUNIT_CASE(batch_is_completed_once),
	KUNIT_CASE(batch_is_full),
	KUNIT_CASE(wait_under_page_locks_is_short),
	KUNIT_CASE(random_walk),
	{}
};

static struct kunit_suite batch_test_suite = {
	.name = "balloon_batch",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = registered_test_init,
	.exit = host_test_exit,
	.test_cases = batch_test_cases,
};
kunit_test_suite(batch_test_suite);

MODULE_DESCRIPTION("KUnit suite of the life of an adapter's pages");
MODULE_LICENSE("GPL");
