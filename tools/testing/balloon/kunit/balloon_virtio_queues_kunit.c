// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of what drivers/virtio/virtio_balloon.c does besides inflating and
 * deflating: statistics, hints, reports, features, sleep.  The device is the one
 * of fake_virtio.h, which looks at the shape of every buffer; cases begin with
 * the number of the bug that they would find again.
 */
#include <kunit/test.h>

#include "fake_virtio.h"

#define F(name)		BIT_ULL(VIRTIO_BALLOON_F_##name)
#define F_ALL		(F(MUST_TELL_HOST) | F(STATS_VQ) | F(DEFLATE_ON_OOM) | \
			 F(FREE_PAGE_HINT) | F(PAGE_POISON) | F(REPORTING))

#define NR_BLOCKS	(ARENA_PAGES / VIRT_BLOCK_PAGES)

/* Series of hints */
#define SERIES		7
#define NEXT_SERIES	8

static void begin_with(struct kunit *test, u64 features)
{
	virt.features = BIT_ULL(VIRTIO_F_VERSION_1) | features;
	begin(test);
	virt_settle(test);
}

/* Work that is due, of a device that answers nothing by itself. */
static void run_work(struct kunit *test)
{
	while (fake_run_work(fake.now))
		virt_validate(test);
	virt_validate(test);
}

static void let_answer(struct kunit *test, enum virt_kind kind, unsigned int nr)
{
	while (nr--)
		KUNIT_ASSERT_TRUE(test, virt_answer(virt_queue_of(kind), 0, 1));
	run_work(test);
}

/* What waits goes on when the case's step has done its part once. */
static bool once(void)
{
	return fake.until && !--fake.until;
}

/* Statistics */

static u32 stats_of_this_kernel(void)
{
	u32 tags = BIT(VIRTIO_BALLOON_S_MEMFREE) | BIT(VIRTIO_BALLOON_S_MEMTOT) |
		   BIT(VIRTIO_BALLOON_S_AVAIL) | BIT(VIRTIO_BALLOON_S_CACHES);
	const u32 huge = BIT(VIRTIO_BALLOON_S_HTLB_PGALLOC) |
			 BIT(VIRTIO_BALLOON_S_HTLB_PGFAIL);

	if (IS_ENABLED(CONFIG_VM_EVENT_COUNTERS))
		tags = BIT(VIRT_NR_STATS) - 1;
	if (!IS_ENABLED(CONFIG_HUGETLB_PAGE))
		tags &= ~huge;
	return tags;
}

static void statistics_one_buffer_at_a_time(struct kunit *test)
{
	unsigned int i;

	begin_with(test, F(STATS_VQ));
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 1);
	for (i = 0; i < 5; i++)
		virt_interrupt(virt_queue_of(VIRT_STATS), false);
	fake_let_pass(3600 * HZ);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 1);
	for (i = 0; i < 3; i++) {
		let_answer(test, VIRT_STATS, 1);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 2 + i);
	}
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

static void statistics_are_all_there(struct kunit *test)
{
	const u64 page = PAGE_SIZE;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		virt.big_endian = i;
		virt.features = F(STATS_VQ);
		begin(test);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.stats_seen, stats_of_this_kernel());
		KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_MEMFREE], 3 * page);
		KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_MEMTOT], 5 * page);
		KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_AVAIL], 7 * page);
		KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_CACHES], 11 * page);
		end(test, 0);
	}
}

static void statistics_of_events(struct kunit *test)
{
#ifdef CONFIG_VM_EVENT_COUNTERS
	const u64 page = PAGE_SIZE;
	u64 stalls = 0;
	unsigned int i;

	for (i = 0; i < MAX_NR_ZONES; i++)
		stalls += 1000 + ALLOCSTALL_NORMAL - ZONE_NORMAL + i;
	begin_with(test, F(STATS_VQ));
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_SWAP_IN],
			(1000 + PSWPIN) * page);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_SWAP_OUT],
			(1000 + PSWPOUT) * page);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_MAJFLT], 1000 + PGMAJFAULT);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_MINFLT], 1000 + PGFAULT);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_OOM_KILL], 1000 + OOM_KILL);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_ALLOC_STALL], stalls);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_ASYNC_SCAN],
			(1000 + PGSCAN_KSWAPD) * page);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_DIRECT_RECLAIM],
			(1000 + PGSTEAL_DIRECT) * page);
	end(test, 0);
#else
	kunit_skip(test, "this kernel counts no events");
#endif
}

/* Hosts that do not expect new tags are sent none. */
static void r36_statistics_up_to_a_tag(struct kunit *test)
{
	u32 tags;

	for (stats_tags = 0; stats_tags < VIRT_NR_STATS + 3; stats_tags++) {
		virt.nr_messages[VIRT_STATS] = 0;
		virt.stats_seen = 0;
		begin_with(test, F(STATS_VQ));
		tags = stats_of_this_kernel() & (BIT(stats_tags) - 1);
		KUNIT_EXPECT_EQ(test, virt.stats_seen, tags);
		/* An empty buffer is none. */
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], !!tags);
		end(test, 0);
	}
	stats_tags = VB_NR_STATS;
}

static void statistics_returned_at_once(struct kunit *test)
{
	virt.at_once = true;
	virt.stats_wanted = 5;
	begin_with(test, F(STATS_VQ));
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 6);
	end(test, 0);
}

/* The second time may be taken for the next buffer; the balloon works on. */
static void statistics_returned_twice(struct kunit *test)
{
	begin_with(test, F(STATS_VQ));
	KUNIT_ASSERT_TRUE(test, virt_answer(virt_queue_of(VIRT_STATS), 0, 2));
	run_work(test);
	virt_interrupt(virt_queue_of(VIRT_STATS), false);
	run_work(test);
	KUNIT_EXPECT_LE(test, virt.nr_messages[VIRT_STATS], 3);
	virt_queue_of(VIRT_STATS)->broken = true;
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

/* Before DRIVER_OK nothing is sent, whatever the device wants already. */
static void r13_first_buffers(struct kunit *test)
{
	virt.page_poisoning = true;
	virt.config.num_pages = cpu_to_le32(SOME_PAGES * VIRT_PFNS_PER_PAGE);
	virt.config.free_page_hint_cmd_id = cpu_to_le32(SERIES);
	begin_with(test, F_ALL);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 1);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_INFLATE], SOME_PAGES);
	end(test, 0);
}

/* Hints */

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

/* As the driver stops its work items; they see it at once. */
static bool stop_hints(struct kunit *test)
{
	if (!once())
		return virt_step(test);
	virt_vb()->stopped = true;
	fake.woken = true;
	return true;
}

enum way_out { UNBIND, FREEZE, SHUTDOWN, NR_WAYS_OUT };

/* In the middle of a series, with blocks used and not. */
static void r06_hints_end_with_the_device(struct kunit *test)
{
	unsigned int way, nr_steps;
	unsigned long start;

	for (way = UNBIND; way < NR_WAYS_OUT; way++) {
		for (nr_steps = 1; nr_steps < 6; nr_steps++) {
			if (way == FREEZE && !IS_ENABLED(CONFIG_PM_SLEEP))
				continue;
			virt.ring_size = 4;
			virt.config.num_pages = 0;
			begin_with(test, F(FREE_PAGE_HINT));
			fake.until = nr_steps;
			fake.step = stop_hints;
			virt_ask_hints(SERIES);
			start = fake.now;
			run_work(test);
			KUNIT_EXPECT_EQ(test, fake.now, start);
			KUNIT_EXPECT_GT(test, virt.nr_blocks, 0);
			fake.step = virt_step;
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

/* After some steps the device wants something else. */
static u32 other_id;

static bool change_mind(struct kunit *test)
{
	if (!once())
		return virt_step(test);
	virt_ask_hints(other_id);
	return true;
}

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
		other_id = ids[i];
		fake.until = 8;
		fake.step = change_mind;
		virt_ask_hints(SERIES);
		run_work(test);
		fake.step = virt_step;
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, fake.until, 0);
		KUNIT_EXPECT_EQ(test, virt.nr_series, i ? 1 : 2);
		KUNIT_EXPECT_EQ(test, virt.nr_stops, virt.nr_series);
		KUNIT_EXPECT_GT(test, virt.nr_pages[VIRT_HINTS], 0);
		if (i)
			KUNIT_EXPECT_LT(test, virt.nr_pages[VIRT_HINTS], ARENA_PAGES);
		if (other_id == VIRTIO_BALLOON_CMD_ID_DONE)
			KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
		else
			KUNIT_EXPECT_GT(test, virt.nr_blocks, 0);
		virt.config.free_page_hint_cmd_id = 0;
		end(test, 0);
	}
}

static bool change_target(struct kunit *test)
{
	if (!once())
		return virt_step(test);
	virt_ask(VIRT_PFNS_PER_PAGE);
	return true;
}

/* The same interrupt tells of both, but a series is not over by a new target. */
static void hints_go_on_at_another_target(struct kunit *test)
{
	virt.ring_size = 4;
	begin_with(test, F(FREE_PAGE_HINT));
	fake.until = 8;
	fake.step = change_target;
	virt_ask_hints(SERIES);
	run_work(test);
	fake.step = virt_step;
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, fake.until, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
	KUNIT_EXPECT_GE(test, virt.nr_pages[VIRT_HINTS],
			(NR_BLOCKS - 1) * VIRT_BLOCK_PAGES);
	virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
	end(test, 0);
}

/* The ring is full and nothing comes back: that is waited for, but not long. */
static void hints_of_a_silent_device(struct kunit *test)
{
	unsigned long start;

	for (virt.ring_size = 1; virt.ring_size <= 8; virt.ring_size *= 2) {
		virt.nr_series = 0;
		begin_with(test, F(FREE_PAGE_HINT));
		virt.silent = true;
		start = fake.now;
		virt_ask_hints(SERIES);
		run_work(test);
		KUNIT_EXPECT_LE(test, fake.now - start, 31 * HZ);
		KUNIT_EXPECT_LE(test, virt.nr_blocks, virt.ring_size);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		virt_ask_hints(NEXT_SERIES);
		run_work(test);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		virt.silent = false;
		virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
		virt.config.free_page_hint_cmd_id = 0;
		end(test, 0);
	}
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
		KUNIT_EXPECT_LE(test, fake.now - start, 31 * HZ);
		virt_resize(test, 5);
		end(test, 0);
	}
}

/* Reports */

static int report(unsigned int nr)
{
	static struct scatterlist sg[PAGE_REPORTING_CAPACITY];
	unsigned int i, nr_last = 0;
	int err;

	memset(sg, 0, sizeof(sg));
	sg_init_table(sg, nr);
	for (i = 0; i < nr; i++)
		sg_set_buf(&sg[i], page_address(arena + i * VIRT_BLOCK_PAGES),
			   PAGE_SIZE << VIRT_BLOCK_ORDER);
	err = virt.reporting->report(virt.reporting, sg, nr);
	for (i = 0; i < nr; i++)
		nr_last += !!sg_is_last(&sg[i]);
	if (nr_last != 1 || !sg_is_last(&sg[nr - 1]))
		fake_violation("the kernel's list of free pages was changed");
	/* The kernel may use the pages from now on. */
	if (!virt.reset && !virt_queue_of(VIRT_REPORTING)->broken &&
	    virt_is_outstanding(virt_queue_of(VIRT_REPORTING),
				&virt_vb()->reporting))
		fake_violation("pages are in use that the device may discard");
	return err;
}

/* No more descriptors than the ring has, none of them allocated. */
static void r16_reports(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 31, 32, 128 };
	unsigned int i, nr;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		virt.ring_size = sizes[i];
		begin_with(test, F(REPORTING));
		for (nr = 1; nr <= PAGE_REPORTING_CAPACITY; nr++) {
			virt.nr_messages[VIRT_REPORTING] = 0;
			virt.nr_pages[VIRT_REPORTING] = 0;
			KUNIT_EXPECT_EQ(test, report(nr), 0);
			KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING],
					DIV_ROUND_UP(nr, sizes[i]));
			KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_REPORTING],
					nr * VIRT_BLOCK_PAGES);
			virt_validate(test);
		}
		end(test, 0);
	}
}

static bool answer_after_a_while(struct kunit *test)
{
	return time_after(fake.now, fake.until) && virt_step(test);
}

static void report_is_answered_late(struct kunit *test)
{
	begin_with(test, F(REPORTING));
	fake.until = fake.now + 100 * HZ;
	fake.step = answer_after_a_while;
	KUNIT_EXPECT_EQ(test, report(3), 0);
	KUNIT_EXPECT_TRUE(test, time_after(fake.now, fake.until));
	KUNIT_EXPECT_EQ(test, fake.nr_complaints, 1);
	fake.step = virt_step;
	KUNIT_EXPECT_EQ(test, report(3), 0);
	end(test, 1);
}

static void reports_fail(struct kunit *test)
{
	virt.ring_size = 4;
	begin_with(test, F(REPORTING));
	virt.fail_nth_add = 2;
	KUNIT_EXPECT_EQ(test, report(10), -EIO);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 1);
	KUNIT_EXPECT_EQ(test, report(10), 0);
	virt_queue_of(VIRT_REPORTING)->broken = true;
	KUNIT_EXPECT_EQ(test, report(1), -EIO);
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

/* The device is reset while a report waits for its answer. */
static bool reset_device(struct kunit *test)
{
	if (!once())
		return false;
	vb_reset(&virt_vb()->b);
	return true;
}

static void r17_no_report_after_reset(struct kunit *test)
{
	begin_with(test, F(REPORTING));
	fake.step = reset_device;
	fake.until = 1;
	virt.nr_messages[VIRT_REPORTING] = 0;
	KUNIT_EXPECT_EQ(test, report(3), -ENODEV);
	KUNIT_EXPECT_EQ(test, report(3), -ENODEV);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 1);
	fake.step = virt_step;
	end(test, 0);
}

/* Another thread has sent a report and waits. */
static void report_is_under_way(struct kunit *test)
{
	struct vb_queue *queue = reporting_queue(virt_vb());
	static struct scatterlist sg;

	sg_init_one(&sg, page_address(arena), PAGE_SIZE << VIRT_BLOCK_ORDER);
	KUNIT_ASSERT_EQ(test, virt_add(queue->vq, &sg, 1, queue->reporting,
				       GFP_NOWAIT, false), 0);
	virtqueue_kick(queue->vq);
	queue->reporting->busy = true;
}

static bool report_goes_on(struct kunit *test)
{
	struct vb_reporting *reporting = &virt_vb()->reporting;

	if (!reporting->busy)
		return virt_step(test);
	queue_run(reporting_queue(virt_vb()), NULL);
	if (!reporting_over(virt_vb()))
		return virt_step(test);
	reporting->busy = false;
	fake.woken = true;
	return true;
}

/* Unanswered, it ends with a reset; answered, there is no need for one. */
static void r06_report_ends_with_the_device(struct kunit *test)
{
	unsigned int how, way, nr_resets;
	unsigned long start;

	for (how = 0; how < 3; how++) {
		for (way = UNBIND; way < NR_WAYS_OUT; way++) {
			if (way == FREEZE && !IS_ENABLED(CONFIG_PM_SLEEP))
				continue;
			begin_with(test, F(REPORTING));
			virt_resize(test, SOME_PAGES);
			report_is_under_way(test);
			virt.silent = how == 1;
			virt_queue_of(VIRT_REPORTING)->broken = how == 2;
			fake.step = report_goes_on;
			nr_resets = virt.nr_resets;
			start = fake.now;
			if (way == SHUTDOWN) {
				virt_shutdown(test);
			} else if (way == FREEZE) {
				KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
				KUNIT_EXPECT_PTR_EQ(test, virt.reporting, NULL);
			} else {
				virt_unbind(test);
			}
			if (!how && way == UNBIND)
				KUNIT_EXPECT_EQ(test, virt.nr_resets - nr_resets, 1);
			if (how != 1)
				KUNIT_EXPECT_LE(test, fake.now - start, HZ);
			KUNIT_EXPECT_LE(test, fake.now - start, 31 * HZ);
			virt.silent = false;
			fake.step = virt_step;
			if (way == FREEZE) {
				KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
				KUNIT_EXPECT_EQ(test, report(3), 0);
				virt_resize(test, SOME_PAGES);
			}
			if (way != UNBIND)
				virt_unbind(test);
			virt_validate(test);
			KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
			virt.config.num_pages = 0;
			fake.nr_complaints = 0;
		}
	}
}

/* Blocks of the balloon, which go the same way */

#define PAGES_IN_2M	((unsigned int)(SZ_2M / PAGE_SIZE))

/* Of @nr pages so many were reported, and of the others the device has PFNs. */
static void expect_reported(struct kunit *test, unsigned int nr,
			    unsigned int reported)
{
	virt.nr_reported = 0;
	virt.nr_pages[VIRT_INFLATE] = 0;
	virt.nr_pages[VIRT_DEFLATE] = 0;
	virt_resize(test, nr);
	KUNIT_EXPECT_EQ(test, virt.nr_reported, reported);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_INFLATE], nr - reported);
	virt_resize(test, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_DEFLATE], nr);
}

static void blocks_are_reported(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 31, 32, 128 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		virt.ring_size = sizes[i];
		begin_with(test, F(REPORTING));
		fake.units = true;
		/* Zones may end where blocks do. */
		fake.zone_boundary = i & 1 ? BALLOON_BLOCK_PAGES : ARENA_PAGES;
		expect_reported(test, ARENA_PAGES, ARENA_PAGES);
		/* Single pages that are adjacent are a block as well. */
		fake.units = false;
		fake.next = 0;
		expect_reported(test, ARENA_PAGES, ARENA_PAGES);
		/* Before the first whole block, and after the last one. */
		fake.next = 3;
		expect_reported(test, PAGES_IN_2M - 1, 0);
		fake.next = 3;
		expect_reported(test, 2 * PAGES_IN_2M - 4, 0);
		fake.next = PAGES_IN_2M - 3;
		expect_reported(test, PAGES_IN_2M + 2, 0);
		fake.next = ARENA_PAGES - PAGES_IN_2M - 5;
		expect_reported(test, PAGES_IN_2M + 5, PAGES_IN_2M);
		fake.next = 0;
		fake.stride = 3;
		expect_reported(test, ARENA_PAGES / 3, 0);
		fake.stride = 1;
		end(test, 0);
	}
}

/* What is migrated in a batch with blocks, and what the device must not clear. */
static void blocks_are_not_reported(struct kunit *test)
{
	static const struct {
		u64 features;
		bool on_free, poisoning, off, reported;
	} cases[] = {
		{ .reported = true },
		{ .off = true },
		{ .features = F(PAGE_POISON), .reported = true },
		{ .features = F(PAGE_POISON), .poisoning = true },
		{ .features = F(PAGE_POISON), .on_free = true, .reported = true },
		{ .poisoning = true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		virt.init_on_free = cases[i].on_free;
		virt.page_poisoning = cases[i].poisoning;
		report_blocks = !cases[i].off;
		begin_with(test, F(REPORTING) | cases[i].features);
		fake.units = true;
		expect_reported(test, BALLOON_BLOCK_PAGES,
				cases[i].reported ? BALLOON_BLOCK_PAGES : 0);
		end(test, 0);
	}
	report_blocks = true;
}

/* The queue is broken: PFNs are as good. */
static void blocks_without_their_queue(struct kunit *test)
{
	begin_with(test, F(REPORTING));
	fake.units = true;
	virt_queue_of(VIRT_REPORTING)->broken = true;
	expect_reported(test, BALLOON_BLOCK_PAGES, 0);
	end(test, 0);
}

static void blocks_that_fail(struct kunit *test)
{
	begin_with(test, F(REPORTING));
	fake.units = true;
	virt.fail_nth_add = 1;
	virt_ask(BALLOON_BLOCK_PAGES * VIRT_PFNS_PER_PAGE);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.b->error, -EIO);
	end(test, 1);
}

/* Unanswered, they stay where they are until the device is gone. */
static void blocks_of_a_silent_device(struct kunit *test)
{
	unsigned int how;

	for (how = 0; how < 2; how++) {
		begin_with(test, F(REPORTING));
		fake.units = true;
		virt.silent = true;
		virt_ask(BALLOON_BLOCK_PAGES * VIRT_PFNS_PER_PAGE);
		run_work(test);
		fake_let_pass(31 * HZ);
		KUNIT_EXPECT_EQ(test, virt.b->error, -ETIMEDOUT);
		KUNIT_EXPECT_EQ(test, virt.b->nr_inflating, BALLOON_BLOCK_PAGES);
		virt_validate(test);
		virt.silent = how;
		if (!how) {
			virt_settle(test);
			virt_at_rest(test);
		}
		end(test, 1);
		virt.silent = false;
		virt.config.num_pages = 0;
		fake.nr_complaints = 0;
	}
}

/* The balloon's reports fill the ring when the kernel has one as well. */
static void reports_share_the_ring(struct kunit *test)
{
	virt.ring_size = 2;
	begin_with(test, F(REPORTING));
	fake.units = true;
	virt_ask(ARENA_PAGES * VIRT_PFNS_PER_PAGE);
	fake_run_work(fake.now);
	KUNIT_EXPECT_EQ(test, report(PAGE_REPORTING_CAPACITY), 0);
	virt_settle(test);
	virt_at_rest(test);

	/* And the other way round. */
	virt_resize(test, 0);
	report_is_under_way(test);
	virt_resize(test, ARENA_PAGES);
	KUNIT_EXPECT_FALSE(test, virt_vb()->reporting.busy);

	/* It never has room again. */
	virt.silent = true;
	virt_ask(0);
	run_work(test);
	virt.silent = false;
	virt_settle(test);
	virt_ask(ARENA_PAGES * VIRT_PFNS_PER_PAGE);
	virt.silent = true;
	run_work(test);
	KUNIT_EXPECT_EQ(test, report(2), -ENOSPC);
	virt.silent = false;
	virt_settle(test);
	fake.nr_complaints = 0;
	end(test, 0);
}

/* Another driver reports free pages: the balloon does without. */
static void reporting_is_taken(struct kunit *test)
{
	virt.reporting_error = -EBUSY;
	begin_with(test, F(REPORTING));
	KUNIT_EXPECT_PTR_EQ(test, virt.reporting, NULL);
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

/* Features */

/* Devices number their queues by what they offer; the shim compares. */
static void r19_numbers_of_queues(struct kunit *test)
{
	unsigned int offered, variant;

	for (variant = 0; variant < 8; variant++) {
		for (offered = 0; offered < 64; offered++) {
			virt.init_on_free = variant & 1;
			virt.page_poisoning = variant & 2;
			virt.features = offered;
			if (variant & 4)
				virt.features |= BIT_ULL(VIRTIO_F_VERSION_1);
			begin(test);
			virt_settle(test);
			KUNIT_EXPECT_EQ(test, virt.vdev.features & ~virt.features, 0);
			KUNIT_EXPECT_EQ(test, !!virt_queue_of(VIRT_STATS),
					!!(offered & F(STATS_VQ)));
			KUNIT_EXPECT_EQ(test, !!virt_queue_of(VIRT_HINTS),
					variant & 4 && offered & F(FREE_PAGE_HINT));
			end(test, 0);
		}
	}
}

/* Reported pages may come back filled with anything but what was agreed. */
static void r11_poison(struct kunit *test)
{
	unsigned int offered, variant;

	for (variant = 0; variant < 4; variant++) {
		for (offered = 0; offered < 4; offered++) {
			bool fills = variant, can = offered & 1;
			u64 accepted;

			virt.init_on_free = variant & 1;
			virt.page_poisoning = variant & 2;
			virt.nr_poison_writes = 0;
			virt.config.poison_val = 0;
			begin_with(test, (offered & 1 ? F(PAGE_POISON) : 0) |
				   (offered & 2 ? F(REPORTING) : 0));
			accepted = virt.vdev.features;
			KUNIT_EXPECT_EQ(test, !!(accepted & F(PAGE_POISON)),
					fills && can);
			KUNIT_EXPECT_EQ(test, !!(accepted & F(REPORTING)),
					offered & 2 && (!fills || can));
			KUNIT_EXPECT_EQ(test, virt.nr_poison_writes, fills && can);
			KUNIT_EXPECT_EQ(test, le32_to_cpu(virt.config.poison_val),
					fills && can && !(variant & 1) ?
					PAGE_POISON * 0x01010101U : 0);
			KUNIT_EXPECT_EQ(test, !!virt.reporting,
					!!(accepted & F(REPORTING)));
			end(test, 0);
		}
	}
}

static void r39_legacy_device_has_only_its_own(struct kunit *test)
{
	unsigned int offered;

	virt.page_poisoning = true;
	for (offered = 0; offered < 64; offered++) {
		virt.features = offered;
		begin(test);
		KUNIT_EXPECT_EQ(test, virt.vdev.features, offered &
				(F(MUST_TELL_HOST) | F(STATS_VQ) | F(DEFLATE_ON_OOM)));
		virt_ask_hints(SERIES);
		virt_settle(test);
		virt_resize(test, 3);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 0);
		KUNIT_EXPECT_EQ(test, virt.nr_poison_writes, 0);
		KUNIT_EXPECT_PTR_EQ(test, virt.reporting, NULL);
		end(test, 0);
	}
}

/* A shrinker is asked for the sake of caches, too: it has no balloon pages. */
static void r07_only_oom_shrinks_the_balloon(struct kunit *test)
{
	struct shrink_control sc = { .nr_to_scan = ARENA_PAGES };

	begin_with(test, F(DEFLATE_ON_OOM) | F(FREE_PAGE_HINT));
	virt_resize(test, SOME_PAGES);
	KUNIT_EXPECT_EQ(test, hints_count(NULL, &sc), 0);
	KUNIT_EXPECT_EQ(test, hints_scan(NULL, &sc), SHRINK_STOP);
	KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), SOME_PAGES);
	KUNIT_EXPECT_EQ(test, fake_out_of_memory(0), SOME_PAGES);
	KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), 0);
	virt_validate(test);
	end(test, 0);
}

/* Sleep */

static void freeze_and_restore(struct kunit *test)
{
	unsigned int i;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	virt.page_poisoning = true;
	begin_with(test, F_ALL);
	virt_resize(test, SOME_PAGES);
	for (i = 0; i < 3; i++) {
		KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(virt.config.actual), 0);
		fake_let_pass(3600 * HZ);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		virt.nr_series = 0;
		virt.nr_messages[VIRT_STATS] = 0;
		virt.nr_poison_writes = 0;
		virt_ask_hints(SERIES);
		KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
		virt_settle(test);
		/* Hints may have taken all memory until they are done. */
		virt_ask_hints(VIRTIO_BALLOON_CMD_ID_DONE);
		virt_settle(test);
		fake_let_pass(60 * HZ);
		KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), SOME_PAGES);
		KUNIT_EXPECT_EQ(test, virt.nr_series, 1);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_STATS], 1);
		KUNIT_EXPECT_EQ(test, virt.nr_poison_writes, 1);
		KUNIT_EXPECT_NOT_NULL(test, virt.reporting);
		virt_at_rest(test);
	}
	end(test, 0);
}

static void restore_fails(struct kunit *test)
{
	unsigned int nth = 0;
	int err;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	do {
		begin_with(test, F_ALL);
		virt_resize(test, SOME_PAGES);
		KUNIT_ASSERT_EQ(test, virt_freeze(test), 0);
		if (nth)
			test_fail_nth = nth;
		else
			virt.find_error = -ENOENT;
		err = virt_restore(test);
		test_fail_nth = 0;
		virt.find_error = 0;
		if (err) {
			KUNIT_EXPECT_EQ(test, virt.nr_queues, 0);
			/* Then the guest ends: there are no queues to look into. */
			virt_shutdown(test);
		}
		end(test, 0);
		virt.config.num_pages = 0;
	} while (err && nth++ < 10);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, nth, 5);
}

/* The queues go by a reset; afterwards all is well. */
static void freeze_of_a_silent_device(struct kunit *test)
{
	unsigned long start;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	begin_with(test, F_ALL);
	virt_resize(test, SOME_PAGES);
	virt.silent = true;
	start = fake.now;
	KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
	KUNIT_EXPECT_LE(test, fake.now - start, UNBIND_TIME);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	virt.silent = false;
	KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
	virt_settle(test);
	virt_at_rest(test);
	KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), SOME_PAGES);
	end(test, fake.nr_complaints);
}

/* What compaction holds cannot be given back: no sleep, but unbinding works. */
static void freeze_with_isolated_pages(struct kunit *test)
{
	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	begin_with(test, F_ALL);
	virt_resize(test, SOME_PAGES);
	isolate_some(test, 3);
	KUNIT_EXPECT_EQ(test, virt_freeze(test), -EBUSY);
	virt_validate(test);
	while (put_one_back(test))
		virt_validate(test);
	virt_unbind(test);
	virt_validate(test);
	KUNIT_EXPECT_PTR_EQ(test, virt.b, NULL);
}

/* The shim sees whatever would be put on a queue from then on. */
static void r17_shutdown_during_inflation(struct kunit *test)
{
	unsigned int nr_messages, answered;

	for (answered = 0; answered < 3; answered++) {
		virt.ring_size = 2;
		fake.stride = 3;
		begin_with(test, F_ALL);
		virt_ask(ARENA_PAGES / 2 * VIRT_PFNS_PER_PAGE);
		virt_ask_hints(SERIES);
		virt.silent = true;
		fake_run_work(fake.now);
		if (answered)
			virt_answer(virt_queue_of(VIRT_INFLATE), 0, 1);
		virt_shutdown(test);
		virt_validate(test);
		nr_messages = virt.nr_messages[VIRT_INFLATE];
		vb_changed(&virt.vdev);
		stats_callback(&virt_queue_of(VIRT_STATS)->vq);
		hints_callback(&virt_queue_of(VIRT_HINTS)->vq);
		fake_let_pass(3600 * HZ);
		virt_validate(test);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_INFLATE], nr_messages);
		virt.silent = false;
		virt.config.free_page_hint_cmd_id = 0;
		virt_unbind(test);
		virt_validate(test);
		virt.config.num_pages = 0;
	}
}

/* The guest stays awake for what the device wants, and no longer. */
static void stays_awake_for_work(struct kunit *test)
{
	begin_with(test, F_ALL);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
	virt_ask(5 * VIRT_PFNS_PER_PAGE);
	KUNIT_EXPECT_EQ(test, virt.awake, 1);
	virt_ask_hints(SERIES);
	KUNIT_EXPECT_EQ(test, virt.awake, 1);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
	virt_ask(0);
	end(test, 0);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
}

static struct kunit_case queues_test_cases[] = {
	KUNIT_CASE(statistics_one_buffer_at_a_time),
	KUNIT_CASE(statistics_are_all_there),
	KUNIT_CASE(statistics_of_events),
	KUNIT_CASE(r36_statistics_up_to_a_tag),
	KUNIT_CASE(statistics_returned_at_once),
	KUNIT_CASE(statistics_returned_twice),
	KUNIT_CASE(r13_first_buffers),
	KUNIT_CASE(hints_in_a_series),
	KUNIT_CASE(hints_are_kept_until_used),
	KUNIT_CASE(r06_hints_end_with_the_device),
	KUNIT_CASE(hints_id_changes_in_the_middle),
	KUNIT_CASE(hints_go_on_at_another_target),
	KUNIT_CASE(hints_of_a_silent_device),
	KUNIT_CASE(hints_in_the_smallest_rings),
	KUNIT_CASE(hints_without_memory),
	KUNIT_CASE(hints_are_not_taken),
	KUNIT_CASE(hints_queue_breaks),
	KUNIT_CASE(r16_reports),
	KUNIT_CASE(report_is_answered_late),
	KUNIT_CASE(reports_fail),
	KUNIT_CASE(r17_no_report_after_reset),
	KUNIT_CASE(r06_report_ends_with_the_device),
	KUNIT_CASE(reporting_is_taken),
	KUNIT_CASE(blocks_are_reported),
	KUNIT_CASE(blocks_are_not_reported),
	KUNIT_CASE(blocks_without_their_queue),
	KUNIT_CASE(blocks_that_fail),
	KUNIT_CASE(blocks_of_a_silent_device),
	KUNIT_CASE(reports_share_the_ring),
	KUNIT_CASE(r19_numbers_of_queues),
	KUNIT_CASE(r11_poison),
	KUNIT_CASE(r39_legacy_device_has_only_its_own),
	KUNIT_CASE(r07_only_oom_shrinks_the_balloon),
	KUNIT_CASE(freeze_and_restore),
	KUNIT_CASE(restore_fails),
	KUNIT_CASE(freeze_of_a_silent_device),
	KUNIT_CASE(freeze_with_isolated_pages),
	KUNIT_CASE(r17_shutdown_during_inflation),
	KUNIT_CASE(stays_awake_for_work),
	{}
};

static struct kunit_suite queues_test_suite = {
	.name = "balloon_virtio_queues",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = queues_test_cases,
};
kunit_test_suite(queues_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon's other queues, features and sleep");
MODULE_LICENSE("GPL");
