/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a suite puts between the unit that it includes and the kernel, the same
 * way in all three runners: allocations that fail when told to and are counted,
 * and warnings that are counted instead of printed, so that a case can provoke
 * one without a trace in the log.
 *
 * Include it after every other header and before the unit.
 */
#ifndef _BALLOON_KUNIT_INTERCEPT_H
#define _BALLOON_KUNIT_INTERCEPT_H

#include <linux/bug.h>
#include <linux/slab.h>
#include <linux/types.h>
#include <linux/xarray.h>

static unsigned int test_warnings;	/* raised since last asked */
static long test_objects;		/* kzalloc()ed and not yet freed */
static unsigned int test_fail_nth;	/* this allocation from now on fails */
static void (*test_meanwhile)(void);	/* another thread, once, as one allocates */
static gfp_t test_gfp;			/* all flags that allocations were given */

/* How many warnings the unit raised since the last call. */
static inline unsigned int test_take_warnings(void)
{
	unsigned int n = test_warnings;

	test_warnings = 0;
	return n;
}

static bool test_alloc_fails(gfp_t gfp)
{
	void (*meanwhile)(void) = test_meanwhile;

	test_meanwhile = NULL;
	if (meanwhile)
		meanwhile();
	test_gfp |= gfp;
	/* Sleeping where one must not is a warning of the kernel's. */
	test_warnings += gfpflags_allow_blocking(gfp) && irqs_disabled();
	if (gfp & __GFP_NOFAIL)
		return false;
	return test_fail_nth && !--test_fail_nth;
}

static void *test_kzalloc(size_t size, gfp_t gfp)
{
	void *p = test_alloc_fails(gfp) ? NULL : kzalloc(size, gfp);

	test_objects += !!p;
	return p;
}

static void test_kfree(const void *p)
{
	test_objects -= !!p;
	kfree(p);
}

static void *test_xa_cmpxchg(struct xarray *xa, unsigned long index, void *old,
			     void *entry, gfp_t gfp)
{
	if (test_alloc_fails(gfp))
		return XA_ERROR(-ENOMEM);
	return xa_cmpxchg(xa, index, old, entry, gfp);
}

static void *test_xa_cmpxchg_irq(struct xarray *xa, unsigned long index,
				 void *old, void *entry, gfp_t gfp)
{
	test_warnings += irqs_disabled();
	if (test_alloc_fails(gfp))
		return XA_ERROR(-ENOMEM);
	return xa_cmpxchg_irq(xa, index, old, entry, gfp);
}

static inline bool test_warn_on(bool cond)
{
	test_warnings += cond;
	return cond;
}

#undef kzalloc
#define kzalloc(size, gfp)		test_kzalloc(size, gfp)
#undef kcalloc
#define kcalloc(nr, size, gfp)		test_kzalloc((nr) * (size), gfp)
#undef kfree
#define kfree(p)			test_kfree(p)
#undef xa_cmpxchg
#define xa_cmpxchg(xa, index, old, entry, gfp) \
	test_xa_cmpxchg(xa, index, old, entry, gfp)
#undef xa_cmpxchg_irq
#define xa_cmpxchg_irq(xa, index, old, entry, gfp) \
	test_xa_cmpxchg_irq(xa, index, old, entry, gfp)
#undef WARN_ON_ONCE
#define WARN_ON_ONCE(cond)		test_warn_on(!!(cond))
#undef WARN_ONCE
#define WARN_ONCE(cond, fmt, ...)	test_warn_on(!!(cond))
#undef WARN_ON
#define WARN_ON(cond)			test_warn_on(!!(cond))

/* A generator that gives every runner the same numbers. */
static u32 test_random_state;

static inline u32 test_random(u32 below)
{
	test_random_state = test_random_state * 1664525 + 1013904223;
	return (u32)(((u64)test_random_state * below) >> 32);
}

#endif /* _BALLOON_KUNIT_INTERCEPT_H */
