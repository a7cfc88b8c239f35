// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/xen/balloon/frames.c: batches as hypercalls, with a Xen that a
 * case controls.  It knows which pages have a frame, counts the guest's frames and its
 * own free ones, and notices what costs a guest its data: a frame that is put where one
 * is already, or taken from where none is.
 */
#include <kunit/test.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>
#include <xen/page.h>

#include "host_device.h"

/* What it does with a pair. */
enum { MOVED, KEPT, LOST };

static struct fake_xen {
	long frames;			/* of the guest, less those at the beginning */
	unsigned int free;		/* frames of the host */
	bool no_blocks;			/* the free ones are not adjacent */
	unsigned int fails_at;		/* the nth page does not go ... */
	bool fails_for_good;		/* ... nor does any after it */
	bool no_move;			/* it has no such call */
	unsigned char pair[BALLOON_BATCH_RANGES];
	unsigned int nr_decreases;	/* calls */
	unsigned int nr_populates;
	unsigned int nr_moves;
	unsigned int nr_lost;		/* frames that are nowhere */
	unsigned int nr_cleared;
	struct page *probed;
	unsigned long word;		/* what is read and written there */
} xen;

static bool xen_has(unsigned long pfn)
{
	return !fake_page(pfn_to_page(pfn))->at_host;
}

static void xen_set(unsigned long pfn, bool frame)
{
	struct fake_page *p = fake_page(pfn_to_page(pfn));

	if (!p->taken)
		fake_violation("Xen is asked about a page that others may use");
	if (p->at_host == !frame)
		fake_violation(frame ? "a frame is put where one is" :
			       "a frame is taken from where none is");
	p->at_host = !frame;
	xen.frames += frame ? 1 : -1;
}

/* Page by page, so that a block may go in part. */
static bool xen_decrease(unsigned long pfn, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < BIT(order); i++) {
		if (xen.fails_at && !--xen.fails_at) {
			xen.fails_at = xen.fails_for_good;
			return false;
		}
		if (!xen_has(pfn + i))
			return false;
		xen_set(pfn + i, false);
		xen.free++;
	}
	return true;
}

static bool xen_populate(unsigned long pfn, unsigned int order)
{
	unsigned int i;

	if (xen.free < BIT(order) || (order && xen.no_blocks))
		return false;
	for (i = 0; i < BIT(order); i++)
		xen_set(pfn + i, true);
	xen.free -= BIT(order);
	return true;
}

static long xen_reserve(unsigned int op, struct xen_memory_reservation *r)
{
	bool decrease = op == XENMEM_decrease_reservation;
	unsigned long i;

	xen.nr_decreases += decrease;
	xen.nr_populates += !decrease;
	if (!r->nr_extents || r->nr_extents > 512 || r->domid != DOMID_SELF ||
	    (r->extent_order && r->extent_order != 9))
		fake_violation("a reservation that is none");
	for (i = 0; i < r->nr_extents; i++) {
		unsigned long pfn = r->extent_start[i];

		if (pfn & (BIT(r->extent_order) - 1))
			fake_violation("an extent is not aligned");
		if (!(decrease ? xen_decrease : xen_populate)(pfn, r->extent_order))
			break;
	}
	return i;
}

static int xen_move_pair(unsigned long from, unsigned long to, unsigned char what)
{
	if (xen_has(to))
		fake_violation("Xen frees a frame that is used");
	if (!xen_has(from))
		return -EINVAL;
	if (what == KEPT)
		return -EACCES;
	xen_set(from, false);
	if (what == LOST) {
		xen.frames++;
		xen.nr_lost++;
		return -ENOMEM;
	}
	xen_set(to, true);
	return 0;
}

static long xen_move(struct xen_add_to_physmap_range *r)
{
	unsigned int i;

	xen.nr_moves++;
	if (xen.no_move)
		return -EOPNOTSUPP;
	for (i = 0; i < r->size; i++)
		r->errs[i] = xen_move_pair(r->idxs[i],
							r->gpfns[i],
							xen.pair[i]);
	return 0;
}

static long fake_memory_op(unsigned int op, void *arg)
{
	return op == XENMEM_add_to_physmap_range ? xen_move(arg) : xen_reserve(op, arg);
}

/* A page without a frame takes no write, and has all bits set. */
static void *fake_map(struct page *page)
{
	xen.probed = page;
	return &xen.word;
}

static void fake_clear(struct page *page)
{
	if (fake_page(page)->at_host)
		fake_violation("a page without a frame is cleared");
	xen.nr_cleared++;
}

#undef HYPERVISOR_memory_op
#define HYPERVISOR_memory_op(op, arg)	fake_memory_op(op, arg)
#undef kmap_local_page
#define kmap_local_page(page)		fake_map(page)
#undef kunmap_local
#define kunmap_local(address)		((void)(address))
#undef clear_highpage
#define clear_highpage(page)		fake_clear(page)
#undef READ_ONCE
#define READ_ONCE(x)							\
	((typeof(x))((void *)&(x) == (void *)&xen.word &&		\
		     fake_page(xen.probed)->at_host ? ~0UL : (unsigned long)(x)))
#undef pr_info
#define pr_info(fmt, ...)		fake_log(fmt, ##__VA_ARGS__)
#undef pr_warn_once
#define pr_warn_once(fmt, ...)		fake_log(fmt, ##__VA_ARGS__)
#include "../../../../drivers/xen/balloon/common.c"
#undef pr_fmt
#include "../../../../drivers/xen/balloon/frames.c"

static struct balloon_dev_ops ops;

static int counted_submit(struct balloon *b, struct balloon_batch *batch)
{
	host.nr_submits++;
	return frames_submit(b, batch);
}

static void no_calls(void)
{
	xen.nr_decreases = 0;
	xen.nr_populates = 0;
	xen.nr_moves = 0;
	xen.nr_cleared = 0;
}

/* Every page without a frame is in the balloon, and every one with a frame is not. */
static void expect_balloon(struct kunit *test, unsigned int nr)
{
	unsigned int i, nr_without = 0;

	validate(test);
	for (i = 0; i < ARENA_PAGES; i++)
		nr_without += fake.page[i].at_host;
	KUNIT_EXPECT_EQ(test, nr_without, nr);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned + host.b.isolated_pages, nr);
	KUNIT_EXPECT_EQ(test, xen.frames, (long)xen.nr_lost - (long)nr);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

static void finish(struct kunit *test)
{
	xen.fails_at = 0;
	xen.no_blocks = false;
	xen.no_move = false;
	xen.free = 1U << 20;
	memset(xen.pair, MOVED, sizeof(xen.pair));
	while (put_one_back(test))
		;
	resize(test, 0);
	fake_let_pass(HZ);
	expect_balloon(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
}

/* The worker runs once. */
static void ask_for(struct kunit *test, unsigned long nr)
{
	balloon_set_target(&host.b, nr);
	world_goes_on(test);
	validate(test);
}

static void migrate_all(struct kunit *test, unsigned int next)
{
	isolate_all(test);
	fake.next = next;
	while (compaction_first())
		KUNIT_ASSERT_EQ(test, compaction_migrate(compaction_first(),
							 MIGRATE_SYNC), 0);
	fake_flush_work(&host.b.reap_work);
	validate(test);
}

static void blocks_are_extents(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, ARENA_PAGES);
	expect_balloon(test, ARENA_PAGES);
	KUNIT_EXPECT_EQ(test, xen.nr_decreases, 1);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, ARENA_PAGES);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, xen.nr_populates, 1);
	finish(test);
}

/* Before and behind a block, too. */
static void single_pages_are_extents(struct kunit *test)
{
	begin(test);
	fake.next = 5;
	resize(test, ARENA_PAGES - 10);
	expect_balloon(test, ARENA_PAGES - 10);
	/* 507 pages, a block of which the last 5 are missing. */
	KUNIT_EXPECT_EQ(test, xen.nr_decreases, 2);
	resize(test, 0);
	no_calls();
	fake.next = 0;
	resize(test, BALLOON_BLOCK_PAGES + 8);
	KUNIT_EXPECT_EQ(test, xen.nr_decreases, 2);
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, xen.nr_populates, 2);
	no_calls();
	fake.stride = 3;
	resize(test, 300);
	KUNIT_EXPECT_EQ(test, xen.nr_decreases, 2);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, 300);
	finish(test);
}

static void pages_do_not_go(struct kunit *test)
{
	begin(test);
	fake.stride = 3;
	xen.fails_at = 31;
	xen.fails_for_good = true;
	ask_for(test, 100);
	expect_balloon(test, 30);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 30);
	xen.fails_at = 0;
	fake_let_pass(HZ);
	expect_balloon(test, 100);
	finish(test);
}

/* What has gone is in the balloon, to the page. */
static void block_goes_in_part(struct kunit *test)
{
	static const unsigned int nth[] = { 1, 2, 100, BALLOON_BLOCK_PAGES };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(nth); i++) {
		begin(test);
		fake.next = 0;
		fake.units = true;
		xen.fails_for_good = true;
		xen.fails_at = BALLOON_BLOCK_PAGES + nth[i];
		ask_for(test, ARENA_PAGES);
		expect_balloon(test, BALLOON_BLOCK_PAGES + nth[i] - 1);
		/* Once more; but only once. */
		resize(test, 0);
		xen.fails_for_good = false;
		xen.fails_at = nth[i];
		ask_for(test, ARENA_PAGES);
		expect_balloon(test, ARENA_PAGES);
		finish(test);
		memset(fake.events, 0, sizeof(fake.events));
		host.nr_submits = 0;
		xen.frames = 0;
	}
}

/* They stay in the balloon, and are asked for again. */
static void host_is_full(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, ARENA_PAGES);
	xen.free = 0;
	ask_for(test, 100);
	expect_balloon(test, ARENA_PAGES);
	xen.free = 10;
	fake_let_pass(60 * HZ);
	expect_balloon(test, ARENA_PAGES - 10);
	xen.free = ARENA_PAGES;
	fake_let_pass(60 * HZ);
	expect_balloon(test, 100);
	finish(test);
}

/* Enough of it, but in pieces. */
static void host_is_scattered(struct kunit *test)
{
	begin(test);
	fake.units = true;
	resize(test, ARENA_PAGES);
	xen.no_blocks = true;
	no_calls();
	resize(test, 0);
	/* One is in vain. */
	KUNIT_EXPECT_EQ(test, xen.nr_populates, 1 + ARENA_PAGES / CALL_EXTENTS);
	finish(test);
}

/* The host has no page to give, and gets none. */
static void migrations_move_frames(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	xen.free = 0;
	no_calls();
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, xen.nr_moves, 1);
	KUNIT_EXPECT_EQ(test, xen.nr_decreases, 0);
	KUNIT_EXPECT_EQ(test, xen.nr_populates, 0);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, 0);
	KUNIT_EXPECT_EQ(test, xen.free, 0);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 40);
	expect_balloon(test, 40);
	finish(test);
}

static void pairs_that_are_kept(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	xen.pair[3] = KEPT;
	xen.pair[39] = KEPT;
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 38);
	KUNIT_EXPECT_EQ(test, host.b.stats.refused, 4);
	expect_balloon(test, 40);
	finish(test);
}

/* No memory for the guest's page tables: a frame is lost, and no page. */
static void pairs_that_are_lost(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	xen.pair[3] = LOST;
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, xen.nr_lost, 1);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 39);
	expect_balloon(test, 41);
	xen.pair[3] = MOVED;
	fake_let_pass(HZ);
	expect_balloon(test, 40);
	finish(test);
}

/* It is tried some times, and then not any more. */
static void xen_cannot_move(struct kunit *test)
{
	unsigned int i;

	begin(test);
	resize(test, 40);
	xen.no_move = true;
	for (i = 0; i < 6; i++) {
		no_calls();
		migrate_all(test, 600);
		KUNIT_EXPECT_EQ(test, xen.nr_moves, i < 3);
		KUNIT_EXPECT_EQ(test, xen.nr_decreases, 1);
		KUNIT_EXPECT_EQ(test, xen.nr_populates, 1);
		KUNIT_EXPECT_EQ(test, xen.nr_cleared, 40);
		KUNIT_EXPECT_EQ(test, host.b.stats.freed, 40 * (i + 1));
		expect_balloon(test, 40);
	}
	finish(test);
}

/* One that has moved something goes on being asked. */
static void refusals_are_not_inability(struct kunit *test)
{
	unsigned int i;

	begin(test);
	resize(test, 40);
	migrate_all(test, 600);
	memset(xen.pair, KEPT, sizeof(xen.pair));
	for (i = 0; i < 6; i++) {
		no_calls();
		migrate_all(test, 600);
		KUNIT_EXPECT_EQ(test, xen.nr_moves, 1);
		expect_balloon(test, 40);
	}
	memset(xen.pair, MOVED, sizeof(xen.pair));
	no_calls();
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, xen.nr_moves, 1);
	KUNIT_EXPECT_EQ(test, xen.nr_populates, 0);
	finish(test);
}

static void host_trusts_the_guest(struct kunit *test)
{
	begin(test);
	scrub_pages = false;
	resize(test, 100);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, 0);
	expect_balloon(test, 100);
	finish(test);
}

static void any_xen(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(xen.pair); i++)
		xen.pair[i] = test_random(16) ? MOVED : test_random(3);
	xen.fails_at = test_random(4) ? 0 : 1 + test_random(600);
	xen.fails_for_good = test_random(2);
	xen.free = test_random(4) ? 1U << 20 : test_random(600);
	xen.no_blocks = !test_random(3);
	xen.no_move = !test_random(10);
	fake.units = test_random(2);
}

static void random_walk_with_xen(struct kunit *test)
{
	unsigned int step;

	begin(test);
	fake.stride = 389;
	fake.zone_boundary = 700;
	for (step = 0; step < 3000; step++) {
		any_xen();
		random_step(test);
		if (!test_random(30))
			balloon_compact(&host.b);
		validate(test);
		if (!host.b.nr_inflating && !host.b.nr_deflating)
			expect_balloon(test, host.b.nr_ballooned + host.b.isolated_pages);
	}
	kunit_info(test, "%u moves, %u decreases, %u populates, %u frames lost, %lu refused\n",
		   xen.nr_moves, xen.nr_decreases, xen.nr_populates, xen.nr_lost,
		   host.b.stats.refused);
	KUNIT_EXPECT_GT(test, xen.nr_moves, 200);
	KUNIT_EXPECT_GT(test, xen.nr_decreases, 100);
	KUNIT_EXPECT_GT(test, xen.nr_populates, 100);
	KUNIT_EXPECT_GT(test, xen.nr_lost, 10);
	test_fail_nth = 0;
	finish(test);
}

static int xen_test_init(struct kunit *test)
{
	int err = device_test_init(test);

	memset(&xen, 0, sizeof(xen));
	xen.free = 1U << 20;
	move_tries = 3;
	scrub_pages = true;
	ops = xen_frames_ops;
	ops.submit = counted_submit;
	host.ops = &ops;
	return err;
}

static struct kunit_case xen_test_cases[] = {
	KUNIT_CASE(blocks_are_extents),
	KUNIT_CASE(single_pages_are_extents),
	KUNIT_CASE(pages_do_not_go),
	KUNIT_CASE(block_goes_in_part),
	KUNIT_CASE(host_is_full),
	KUNIT_CASE(host_is_scattered),
	KUNIT_CASE(migrations_move_frames),
	KUNIT_CASE(pairs_that_are_kept),
	KUNIT_CASE(pairs_that_are_lost),
	KUNIT_CASE(xen_cannot_move),
	KUNIT_CASE(refusals_are_not_inability),
	KUNIT_CASE(host_trusts_the_guest),
	KUNIT_CASE(random_walk_with_xen),
	{}
};

static struct kunit_suite xen_test_suite = {
	.name = "balloon_xen",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = xen_test_init,
	.exit = host_test_exit,
	.test_cases = xen_test_cases,
};
kunit_test_suite(xen_test_suite);

MODULE_DESCRIPTION("KUnit suite of the Xen adapter's hypercalls");
MODULE_LICENSE("GPL");
