/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Programs: anything that may happen to a virtio balloon, in any order.
 *
 * Two bytes are an event, the device's or the guest's, and its argument.  So a
 * program can be random numbers, or come from a fuzzer.  Whoever waits in the
 * core takes part: what happens meanwhile are the program's next events, as far
 * as they can happen on another processor.
 */
#ifndef _BALLOON_KUNIT_VIRTIO_EVENTS_H
#define _BALLOON_KUNIT_VIRTIO_EVENTS_H

#include "fake_virtio.h"

enum virt_event {
	/* The device's */
	VIRT_ANSWER, VIRT_ANSWER_TWICE, VIRT_ANSWER_UNSENT, VIRT_ANSWER_ALL,
	VIRT_ASK, VIRT_ASK_MUCH, VIRT_FLAP, VIRT_BEHAVE, VIRT_USED_LEN,
	VIRT_BREAK, VIRT_INTERRUPT, VIRT_ADD_FAILS, VIRT_ASK_HINTS,
	VIRT_OFFER,
	/* Compaction's */
	VIRT_ISOLATE, VIRT_MIGRATE, VIRT_PUT_BACK,
	/* What only happens while nobody waits */
	VIRT_MIGRATE_SYNC, VIRT_TIME, VIRT_NO_MEMORY, VIRT_WORK, VIRT_SETTLE,
	VIRT_UNBIND, VIRT_BIND, VIRT_SLEEP, VIRT_SHUTDOWN, VIRT_OOM, VIRT_SHRINK,
	VIRT_NR_EVENTS
};

static struct virt_program {
	const u8 *at;
	const u8 *end;
	u8 offer;		/* features, when the device is bound next */
} virt_program;

static void virt_compact(struct kunit *test, enum virt_event event, u8 arg)
{
	enum migrate_mode mode = MIGRATE_ASYNC;
	struct page *page;
	unsigned int n;

	if (event == VIRT_MIGRATE_SYNC)
		mode = arg & 1 ? MIGRATE_SYNC : MIGRATE_SYNC_LIGHT;
	for (n = 0; n < 1 + arg / 4; n++) {
		page = compaction_first();
		if (event == VIRT_ISOLATE)
			compaction_isolate(arena + (arg % 4 * 200 + n) %
					   ARENA_PAGES);
		else if (!page || PageLocked(page))
			return;
		else if (event == VIRT_PUT_BACK)
			compaction_putback(page);
		else if (compaction_migrate(page, mode))
			compaction_putback(page);
	}
}

/* A device that cannot sleep, or not wake up again, can only be unbound. */
static void virt_sleep(struct kunit *test, u8 arg)
{
	if (!virt.bound || virt.asleep || !IS_ENABLED(CONFIG_PM_SLEEP) ||
	    virt_freeze(test))
		return;
	virt_validate(test);
	virt.find_error = arg & 1 ? -ENOENT : 0;
	virt_restore(test);
	virt.find_error = 0;
}

static void virt_bind_anyhow(struct kunit *test, u8 arg)
{
	if (virt.bound || virt.b)
		return;
	virt.features = virt_program.offer & 64 ? BIT_ULL(VIRTIO_F_VERSION_1) : 0;
	virt.features |= virt_program.offer % 64;
	virt.page_poisoning = virt_program.offer & 128;
	virt.ring_size = 1 << arg % 8;
	virt.big_endian = arg & 8;
	virt.trusting = arg & 16;
	fake.stride = arg & 32 ? 1 : 3;
	fake.units = arg & 32;
	fake.zone_boundary = arg & 64 ? ARENA_PAGES :
					  BALLOON_BLOCK_PAGES;
	virt_bind(test);
}

static void virt_behave(u8 arg)
{
	virt.silent = arg & 1;
	virt.at_once = arg & 2;
	virt.interrupts_notify = arg & 4;
	virt.polls = arg & 8;
	virt.races = arg & 16;
	virt.breaks_notify = arg >= 0xe0;
}

static void virt_happens(struct kunit *test, enum virt_event event, u8 arg)
{
	struct virt_queue *q = &virt.queue[arg % VIRT_NR_KINDS];
	struct shrink_control sc = { .nr_to_scan = arg };

	switch (event) {
	case VIRT_ANSWER:
		virt_answer(q, arg / VIRT_NR_KINDS, 1);
		break;
	case VIRT_ANSWER_TWICE:
		virt_answer(q, arg / VIRT_NR_KINDS, 2);
		break;
	case VIRT_ANSWER_UNSENT:
		if (q->found && !virt.reset)
			virt_use(q, arg / VIRT_NR_KINDS);
		virt_interrupt(q, true);
		break;
	case VIRT_ANSWER_ALL:
		virt.stats_wanted = arg % 4;
		while (virt_answer_next(q))
			;
		break;
	case VIRT_OFFER:
		virt_program.offer = arg;
		break;
	case VIRT_ASK_HINTS:
		virt_ask_hints(arg % 8);
		break;
	case VIRT_ASK:
		virt_ask(arg * 3 * VIRT_PFNS_PER_PAGE + arg % VIRT_PFNS_PER_PAGE);
		break;
	case VIRT_ASK_MUCH:
		virt_ask(U32_MAX - arg);
		break;
	case VIRT_FLAP:
		virt.flap = arg & 1 ? U32_MAX >> arg % 32 : 0;
		break;
	case VIRT_BEHAVE:
		virt_behave(arg);
		break;
	case VIRT_USED_LEN:
		virt.used_len = (u32)arg << arg % 32;
		break;
	case VIRT_BREAK:
		q->broken = true;
		break;
	case VIRT_INTERRUPT:
		virt_interrupt(q, false);
		break;
	case VIRT_ADD_FAILS:
		virt.fail_nth_add = 1 + arg % 16;
		virt.add_error = arg & 16 ? -ENOMEM : -EIO;
		break;
	case VIRT_ISOLATE:
	case VIRT_MIGRATE:
	case VIRT_MIGRATE_SYNC:
	case VIRT_PUT_BACK:
		virt_compact(test, event, arg);
		break;
	case VIRT_TIME:
		fake_let_pass(arg * arg);
		break;
	case VIRT_NO_MEMORY:
		fake.no_memory = arg & 1;
		test_fail_nth = arg / 2;
		break;
	case VIRT_WORK:
		fake_run_work(fake.now);
		break;
	case VIRT_SETTLE:
		virt_settle(test);
		break;
	case VIRT_UNBIND:
		if (virt.bound)
			virt_unbind(test);
		break;
	case VIRT_BIND:
		virt_bind_anyhow(test, arg);
		break;
	case VIRT_SLEEP:
		virt_sleep(test, arg);
		break;
	case VIRT_SHUTDOWN:
		if (virt.bound && !virt.asleep)
			virt_shutdown(test);
		break;
	case VIRT_OOM:
		fake_out_of_memory(arg);
		break;
	case VIRT_SHRINK:
		hints_scan(NULL, &sc);
		break;
	default:
		break;
	}
}

/* Somebody waits. */
static bool virt_meanwhile(struct kunit *test)
{
	struct virt_program *p = &virt_program;
	enum virt_event event;

	if (p->at == p->end)
		return virt_step(test);
	event = p->at[0] % VIRT_NR_EVENTS;
	if (event > VIRT_PUT_BACK)
		return virt_step(test);
	p->at += 2;
	virt_happens(test, event, p->at[-1]);
	return true;
}

/* Afterwards nothing is left, but for a device that was given up. */
static inline void virt_run(struct kunit *test, const u8 *program, size_t len)
{
	struct virt_program *p = &virt_program;

	p->at = program;
	p->end = program + len / 2 * 2;
	p->offer = 0xff;
	fake.step = virt_meanwhile;
	virt_bind_anyhow(test, 7);
	while (p->at < p->end) {
		p->at += 2;
		virt_happens(test, p->at[-2] % VIRT_NR_EVENTS, p->at[-1]);
		virt_validate(test);
	}
	while (put_one_back(test))
		virt_validate(test);
	if (virt.bound)
		virt_unbind(test);
	virt_validate(test);
}

#endif /* _BALLOON_KUNIT_VIRTIO_EVENTS_H */
