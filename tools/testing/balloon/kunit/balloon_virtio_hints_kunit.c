// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/virtio/balloon/hints.c: free memory that a migration of the
 * guest may leave out.
 */
#include <kunit/test.h>

#include "virtio_queues.h"

#define NR_BLOCKS	(ARENA_PAGES / VIRT_BLOCK_PAGES)

static void hints_in_a_series(struct kunit *test)
{
	struct shrink_control sc = { .nr_to_scan = 1 };

	begin_with(test, F(FREE_PAGE_HINT));
	virt_resize(test, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_HINTS], 0);
	virt_ask_hints(SERIES);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_stops, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS - 1);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_HINTS], NR_BLOCKS - 1 + 2);
	KUNIT_EXPECT_EQ(test, hints_count(NULL, &sc), ARENA_PAGES - VIRT_BLOCK_PAGES);
	/* The same again is no news. */
	virt_ask_hints(SERIES);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	virt_ask_hints(VIRTIO_BALLOON_CMD_ID_STOP);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS - 1);
	virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
	KUNIT_EXPECT_EQ(test, hints_count(NULL, &sc), 0);
	virt_resize(test, ARENA_PAGES);
	virt_ask_hints(NEXT_SERIES);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 2);
	KUNIT_EXPECT_EQ(test, virt.nr_stops, 2);
	end(test, 0);
}

/* A block that the device may take for free yet is not the guest's. */
static void hints_are_kept_until_used(struct kunit *test)
{
	struct shrink_control sc = { .nr_to_scan = 1 };

	begin_with(test, F(FREE_PAGE_HINT));
	virt.silent = true;
	virt_ask_hints(SERIES);
	run_work(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS);
	KUNIT_EXPECT_EQ(test, hints_count(NULL, &sc), 0);
	KUNIT_EXPECT_EQ(test, hints_scan(NULL, &sc), SHRINK_STOP);
	/* The command and nine blocks. */
	let_answer(test, VIRT_HINTS, 10);
	KUNIT_EXPECT_EQ(test, hints_count(NULL, &sc), 9 * VIRT_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, hints_scan(NULL, &sc), VIRT_BLOCK_PAGES);
	sc.nr_to_scan = 2 * VIRT_BLOCK_PAGES + 1;
	KUNIT_EXPECT_EQ(test, hints_scan(NULL, &sc), 3 * VIRT_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS - 4);
	virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
	run_work(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS - 9);
	sc.nr_to_scan = ARENA_PAGES;
	KUNIT_EXPECT_EQ(test, hints_scan(NULL, &sc), SHRINK_STOP);
	let_answer(test, VIRT_HINTS, NR_BLOCKS - 9);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
	end(test, 0);
}

static void answer_one_by_one(struct kunit *test, unsigned int nr)
{
	while (nr--)
		let_answer(test, VIRT_HINTS, 1);
}

/* In the middle of a series, with blocks used and not. */
static void r06_hints_end_with_the_device(struct kunit *test)
{
	unsigned int way, nr_steps;

	for (way = UNBIND; way < NR_WAYS_OUT; way++) {
		for (nr_steps = 1; nr_steps < 6; nr_steps++) {
			if (way == FREEZE && !IS_ENABLED(CONFIG_PM_SLEEP))
				continue;
			virt.ring_size = 4;
			virt.config.num_pages = 0;
			begin_with(test, F(FREE_PAGE_HINT));
			virt_ask_hints(SERIES);
			run_work(test);
			answer_one_by_one(test, nr_steps);
			KUNIT_EXPECT_GT(test, virt.nr_blocks, 0);
			virt.config.free_page_hint_cmd_id = 0;
			if (way == FREEZE) {
				KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
				KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
				KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
				KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
				virt_resize(test, SOME_PAGES);
			} else if (way == SHUTDOWN) {
				virt_shutdown(test);
			}
			end(test, 0);
		}
	}
}

/* The device wants something else while the ring is full. */
static void hints_id_changes_in_the_middle(struct kunit *test)
{
	static const u32 ids[] = { NEXT_SERIES, VIRTIO_BALLOON_CMD_ID_STOP,
				   VIRTIO_BALLOON_CMD_ID_DONE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		virt.nr_series = 0;
		virt.nr_stops = 0;
		virt.nr_pages[VIRT_HINTS] = 0;
		virt.ring_size = 4;
		begin_with(test, F(FREE_PAGE_HINT));
		virt_ask_hints(SERIES);
		run_work(test);
		answer_one_by_one(test, 8);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, 0);
		virt_ask_hints(ids[i]);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_series, i ? 1 : 2);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, virt.nr_series);
		KUNIT_EXPECT_GT(test, virt.nr_pages[VIRT_HINTS], 0);
		if (i)
			KUNIT_EXPECT_LT(test, virt.nr_pages[VIRT_HINTS], ARENA_PAGES);
		if (ids[i] == VIRTIO_BALLOON_CMD_ID_DONE)
			KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
		else
			KUNIT_EXPECT_GT(test, virt.nr_blocks, 0);
		virt.config.free_page_hint_cmd_id = 0;
		end(test, 0);
	}
}

/* The same interrupt tells of both, but a series is not over by a new target. */
static void hints_go_on_at_another_target(struct kunit *test)
{
	virt.ring_size = 4;
	begin_with(test, F(FREE_PAGE_HINT));
	virt_ask_hints(SERIES);
	run_work(test);
	answer_one_by_one(test, 8);
	virt_ask(VIRT_PFNS_PER_PAGE);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_stops, 1);
	KUNIT_EXPECT_GE(test, virt.nr_pages[VIRT_HINTS],
			(NR_BLOCKS - 1) * VIRT_BLOCK_PAGES);
	virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
	end(test, 0);
}

/*
 * The ring is full and nothing comes back.  The work item does not wait for that,
 * since the guest could not go to sleep, and goes on when something does.
 */
static void hints_of_a_silent_device(struct kunit *test)
{
	unsigned int nr_waits;
	unsigned long start;

	for (virt.ring_size = 1; virt.ring_size <= 8; virt.ring_size *= 2) {
		virt.nr_series = 0;
		virt.nr_stops = 0;
		begin_with(test, F(FREE_PAGE_HINT));
		virt.silent = true;
		start = fake.now;
		nr_waits = fake.nr_waits;
		virt_ask_hints(SERIES);
		run_work(test);
		KUNIT_EXPECT_EQ(test, fake.now, start);
		KUNIT_EXPECT_EQ(test, fake.nr_waits, nr_waits);
		KUNIT_EXPECT_EQ(test, virt.awake, 0);
		KUNIT_EXPECT_LE(test, virt.nr_blocks, virt.ring_size);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, 0);
		virt_ask_hints(NEXT_SERIES);
		run_work(test);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		KUNIT_EXPECT_EQ(test, fake.now, start);
		KUNIT_EXPECT_EQ(test, virt.awake, 0);
		virt.silent = false;
		virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, 1);
		KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
		virt.config.free_page_hint_cmd_id = 0;
		end(test, 0);
	}
}

/* A device that answers at once gets all there is, but not in one go. */
static void hints_let_others_have_their_turn(struct kunit *test)
{
	unsigned int nr_runs, nr_blocks;

	virt.at_once = true;
	begin_with(test, F(FREE_PAGE_HINT));
	fake.put_off = vb_target_work;
	virt_ask_hints(SERIES);
	for (nr_runs = 0; ; nr_runs++) {
		nr_blocks = virt.nr_blocks;
		if (!fake_run_work(fake.now))
			break;
		virt_validate(test);
		KUNIT_EXPECT_LE(test, virt.nr_blocks - nr_blocks, VB_HINTS_AT_ONCE);
		KUNIT_EXPECT_LE(test, virt.awake, 1);
	}
	KUNIT_EXPECT_GE(test, nr_runs, DIV_ROUND_UP(NR_BLOCKS, VB_HINTS_AT_ONCE));
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, NR_BLOCKS);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_stops, 1);
	fake.put_off = NULL;
	end(test, 0);
}

static void hints_in_the_smallest_rings(struct kunit *test)
{
	for (virt.ring_size = 1; virt.ring_size <= 3; virt.ring_size++) {
		virt.nr_pages[VIRT_HINTS] = 0;
		virt.nr_series = 0;
		virt.nr_stops = 0;
		begin_with(test, F(FREE_PAGE_HINT));
		virt_ask_hints(SERIES);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, 1);
		/* In one entry there is room for the command that ends it. */
		KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_HINTS],
				virt.ring_size == 1 ? 0 : ARENA_PAGES);
		virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
		virt_resize(test, SOME_PAGES);
		virt_resize(test, 0);
		virt.config.free_page_hint_cmd_id = 0;
		end(test, 0);
	}
}

static void hints_without_memory(struct kunit *test)
{
	begin_with(test, F(FREE_PAGE_HINT));
	fake.no_memory = true;
	virt_ask_hints(SERIES);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_HINTS], 2);
	fake.no_memory = false;
	test_fail_nth = 3;
	virt_ask_hints(NEXT_SERIES);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 2);
	KUNIT_EXPECT_EQ(test, virt.nr_stops, 2);
	end(test, 0);
}

/* A command or a block is not taken; what was not sent is not kept. */
static void hints_are_not_taken(struct kunit *test)
{
	unsigned int nth;

	for (nth = 1; nth <= 4; nth++) {
		virt.nr_series = 0;
		virt.config.free_page_hint_cmd_id = 0;
		begin_with(test, F(FREE_PAGE_HINT));
		virt.fail_nth_add = nth;
		virt_ask_hints(SERIES);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_blocks, nth == 1 ? 0 : nth - 2);
		/* Asked again, a series that did not begin begins. */
		virt_ask_hints(SERIES);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		end(test, 0);
	}
}

static void hints_queue_breaks(struct kunit *test)
{
	unsigned int when;
	unsigned long start;

	for (when = 0; when < 3; when++) {
		virt.config.free_page_hint_cmd_id = 0;
		virt.ring_size = 4;
		begin_with(test, F(FREE_PAGE_HINT));
		virt.breaks_notify = when == 1;
		virt_queue_of(VIRT_HINTS)->broken = !when;
		start = fake.now;
		virt_ask_hints(SERIES);
		if (when == 2)
			fake_let_pass(0);
		virt_queue_of(VIRT_HINTS)->broken |= when == 2;
		run_work(test);
		virt.breaks_notify = false;
		KUNIT_EXPECT_EQ(test, fake.now, start);
		virt_resize(test, 5);
		end(test, 0);
	}
}

static struct kunit_case virtio_hints_test_cases[] = {
	KUNIT_CASE(hints_in_a_series),
	KUNIT_CASE(hints_are_kept_until_used),
	KUNIT_CASE(r06_hints_end_with_the_device),
	KUNIT_CASE(hints_id_changes_in_the_middle),
	KUNIT_CASE(hints_go_on_at_another_target),
	KUNIT_CASE(hints_of_a_silent_device),
	KUNIT_CASE(hints_let_others_have_their_turn),
	KUNIT_CASE(hints_in_the_smallest_rings),
	KUNIT_CASE(hints_without_memory),
	KUNIT_CASE(hints_are_not_taken),
	KUNIT_CASE(hints_queue_breaks),
	{}
};

static struct kunit_suite virtio_hints_test_suite = {
	.name = "balloon_virtio_hints",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = virtio_hints_test_cases,
};
kunit_test_suite(virtio_hints_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon's hints of free memory");
MODULE_LICENSE("GPL");
