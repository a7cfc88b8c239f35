/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites of a registered device share.
 */
#ifndef _BALLOON_KUNIT_HOST_DEVICE_H
#define _BALLOON_KUNIT_HOST_DEVICE_H

#include "fake_host.h"

/* Registered only if the case begins like that. */
static inline void begin(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, host_register(test), 0);
}

/* Lets the worker run once, without a pause having passed. */
static inline void run_worker(struct kunit *test)
{
	world_goes_on(test);
	settle(test);
}

static inline void isolate_some(struct kunit *test, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES && nr; i++)
		nr -= compaction_isolate(arena + i);
	KUNIT_ASSERT_EQ(test, nr, 0);
	validate(test);
}

static inline void isolate_all(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++)
		compaction_isolate(arena + i);
	KUNIT_ASSERT_EQ(test, host.b.nr_ballooned, 0);
	validate(test);
}

static inline bool put_back_or_answer(struct kunit *test)
{
	struct page *page = compaction_first();

	if (page)
		compaction_putback(page);
	return page || host_answer_nth(0);
}

/* All batches are taken by migrations that the hypervisor does not answer. */
static inline void take_all_batches(struct kunit *test)
{
	unsigned int i;

	balloon_set_ack_timeout(&host.b, 1000);
	resize(test, BALLOON_NR_BATCHES + 10);
	isolate_some(test, BALLOON_NR_BATCHES + 1);
	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		KUNIT_ASSERT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_ASYNC), 0);
		balloon_batch_flush(&host.b);
	}
	KUNIT_ASSERT_EQ(test, host.b.nr_free, 0);
	compaction_putback(compaction_first());
	fake.step = NULL;
	validate(test);
}

/* For cases that register the device themselves. */
static inline int device_test_init(struct kunit *test)
{
	host_init(test);
	return 0;
}

/* For cases that begin with a device. */
static inline int registered_test_init(struct kunit *test)
{
	host_init(test);
	return host_register(test);
}

#endif /* _BALLOON_KUNIT_HOST_DEVICE_H */
