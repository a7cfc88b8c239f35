/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of the virtio balloon's features share: devices that offer some,
 * and answer when the case says so.
 */
#ifndef _BALLOON_KUNIT_VIRTIO_QUEUES_H
#define _BALLOON_KUNIT_VIRTIO_QUEUES_H

#include "fake_virtio.h"

#define F(name)		BIT_ULL(VIRTIO_BALLOON_F_##name)
#define F_ALL		(F(MUST_TELL_HOST) | F(STATS_VQ) | F(DEFLATE_ON_OOM) | \
			 F(FREE_PAGE_HINT) | F(PAGE_POISON) | F(REPORTING))

/* Series of hints */
#define SERIES		7
#define NEXT_SERIES	8

enum way_out { UNBIND, FREEZE, SHUTDOWN, NR_WAYS_OUT };

static inline void begin_with(struct kunit *test, u64 features)
{
	virt.features = BIT_ULL(VIRTIO_F_VERSION_1) | features;
	begin(test);
	virt_settle(test);
}

/* Work that is due, of a device that answers nothing by itself. */
static inline void run_work(struct kunit *test)
{
	while (fake_run_work(fake.now))
		virt_validate(test);
	virt_validate(test);
}

static inline void let_answer(struct kunit *test, enum virt_kind kind, unsigned int nr)
{
	while (nr--)
		KUNIT_ASSERT_TRUE(test, virt_answer(virt_queue_of(kind), 0, 1));
	run_work(test);
}

#endif /* _BALLOON_KUNIT_VIRTIO_QUEUES_H */
