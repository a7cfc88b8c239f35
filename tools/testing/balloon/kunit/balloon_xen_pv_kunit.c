// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of drivers/xen/balloon/pv.c: batches of a guest that looks after its page
 * tables itself, with a Xen that a case controls.  Each frame of the machine has an
 * owner and a page, each page of the guest a frame in its table and one in its page
 * tables; what does not fit together is noticed.
 */
#include <kunit/test.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>
#include <xen/page.h>

#include "host_device.h"

/* Of the machine, beginning with number 1. */
#define NR_FRAMES	(2 * ARENA_PAGES)

static struct fake_xen {
	unsigned long p2m[ARENA_PAGES];
	unsigned long mapped[ARENA_PAGES];	/* frame, or 0 */
	bool owned[NR_FRAMES];			/* by the guest */
	unsigned long m2p[NR_FRAMES];		/* index in the arena */
	bool stale;				/* TLBs may have what was unmapped */
	bool preemption_off;
	bool full;				/* the host has no frame to give */
	unsigned int fails_at;			/* the nth page that is taken stays */
	unsigned int map_fails_at;		/* the nth that is mapped is not */
	unsigned int unmap_fails_at;
	unsigned int update_fails_at;		/* the nth change of the m2p is refused */
	unsigned int nr_calls;
	unsigned int nr_cleared;
} xen;

static bool it_is_now(unsigned int *countdown)
{
	return *countdown && !--*countdown;
}

static unsigned long index_of(unsigned long pfn)
{
	return pfn - page_to_pfn(arena);
}

static void must_not_be_preempted(void)
{
	if (!xen.preemption_off)
		fake_violation("frames are in our hands while the guest may be saved");
}

static bool xen_take(unsigned long frame)
{
	unsigned long i = xen.m2p[frame];

	if (!frame || frame >= NR_FRAMES || !xen.owned[frame])
		fake_violation("a frame is taken that is not the guest's");
	if (xen.mapped[i] == frame || xen.stale)
		fake_violation("a frame is taken that is mapped");
	if (it_is_now(&xen.fails_at))
		return false;
	xen.owned[frame] = false;
	fake.page[i].at_host = true;
	return true;
}

static bool xen_give(unsigned long *extent)
{
	unsigned long frame, i = index_of(*extent);

	for (frame = 1; frame < NR_FRAMES && xen.owned[frame]; frame++)
		;
	if (xen.full || frame == NR_FRAMES)
		return false;
	if (!fake.page[i].at_host)
		fake_violation("a page is given a second frame");
	xen.owned[frame] = true;
	xen.m2p[frame] = i;
	fake.page[i].at_host = false;
	*extent = frame;
	return true;
}

static long fake_memory_op(unsigned int op, void *arg)
{
	struct xen_memory_reservation *r = arg;
	unsigned long i;

	xen.nr_calls++;
	must_not_be_preempted();
	if (r->extent_order)
		fake_violation("frames of such a guest are not adjacent");
	for (i = 0; i < r->nr_extents; i++)
		if (op == XENMEM_populate_physmap ? !xen_give(&r->extent_start[i]) :
						    !xen_take(r->extent_start[i]))
			break;
	return i;
}

static int xen_map(unsigned long address, unsigned long pte)
{
	unsigned long i = index_of(address >> PAGE_SHIFT);
	unsigned long frame = pte >> PAGE_SHIFT;

	must_not_be_preempted();
	if (it_is_now(pte ? &xen.map_fails_at : &xen.unmap_fails_at))
		return -EINVAL;
	if (pte && (!xen.owned[frame] || xen.m2p[frame] != i))
		fake_violation("a frame is mapped that is not the page's");
	xen.stale |= xen.mapped[i] && !pte;
	xen.mapped[i] = frame;
	return 0;
}

static int fake_update_va_mapping(unsigned long address, pte_t pte, unsigned long flags)
{
	int err = xen_map(address, pte.pte);

	xen.nr_calls++;
	if (flags)
		xen.stale = false;
	return err;
}

static int fake_multicall(struct multicall_entry *entry, unsigned int nr)
{
	unsigned int i;

	xen.nr_calls++;
	for (i = 0; i < nr; i++) {
		if (entry[i].op == __HYPERVISOR_update_va_mapping) {
			entry[i].result = xen_map(entry[i].args[0], entry[i].args[1]);
		} else {
			entry[i].result = 0;
			xen.stale = false;
		}
	}
	return 0;
}

static int fake_mmu_update(struct mmu_update *update, unsigned int nr, int *done)
{
	unsigned int i;

	xen.nr_calls++;
	must_not_be_preempted();
	for (i = 0; i < nr; i++) {
		unsigned long frame = update[i].ptr >> PAGE_SHIFT;
		unsigned long to = index_of(update[i].val);

		if (it_is_now(&xen.update_fails_at))
			break;
		if (!xen.owned[frame] || xen.mapped[xen.m2p[frame]] == frame || xen.stale)
			fake_violation("a frame moves that is mapped");
		fake.page[xen.m2p[frame]].at_host = true;
		if (!fake.page[to].at_host)
			fake_violation("a page is given a second frame");
		fake.page[to].at_host = false;
		xen.m2p[frame] = to;
	}
	*done = i;
	return i < nr ? -EINVAL : 0;
}

static void fake_clear(struct page *page)
{
	if (fake_page(page)->at_host)
		fake_violation("a page without a frame is cleared");
	xen.nr_cleared++;
}

static int fake_write(unsigned long *address, unsigned long value)
{
	*address = value;
	return 0;
}

#undef HYPERVISOR_memory_op
#define HYPERVISOR_memory_op(op, arg)		fake_memory_op(op, arg)
#undef HYPERVISOR_multicall
#define HYPERVISOR_multicall(entry, nr)		fake_multicall(entry, nr)
#undef HYPERVISOR_mmu_update
#define HYPERVISOR_mmu_update(update, nr, done, domid) \
	fake_mmu_update(update, nr, done)
#undef HYPERVISOR_update_va_mapping
#define HYPERVISOR_update_va_mapping(address, pte, flags) \
	fake_update_va_mapping(address, pte, flags)
#undef clear_highpage
#define clear_highpage(page)			fake_clear(page)
#undef page_address
#define page_address(page)			((void *)(page_to_pfn(page) << PAGE_SHIFT))
#undef preempt_disable
#define preempt_disable()			(xen.preemption_off = true)
#undef preempt_enable
#define preempt_enable()			(xen.preemption_off = false)
#define xen_p2m_size				(page_to_pfn(arena) + ARENA_PAGES)
#define xen_p2m_addr \
	((unsigned long *)((uintptr_t)xen.p2m - page_to_pfn(arena) * sizeof(long)))
#undef pfn_to_mfn
#define pfn_to_mfn(pfn)				(xen.p2m[index_of(pfn)])
#define xen_safe_write_ulong(address, value)	fake_write(address, value)
#define mfn_pte(frame, prot)			((pte_t) { .pte = (frame) << PAGE_SHIFT })
#include "../../../../drivers/xen/balloon/common.c"
#include "../../../../drivers/xen/balloon/pv.c"

static struct balloon_dev_ops ops;

static int counted_submit(struct balloon *b, struct balloon_batch *batch)
{
	host.nr_submits++;
	return pv_submit(b, batch);
}

/* A page is in the balloon and has no frame, or has the same one everywhere. */
static void expect_balloon(struct kunit *test, unsigned int nr)
{
	unsigned int i, nr_without = 0;

	validate(test);
	KUNIT_ASSERT_FALSE(test, xen.preemption_off);
	for (i = 0; i < ARENA_PAGES; i++) {
		unsigned long frame = xen.p2m[i];

		nr_without += fake.page[i].at_host;
		if (fake.page[i].at_host) {
			KUNIT_ASSERT_EQ(test, frame, INVALID_P2M_ENTRY);
			KUNIT_ASSERT_EQ(test, xen.mapped[i], 0);
		} else {
			KUNIT_ASSERT_EQ(test, xen.mapped[i], frame);
			KUNIT_ASSERT_TRUE(test, xen.owned[frame]);
			KUNIT_ASSERT_EQ(test, xen.m2p[frame], i);
		}
	}
	KUNIT_EXPECT_EQ(test, nr_without, nr);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned + host.b.isolated_pages, nr);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
}

static void finish(struct kunit *test)
{
	xen.full = false;
	xen.fails_at = 0;
	xen.map_fails_at = 0;
	xen.unmap_fails_at = 0;
	xen.update_fails_at = 0;
	while (put_one_back(test))
		;
	resize(test, 0);
	fake_let_pass(HZ);
	expect_balloon(test, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, host_unregister(test), 0);
	memset(fake.events, 0, sizeof(fake.events));
	host.nr_submits = 0;
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

static void few_calls(struct kunit *test)
{
	begin(test);
	resize(test, 2 * PV_PAGES);
	expect_balloon(test, 2 * PV_PAGES);
	KUNIT_EXPECT_EQ(test, xen.nr_calls, 2 * 2);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, 2 * PV_PAGES);
	xen.nr_calls = 0;
	resize(test, 0);
	KUNIT_EXPECT_EQ(test, xen.nr_calls, 2 * 2);
	fake.next = 0;
	resize(test, PV_PAGES);
	xen.nr_calls = 0;
	xen.nr_cleared = 0;
	xen.full = true;
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, xen.nr_calls, 3);
	KUNIT_EXPECT_EQ(test, xen.nr_cleared, 0);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, PV_PAGES);
	expect_balloon(test, PV_PAGES);
	finish(test);
}

static void pages_are_not_taken(struct kunit *test)
{
	begin(test);
	xen.fails_at = 31;
	ask_for(test, 100);
	expect_balloon(test, 30);
	xen.unmap_fails_at = 7;
	fake_let_pass(BALLOON_BACKOFF_MIN + 1);
	expect_balloon(test, 30);
	KUNIT_EXPECT_EQ(test, xen.unmap_fails_at, 0);
	fake_let_pass(HZ);
	expect_balloon(test, 100);
	finish(test);
}

static void pages_do_not_come(struct kunit *test)
{
	begin(test);
	resize(test, 100);
	xen.full = true;
	ask_for(test, 0);
	expect_balloon(test, 100);
	xen.full = false;
	xen.map_fails_at = 41;
	fake_let_pass(BALLOON_BACKOFF_MIN + 1);
	expect_balloon(test, 60);
	fake_let_pass(HZ);
	expect_balloon(test, 0);
	finish(test);
}

/* Each in turn: what was not moved is as it was. */
static void pairs_fail(struct kunit *test)
{
	unsigned int *fails[] = { &xen.unmap_fails_at, &xen.update_fails_at,
				  &xen.map_fails_at };
	static const unsigned int freed[] = { 0, 20, 39 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fails); i++) {
		begin(test);
		fake.next = 0;
		resize(test, 40);
		*fails[i] = 21;
		migrate_all(test, 600);
		KUNIT_EXPECT_EQ(test, host.b.stats.freed, freed[i]);
		KUNIT_EXPECT_EQ(test, host.b.stats.refused, 2 * (40 - freed[i]));
		expect_balloon(test, 40);
		finish(test);
	}
}

/* Without a way back for a page, it stays in the balloon. */
static void no_way_back(struct kunit *test)
{
	begin(test);
	resize(test, 40);
	xen.unmap_fails_at = 21;
	xen.map_fails_at = 5;
	/* Its frame is the guest's for ever, which the host's view cannot tell. */
	host.nr_errors++;
	migrate_all(test, 600);
	KUNIT_EXPECT_EQ(test, host.b.stats.freed, 0);
	KUNIT_EXPECT_EQ(test, host.b.nr_ballooned, 41);
	KUNIT_EXPECT_EQ(test, host.b.state, BALLOON_RUNNING);
	host.b.state = BALLOON_BROKEN;
	KUNIT_EXPECT_EQ(test, host_unregister(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 1);
}

static void any_xen(void)
{
	xen.full = !test_random(6);
	xen.fails_at = test_random(4) ? 0 : 1 + test_random(300);
	xen.unmap_fails_at = test_random(8) ? 0 : 1 + test_random(300);
	xen.update_fails_at = test_random(4) ? 0 : 1 + test_random(300);
	/* One failure at a time: after two there may be no way back. */
	xen.map_fails_at = xen.fails_at || xen.unmap_fails_at || xen.update_fails_at ||
			   test_random(2) ? 0 : 1 + test_random(300);
}

static void random_walk_with_pv(struct kunit *test)
{
	unsigned int step;

	begin(test);
	fake.stride = 389;
	fake.zone_boundary = 700;
	for (step = 0; step < 2000; step++) {
		any_xen();
		random_step(test);
		if (!test_random(30))
			balloon_compact(&host.b);
		validate(test);
		if (!host.b.nr_inflating && !host.b.nr_deflating)
			expect_balloon(test, host.b.nr_ballooned + host.b.isolated_pages);
	}
	kunit_info(test, "%lu migrated, %lu exchanged, %lu refused\n",
		   host.b.stats.migrated, host.b.stats.exchanged, host.b.stats.refused);
	KUNIT_EXPECT_GT(test, host.b.stats.migrated, 500);
	KUNIT_EXPECT_GT(test, host.b.stats.refused, 100);
	test_fail_nth = 0;
	finish(test);
}

static int xen_test_init(struct kunit *test)
{
	int err = device_test_init(test);
	unsigned int i;

	memset(&xen, 0, sizeof(xen));
	for (i = 0; i < ARENA_PAGES; i++) {
		xen.p2m[i] = i + 1;
		xen.mapped[i] = i + 1;
		xen.owned[i + 1] = true;
		xen.m2p[i + 1] = i;
	}
	scrub_pages = true;
	ops = xen_pv_ops;
	ops.submit = counted_submit;
	host.ops = &ops;
	return err;
}

static struct kunit_case pv_test_cases[] = {
	KUNIT_CASE(few_calls),
	KUNIT_CASE(pages_are_not_taken),
	KUNIT_CASE(pages_do_not_come),
	KUNIT_CASE(pairs_fail),
	KUNIT_CASE(no_way_back),
	KUNIT_CASE(random_walk_with_pv),
	{}
};

static struct kunit_suite pv_test_suite = {
	.name = "balloon_xen_pv",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = xen_test_init,
	.exit = host_test_exit,
	.test_cases = pv_test_cases,
};
kunit_test_suite(pv_test_suite);

MODULE_DESCRIPTION("KUnit suite of the Xen adapter's hypercalls for PV guests");
MODULE_LICENSE("GPL");
