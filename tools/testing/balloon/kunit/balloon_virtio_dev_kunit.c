// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of the life of a virtio balloon that offers all that there is: the
 * features that are agreed on, sleep, and the end of the guest.
 */
#include <kunit/test.h>

#include "virtio_queues.h"

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

/* It ends while the device is being bound, which is not started any more. */
static void r17_guest_ends_during_probe(struct kunit *test)
{
	unsigned int kind;

	virt.features = BIT_ULL(VIRTIO_F_VERSION_1) | F_ALL;
	virt.init_on_free = true;
	virt.guest_ends = true;
	virt.config.num_pages = cpu_to_le32(SOME_PAGES * VIRT_PFNS_PER_PAGE);
	virt.config.free_page_hint_cmd_id = cpu_to_le32(SERIES);
	KUNIT_ASSERT_EQ(test, virt_bind(test), 0);
	vb_changed(&virt.vdev);
	fake_let_pass(100 * HZ);
	virt_validate(test);
	KUNIT_EXPECT_FALSE(test, virt.ready);
	KUNIT_EXPECT_PTR_EQ(test, virt.reporting, NULL);
	for (kind = 0; kind < VIRT_NR_KINDS; kind++)
		KUNIT_EXPECT_EQ(test, virt.nr_messages[kind], 0);
	end(test, 0);
}

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
	unsigned int i, j;

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
		for (j = 0; j < 60; j++) {
			fake_let_pass(HZ);
			virt_settle(test);
		}
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
		vb_stats_callback(&virt_queue_of(VIRT_STATS)->vq);
		vb_hints_callback(&virt_queue_of(VIRT_HINTS)->vq);
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

/* Whatever its first allocation is, a driver that is not loaded leaves nothing. */
static void r06_driver_is_not_loaded(struct kunit *test)
{
	unsigned int before = fake.nr_workqueues;

	test_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, virt_module_init(), -ENOMEM);
	test_fail_nth = 0;
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, before);
	KUNIT_EXPECT_EQ(test, virt_module_init(), 0);
	virt_module_exit();
	KUNIT_EXPECT_EQ(test, fake.nr_workqueues, before);
}

static struct kunit_case virtio_dev_test_cases[] = {
	KUNIT_CASE(r13_first_buffers),
	KUNIT_CASE(r17_guest_ends_during_probe),
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
	KUNIT_CASE(r06_driver_is_not_loaded),
	{}
};

static struct kunit_suite virtio_dev_test_suite = {
	.name = "balloon_virtio_dev",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = virtio_dev_test_cases,
};
kunit_test_suite(virtio_dev_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon's features and sleep");
MODULE_LICENSE("GPL");
