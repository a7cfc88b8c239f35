/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The memory management and the passing of time around the core, in the hands
 * of a suite: nothing happens but what the case lets happen, in one thread, and
 * the same in all three runners.
 *
 *   pages   come from an arena of real pages that the suite keeps to itself.
 *           A page that the core frees goes back there.  No page is marked
 *           movable for the kernel, so its own compaction does not interfere.
 *   locks   a page lock that is taken twice is a violation, not a hang.
 *   work    queued items wait until fake_run_work() or a wait lets time pass.
 *   waits   let the case's world move on step by step; a condition is looked at
 *           again after a wakeup or at the timeout only, as in the kernel.
 *
 * Include it after every other header and before the units.
 */
#ifndef _BALLOON_KUNIT_FAKE_MM_H
#define _BALLOON_KUNIT_FAKE_MM_H

#include <kunit/test.h>
#include <linux/balloon_compaction.h>
#include <linux/crash_dump.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/idr.h>
#include <linux/jiffies.h>
#include <linux/kobject.h>
#include <linux/ktime.h>
#include <linux/migrate.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/oom.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/pagemap.h>
#include <linux/sizes.h>
#include <linux/sort.h>
#include <linux/swap.h>
#include <linux/sysfs.h>
#include <linux/timekeeping.h>
#include <linux/vmstat.h>

#include "intercept.h"

/* Pages are marked for us, and not for the kernel. */
#define balloon_page_set_movable	real_set_movable
#define balloon_page_clear_movable	real_clear_movable
#define balloon_page_reset_movable	real_reset_movable
#define balloon_page_is_taken	real_is_taken
#include "../../../../mm/balloon/movable.h"
#undef balloon_page_set_movable
#undef balloon_page_clear_movable
#undef balloon_page_reset_movable
#undef balloon_page_is_taken
static void balloon_page_set_movable(struct page *page);
static void balloon_page_clear_movable(struct page *page);
static void balloon_page_reset_movable(struct page *page);
static bool balloon_page_is_taken(struct page *page);

#include "../../../../mm/balloon/internal.h"

/* In the place of mm/balloon/slot.c, which there is in modules only. */
#ifdef HAVE_SET_MOVABLE_OPS
#ifdef MODULE
bool balloon_slot_is_ours = true;
void balloon_movable_get(void) { }
void balloon_movable_put(void) { }
void balloon_movable_exit(void) { }
#endif
#define FAKE_TYPE_STAYS	true	/* of a page, until it is freed */
#else
#define FAKE_TYPE_STAYS	false
#endif

/* Two blocks of pages. */
#define ARENA_ORDER	10
#define ARENA_PAGES	(1U << ARENA_ORDER)

static struct page *arena;

/* What is known of a page from outside the core. */
struct fake_page {
	bool taken;		/* not free */
	bool movable;		/* by the core's own word */
	bool was_movable;	/* and keeps the mark until it is freed alone */
	bool at_host;		/* the hypervisor has it */
	bool inflate_in_flight;	/* the hypervisor may yet get it */
	bool deflate_in_flight;	/* or give it back */
	bool isolated;		/* by our stand-in for compaction */
};

struct fake_work {
	struct work_struct *work;
	unsigned long due;
	bool pending;
	bool running;
	unsigned int nr_runs;
};

#define FAKE_NR_WORKS	8

/* Stock kernels have no compaction events, which then come after all others. */
#define FAKE_NR_EVENTS	(NR_VM_EVENT_ITEMS + 4)

static struct fake_mm {
	struct fake_page page[ARENA_PAGES];
	unsigned int nr_taken;
	unsigned int most_taken;	/* the most that there were at once */
	unsigned int next;		/* where the allocator goes on */
	unsigned int stride;		/* how far from one page to the next */
	unsigned int zone_boundary;	/* first page of the upper zone */
	unsigned long other_node;	/* if not 0: first pfn of the other node */
	bool node_0_is_full;		/* and a run looks at the other one, too */
	bool no_memory;
	bool interrupted;		/* a signal has come */
	bool kdump;			/* the kernel saves a dump */
	bool units;			/* can be had */
	unsigned int nr_freed_blocks;	/* in one piece */
	/* If not NULL: the next of pages without end, of which only the number counts. */
	struct page *endless;
	unsigned long mem_available;
	unsigned long free_to_spare;	/* pages */
	unsigned long holes;		/* pages */
	unsigned long spare_blocks;
	struct page *last_resort;	/* first page of such a block */
	unsigned long swap_to_spare;	/* pages */
	unsigned long room_by_swap;	/* pages */
	long free_swap;			/* pages */
	long swap_in_memory;		/* pages */
	unsigned long missing_to_high;	/* pages */
	long managed[2];		/* adjust_managed_page_count() by zone */
	long events[FAKE_NR_EVENTS];

	struct fake_work work[FAKE_NR_WORKS];
	unsigned long now;		/* jiffies */
	unsigned long boot;		/* likewise */
	unsigned int nr_events;		/* that userspace was told of */
	unsigned long until;		/* the case's own */
	unsigned long active;		/* when something was done last ... */
	unsigned int nr_actions;	/* ... and how often since */
	bool woken;
	bool unannounced;		/* a condition was met that wakes nobody */
	unsigned int nr_waits;		/* waits that were not over at once */
	unsigned int nr_timeouts;
	/* What another thread does before a page lock is taken. */
	void (*before_lock_page)(void);
	void (*put_off)(struct work_struct *work);	/* is not run now */
	/* The case's world does one thing, or returns false. */
	bool (*step)(struct kunit *test);

	bool no_class;			/* class_register() fails */
	bool no_oom;			/* register_oom_notifier() fails */
	unsigned int nr_classes;
	unsigned int nr_workqueues;
	unsigned int nr_devices;
	unsigned int nr_ids;
	unsigned int nr_pinned;		/* references to the module */
	unsigned int nr_complaints;	/* messages for an administrator: dev_err() */
	struct notifier_block *oom;	/* called when memory runs out */

	struct kunit *test;
	const char *violation;		/* the first of them */
} fake;

static void fake_violation(const char *what)
{
	if (!fake.violation)
		fake.violation = what;
}

static unsigned int arena_index(struct page *page)
{
	return page_to_pfn(page) - page_to_pfn(arena);
}

static struct fake_page *fake_page(struct page *page)
{
	return &fake.page[arena_index(page)];
}

/* Whatever is done over and over again without a pause is a livelock. */
static bool fake_moves_on(void)
{
	if (fake.active != fake.now)
		fake.nr_actions = 0;
	fake.active = fake.now;
	return fake.nr_actions++ < 5000;
}

static inline void fake_must_move_on(void)
{
	KUNIT_ASSERT_TRUE_MSG(fake.test, fake_moves_on(), "the core spins");
}

/* Two zones, for which the case says where they meet. */
static inline unsigned int fake_page_zone(struct page *page)
{
	return arena_index(page) >= fake.zone_boundary;
}

/* Page allocator */

static struct page *fake_take_page(unsigned int index)
{
	struct fake_page *p = &fake.page[index];

	if (p->taken)
		return NULL;
	p->taken = true;
	fake.nr_taken++;
	fake.most_taken = max(fake.most_taken, fake.nr_taken);
	return arena + index;
}

static struct page *fake_alloc_page(gfp_t gfp)
{
	unsigned int i;

	if (fake.no_memory)
		return NULL;
	for (i = 0; i < ARENA_PAGES; i++) {
		struct page *page = fake_take_page(fake.next);

		fake.next = (fake.next + fake.stride) % ARENA_PAGES;
		if (page)
			return page;
	}
	return NULL;
}

/* The core's own allocations fail when told to, like those of objects. */
static struct page *fake_core_alloc_page(gfp_t gfp)
{
	return test_alloc_fails(gfp) ? NULL : fake_alloc_page(gfp);
}

/* As many as there are; it is one allocation that may fail. */
static unsigned long fake_alloc_pages_bulk(gfp_t gfp, unsigned long nr,
						 struct page **pages)
{
	bool fails = !fake.endless && test_alloc_fails(gfp);
	unsigned long i;

	for (i = 0; i < nr && !fails; i++) {
		if (pages[i])
			fake_violation("asks for pages where it has some");
		pages[i] = fake.endless ? fake.endless++ :
			   fake_alloc_page(gfp);
		if (!pages[i])
			break;
	}
	return i;
}

static bool fake_block_is_free(unsigned int first)
{
	unsigned int i;

	for (i = 0; i < BALLOON_BLOCK_PAGES; i++)
		if (fake.page[first + i].taken)
			return false;
	return true;
}

/* Of large orders there is only that of a block, if the case wants so. */
static struct page *fake_core_alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned int first, i;

	if (gfpflags_allow_blocking(gfp))
		fake_violation("reclaims for a whole block");
	if (!fake.units || order != BALLOON_BLOCK_SHIFT || fake.no_memory ||
	    test_alloc_fails(gfp))
		return NULL;
	for (first = 0; first < ARENA_PAGES; first += BALLOON_BLOCK_PAGES) {
		if (!fake_block_is_free(first))
			continue;
		for (i = 0; i < BALLOON_BLOCK_PAGES; i++)
			set_page_count(fake_take_page(first + i), !i);
		return arena + first;
	}
	return NULL;
}

/* Return: is there a reference to the first page, and to no other? */
static bool fake_is_run(struct page *page, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < BIT(order); i++)
		if (page_count(page + i) != !i)
			return false;
	return true;
}

static inline void fake_split_page(struct page *page, unsigned int order)
{
	unsigned int i;

	if (!page_count(page))
		fake_violation("a free block was split");
	for (i = 1; i < BIT(order); i++) {
		if (page_count(page + i))
			fake_violation("a block was split twice");
		set_page_count(page + i, 1);
	}
}

/* The arena keeps the last reference. */
static void fake_put_page(struct page *page)
{
	struct fake_page *p = fake_page(page);

	if (page_count(page) > 1) {
		put_page(page);
		return;
	}
	if (!page_count(page))
		fake_violation("a page without a reference was freed");
	if (!p->taken)
		fake_violation("a free page was freed");
	if (PageLocked(page))
		fake_violation("a locked page was freed");
	if ((PageOffline(page) && !FAKE_TYPE_STAYS) || page_private(page) || p->movable)
		fake_violation("a balloon's page was freed");
	if (PageOffline(page))
		__ClearPageOffline(page);
	if (p->at_host || p->inflate_in_flight)
		fake_violation("a page was freed that the hypervisor may discard");
	if (p->taken)
		fake.nr_taken--;
	p->taken = false;
	p->was_movable = false;
}

/* For the arena every page has one; but nobody uses those that were not taken. */
static inline int fake_page_ref_count(struct page *page)
{
	return fake_page(page)->taken ? page_count(page) : 0;
}

static inline void fake_free_pages(struct page *page, unsigned int order)
{
	unsigned int i;

	if (!order) {
		fake_put_page(page);
		return;
	}
	fake.nr_freed_blocks += order == BALLOON_BLOCK_SHIFT;
	if (arena_index(page) % BIT(order) || !fake_is_run(page, order))
		fake_violation("pages were freed as what they are not");
	if (fake_page_zone(page) != fake_page_zone(page + BIT(order) - 1))
		fake_violation("pages of two zones were freed as one");
	for (i = 0; i < BIT(order); i++) {
		if (i && fake_page(page + i)->was_movable)
			fake_violation("a page was freed with a mark on it");
		set_page_count(page + i, 1);
		fake_put_page(page + i);
	}
}

static void fake_lock_page(struct page *page)
{
	if (fake.before_lock_page)
		fake.before_lock_page();
	if (!trylock_page(page))
		fake_violation("deadlock on a page lock");
}

static void fake_count_vm_events(enum vm_event_item item, long nr)
{
	fake.events[item] += nr;
}

/* In the place of mm/balloon/movable.h. */

/* Nobody else can take the lock: it is held, or there is no other reference. */
static void fake_must_own(struct page *page, const char *what)
{
	if (!PageLocked(page) && page_count(page) > 1)
		fake_violation(what);
}

static void balloon_page_set_movable(struct page *page)
{
	fake_must_own(page, "set movable without the page lock");
	if (fake_page(page)->movable)
		fake_violation("set movable twice");
	fake_page(page)->movable = true;
}

static inline void balloon_page_clear_movable(struct page *page)
{
	if (!PageLocked(page))
		fake_violation("made immovable without the page lock");
	if (!fake_page(page)->movable)
		fake_violation("made immovable twice");
	fake_page(page)->movable = false;
	fake_page(page)->was_movable = true;
}

static inline void balloon_page_reset_movable(struct page *page)
{
	if (page_count(page))
		fake_violation("reset while others may have a reference");
	if (fake_page(page)->movable != !!page_private(page))
		fake_violation("made immovable twice");
	fake_page(page)->movable = false;
	fake_page(page)->was_movable = false;
}

static inline bool balloon_page_is_taken(struct page *page)
{
	return (PageOffline(page) && !FAKE_TYPE_STAYS) || page->mapping || page_private(page);
}

/* Work items */

static struct fake_work *fake_find_work(struct work_struct *work)
{
	struct fake_work *free = NULL;
	unsigned int i;

	for (i = 0; i < FAKE_NR_WORKS; i++) {
		if (fake.work[i].work == work)
			return &fake.work[i];
		if (!free && !fake.work[i].pending && !fake.work[i].running)
			free = &fake.work[i];
	}
	if (!free) {
		fake_violation("too many work items");
		return &fake.work[0];
	}
	free->work = work;
	return free;
}

static inline bool fake_work_pending(struct work_struct *work)
{
	return fake_find_work(work)->pending;
}

/* Return: true unless it was queued already. */
static bool fake_queue_work(struct work_struct *work, unsigned long delay,
			    bool modify)
{
	struct fake_work *w = fake_find_work(work);
	bool was_pending = w->pending;

	if (was_pending && !modify)
		return false;
	if (delay > 3600UL * HZ)
		fake_violation("a work item is queued for hours");
	w->pending = true;
	w->due = fake.now + delay;
	return !was_pending;
}

static bool fake_cancel_work(struct work_struct *work)
{
	struct fake_work *w = fake_find_work(work);
	bool was_pending;

	if (w->running)
		fake_violation("a work item waits for itself");
	was_pending = w->pending;
	w->pending = false;
	return was_pending;
}

static void fake_run(struct fake_work *w)
{
	if (!fake_moves_on())
		fake_violation("a work item is queued over and over again");
	w->pending = false;
	w->running = true;
	w->nr_runs++;
	w->work->func(w->work);
	w->running = false;
}

static void fake_flush_work(struct work_struct *work)
{
	struct fake_work *w = fake_find_work(work);

	if (w->pending)
		fake_run(w);
}

/* Runs the item due first, at or before @until; false if there is none. */
static bool fake_run_work(unsigned long until)
{
	struct fake_work *first = NULL;
	unsigned int i;

	for (i = 0; i < FAKE_NR_WORKS; i++) {
		struct fake_work *w = &fake.work[i];

		if (w->pending && !w->running && !fake.violation &&
		    w->work->func != fake.put_off &&
		    !time_after(w->due, until) &&
		    (!first || time_before(w->due, first->due)))
			first = w;
	}
	if (!first)
		return false;
	if (time_after(first->due, fake.now))
		fake.now = first->due;
	fake_run(first);
	return true;
}

static inline void fake_let_pass(unsigned long time)
{
	unsigned long until = fake.now + time;

	while (fake_run_work(until))
		;
	fake.now = until;
}

static bool fake_sleep_until_woken(unsigned long deadline)
{
	fake.woken = false;
	while (!fake.woken) {
		if (!time_before(fake.now, deadline))
			return false;
		if (fake.step && fake.step(fake.test))
			continue;
		if (!fake_run_work(deadline))
			return false;
	}
	return true;
}

/*
 * Waits: returns true if the condition is to be looked at again.  A work item
 * that runs meanwhile may wait as well; it does not take our wakeup away.
 */
static bool fake_wait(unsigned long deadline)
{
	bool before = fake.woken;
	bool woken = fake_sleep_until_woken(deadline);

	fake.woken |= before;
	return woken;
}

struct fake_waiter {
	unsigned long deadline;
	bool begun;
	bool timed_out;
};

/* Returns true if the condition, which is not @met so far, may be met now. */
static inline bool fake_wait_goes_on(struct fake_waiter *w, bool met)
{
	if (!w->begun) {
		fake_must_move_on();
		fake.nr_waits += !met;
		w->begun = true;
	}
	if (met && w->timed_out && !fake.unannounced)
		fake_violation("a wakeup is missing");
	if (met || w->timed_out)
		return false;
	if (!fake_wait(w->deadline)) {
		w->timed_out = true;
		fake.nr_timeouts++;
		if (time_before(fake.now, w->deadline))
			fake.now = w->deadline;
	}
	fake.unannounced = false;
	return true;
}

/* The condition stands here once, for the sake of branch coverage. */
#define fake_wait_event_timeout(cond, timeout)				\
({									\
	struct fake_waiter __w = { .deadline = fake.now + (timeout) };	\
	bool __met;							\
									\
	do								\
		__met = (cond);						\
	while (fake_wait_goes_on(&__w, __met));				\
	(long)__met;							\
})

/* Device model */

static inline struct workqueue_struct *fake_alloc_workqueue(void)
{
	if (test_alloc_fails(GFP_KERNEL))
		return NULL;
	fake.nr_workqueues++;
	return (struct workqueue_struct *)&fake;
}

static inline int fake_class_register(void)
{
	if (fake.no_class)
		return -EEXIST;
	fake.nr_classes++;
	return 0;
}

static inline int fake_register_oom_notifier(struct notifier_block *nb)
{
	if (fake.no_oom)
		return -EBUSY;
	fake.oom = nb;
	return 0;
}

/* Return: number of pages that the guest gained. */
static inline unsigned long fake_out_of_memory(unsigned long freed)
{
	unsigned long before = freed;

	if (fake.oom)
		fake.oom->notifier_call(fake.oom, 0, &freed);
	return freed - before;
}

static inline struct device *fake_device_create(void)
{
	static struct device dev;

	if (test_alloc_fails(GFP_KERNEL))
		return ERR_PTR(-ENOMEM);
	fake.nr_devices++;
	return &dev;
}

static inline int fake_ida_alloc(gfp_t gfp)
{
	if (test_alloc_fails(gfp))
		return -ENOMEM;
	return fake.nr_ids++;
}

static inline __printf(1, 2) void fake_log(const char *fmt, ...)
{
}

/* While the core sleeps, the case's world does one thing. */
static inline void fake_sleep(unsigned long time)
{
	if (fake.step)
		fake.step(fake.test);
	fake_let_pass(time);
}

static int fake_mm_suite_init(struct kunit_suite *suite)
{
	arena = alloc_pages(GFP_KERNEL, ARENA_ORDER);
	if (!arena)
		return -ENOMEM;
	split_page(arena, ARENA_ORDER);
	return 0;
}

static void fake_mm_suite_exit(struct kunit_suite *suite)
{
	unsigned int i;

	for (i = 0; arena && i < ARENA_PAGES; i++)
		__free_pages(arena + i, 0);
	arena = NULL;
}

/* A page that the core must not take. */
static inline struct page *fake_alloc_compound(void)
{
	return alloc_pages(GFP_KERNEL | __GFP_COMP, 1);
}

static inline void fake_free_compound(struct page *page)
{
	__free_pages(page, 1);
}

/* The parameter is the case's to set. */
#undef module_param_cb
#define module_param_cb(name, ops, arg, mode) \
	static const struct kernel_param_ops *name##_param __maybe_unused = ops

#undef alloc_page
#define alloc_page(gfp)			fake_core_alloc_page(gfp)
#undef alloc_pages
#define alloc_pages(gfp, order)		fake_core_alloc_pages(gfp, order)
#undef alloc_pages_bulk
#define alloc_pages_bulk(gfp, nr, pages) \
	fake_alloc_pages_bulk(gfp, nr, pages)
#undef split_page
#define split_page(page, order)		fake_split_page(page, order)
#undef alloc_pages_bulk_node
#define alloc_pages_bulk_node(gfp, nid, nr, pages) \
	fake_alloc_pages_bulk(gfp, nr, pages)
#undef page_ref_count
#define page_ref_count(page)		fake_page_ref_count(page)
#undef pfn_to_nid
#define pfn_to_nid(pfn)			(fake.other_node && (pfn) >= fake.other_node)
#undef for_each_online_node
#define for_each_online_node(nid)	for (nid = 0; nid < 1; nid++)
#undef signal_pending
#define signal_pending(task)		fake.interrupted
#undef __free_pages
#define __free_pages(page, order)	fake_free_pages(page, order)
#undef put_page
#define put_page(page)			fake_put_page(page)
#undef __free_page
#define __free_page(page)		fake_put_page(page)
#undef lock_page
#define lock_page(page)			fake_lock_page(page)
#undef page_zone_id
#define page_zone_id(page)		fake_page_zone(page)
#undef adjust_managed_page_count
#define adjust_managed_page_count(page, nr) \
	(fake.managed[fake_page_zone(page)] += (nr))
#undef count_vm_events
#define count_vm_events(item, nr)	fake_count_vm_events(item, nr)
#undef count_vm_event
#define count_vm_event(item)		fake_count_vm_events(item, 1)
#undef __count_vm_event
#define __count_vm_event(item)		fake_count_vm_events(item, 1)
#undef __count_vm_events
#define __count_vm_events(item, nr)	fake_count_vm_events(item, nr)
#define si_mem_available()		((long)fake.mem_available - fake.nr_taken)
#undef get_nr_swap_pages
#define get_nr_swap_pages()		fake.free_swap
/* The machine's own watermarks do not count. */
#undef min_wmark_pages
#undef high_wmark_pages
#define min_wmark_pages(zone)		0
#define high_wmark_pages(zone)		0

#undef get_device
#define get_device(dev)			((void)(dev))
#undef msleep
#define msleep(ms)			fake_sleep(msecs_to_jiffies(ms))
#undef jiffies
#define jiffies				fake.now
#undef ktime_get_ns
#define ktime_get_ns()			((u64)fake.now * (NSEC_PER_SEC / HZ))
#undef ktime_get_boottime_seconds
#define ktime_get_boottime_seconds()	((fake.now - fake.boot) / HZ)
#undef sysfs_notify
#define sysfs_notify(kobj, dir, attr)	((void)(kobj))
#undef kobject_uevent
#define kobject_uevent(kobj, action)	((void)(kobj), fake.nr_events++)
#undef queue_work
#define queue_work(wq, work)		fake_queue_work(work, 0, false)
#undef schedule_work
#define schedule_work(work)		fake_queue_work(work, 0, false)
#undef queue_delayed_work
#define queue_delayed_work(wq, dwork, delay) \
	fake_queue_work(&(dwork)->work, delay, false)
#undef mod_delayed_work
#define mod_delayed_work(wq, dwork, delay) \
	fake_queue_work(&(dwork)->work, delay, true)
#undef flush_work
#define flush_work(work)		fake_flush_work(work)
#undef cancel_work_sync
#define cancel_work_sync(work)		fake_cancel_work(work)
#undef cancel_delayed_work_sync
#define cancel_delayed_work_sync(dwork)	fake_cancel_work(&(dwork)->work)
#undef wake_up
#define wake_up(wait)			((void)(wait), fake.woken = true)
#undef wait_event_timeout
#define wait_event_timeout(wait, cond, timeout) \
	fake_wait_event_timeout(cond, timeout)
#undef wait_event_interruptible_timeout
#define wait_event_interruptible_timeout(wait, cond, timeout) \
	fake_wait_event_timeout((cond) || fake.interrupted, timeout)
#undef is_kdump_kernel
#define is_kdump_kernel()		fake.kdump
#undef alloc_workqueue
#define alloc_workqueue(...)		fake_alloc_workqueue()
#undef destroy_workqueue
#define destroy_workqueue(wq)		((void)(wq), fake.nr_workqueues--)

#undef register_oom_notifier
#define register_oom_notifier(nb)	fake_register_oom_notifier(nb)
#undef unregister_oom_notifier
#define unregister_oom_notifier(nb)	((void)(nb), fake.oom = NULL)

#undef device_create
#define device_create(...)		fake_device_create()
#undef device_unregister
#define device_unregister(dev)		((void)(dev), fake.nr_devices--)
#undef class_register
#define class_register(class)		((void)(class), fake_class_register())
#undef class_unregister
#define class_unregister(class)		((void)(class), fake.nr_classes--)
#undef ida_alloc
#define ida_alloc(ida, gfp)		((void)(ida), fake_ida_alloc(gfp))
#undef ida_free
#define ida_free(ida, id)		((void)(ida), fake.nr_ids--)
#undef ida_destroy
#define ida_destroy(ida)		((void)(ida))
#undef __module_get
#define __module_get(module)		(fake.nr_pinned++)
#undef dev_err
#define dev_err(dev, fmt, ...) \
	(fake.nr_complaints++, fake_log(fmt, ##__VA_ARGS__))
#undef dev_warn
#define dev_warn(dev, fmt, ...)		fake_log(fmt, ##__VA_ARGS__)
#undef dev_info
#define dev_info(dev, fmt, ...)		fake_log(fmt, ##__VA_ARGS__)
#undef dev_warn_once
#define dev_warn_once(dev, fmt, ...)	fake_log(fmt, ##__VA_ARGS__)
#undef dev_info_once
#define dev_info_once(dev, fmt, ...)	fake_log(fmt, ##__VA_ARGS__)
#undef dev_info_ratelimited
#define dev_info_ratelimited(dev, fmt, ...)	fake_log(fmt, ##__VA_ARGS__)

static void fake_mm_init(struct kunit *test)
{
	memset(&fake, 0, sizeof(fake));
	fake.test = test;
	fake.stride = 1;
	fake.zone_boundary = ARENA_PAGES;
	fake.mem_available = 1UL << 18;
	fake.free_to_spare = 1UL << 18;
	fake.spare_blocks = ULONG_MAX;
	/* Not far from where the counter wraps. */
	fake.now = 0UL - 100 * HZ;
	fake.boot = fake.now - 1000 * HZ;
	test_warnings = 0;
	test_objects = 0;
	test_fail_nth = 0;
	test_meanwhile = NULL;
	test_random_state = 1;
}

/* Whatever an aborted case has done to the arena's pages. */
static void fake_mm_exit(void)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES; i++) {
		struct page *page = arena + i;

		if (PageLocked(page))
			unlock_page(page);
		if (PageOffline(page))
			__ClearPageOffline(page);
		set_page_private(page, 0);
		set_page_count(page, max(page_count(page), 1));
		while (page_count(page) > 1)
			(put_page)(page);
	}
}

#endif /* _BALLOON_KUNIT_FAKE_MM_H */
