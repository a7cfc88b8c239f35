/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The core between a hypervisor and a compaction that a suite controls, and the
 * validator that cases call after every step.
 *
 * The hypervisor keeps a ledger of the pages that it was told of.  It answers
 * when the case says so: inside ->submit(), later, in any order, with refusals,
 * with an error, or never.  One that moves pages answers for each pair.
 */
#ifndef _BALLOON_KUNIT_FAKE_HOST_H
#define _BALLOON_KUNIT_FAKE_HOST_H

#include "fake_mm.h"

#include "../../../../mm/balloon/index.c"
#include "../../../../mm/balloon/pages.c"
#include "../../../../mm/balloon/ranges.c"
/* How much memory is free, and in which pieces, is what a case says. */
#define balloon_free_to_spare	floor_free_to_spare
#define balloon_holes		floor_holes
#define balloon_is_last_resort	floor_is_last_resort
#define balloon_spare_blocks	floor_spare_blocks
#define balloon_swap_to_spare	floor_swap_to_spare
#define balloon_room_by_swap	floor_room_by_swap
#define balloon_swap_in_memory	floor_swap_in_memory
#define balloon_missing_to_high	floor_missing_to_high
long floor_swap_in_memory(void);
unsigned long floor_missing_to_high(void);
unsigned long floor_swap_to_spare(struct balloon *b);
unsigned long floor_room_by_swap(void);
unsigned long floor_free_to_spare(int nid);
unsigned long floor_holes(void);
bool floor_is_last_resort(struct page *page);
unsigned long floor_spare_blocks(void);
#undef module_param
#define module_param(name, type, mode)	extern int fake_no_parameter
#include "../../../../mm/balloon/floor.c"
#undef balloon_free_to_spare
#undef balloon_holes
#undef balloon_is_last_resort
#undef balloon_spare_blocks
#undef balloon_swap_to_spare
#undef balloon_room_by_swap
#undef balloon_swap_in_memory
#undef balloon_missing_to_high
unsigned long balloon_free_to_spare(int nid)
{
	return fake.node_0_is_full && !nid ? 0 : fake.free_to_spare;
}

unsigned long balloon_holes(void) { return fake.holes; }
bool balloon_is_last_resort(struct page *page) { return page == fake.last_resort; }
unsigned long balloon_spare_blocks(void) { return fake.spare_blocks; }
unsigned long balloon_swap_to_spare(struct balloon *b) { return fake.swap_to_spare; }
unsigned long balloon_room_by_swap(void) { return fake.room_by_swap; }
long balloon_swap_in_memory(void) { return fake.swap_in_memory; }
unsigned long balloon_missing_to_high(void) { return fake.missing_to_high; }

#include "../../../../mm/balloon/states.c"
#include "../../../../mm/balloon/batch.c"
#include "../../../../mm/balloon/settle.c"
#include "../../../../mm/balloon/placement.c"
#include "../../../../mm/balloon/exchange.c"
#undef for_each_online_node
#define for_each_online_node(nid)	for (nid = 0; nid <= fake.node_0_is_full; nid++)
#include "../../../../mm/balloon/compact.c"
#include "../../../../mm/balloon/background.c"
#include "../../../../mm/balloon/swap.c"
#include "../../../../mm/balloon/target.c"
#include "../../../../mm/balloon/emptying.c"
#include "../../../../mm/balloon/oom.c"

#include "../../../../mm/balloon/sysfs.c"

/* The core's initcalls are a case's to call, and there when it does. */
#pragma push_macro("core_initcall")
#pragma push_macro("subsys_initcall")
#pragma push_macro("module_exit")
#pragma push_macro("__init")
#pragma push_macro("__exit")
#undef core_initcall
#define core_initcall(f)	static int (*movable_init)(void) __maybe_unused = f
#undef subsys_initcall
#define subsys_initcall(f)	static int (*core_init)(void) __maybe_unused = f
#undef module_exit
#define module_exit(f)		static void (*core_exit)(void) __maybe_unused = f
#undef __init
#define __init
#undef __exit
#define __exit
#include "../../../../mm/balloon_compaction.c"
/* A device is in memory of ours, which cases look at, before and after. */
static struct balloon *fake_device_alloc(gfp_t gfp);
static void fake_device_free(struct balloon *b);
#pragma push_macro("kzalloc")
#pragma push_macro("kfree")
#undef kzalloc
#define kzalloc(size, gfp)	fake_device_alloc(gfp)
#undef kfree
#define kfree(b)		fake_device_free(b)
#include "../../../../mm/balloon/device.c"
#pragma pop_macro("kfree")
#pragma pop_macro("kzalloc")
#pragma pop_macro("__exit")
#pragma pop_macro("__init")
#pragma pop_macro("module_exit")
#pragma pop_macro("subsys_initcall")
#pragma pop_macro("core_initcall")

static struct fake_host {
	struct balloon b;
	const struct balloon_dev_ops *ops;	/* to register with */
	struct balloon_batch *in_flight[BALLOON_NR_BATCHES];
	unsigned int nr_in_flight;
	struct list_head isolated;	/* pages that compaction holds */

	/* How the hypervisor behaves */
	bool at_once;			/* answers inside ->submit() */
	int submit_error;		/* ->submit() fails with it */
	int error;			/* every answer is this error ... */
	bool error_did_it;		/* ... after it was done nevertheless */
	bool never_resets;		/* ->reset() completes nothing */
	/* Something that happens during the next ->submit(). */
	void (*meanwhile)(struct kunit *test);
	unsigned int refuse;		/* pages refused of each range inflated */
	unsigned int keep;		/* pages refused of each range deflated */
	unsigned char pair[BALLOON_BATCH_RANGES]; /* what it does with each pair: */
#define PAIR_NOT_TAKEN	BIT(0)		/* the page that comes is refused */
#define PAIR_NOT_GIVEN	BIT(1)		/* the page that leaves is */

	/* What it has seen */
	unsigned int nr_submits;
	unsigned int nr_inflated;	/* pages in all batches */
	unsigned int nr_deflated;
	unsigned int nr_pairs;		/* in all batches */
	unsigned int nr_moved;		/* pairs of which both was done */
	unsigned int nr_errors;
	unsigned int nr_reports;
	unsigned long reported;
	unsigned int nr_resets;
} host;

static struct balloon *fake_device_alloc(gfp_t gfp)
{
	if (test_alloc_fails(gfp))
		return NULL;
	memset(&host.b, 0, sizeof(host.b));
	test_objects++;
	return &host.b;
}

/* Its counters can still be looked at. */
static void fake_device_free(struct balloon *b)
{
	test_objects--;
	memset(b->batch, 0, sizeof(b->batch));
	b->ops = NULL;
}

/* Not registered: its pages are all that there is of it. */
static inline void fake_device_blank(void)
{
	memset(&host.b, 0, sizeof(host.b));
	balloon_devinfo_init(&host.b.info);
	INIT_LIST_HEAD(&host.b.refused);
}

static void host_note(struct balloon_range *range, bool inflate, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < range->nr; i++) {
		struct fake_page *p = fake_page(pfn_to_page(range->pfn + i));

		if (inflate)
			p->inflate_in_flight = false;
		if (i < nr)
			p->at_host = inflate;
	}
}

static bool host_moves(const struct balloon_batch *batch)
{
	return host.ops->pairs && batch->inflate.nr && batch->deflate.nr;
}

/* As many single pages in both directions, which nobody has sorted. */
static void host_check_pairs(const struct balloon_batch *batch)
{
	if (batch->inflate.nr != batch->deflate.nr ||
	    batch->inflate.nr != batch->inflate.nr_pages ||
	    batch->deflate.nr != batch->deflate.nr_pages)
		fake_violation("a migration does not come as pairs");
	host.nr_pairs += batch->inflate.nr;
}

static void host_check_list(struct balloon_range_list *list, bool inflate,
			    bool pairs)
{
	unsigned int i, j, nr_pages = 0;

	if (list->nr > (host.ops->max_ranges ?: BALLOON_BATCH_RANGES) ||
	    list->nr_pages > (host.ops->max_pages ?: BALLOON_BATCH_PAGES))
		fake_violation("a batch overflows");
	for (i = 0; i < list->nr; i++) {
		struct balloon_range *range = &list->range[i];

		nr_pages += range->nr;
		if (!range->nr || range->nr_refused)
			fake_violation("a range is empty or refused beforehand");
		if (i && !pairs && range->pfn < range[-1].pfn + range[-1].nr)
			fake_violation("ranges do not ascend");
		for (j = 0; j < range->nr; j++) {
			struct fake_page *p;

			p = fake_page(pfn_to_page(range->pfn + j));
			if (!p->taken)
				fake_violation("a free page was submitted");
			if (p->inflate_in_flight || (inflate && p->at_host) ||
			    (!inflate && !p->at_host && !host.nr_errors))
				fake_violation("the hypervisor is told nonsense");
			p->inflate_in_flight = inflate;
		}
	}
	if (nr_pages != list->nr_pages)
		fake_violation("a batch miscounts its pages");
}

static void host_answer_list(struct balloon_range_list *list, bool inflate,
			     unsigned int refuse, int error)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++) {
		struct balloon_range *range = &list->range[i];
		unsigned int nr_refused = min(refuse, range->nr);

		if (error)
			nr_refused = host.error_did_it ? 0 : range->nr;
		else
			range->nr_refused = nr_refused;
		host_note(range, inflate, range->nr - nr_refused);
	}
}

static void host_answer_pairs(struct balloon_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->inflate.nr; i++) {
		struct balloon_range *new = &batch->inflate.range[i];
		struct balloon_range *old = &batch->deflate.range[i];

		new->nr_refused = !!(host.pair[i] & PAIR_NOT_TAKEN);
		old->nr_refused = !!(host.pair[i] & PAIR_NOT_GIVEN);
		host_note(new, true, 1 - new->nr_refused);
		host_note(old, false, 1 - old->nr_refused);
		host.nr_moved += !host.pair[i];
	}
}

static void host_answer(struct balloon_batch *batch, int error)
{
	host.nr_errors += !!error;
	if (host_moves(batch) && !error) {
		host_answer_pairs(batch);
	} else {
		host_answer_list(&batch->inflate, true, host.refuse, error);
		host_answer_list(&batch->deflate, false, host.keep, error);
	}
	balloon_batch_complete(batch, error);
}

static int host_submit(struct balloon *b, struct balloon_batch *batch)
{
	unsigned int i;

	host.nr_submits++;
	fake_must_move_on();
	if (spin_is_locked(&b->pages_lock))
		fake_violation("->submit() under pages_lock");
	if (b != &host.b || (!batch->inflate.nr && !batch->deflate.nr))
		fake_violation("an empty batch was submitted");
	if (balloon_is_leaving(b) && host.nr_resets)
		fake_violation("a batch was submitted after ->reset()");
	if (host_moves(batch))
		host_check_pairs(batch);
	host_check_list(&batch->inflate, true, host_moves(batch));
	host_check_list(&batch->deflate, false, host_moves(batch));
	memset(balloon_batch_priv(batch), 0x5a, b->ops->batch_priv_size);
	if (host.meanwhile) {
		void (*meanwhile)(struct kunit *test) = host.meanwhile;

		host.meanwhile = NULL;
		meanwhile(fake.test);
	}

	if (host.submit_error) {
		host.nr_errors++;
		for (i = 0; i < batch->inflate.nr; i++)
			host_note(&batch->inflate.range[i], true, 0);
		return host.submit_error;
	}
	host.nr_inflated += batch->inflate.nr_pages;
	host.nr_deflated += batch->deflate.nr_pages;
	if (host.at_once) {
		host_answer(batch, host.error);
		return 0;
	}
	if (host.nr_in_flight == BALLOON_NR_BATCHES) {
		fake_violation("more batches in flight than there are");
		return -EBUSY;
	}
	host.in_flight[host.nr_in_flight++] = batch;
	return 0;
}

/* Answers the @nth batch in flight; false if there is none. */
static bool host_answer_nth(unsigned int nth)
{
	struct balloon_batch *batch = host.in_flight[nth];

	if (nth >= host.nr_in_flight)
		return false;
	host.nr_in_flight--;
	memmove(&host.in_flight[nth], &host.in_flight[nth + 1],
		(host.nr_in_flight - nth) * sizeof(batch));
	host_answer(batch, host.error);
	return true;
}

/* A world in which the hypervisor answers whoever waits. */
static bool host_step(struct kunit *test)
{
	return host_answer_nth(0);
}

static void host_report(struct balloon *b, unsigned long nr_pages)
{
	host.nr_reports++;
	host.reported = nr_pages;
}

static void host_reset(struct balloon *b)
{
	unsigned int i;

	host.nr_resets++;
	host.nr_errors++;
	if (host.never_resets)
		return;
	while (host.nr_in_flight) {
		struct balloon_batch *batch = host.in_flight[--host.nr_in_flight];

		for (i = 0; i < batch->inflate.nr; i++)
			host_note(&batch->inflate.range[i], true, 0);
		balloon_batch_complete(batch, -ESHUTDOWN);
	}
	for (i = 0; i < ARENA_PAGES; i++)
		fake.page[i].at_host = false;
}

static const struct balloon_dev_ops host_ops = {
	.driver = "kunit",
	.batch_priv_size = 24,
	.submit = host_submit,
	.report = host_report,
	.reset = host_reset,
};

/* A stand-in for compaction: what mm/migrate.c does around the callbacks. */

static bool compaction_isolate(struct page *page)
{
	struct fake_page *p = fake_page(page);
	bool isolated;

	if (!p->movable || !trylock_page(page))
		return false;
	get_page(page);
	isolated = balloon_page_isolate(page, 0);
	unlock_page(page);
	if (!isolated) {
		fake_put_page(page);
		return false;
	}
	if (p->isolated)
		fake_violation("a page was isolated twice");
	p->isolated = true;
	list_add_tail(&page->lru, &host.isolated);
	return true;
}

static void compaction_putback(struct page *page)
{
	fake_page(page)->isolated = false;
	list_del(&page->lru);
	fake_lock_page(page);
	balloon_page_putback(page);
	unlock_page(page);
	fake_put_page(page);
}

/*
 * Like migration, allocates the new page and lets go of both.  The worker may
 * want the lock of a page that it deflates and would wait for us, which it
 * cannot on our own thread, so here it comes later.
 */
static int compaction_migrate(struct page *old, enum migrate_mode mode)
{
	struct page *new = fake_alloc_page(GFP_KERNEL);
	int err;

	if (!new)
		return -ENOMEM;
	fake_lock_page(old);
	fake_lock_page(new);
	fake.put_off = balloon_work;
	err = balloon_page_migrate(new, old, mode);
	fake.put_off = NULL;
	unlock_page(new);
	unlock_page(old);
	if (!err) {
		fake_page(old)->isolated = false;
		if (old->lru.next->prev != &old->lru)
			fake_violation("page->lru of a migrated page was used");
		list_del(&old->lru);
		fake_put_page(old);
	}
	fake_put_page(new);
	return err;
}

/* The same while the host is known to be late: nobody waits for it. */
static inline int compaction_record(struct page *old)
{
	host.b.late = LONG_MAX;
	return compaction_migrate(old, MIGRATE_ASYNC);
}

static inline struct page *compaction_first(void)
{
	return list_first_entry_or_null(&host.isolated, struct page, lru);
}

static inline bool put_one_back(struct kunit *test)
{
	struct page *page = compaction_first();

	if (page)
		compaction_putback(page);
	return page;
}

/* The validator */

static struct balloon_block *validate_block(struct kunit *test,
					    struct balloon *b,
					    struct balloon_block *block,
					    bool sure)
{
	unsigned long first = block->index << BALLOON_BLOCK_SHIFT;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, block->nr_set,
			bitmap_weight(block->set, BALLOON_BLOCK_PAGES));
	for (i = 0; i < BALLOON_BLOCK_PAGES; i++) {
		struct page *page = pfn_to_page(first + i);
		struct fake_page *p;

		if (!test_bit(i, block->set))
			continue;
		p = fake_page(page);
		KUNIT_ASSERT_PTR_EQ(test, balloon_page_owner(page), &b->info);
		KUNIT_ASSERT_TRUE(test, p->taken);
		KUNIT_ASSERT_TRUE(test, p->movable);
		KUNIT_ASSERT_FALSE(test, p->isolated);
		KUNIT_ASSERT_FALSE(test, p->inflate_in_flight);
		/* Rule 1; after an error nobody knows. */
		if (b->ops && sure)
			KUNIT_ASSERT_TRUE(test, p->at_host);
	}
	return block;
}

/* Numbers of pages by what can be seen from outside. */
struct seen {
	unsigned int reserved;
	unsigned int set;
	unsigned int isolated;
	unsigned int offline;
	unsigned int inflating;
	unsigned int deflating;
	unsigned int batches;
	unsigned int refused;
	/* Pages that count against each zone's managed ones. */
	long charged[2];
};

static void validate_pages(struct kunit *test, struct balloon *b,
			   struct seen *seen)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++) {
		struct fake_page *p = &fake.page[i];
		struct page *page = arena + i;

		seen->isolated += p->isolated;
		seen->offline += !!PageOffline(page);
		seen->charged[fake_page_zone(page)] += !!PageOffline(page);
		KUNIT_ASSERT_FALSE(test, PageLocked(page));
		KUNIT_ASSERT_EQ(test, page_count(page), p->isolated ? 2 : 1);
		KUNIT_ASSERT_EQ(test, p->movable, !!page_private(page));
		if (p->movable || p->isolated)
			KUNIT_ASSERT_TRUE(test, PageOffline(page));
		if (p->isolated)
			KUNIT_ASSERT_TRUE(test, p->movable);
		if (PageOffline(page))
			KUNIT_ASSERT_TRUE(test, p->taken);
		if (!p->taken)
			KUNIT_ASSERT_FALSE(test, p->at_host);
	}
}

/* In a migration the new pages take over the charge of the old ones. */
static void see_migrating(struct seen *seen, const struct balloon_batch *batch)
{
	unsigned int i, j;

	/* Zones may meet within a range. */
	for (i = 0; i < batch->deflate.nr; i++) {
		const struct balloon_range *range = &batch->deflate.range[i];

		for (j = 0; j < range->nr; j++)
			seen->charged[fake_page_zone(pfn_to_page(range->pfn + j))]--;
	}
}

static void validate_batches(struct kunit *test, struct balloon *b,
			     struct seen *seen)
{
	unsigned int i, nr_free = 0;

	if (!b->ops)
		return;
	for (i = 0; i < BALLOON_NR_BATCHES; i++) {
		struct balloon_core_batch *batch = b->batch[i];

		if (batch->state == BALLOON_BATCH_FREE) {
			nr_free++;
			continue;
		}
		seen->inflating += batch->inflate.nr_pages;
		seen->deflating += batch->deflate.nr_pages;
		if (balloon_batch_is_migration(batch))
			see_migrating(seen, &batch->batch);
	}
	KUNIT_ASSERT_EQ(test, b->nr_free, nr_free);
	seen->batches = BALLOON_NR_BATCHES - nr_free;
}

/* Whatever compaction isolates is migrated or not, or isolated still. */
static void validate_compaction_events(struct kunit *test,
				       struct balloon *b)
{
	const struct balloon_counters *stats = &b->stats;

	KUNIT_ASSERT_EQ(test, fake.events[COMPACTBALLOONISOLATED],
			stats->isolated);
	KUNIT_ASSERT_EQ(test, fake.events[COMPACTBALLOONMIGRATED],
			stats->migrated);
	KUNIT_ASSERT_EQ(test, fake.events[COMPACTBALLOONFAILED],
			stats->putback);
	KUNIT_ASSERT_EQ(test, fake.events[COMPACTBALLOONFREED], stats->freed);
	KUNIT_ASSERT_EQ(test, stats->isolated - stats->migrated -
			stats->putback, b->isolated_pages);
	KUNIT_ASSERT_LE(test, stats->freed, stats->migrated);
}

/*
 * Holds between any two calls into the core, for a device that has all pages
 * of the arena; @sure: nothing has left unknown what the hypervisor did.
 */
static void validate_device(struct kunit *test, struct balloon *b,
			    bool sure)
{
	const struct balloon_counters *stats = &b->stats;
	struct balloon_block *block;
	struct seen seen = {};
	struct page *page, *next;
	unsigned long index;

	KUNIT_ASSERT_TRUE_MSG(test, !fake.violation, "%s", fake.violation);
	KUNIT_ASSERT_EQ(test, test_warnings, 0);
	KUNIT_ASSERT_FALSE(test, irqs_disabled());

	xa_for_each(&b->blocks.blocks, index, block) {
		validate_block(test, b, block, sure);
		seen.reserved += block->nr_reserved;
		seen.set += block->nr_set;
	}
	validate_pages(test, b, &seen);
	validate_batches(test, b, &seen);
	list_for_each_entry_safe(page, next, &b->refused, lru) {
		seen.refused++;
		seen.charged[fake_page_zone(page)]--;
	}

	KUNIT_ASSERT_EQ(test, b->nr_ballooned, seen.set);
	KUNIT_ASSERT_EQ(test, b->isolated_pages, seen.isolated);
	KUNIT_ASSERT_EQ(test, b->nr_inflating, seen.inflating);
	KUNIT_ASSERT_EQ(test, b->nr_deflating, seen.deflating);
	/* Conservation */
	KUNIT_ASSERT_EQ(test, stats->enqueued - stats->dequeued, seen.reserved);
	KUNIT_ASSERT_EQ(test, seen.reserved, seen.set + seen.isolated +
			seen.inflating + seen.deflating);
	KUNIT_ASSERT_GE(test, seen.offline, seen.reserved + seen.refused);
	if (!FAKE_TYPE_STAYS)
		KUNIT_ASSERT_EQ(test, seen.offline, seen.reserved + seen.refused);
	KUNIT_ASSERT_EQ(test, stats->isolated, stats->migrated +
			stats->putback + seen.isolated);
	KUNIT_ASSERT_EQ(test, fake.events[BALLOON_INFLATE], stats->inflated);
	KUNIT_ASSERT_EQ(test, fake.events[BALLOON_DEFLATE], stats->deflated);
	KUNIT_ASSERT_EQ(test, fake.events[BALLOON_MIGRATE], stats->migrated);
	validate_compaction_events(test, b);
	if (!b->ops)
		return;
	/* What it can have back when it must, is still the guest's. */
	if (b->deflate_on_oom)
		memset(seen.charged, 0, sizeof(seen.charged));
	KUNIT_ASSERT_EQ(test, -fake.managed[0], seen.charged[0]);
	KUNIT_ASSERT_EQ(test, -fake.managed[1], seen.charged[1]);
}

static inline void validate(struct kunit *test)
{
	validate_device(test, &host.b, !host.nr_errors);
	if (host.b.ops && !host.nr_errors && balloon_is_answered(&host.b))
		KUNIT_ASSERT_EQ(test, host.b.stats.batches, host.nr_submits);
}

/* Moves until nothing does any more, the hypervisor included. */
static inline void settle(struct kunit *test)
{
	do {
		while (host_answer_nth(0))
			validate(test);
	} while (fake_run_work(fake.now));
	validate(test);
}

/* Work items and the case's world take passes, until nothing moves any more. */
static inline void world_goes_on(struct kunit *test)
{
	do {
		while (fake_run_work(fake.now))
			;
	} while (fake.step && fake.step(test));
}

/* The device has @nr pages when everything has come to rest. */
static inline void resize(struct kunit *test, unsigned long nr)
{
	bool (*step)(struct kunit *test) = fake.step;
	unsigned long end = fake.now + 2 * BALLOON_BACKOFF_MAX;

	fake.step = host_step;
	balloon_set_target(&host.b, nr);
	fake_run_work(fake.now);
	settle(test);
	/* The same target again does not end a pause. */
	while (host.b.nr_ballooned + host.b.isolated_pages != nr &&
	       time_before(fake.now, end)) {
		fake_let_pass(HZ);
		settle(test);
	}
	fake.step = step;
	KUNIT_ASSERT_EQ(test, host.b.nr_ballooned + host.b.isolated_pages, nr);
}

static inline int host_register(struct kunit *test)
{
	struct balloon *b = balloon_register_device(NULL, host.ops, &host);

	if (!IS_ERR(b)) {
		KUNIT_EXPECT_PTR_EQ(test, b, &host.b);
		KUNIT_EXPECT_PTR_EQ(test, balloon_data(b), (void *)&host);
		b->floor = 1024;
	} else {
		fake_device_blank();
	}
	validate(test);
	return IS_ERR(b) ? PTR_ERR(b) : 0;
}

/* The first thing that unregistration does, on another CPU. */
static inline void host_unregister_begins(void)
{
	spin_lock_irq(&host.b.pages_lock);
	host.b.state = BALLOON_EMPTYING;
	wake_up(&host.b.wait);
	spin_unlock_irq(&host.b.pages_lock);
}

static inline int host_unregister(struct kunit *test)
{
	int err = balloon_unregister_device(&host.b);

	if (!err) {
		KUNIT_EXPECT_EQ(test, host.b.stats.enqueued,
				host.b.stats.dequeued);
		KUNIT_EXPECT_EQ(test, fake.managed[0], 0);
		KUNIT_EXPECT_EQ(test, fake.managed[1], 0);
	}
	return err;
}

/* One of all things that may happen to a device. */
static inline void random_step(struct kunit *test)
{
	struct page *page;
	unsigned int n;

	switch (test_random(12)) {
	case 0:
		balloon_set_target(&host.b, test_random(ARENA_PAGES / 2));
		break;
	case 1:
	case 2:
	case 3:
		for (n = test_random(64); n; n--)
			compaction_isolate(arena + test_random(ARENA_PAGES));
		break;
	case 4:
		put_one_back(test);
		break;
	case 5:
		page = compaction_first();
		if (page)
			compaction_migrate(page, test_random(3));
		break;
	case 6:
	case 7:
		for (n = test_random(64); n && compaction_first(); n--)
			compaction_migrate(compaction_first(), MIGRATE_ASYNC);
		break;
	case 8:
		host.refuse = test_random(4) ? 0 : test_random(3);
		host.keep = test_random(4) ? 0 : test_random(3);
		host.at_once = !test_random(3);
		test_fail_nth = test_random(4) ? 0 : 1 + test_random(5);
		break;
	case 9:
		fake_let_pass(test_random(HZ));
		break;
	default:
		if (host.nr_in_flight)
			host_answer_nth(test_random(host.nr_in_flight));
	}
}

static void host_init(struct kunit *test)
{
	fake_mm_init(test);
	memset(&host, 0, sizeof(host));
	INIT_LIST_HEAD(&host.isolated);
	host.ops = &host_ops;
	fake.step = host_step;
	/* As after core_init(), with no device. */
	fake.oom = &oom_notifier;
	INIT_LIST_HEAD(&oom_devices);
	nr_oom_devices = 0;
}

/* The page is in a balloon, or in use. */
static inline void expect_no_enqueue(struct kunit *test, struct page *page)
{
	unsigned long enqueued = host.b.stats.enqueued;

	KUNIT_EXPECT_EQ(test, balloon_page_enqueue(&host.b.info, page), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
	KUNIT_EXPECT_EQ(test, host.b.stats.enqueued, enqueued);
}

/* What a case has left behind, also one that was aborted. */
static void free_device(struct balloon *b)
{
	struct balloon_block *block;
	unsigned long index;

	xa_for_each(&b->blocks.blocks, index, block) {
		xa_erase(&b->blocks.blocks, index);
		test_kfree(block);
	}
	balloon_batches_free(b);
}

static inline void host_exit(void)
{
	bool registered = host.b.ops;

	fake_mm_exit();
	free_device(&host.b);
	if (registered)
		fake_device_free(&host.b);
}

static inline void host_test_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, test_warnings, 0);
	KUNIT_EXPECT_TRUE_MSG(test, !fake.violation, "%s", fake.violation);
	host_exit();
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

#endif /* _BALLOON_KUNIT_FAKE_HOST_H */
