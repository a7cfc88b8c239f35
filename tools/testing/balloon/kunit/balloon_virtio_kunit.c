// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/virtio/virtio_balloon.c and drivers/virtio/balloon/, with
 * the core on top of them and a device below that lies, stalls and dies.
 *
 * Whatever the device does: nothing crashes, no wait is unbounded, no page is
 * lost, the log has one clear message, and the driver can be unbound and bound.
 */
#include <kunit/test.h>

#include "virtio_events.h"

/* The next device is an honest one. */
static void end_and_begin_again(struct kunit *test, unsigned int complaints)
{
	end(test, complaints);
	virt.silent = false;
	virt.breaks_notify = false;
	virt.trusting = false;
	virt.fail_nth_add = 0;
	fake.step = virt_step;
	virt.config.actual = 0;
	virt.config.num_pages = 0;
	begin(test);
	virt_resize(test, SOME_PAGES);
	virt_resize(test, 0);
	end(test, complaints);
}

static void migrate_all(struct kunit *test, enum migrate_mode mode)
{
	while (compaction_first()) {
		KUNIT_ASSERT_EQ(test, compaction_migrate(compaction_first(),
							 mode), 0);
		virt_validate(test);
	}
}

static unsigned int nr_outstanding(enum virt_kind kind)
{
	struct virt_queue *q = virt_queue_of(kind);
	unsigned int i, nr = 0;

	for (i = 0; i < VIRT_RING; i++)
		nr += q->buffer[i].outstanding;
	return nr;
}

/* While the worker waits: it stops as it does when the driver is unbound. */
static bool stop_worker(struct kunit *test)
{
	if (balloon_is_leaving(virt.b))
		return false;
	virt.b->state = balloon_is_answered(virt.b) ? BALLOON_EMPTYING :
						      BALLOON_STOPPED;
	fake.woken = true;
	return true;
}

/* Messages are on their way, no time has passed, and the device is silent. */
static void ask_in_vain(struct kunit *test, unsigned int nr_pages)
{
	unsigned long start = fake.now;

	virt.silent = true;
	fake.step = stop_worker;
	virt_ask(nr_pages * VIRT_PFNS_PER_PAGE);
	while (fake_run_work(fake.now))
		virt_validate(test);
	virt.b->state = balloon_is_answered(virt.b) ? BALLOON_RUNNING :
						      BALLOON_BROKEN;
	fake.step = virt_step;
	KUNIT_ASSERT_EQ(test, fake.now, start);
}

/* The device is found silent within the time that it is given. */
static void expect_stall(struct kunit *test)
{
	fake_let_pass(31 * HZ);
	virt_validate(test);
	KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_STALLED);
	KUNIT_EXPECT_EQ(test, fake.nr_complaints, 1);
	/* And no more is said, for hours. */
	fake_let_pass(2 * 3600 * HZ);
	virt_validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_complaints, 1);
}

/* Probe and removal */

static void life(struct kunit *test)
{
	begin(test);
	KUNIT_EXPECT_TRUE(test, virt.ready);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 1);
	end(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_INFLATE], 0);
}

/* The device may ask for pages before there is a driver. */
static void target_set_before_probe(struct kunit *test)
{
	virt.config.num_pages = cpu_to_le32(40 * VIRT_PFNS_PER_PAGE);
	begin(test);
	virt_settle(test);
	virt_at_rest(test);
	KUNIT_EXPECT_EQ(test, virt.b->nr_ballooned, 40);
	end(test, 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(virt.config.actual), 0);
}

/* Each allocation fails in turn: whatever was done before is undone. */
static void probe_undone_on_failure(struct kunit *test)
{
	unsigned int nth = 0;
	int err;

	do {
		test_fail_nth = ++nth;
		err = virt_bind(test);
		virt_validate(test);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, fake.nr_ids, 0);
			KUNIT_EXPECT_EQ(test, fake.nr_devices, 0);
		}
	} while (err && nth < 100);
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_GT(test, nth, BALLOON_NR_BATCHES);
	test_fail_nth = 0;
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

static void probe_without_queues(struct kunit *test)
{
	virt.find_error = -ENOENT;
	KUNIT_EXPECT_EQ(test, virt_bind(test), -ENOENT);
	virt.find_error = 0;
	begin(test);
	end(test, 0);
}

static void probe_without_configuration(struct kunit *test)
{
	static const struct virtio_config_ops none = { .del_vqs = virt_del_vqs };

	virt.vdev.config = &none;
	KUNIT_EXPECT_EQ(test, virt_bind(test), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake.nr_complaints, 1);
}

/* A device may have any of the features: the driver takes what it knows. */
static void r05_any_set_of_features(struct kunit *test)
{
	const u64 transport = BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
			      BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	unsigned int offered;

	for (offered = 0; offered < 64; offered++) {
		virt.features = offered | transport |
				(offered & 1 ? BIT_ULL(VIRTIO_F_VERSION_1) : 0);
		begin(test);
		/* Direct descriptors with guest physical addresses. */
		KUNIT_EXPECT_EQ(test, virt.vdev.features & transport, 0);
		KUNIT_EXPECT_EQ(test, virt.vdev.features & ~virt.features, 0);
		virt_resize(test, SOME_PAGES);
		isolate_some(test, 3);
		migrate_all(test, MIGRATE_SYNC);
		virt_resize(test, 2);
		end(test, 0);
	}
}

/* Messages: the door looks at each; here is how many there are. */

static void messages_are_full(struct kunit *test)
{
	const unsigned int nr = 3 * VIRT_PAGES_PER_MESSAGE;

	begin(test);
	virt_resize(test, nr);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_INFLATE], 3);
	KUNIT_EXPECT_EQ(test, virt.nr_full, 3);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_INFLATE], nr);
	virt_resize(test, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_DEFLATE], 3);
	KUNIT_EXPECT_EQ(test, virt.nr_full, 6);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_DEFLATE], nr);
	/* Of all messages of a batch the device is notified once. */
	KUNIT_EXPECT_EQ(test, virt.nr_notifications, 2);
	end(test, 0);
}

/*
 * What is in one notification takes the processor from the guest.  The arena
 * fills more than that with pages of 64 KiB.
 */
static void notifications_are_bounded(struct kunit *test)
{
	unsigned int at_once;

	for (at_once = 0; at_once < 2; at_once++) {
		virt.at_once = at_once;
		virt.most_notified = 0;
		virt.nr_notifications = 0;
		virt.nr_messages[VIRT_INFLATE] = 0;
		begin(test);
		virt_resize(test, ARENA_PAGES);
		KUNIT_EXPECT_LE(test, virt.most_notified, MESSAGES_PER_KICK);
		KUNIT_EXPECT_EQ(test, virt.most_notified,
				min(MESSAGES_PER_KICK, virt.nr_messages[VIRT_INFLATE]));
		end(test, 0);
	}
}

/* One page: as many PFNs as it has, and the door sees which they are. */
static void r03_all_pfns_of_a_page(struct kunit *test)
{
	struct virt_buffer *buf;

	begin(test);
	ask_in_vain(test, 1);
	buf = virt_seen(virt_queue_of(VIRT_INFLATE), 0);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	KUNIT_EXPECT_EQ(test, buf->len, VIRT_PFNS_PER_PAGE * sizeof(u32));
	virt.silent = false;
	virt_resize(test, 1);
	KUNIT_EXPECT_EQ(test, virt.nr_pages[VIRT_INFLATE], 1);
	end(test, 0);
}

/* Around the number of pages that a message holds, adjacent and scattered. */
static void r09_messages_never_overflow(struct kunit *test)
{
	unsigned int nr, stride;

	begin(test);
	for (stride = 1; stride <= 3; stride++) {
		for (nr = VIRT_PAGES_PER_MESSAGE - 1;
		     nr <= VIRT_PAGES_PER_MESSAGE + 1; nr++) {
			unsigned int *nr_messages = virt.nr_messages;

			fake.next = 0;
			fake.stride = stride;
			nr_messages[VIRT_INFLATE] = 0;
			nr_messages[VIRT_DEFLATE] = 0;
			virt_resize(test, nr);
			KUNIT_EXPECT_EQ(test, nr_messages[VIRT_INFLATE],
					1 + (nr > VIRT_PAGES_PER_MESSAGE));
			virt_resize(test, 0);
			KUNIT_EXPECT_EQ(test, nr_messages[VIRT_DEFLATE],
					1 + (nr > VIRT_PAGES_PER_MESSAGE));
		}
	}
	end(test, 0);
}

/* All that the arena has, in ranges of every length. */
static void r35_messages_of_ranges_of_any_length(struct kunit *test)
{
	unsigned int i, next = 0;

	begin(test);
	for (i = 1; next < ARENA_PAGES; i++, next += i)
		fake_take_page(next);
	virt_resize(test, ARENA_PAGES - fake.nr_taken);
	while (next) {
		next -= i--;
		fake_put_page(arena + next);
	}
	virt_resize(test, ARENA_PAGES);
	virt_resize(test, 0);
	end(test, 0);
}

/* A migration is one message in each queue, and neither is waited for. */
static void migration_has_two_messages(struct kunit *test)
{
	unsigned int nr = min(VIRT_PAGES_PER_MESSAGE, 20UL);

	begin(test);
	virt_resize(test, 2 * nr);
	memset(virt.nr_messages, 0, sizeof(virt.nr_messages));
	virt.nr_notifications = 0;
	isolate_some(test, nr);
	virt.silent = true;
	migrate_all(test, MIGRATE_ASYNC);
	KUNIT_EXPECT_EQ(test, nr_outstanding(VIRT_INFLATE), 1);
	KUNIT_EXPECT_EQ(test, nr_outstanding(VIRT_DEFLATE), 1);
	virt.silent = false;
	virt_settle(test);
	virt_at_rest(test);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_INFLATE], 1);
	KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_DEFLATE], 1);
	KUNIT_EXPECT_EQ(test, virt.nr_notifications, 2);
	KUNIT_EXPECT_EQ(test, virt.b->stats.migrated, nr);
	end(test, 0);
}

/* The PFNs of such a device are big-endian, its configuration is not. */
static void r10_legacy_device_with_big_endian(struct kunit *test)
{
	virt.features = 0;
	virt.big_endian = true;
	begin(test);
	virt_resize(test, SOME_PAGES);
	virt_resize(test, 3);
	end(test, 0);
}

/*
 * A target that is no whole number of pages is rounded up, and the balloon
 * comes to rest there.
 */
static void r14_target_of_a_part_of_a_page(struct kunit *test)
{
	u32 nr_pfns;

	begin(test);
	for (nr_pfns = 1; nr_pfns < 4 * VIRT_PFNS_PER_PAGE; nr_pfns++) {
		virt_ask(nr_pfns);
		virt_settle(test);
		virt_at_rest(test);
		KUNIT_EXPECT_EQ(test, virt.b->nr_ballooned,
				DIV_ROUND_UP(nr_pfns, VIRT_PFNS_PER_PAGE));
		memset(virt.nr_messages, 0, sizeof(virt.nr_messages));
		fake_let_pass(100 * HZ);
		virt_at_rest(test);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_INFLATE], 0);
		KUNIT_EXPECT_EQ(test, virt.nr_messages[VIRT_DEFLATE], 0);
	}
	end(test, 0);
}

/* PFNs have 32 bits: the core is told which page is the last that has one. */
static void last_page_that_has_a_pfn(struct kunit *test)
{
	const u64 max_pfn = vb_ops.max_pfn;

	KUNIT_EXPECT_LE(test, (max_pfn + 1) * VIRT_PFNS_PER_PAGE - 1, U32_MAX);
	KUNIT_EXPECT_GT(test, (max_pfn + 2) * VIRT_PFNS_PER_PAGE - 1, U32_MAX);
}

/* Queues from one buffer to the most that virtio has. */
static void any_size_of_queues(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 2, 31, 32, 33, 64, 32768 };
	unsigned int i, at_once;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (at_once = 0; at_once < 2; at_once++) {
			virt.ring_size = sizes[i];
			virt.at_once = at_once;
			fake.stride = 3;
			begin(test);
			virt_resize(test, ARENA_PAGES - 10);
			isolate_some(test, 300);
			while (compaction_first() &&
			       !compaction_migrate(compaction_first(),
						   MIGRATE_SYNC))
				;
			while (put_one_back(test))
				;
			virt_settle(test);
			virt_resize(test, 1);
			end(test, 0);
		}
	}
}

/* Honest devices of other habits */

static void device_answers_when_notified(struct kunit *test)
{
	virt.at_once = true;
	fake.step = NULL;
	begin(test);
	virt_resize(test, ARENA_PAGES - 10);
	isolate_some(test, 10);
	migrate_all(test, MIGRATE_SYNC);
	virt_resize(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_timeouts, 0);
	end(test, 0);
}

static void device_wants_no_notification(struct kunit *test)
{
	virt.polls = true;
	begin(test);
	virt_resize(test, ARENA_PAGES - 10);
	virt_resize(test, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_notifications, 0);
	end(test, 0);
}

/* An interrupt on another processor, between a notification and its return. */
static void device_interrupts_the_notification(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		virt.ring_size = i & 1 ? 1 : 128;
		virt.at_once = i & 2;
		virt.interrupts_notify = true;
		begin(test);
		virt_resize(test, ARENA_PAGES - 10);
		isolate_some(test, 10);
		migrate_all(test, MIGRATE_SYNC);
		virt_resize(test, 0);
		end(test, 0);
	}
}

/* Too early for an interrupt, too late for the driver's look before. */
static void device_answers_as_interrupts_are_enabled(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		virt.ring_size = i ? 1 : 128;
		virt.races = true;
		fake.step = NULL;
		begin(test);
		virt_resize(test, ARENA_PAGES - 10);
		isolate_some(test, 10);
		migrate_all(test, MIGRATE_SYNC);
		virt_resize(test, 0);
		KUNIT_EXPECT_EQ(test, fake.nr_timeouts, 0);
		end(test, 0);
	}
}

/* Acknowledgements */

static void r37_ack_never_comes(struct kunit *test)
{
	static const unsigned int targets[] = { 3 * SOME_PAGES, SOME_PAGES, 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(targets); i++) {
		fake.nr_complaints = 0;
		begin(test);
		virt_resize(test, 2 * SOME_PAGES);
		ask_in_vain(test, targets[i]);
		expect_stall(test);
		/* The device's wishes change nothing now. */
		virt_ask(0);
		virt_ask(U32_MAX);
		fake_let_pass(3600 * HZ);
		virt_validate(test);
		end_and_begin_again(test, 1);
	}
}

static void ack_comes_late(struct kunit *test)
{
	begin(test);
	virt_resize(test, SOME_PAGES);
	ask_in_vain(test, 3 * SOME_PAGES);
	expect_stall(test);
	virt.silent = false;
	virt_settle(test);
	fake_let_pass(60 * HZ);
	virt_settle(test);
	virt_at_rest(test);
	KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_RUNNING);
	KUNIT_EXPECT_EQ(test, virt.b->nr_ballooned, 3 * SOME_PAGES);
	end_and_begin_again(test, 1);
}

/* One queue is served and the other is not. */
static void ack_comes_for_half_a_migration(struct kunit *test)
{
	unsigned int kind;

	for (kind = VIRT_INFLATE; kind <= VIRT_DEFLATE; kind++) {
		fake.nr_complaints = 0;
		begin(test);
		virt_resize(test, 20);
		virt.silent = true;
		isolate_some(test, 10);
		migrate_all(test, MIGRATE_ASYNC);
		while (virt_answer(virt_queue_of(kind), 0, 1))
			virt_validate(test);
		fake_run_work(fake.now);
		virt_validate(test);
		KUNIT_EXPECT_EQ(test, virt.b->nr_inflating, 10);
		KUNIT_EXPECT_EQ(test, virt.b->nr_deflating, 10);
		expect_stall(test);
		end_and_begin_again(test, 1);
	}
}

/* Compaction waits for a silent device, but not for long. */
static void ack_never_comes_for_a_migration(struct kunit *test)
{
	unsigned long start;

	begin(test);
	virt_resize(test, SOME_PAGES);
	isolate_some(test, 8);
	virt.silent = true;
	start = fake.now;
	migrate_all(test, MIGRATE_SYNC);
	KUNIT_EXPECT_LE(test, fake.now - start, 31 * HZ);
	expect_stall(test);
	KUNIT_EXPECT_FALSE(test, compaction_isolate(arena + SOME_PAGES - 1));
	end_and_begin_again(test, 1);
}

/* Any but the oldest, if there is a choice; @fake.until counts those. */
static bool answer_out_of_order(struct kunit *test)
{
	unsigned int i, nr;

	for (i = 0; i < virt.nr_queues; i++) {
		struct virt_queue *q = &virt.queue[i];

		for (nr = 0; virt_seen(q, nr); nr++)
			;
		fake.until += nr > 1;
		if (nr && virt_answer(q, nr > 1 ? 1 + test_random(nr - 1) : 0, 1))
			return true;
	}
	return false;
}

static void ack_comes_out_of_order(struct kunit *test)
{
	begin(test);
	fake.stride = 5;
	fake.step = answer_out_of_order;
	virt_ask((ARENA_PAGES - 1) * VIRT_PFNS_PER_PAGE);
	world_goes_on(test);
	KUNIT_EXPECT_EQ(test, balloon_actual(virt.b), ARENA_PAGES - 1);
	virt_at_rest(test);
	virt_ask(0);
	world_goes_on(test);
	virt_at_rest(test);
	KUNIT_EXPECT_GT(test, fake.until, 5);
	end(test, 0);
}

/* The virtio core finds out and the queue is broken. */
static void ack_comes_twice(struct kunit *test)
{
	begin(test);
	virt_resize(test, SOME_PAGES);
	ask_in_vain(test, 3 * SOME_PAGES);
	KUNIT_ASSERT_TRUE(test, virt_answer(virt_queue_of(VIRT_INFLATE), 0, 2));
	virt_validate(test);
	KUNIT_EXPECT_TRUE(test, virt_queue_of(VIRT_INFLATE)->broken);
	fake_let_pass(100 * HZ);
	virt_validate(test);
	KUNIT_EXPECT_NE(test, virt.b->state, BALLOON_RUNNING);
	end_and_begin_again(test, 1);
}

/*
 * Should the virtio core not find out, then the driver does.  The message may
 * also have been sent again meanwhile; then it is what was acknowledged.
 */
static void ack_comes_twice_unnoticed(struct kunit *test)
{
	unsigned int i;

	virt.trusting = true;
	for (virt.ring_size = 1; virt.ring_size <= 128; virt.ring_size *= 2) {
		begin(test);
		for (i = 0; i < 2; i++) {
			unsigned int target = i ? 0 : 3 * SOME_PAGES;

			ask_in_vain(test, target);
			while (virt_answer(virt_queue_of(VIRT_INFLATE + i), 0, 2))
				virt_validate(test);
			virt.silent = false;
			virt_resize(test, target);
		}
		end(test, 0);
	}
}

static void ack_comes_for_what_was_never_sent(struct kunit *test)
{
	struct virt_queue *q;
	unsigned int believed;

	for (believed = 0; believed < 2; believed++) {
		fake.nr_complaints = 0;
		virt.trusting = believed;
		begin(test);
		virt_resize(test, SOME_PAGES);
		/* It has been acknowledged long since. */
		q = virt_queue_of(VIRT_INFLATE);
		virt_use(q, 1);
		virt_interrupt(q, true);
		virt_validate(test);
		KUNIT_EXPECT_EQ(test, q->broken, !believed);
		if (believed) {
			virt_resize(test, 0);
			end(test, 0);
			continue;
		}
		virt_ask(0);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_BROKEN);
		end_and_begin_again(test, 1);
	}
}

/* What the device says it has written to a buffer that it can only read. */
static void r12_used_length_is_absurd(struct kunit *test)
{
	static const unsigned int lengths[] = { 1, 1024, 1025, U32_MAX };
	unsigned int i;

	begin(test);
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		virt.used_len = lengths[i];
		virt_resize(test, SOME_PAGES);
		isolate_some(test, 3);
		migrate_all(test, MIGRATE_SYNC);
		virt_resize(test, 0);
	}
	end(test, 0);
}

static void interrupts_for_nothing(struct kunit *test)
{
	unsigned int i;

	begin(test);
	for (i = 0; i < 100; i++) {
		virt_interrupt(virt_queue_of(VIRT_INFLATE), false);
		virt_interrupt(virt_queue_of(VIRT_DEFLATE), false);
		virt_validate(test);
		if (i == 30)
			ask_in_vain(test, SOME_PAGES);
	}
	KUNIT_EXPECT_EQ(test, virt.b->nr_ballooned, 0);
	KUNIT_EXPECT_EQ(test, virt.b->nr_inflating, SOME_PAGES);
	virt.silent = false;
	virt_resize(test, SOME_PAGES);
	end(test, 0);
}

/* Configuration space */

static void configuration_changes_between_reads(struct kunit *test)
{
	static const u32 flaps[] = { 1, 0x3ff, U32_MAX };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(flaps); i++) {
		begin(test);
		virt_resize(test, 5);
		virt.flap = flaps[i];
		for (j = 0; j < 40; j++) {
			virt_driver->config_changed(&virt.vdev);
			while (fake_run_work(fake.now))
				virt_validate(test);
			virt_step(test);
			virt_validate(test);
		}
		virt.flap = 0;
		virt_resize(test, 7);
		end(test, 0);
	}
}

static void r34_target_beyond_all_memory(struct kunit *test)
{
	begin(test);
	virt_ask(U32_MAX);
	virt_settle(test);
	KUNIT_EXPECT_EQ(test, virt.b->nr_ballooned, ARENA_PAGES);
	fake_let_pass(3600 * HZ);
	virt_at_rest(test);
	virt_resize(test, 0);
	virt_ask(U32_MAX);
	virt_settle(test);
	end(test, 0);
}

/* Faster than pages come and go; @fake.until counts. */
static bool ask_otherwise(struct kunit *test)
{
	if (!fake.until || test_random(2))
		return virt_step(test);
	fake.until--;
	virt_ask(test_random(2) ? U32_MAX : test_random(100));
	/* The driver's work item is due. */
	return false;
}

static void target_flaps(struct kunit *test)
{
	begin(test);
	fake.until = 500;
	fake.step = ask_otherwise;
	virt_ask(U32_MAX);
	while (fake.until) {
		fake_run_work(fake.now + HZ);
		virt_validate(test);
		ask_otherwise(test);
	}
	fake.step = virt_step;
	virt_resize(test, 9);
	end(test, 0);
}

/* A thousand interrupts at a time cost one look, which is believed. */
static void configuration_interrupts_for_nothing(struct kunit *test)
{
	unsigned int i;

	begin(test);
	virt_resize(test, 5);
	virt.nr_target_reads = 0;
	for (i = 0; i < 1000; i++)
		virt_driver->config_changed(&virt.vdev);
	virt_settle(test);
	virt_at_rest(test);
	KUNIT_EXPECT_EQ(test, virt.nr_target_reads, 1);
	end(test, 0);
}

/* Devices that die */

/* One that asks to be reset: it answers nothing and reads as all ones.  It is known at once. */
static void device_needs_reset(struct kunit *test)
{
	static const unsigned int before[] = { 0, SOME_PAGES };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(before); i++) {
		fake.nr_complaints = 0;
		begin(test);
		virt_resize(test, before[i]);
		ask_in_vain(test, 3 * SOME_PAGES);
		virt.status = VIRTIO_CONFIG_S_NEEDS_RESET;
		memset(&virt.config, 0xff, sizeof(virt.config));
		virt_driver->config_changed(&virt.vdev);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_BROKEN);
		fake_let_pass(100 * HZ);
		virt_validate(test);
		end_and_begin_again(test, 1);
	}
}

/* Removal in the middle of everything, answered in part. */
static void reset_in_the_middle(struct kunit *test)
{
	unsigned int variant;
	struct virt_buffer *buf;
	struct virt_queue *q;

	for (variant = 0; variant < 16; variant++) {
		fake.nr_complaints = 0;
		virt.ring_size = variant & 8 ? 2 : 128;
		begin(test);
		virt_resize(test, SOME_PAGES);
		if (variant & 1) {
			isolate_some(test, 4);
			virt.silent = true;
			migrate_all(test, MIGRATE_ASYNC);
		}
		ask_in_vain(test, variant & 4 ? 0 : 3 * SOME_PAGES);
		q = virt_queue_of(variant & 4 ? VIRT_DEFLATE : VIRT_INFLATE);
		if (variant & 2)
			virt_answer(q, 0, 1);
		/* The device has used it, and the driver has not heard of it. */
		buf = virt_seen(q, 0);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		virt_use(q, buf - q->buffer);
		virt_validate(test);
		KUNIT_EXPECT_EQ(test, fake.nr_complaints, 0);
		end_and_begin_again(test, 1);
	}
}

enum when { BEFORE, AT_ADD, AT_NOTIFY, AFTER, NR_WHENS };

/* The queue is broken before, while and after messages are sent. */
static void queue_breaks(struct kunit *test)
{
	unsigned int kind, when;

	for (kind = VIRT_INFLATE; kind <= VIRT_DEFLATE; kind++) {
		for (when = BEFORE; when < NR_WHENS; when++) {
			fake.nr_complaints = 0;
			begin(test);
			virt_resize(test, 2 * SOME_PAGES);
			virt_queue_of(kind)->broken = when == BEFORE;
			virt.fail_nth_add = when == AT_ADD ? 2 : 0;
			virt.breaks_notify = when == AT_NOTIFY;
			ask_in_vain(test, kind == VIRT_INFLATE ? 3 * SOME_PAGES : 0);
			if (when == AFTER || when == AT_ADD)
				virt_queue_of(kind)->broken = true;
			virt_settle(test);
			fake_let_pass(100 * HZ);
			virt_validate(test);
			KUNIT_EXPECT_NE(test, virt.b->state, BALLOON_RUNNING);
			end_and_begin_again(test, 1);
		}
	}
}

/* All queues are broken, as when the device is unplugged, then it is removed. */
static void device_is_unplugged(struct kunit *test)
{
	unsigned int busy;

	for (busy = 0; busy < 3; busy++) {
		fake.nr_complaints = 0;
		begin(test);
		virt_resize(test, SOME_PAGES);
		if (busy == 1)
			ask_in_vain(test, 0);
		if (busy == 2)
			isolate_some(test, 5);
		virt_queue_of(VIRT_INFLATE)->broken = true;
		virt_queue_of(VIRT_DEFLATE)->broken = true;
		memset(&virt.config, 0xff, sizeof(virt.config));
		if (busy == 2)
			fake.step = put_one_back;
		virt_unbind(test);
		virt_validate(test);
		KUNIT_EXPECT_PTR_EQ(test, virt.b, NULL);
		KUNIT_EXPECT_LE(test, fake.nr_complaints, 1);
		virt.config.num_pages = 0;
		virt.silent = false;
		fake.step = virt_step;
		begin(test);
		virt_resize(test, 5);
		end(test, fake.nr_complaints);
	}
}

/* A buffer cannot be added for other reasons than a broken queue. */
static void r18_buffer_is_not_taken(struct kunit *test)
{
	static const int errors[] = { -EIO, -ENOSPC, -ENOMEM };
	unsigned int i, nth;

	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		for (nth = 1; nth < 4; nth++) {
			fake.nr_complaints = 0;
			begin(test);
			virt_resize(test, 5);
			virt.add_error = errors[i];
			virt.fail_nth_add = nth;
			virt_ask(3 * SOME_PAGES * VIRT_PFNS_PER_PAGE);
			virt_settle(test);
			KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_BROKEN);
			end_and_begin_again(test, 1);
		}
	}
}

/* The same, of one half of a migration. */
static void buffer_of_a_migration_is_not_taken(struct kunit *test)
{
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		fake.nr_complaints = 0;
		begin(test);
		virt_resize(test, 20);
		isolate_some(test, 10);
		virt.fail_nth_add = nth;
		migrate_all(test, MIGRATE_SYNC);
		virt_settle(test);
		KUNIT_EXPECT_EQ(test, virt.b->state, BALLOON_BROKEN);
		end_and_begin_again(test, 1);
	}
}

static void remove_device(struct kunit *test)
{
	virt_unbind(test);
	virt.nr_notifications = 0;
}

/*
 * A notification hangs in the hypervisor, and meanwhile the device is removed.
 * The thread that comes back finds neither queue nor messages; its driver and
 * what the core has of the device are still there.
 */
static void device_is_removed_during_a_notification(struct kunit *test)
{
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		begin(test);
		virt_resize(test, SOME_PAGES);
		isolate_some(test, 1);
		fake.step = NULL;
		virt.hangs = remove_device;
		virt.hang_nth_notify = nth;
		KUNIT_EXPECT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
		KUNIT_EXPECT_EQ(test, virt.hang_nth_notify, 0);
		KUNIT_EXPECT_EQ(test, virt.nr_notifications, 0);
		virt_validate(test);
		/* A reference each of the core and the driver. */
		KUNIT_EXPECT_NOT_NULL(test, virt.b);
		KUNIT_EXPECT_EQ(test, fake.nr_pinned, 2);
		fake_let_pass(3600 * HZ);
		virt_validate(test);
		virt_exit();
		KUNIT_ASSERT_EQ(test, test_objects, 0);
		virt_init(test);
	}
}

/*
 * What compaction never gives back cannot be freed.  The driver can be unbound
 * nevertheless, and the core keeps count of the pages.
 */
static void page_is_isolated_for_ever(struct kunit *test)
{
	unsigned long start = fake.now;

	begin(test);
	virt_resize(test, SOME_PAGES);
	isolate_some(test, 3);
	virt_unbind(test);
	virt_validate(test);
	KUNIT_EXPECT_LE(test, fake.now - start, UNBIND_TIME);
	KUNIT_ASSERT_NOT_NULL(test, virt.b);
	KUNIT_EXPECT_EQ(test, virt.b->isolated_pages, 3);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 3);
	KUNIT_EXPECT_EQ(test, fake.nr_pinned, 2);
	while (put_one_back(test))
		virt_validate(test);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 3);
}

/* Any of all things, in any order. */
static void random_walk(struct kunit *test)
{
	static u8 program[400];
	unsigned int walk, i;

	for (walk = 0; walk < 100; walk++) {
		test_random_state = walk;
		for (i = 0; i < sizeof(program); i++)
			program[i] = test_random(256);
		virt_run(test, program, sizeof(program));
		virt_exit();
		KUNIT_ASSERT_EQ(test, test_objects, 0);
		virt_init(test);
	}
}

static struct kunit_case virtio_test_cases[] = {
	KUNIT_CASE(life),
	KUNIT_CASE(target_set_before_probe),
	KUNIT_CASE(probe_undone_on_failure),
	KUNIT_CASE(probe_without_queues),
	KUNIT_CASE(probe_without_configuration),
	KUNIT_CASE(r05_any_set_of_features),
	KUNIT_CASE(messages_are_full),
	KUNIT_CASE(notifications_are_bounded),
	KUNIT_CASE(r03_all_pfns_of_a_page),
	KUNIT_CASE(r09_messages_never_overflow),
	KUNIT_CASE(r35_messages_of_ranges_of_any_length),
	KUNIT_CASE(migration_has_two_messages),
	KUNIT_CASE(r10_legacy_device_with_big_endian),
	KUNIT_CASE(r14_target_of_a_part_of_a_page),
	KUNIT_CASE(last_page_that_has_a_pfn),
	KUNIT_CASE(any_size_of_queues),
	KUNIT_CASE(device_answers_when_notified),
	KUNIT_CASE(device_wants_no_notification),
	KUNIT_CASE(device_interrupts_the_notification),
	KUNIT_CASE(device_answers_as_interrupts_are_enabled),
	KUNIT_CASE(r37_ack_never_comes),
	KUNIT_CASE(ack_comes_late),
	KUNIT_CASE(ack_comes_for_half_a_migration),
	KUNIT_CASE(ack_never_comes_for_a_migration),
	KUNIT_CASE(ack_comes_out_of_order),
	KUNIT_CASE(ack_comes_twice),
	KUNIT_CASE(ack_comes_twice_unnoticed),
	KUNIT_CASE(ack_comes_for_what_was_never_sent),
	KUNIT_CASE(r12_used_length_is_absurd),
	KUNIT_CASE(interrupts_for_nothing),
	KUNIT_CASE(configuration_changes_between_reads),
	KUNIT_CASE(r34_target_beyond_all_memory),
	KUNIT_CASE(target_flaps),
	KUNIT_CASE(configuration_interrupts_for_nothing),
	KUNIT_CASE(device_needs_reset),
	KUNIT_CASE(reset_in_the_middle),
	KUNIT_CASE(queue_breaks),
	KUNIT_CASE(device_is_unplugged),
	KUNIT_CASE(r18_buffer_is_not_taken),
	KUNIT_CASE(buffer_of_a_migration_is_not_taken),
	KUNIT_CASE(device_is_removed_during_a_notification),
	KUNIT_CASE(page_is_isolated_for_ever),
	KUNIT_CASE(random_walk),
	{}
};

static struct kunit_suite virtio_test_suite = {
	.name = "balloon_virtio",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = virt_test_init,
	.exit = virt_test_exit,
	.test_cases = virtio_test_cases,
};
kunit_test_suite(virtio_test_suite);

MODULE_DESCRIPTION("KUnit suite of the virtio balloon with a hostile device");
MODULE_LICENSE("GPL");
