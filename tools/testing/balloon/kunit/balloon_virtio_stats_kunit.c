// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/virtio/balloon/stats.c: what the guest tells of its memory.
 */
#include <kunit/test.h>

#include "virtio_queues.h"

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
			VIRT_RECLAIM(PGSCAN_KSWAPD) * page);
	KUNIT_EXPECT_EQ(test, virt.stat[VIRTIO_BALLOON_S_DIRECT_RECLAIM],
			VIRT_RECLAIM(PGSTEAL_DIRECT) * page);
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

static struct kunit_case virtio_stats_test_cases[] = {
	KUNIT_CASE(statistics_one_buffer_at_a_time),
	KUNIT_CASE(statistics_are_all_there),
	KUNIT_CASE(statistics_of_events),
	KUNIT_CASE(r36_statistics_up_to_a_tag),
	KUNIT_CASE(statistics_returned_at_once),
	KUNIT_CASE(statistics_returned_twice),
	{}
};

static struct kunit_suite virtio_stats_test_suite = {
	.name = "balloon_virtio_stats",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = virtio_stats_test_cases,
};
kunit_test_suite(virtio_stats_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon's statistics");
MODULE_LICENSE("GPL");
