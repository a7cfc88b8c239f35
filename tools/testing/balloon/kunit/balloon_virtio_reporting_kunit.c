// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/virtio/balloon/reporting.c: free memory that the kernel
 * reports, whole blocks of the balloon, and both in one ring.
 */
#include <kunit/test.h>

#include "virtio_queues.h"

/* What waits goes on when the case's step has done its part once. */
static bool once(void)
{
	return fake.until && !--fake.until;
}

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
	vb_reset(virt_vb()->b);
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

/* Another thread has free pages to report just then. */
static void report_begins(void)
{
	struct vb_queue *queue = reporting_queue(virt_vb());
	struct scatterlist sg;

	if (!queue->vq)
		return;
	sg_init_one(&sg, page_address(arena), PAGE_SIZE << VIRT_BLOCK_ORDER);
	reporting_add(virt_vb(), &sg, 1);
}

/*
 * The device has no report when it is looked at, and the next one would be waited
 * for without end: it must not begin.  After a sleep it may.
 */
static void report_begins_as_the_device_leaves(struct kunit *test)
{
	unsigned int way;

	for (way = UNBIND; way < NR_WAYS_OUT; way++) {
		if (way == FREEZE && !IS_ENABLED(CONFIG_PM_SLEEP))
			continue;
		begin_with(test, F(REPORTING));
		virt_resize(test, SOME_PAGES);
		virt.nr_messages[VIRT_REPORTING] = 0;
		virt.meanwhile = report_begins;
		if (way == SHUTDOWN)
			virt_shutdown(test);
		else if (way == FREEZE)
			KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
		else
			virt_unbind(test);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 0);
		virt.meanwhile = NULL;
		if (way == FREEZE) {
			KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
			KUNIT_EXPECT_EQ(test, report(3), 0);
			KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 1);
			virt_resize(test, SOME_PAGES);
		}
		if (way != UNBIND)
			virt_unbind(test);
		virt_validate(test);
		virt.config.num_pages = 0;
	}
}

/* A report that waits for room in the ring is not added when there is some. */
static bool device_leaves(struct kunit *test)
{
	if (!once())
		return virt_step(test);
	vb_reporting_end(virt_vb(), HZ);
	return true;
}

static void report_waits_as_the_device_leaves(struct kunit *test)
{
	virt.ring_size = 1;
	begin_with(test, F(REPORTING));
	fake.units = true;
	virt.silent = true;
	virt_ask(BALLOON_BLOCK_PAGES * VIRT_PFNS_PER_PAGE);
	run_work(test);
	KUNIT_ASSERT_EQ(test, virt_queue_of(VIRT_REPORTING)->vq.num_free, 0);
	fake.until = 1;
	fake.step = device_leaves;
	KUNIT_EXPECT_EQ(test, report(1), -ENODEV);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 0);
	fake.step = virt_step;
	virt.silent = false;
	virt_settle(test);
	virt_at_rest(test);
	end(test, fake.nr_complaints);
}

/* Whoever comes between the reset and what follows finds the queue closed. */
static void r17_report_begins_at_a_reset(struct kunit *test)
{
	begin_with(test, F(REPORTING));
	virt.nr_messages[VIRT_REPORTING] = 0;
	virt.meanwhile = report_begins;
	vb_reset(virt_vb()->b);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 0);
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

/*
 * Some kernels report in a work item that the freezer waits for.  The report ends
 * before, if it must be by a reset, and none begins until the guest is awake.
 */
static void report_is_under_way_as_the_guest_sleeps(struct kunit *test)
{
	static const unsigned long actions[][2] = {
		{ PM_SUSPEND_PREPARE, PM_POST_SUSPEND },
		{ PM_HIBERNATION_PREPARE, PM_POST_HIBERNATION },
		{ PM_RESTORE_PREPARE, PM_POST_RESTORE },
	};
	unsigned int i, how;
	unsigned long start;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	for (i = 0; i < 2 * ARRAY_SIZE(actions); i++) {
		how = i % 2;
		begin_with(test, F(REPORTING));
		virt_resize(test, SOME_PAGES);
		report_is_under_way(test);
		fake.step = report_goes_on;
		virt.silent = how;
		start = fake.now;
		virt.pm->notifier_call(virt.pm, actions[i / 2][0], NULL);
		KUNIT_EXPECT_LE(test, fake.now - start, how ? 2 * HZ : 0);
		KUNIT_EXPECT_FALSE(test, virt_vb()->reporting.busy);
		fake.step = virt_step;
		virt.silent = false;
		virt.nr_messages[VIRT_REPORTING] = 0;
		KUNIT_EXPECT_EQ(test, report(3), -ENODEV);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_REPORTING], 0);
		if (how) {
			KUNIT_EXPECT_EQ(test, virt_freeze(test), 0);
			KUNIT_EXPECT_EQ(test, virt_restore(test), 0);
		}
		virt.pm->notifier_call(virt.pm, actions[i / 2][1], NULL);
		KUNIT_EXPECT_EQ(test, report(3), 0);
		virt_resize(test, SOME_PAGES);
		end(test, fake.nr_complaints);
		fake.nr_complaints = 0;
		virt.config.num_pages = 0;
	}
}

/*
 * The device is reset for a sleep that is given up before it is frozen.  It has to
 * be started again; if that fails, it is said, and the driver can be unbound.
 */
static void sleep_is_given_up_after_a_reset(struct kunit *test)
{
	unsigned int fails, nr_resets, nr_complaints = 0;

	if (!IS_ENABLED(CONFIG_PM_SLEEP))
		kunit_skip(test, "this kernel does not sleep");
	for (fails = 0; fails < 2; fails++) {
		begin_with(test, F(REPORTING));
		virt_resize(test, SOME_PAGES);
		report_is_under_way(test);
		fake.step = report_goes_on;
		virt.silent = true;
		virt.pm->notifier_call(virt.pm, PM_SUSPEND_PREPARE, NULL);
		fake.step = virt_step;
		virt.silent = false;
		KUNIT_EXPECT_TRUE(test, virt.reset);
		virt.find_error = fails ? -ENOENT : 0;
		virt.pm->notifier_call(virt.pm, PM_POST_SUSPEND, NULL);
		virt.find_error = 0;
		virt_validate(test);
		KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
		if (fails) {
			KUNIT_EXPECT_EQ(test, fake.nr_complaints, nr_complaints + 1);
		} else {
			nr_complaints = fake.nr_complaints;
			KUNIT_EXPECT_EQ(test, report(3), 0);
			virt_settle(test);
			KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), SOME_PAGES);
			virt_at_rest(test);
			virt_resize(test, 3);
			/* The next sleep has no need for that. */
			nr_resets = virt.nr_resets;
			virt.pm->notifier_call(virt.pm, PM_SUSPEND_PREPARE, NULL);
			virt.pm->notifier_call(virt.pm, PM_POST_SUSPEND, NULL);
			KUNIT_EXPECT_EQ(test, virt.nr_resets, nr_resets);
			virt_resize(test, SOME_PAGES);
		}
		end(test, fake.nr_complaints);
		virt.config.num_pages = 0;
		fake.nr_complaints = 0;
	}
}

/* Without reports there is nothing to do. */
static void guest_without_reports_sleeps(struct kunit *test)
{
	begin_with(test, 0);
	virt.pm->notifier_call(virt.pm, PM_SUSPEND_PREPARE, NULL);
	virt.pm->notifier_call(virt.pm, PM_POST_SUSPEND, NULL);
	virt_resize(test, SOME_PAGES);
	end(test, 0);
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
			/* Neither sleep nor the end of the guest waits for long. */
			if (how != 1)
				KUNIT_EXPECT_LE(test, fake.now - start, HZ);
			else if (way != UNBIND)
				KUNIT_EXPECT_LE(test, fake.now - start, 2 * HZ);
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
	KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_BROKEN);
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
		KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_STALLED);
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

static struct kunit_case virtio_reporting_test_cases[] = {
	KUNIT_CASE(r16_reports),
	KUNIT_CASE(report_is_answered_late),
	KUNIT_CASE(reports_fail),
	KUNIT_CASE(r17_no_report_after_reset),
	KUNIT_CASE(report_begins_as_the_device_leaves),
	KUNIT_CASE(report_waits_as_the_device_leaves),
	KUNIT_CASE(r17_report_begins_at_a_reset),
	KUNIT_CASE(report_is_under_way_as_the_guest_sleeps),
	KUNIT_CASE(sleep_is_given_up_after_a_reset),
	KUNIT_CASE(guest_without_reports_sleeps),
	KUNIT_CASE(r06_report_ends_with_the_device),
	KUNIT_CASE(reporting_is_taken),
	KUNIT_CASE(blocks_are_reported),
	KUNIT_CASE(blocks_are_not_reported),
	KUNIT_CASE(blocks_without_their_queue),
	KUNIT_CASE(blocks_that_fail),
	KUNIT_CASE(blocks_of_a_silent_device),
	KUNIT_CASE(reports_share_the_ring),
	{}
};

static struct kunit_suite virtio_reporting_test_suite = {
	.name = "balloon_virtio_reporting",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = virtio_reporting_test_cases,
};
kunit_test_suite(virtio_reporting_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon's reports of free memory");
MODULE_LICENSE("GPL");
