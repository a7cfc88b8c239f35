/* SPDX-License-Identifier: GPL-2.0 */
/*
 * <kunit/test.h> for kernels without CONFIG_KUNIT: the part of it that our
 * suites use, with the meaning that it has in the kernel.
 *
 * A suite is a module that runs its cases when it is loaded and writes KTAP to
 * the kernel log.  If a case fails, so does loading the module.  Where the
 * kernel has KUnit, this header steps aside.
 */
#include <linux/kconfig.h>

#if IS_ENABLED(CONFIG_KUNIT)
#include_next <kunit/test.h>
#else

#ifndef _KUNIT_TEST_H
#define _KUNIT_TEST_H

#include <linux/completion.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>

#define KUNIT_STATUS_COMMENT_SIZE	256

enum kunit_status { KUNIT_SUCCESS, KUNIT_FAILURE, KUNIT_SKIPPED };

/**
 * struct kunit - a running case
 * @priv: the suite's own
 */
struct kunit {
	void *priv;
	/* private: */
	const char *name;
	enum kunit_status status;
	char status_comment[KUNIT_STATUS_COMMENT_SIZE];
	struct list_head allocs;	/* of kunit_kzalloc() */
	struct completion done;
	const struct kunit_suite *suite;
	const struct kunit_case *kase;
};

struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
};

/**
 * struct kunit_suite - cases that share a fixture
 * @name: name in the log
 * @suite_init: before the first case; a failure fails every case
 * @suite_exit: after the last case, whether or not @suite_init succeeded
 * @init: before each case
 * @exit: after each case, also one that was aborted
 * @test_cases: the cases, ended by an empty one
 */
struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(test_name) { .run_case = test_name, .name = #test_name }

#define kunit_info(test, fmt, ...) \
	pr_info("    # %s: " fmt, (test)->name, ##__VA_ARGS__)
#define kunit_warn(test, fmt, ...) \
	pr_warn("    # %s: " fmt, (test)->name, ##__VA_ARGS__)
#define kunit_err(test, fmt, ...) \
	pr_err("    # %s: " fmt, (test)->name, ##__VA_ARGS__)

/* Ends the case, which is a thread of its own, where it stands. */
static inline void __noreturn __kunit_abort(struct kunit *test)
{
	kthread_complete_and_exit(&test->done, 0);
}

#define kunit_mark_skipped(test, fmt, ...)				\
do {									\
	(test)->status = KUNIT_SKIPPED;					\
	scnprintf((test)->status_comment, KUNIT_STATUS_COMMENT_SIZE,	\
		  fmt, ##__VA_ARGS__);					\
} while (0)

#define kunit_skip(test, fmt, ...)					\
do {									\
	kunit_mark_skipped(test, fmt, ##__VA_ARGS__);			\
	__kunit_abort(test);						\
} while (0)

#define KUNIT_EXPECTATION	false
#define KUNIT_ASSERTION		true

/*
 * What fails prints its place, the expectation and the caller's message, then
 * the case goes on (EXPECT) or ends (ASSERT).
 */
#define __KUNIT_FAILED(test, type, what, fmt, ...)			\
do {									\
	kunit_err(test, "%s FAILED at %s:%d\n",				\
		  (type) ? "ASSERTION" : "EXPECTATION",			\
		  __FILE__, __LINE__);					\
	pr_err("    " what "\n");					\
	if (sizeof(fmt) > 1)						\
		pr_err("    " fmt "\n", ##__VA_ARGS__);			\
	WRITE_ONCE((test)->status, KUNIT_FAILURE);			\
	if (type)							\
		__kunit_abort(test);					\
} while (0)

#define __KUNIT_BOOL(test, type, want, cond, what, fmt, ...)		\
do {									\
	const bool __cond = (cond);					\
									\
	if (likely(__cond == (want)))					\
		break;							\
	__KUNIT_FAILED(test, type, what, fmt, ##__VA_ARGS__);		\
} while (0)

#define __KUNIT_BINARY(test, type, left, op, right, cast, out, fmt, ...) \
do {									\
	const typeof(left) __left = (left);				\
	const typeof(right) __right = (right);				\
									\
	if (likely(__left op __right))					\
		break;							\
	pr_err("    # %s: " #left " == " out ", " #right " == " out "\n", \
	       (test)->name, (cast)__left, (cast)__right);		\
	__KUNIT_FAILED(test, type, "Expected " #left " " #op " " #right, \
		       fmt, ##__VA_ARGS__);				\
} while (0)

#define __KUNIT_INT(test, type, left, op, right, fmt, ...)		\
	__KUNIT_BINARY(test, type, left, op, right, long long, "%lld",	\
		       fmt, ##__VA_ARGS__)
#define __KUNIT_PTR(test, type, left, op, right, fmt, ...)		\
	__KUNIT_BINARY(test, type, left, op, right, unsigned long, "%lx", \
		       fmt, ##__VA_ARGS__)

#define KUNIT_FAIL(test, fmt, ...) \
	__KUNIT_FAILED(test, KUNIT_EXPECTATION, "Expected not to get here", \
		       fmt, ##__VA_ARGS__)

#define KUNIT_EXPECT_TRUE(test, c)	KUNIT_EXPECT_TRUE_MSG(test, c, "")
#define KUNIT_EXPECT_TRUE_MSG(test, c, fmt, ...) \
	__KUNIT_BOOL(test, KUNIT_EXPECTATION, true, c, \
		     "Expected " #c " to be true", fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_FALSE(test, c)	KUNIT_EXPECT_FALSE_MSG(test, c, "")
#define KUNIT_EXPECT_FALSE_MSG(test, c, fmt, ...) \
	__KUNIT_BOOL(test, KUNIT_EXPECTATION, false, c, \
		     "Expected " #c " to be false", fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NULL(test, p) \
	__KUNIT_PTR(test, KUNIT_EXPECTATION, p, ==, NULL, "")
#define KUNIT_EXPECT_NOT_NULL(test, p) \
	__KUNIT_PTR(test, KUNIT_EXPECTATION, p, !=, NULL, "")
#define KUNIT_EXPECT_PTR_EQ(test, l, r) \
	__KUNIT_PTR(test, KUNIT_EXPECTATION, l, ==, r, "")
#define KUNIT_EXPECT_PTR_NE(test, l, r) \
	__KUNIT_PTR(test, KUNIT_EXPECTATION, l, !=, r, "")

#define KUNIT_EXPECT_EQ(test, l, r)	KUNIT_EXPECT_EQ_MSG(test, l, r, "")
#define KUNIT_EXPECT_EQ_MSG(test, l, r, fmt, ...) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_NE(test, l, r)	KUNIT_EXPECT_NE_MSG(test, l, r, "")
#define KUNIT_EXPECT_NE_MSG(test, l, r, fmt, ...) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, !=, r, fmt, ##__VA_ARGS__)
#define KUNIT_EXPECT_LT(test, l, r) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, <, r, "")
#define KUNIT_EXPECT_LE(test, l, r) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, <=, r, "")
#define KUNIT_EXPECT_GT(test, l, r) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, >, r, "")
#define KUNIT_EXPECT_GE(test, l, r) \
	__KUNIT_INT(test, KUNIT_EXPECTATION, l, >=, r, "")

#define KUNIT_ASSERT_TRUE(test, c)	KUNIT_ASSERT_TRUE_MSG(test, c, "")
#define KUNIT_ASSERT_TRUE_MSG(test, c, fmt, ...) \
	__KUNIT_BOOL(test, KUNIT_ASSERTION, true, c, \
		     "Expected " #c " to be true", fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_FALSE(test, c)	KUNIT_ASSERT_FALSE_MSG(test, c, "")
#define KUNIT_ASSERT_FALSE_MSG(test, c, fmt, ...) \
	__KUNIT_BOOL(test, KUNIT_ASSERTION, false, c, \
		     "Expected " #c " to be false", fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL(test, p) \
	__KUNIT_PTR(test, KUNIT_ASSERTION, p, !=, NULL, "")
#define KUNIT_ASSERT_PTR_EQ(test, l, r) \
	__KUNIT_PTR(test, KUNIT_ASSERTION, l, ==, r, "")
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(test, p) \
	__KUNIT_BOOL(test, KUNIT_ASSERTION, false, IS_ERR_OR_NULL(p), \
		     "Expected " #p " to be a pointer", "")
#define KUNIT_ASSERT_EQ(test, l, r)	KUNIT_ASSERT_EQ_MSG(test, l, r, "")
#define KUNIT_ASSERT_EQ_MSG(test, l, r, fmt, ...) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, ==, r, fmt, ##__VA_ARGS__)
#define KUNIT_ASSERT_NE(test, l, r) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, !=, r, "")
#define KUNIT_ASSERT_LT(test, l, r) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, <, r, "")
#define KUNIT_ASSERT_LE(test, l, r) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, <=, r, "")
#define KUNIT_ASSERT_GT(test, l, r) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, >, r, "")
#define KUNIT_ASSERT_GE(test, l, r) \
	__KUNIT_INT(test, KUNIT_ASSERTION, l, >=, r, "")

/**
 * kunit_kzalloc - allocate zeroed memory that lasts as long as the case
 * @test: the case
 * @size: bytes
 * @gfp: allocation flags
 *
 * Return: the memory, or NULL.
 */
static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	struct list_head *node = kzalloc(sizeof(*node) + size, gfp);

	if (!node)
		return NULL;
	list_add(node, &test->allocs);
	return node + 1;
}

static int __kunit_case_thread(void *data)
{
	struct kunit *test = data;

	if (test->suite->init && test->suite->init(test)) {
		kunit_err(test, "failed to initialize\n");
		test->status = KUNIT_FAILURE;
	} else {
		test->kase->run_case(test);
	}
	__kunit_abort(test);
	return 0;
}

static enum kunit_status __kunit_run_case(struct kunit *test)
{
	struct list_head *pos, *next;
	struct task_struct *task;

	INIT_LIST_HEAD(&test->allocs);
	init_completion(&test->done);
	task = kthread_run(__kunit_case_thread, test, "kunit_case");
	if (IS_ERR(task))
		return KUNIT_FAILURE;
	wait_for_completion(&test->done);
	if (test->suite->exit)
		test->suite->exit(test);
	list_for_each_safe(pos, next, &test->allocs)
		kfree(pos);
	return test->status;
}

/* Returns true if no case failed. */
static bool __kunit_run_suite(struct kunit_suite *suite, unsigned int number)
{
	unsigned int total = 0, passed = 0, failed = 0, skipped = 0;
	struct kunit_case *kase;
	int init_err = 0;

	for (kase = suite->test_cases; kase->run_case; kase++)
		total++;
	pr_info("    KTAP version 1\n");
	pr_info("    # Subtest: %s\n", suite->name);
	pr_info("    1..%u\n", total);
	if (suite->suite_init)
		init_err = suite->suite_init(suite);

	for (kase = suite->test_cases; kase->run_case; kase++) {
		unsigned int at = kase - suite->test_cases + 1;
		struct kunit *test = kzalloc(sizeof(*test), GFP_KERNEL);
		enum kunit_status status = KUNIT_FAILURE;

		if (test && !init_err) {
			test->name = kase->name;
			test->kase = kase;
			test->suite = suite;
			status = __kunit_run_case(test);
		}
		if (status == KUNIT_SKIPPED)
			pr_info("    ok %u %s # SKIP %s\n", at, kase->name,
				test->status_comment);
		else
			pr_info("    %s %u %s\n",
				status == KUNIT_SUCCESS ? "ok" : "not ok", at,
				kase->name);
		passed += status == KUNIT_SUCCESS;
		failed += status == KUNIT_FAILURE;
		skipped += status == KUNIT_SKIPPED;
		kfree(test);
	}

	if (suite->suite_exit)
		suite->suite_exit(suite);
	pr_info("# %s: pass:%u fail:%u skip:%u total:%u\n", suite->name, passed,
		failed, skipped, total);
	pr_info("%s %u %s\n", failed ? "not ok" : "ok", number, suite->name);
	return !failed;
}

#define kunit_test_suites(...)						\
static int __init __kunit_module_init(void)				\
{									\
	struct kunit_suite *suites[] = { __VA_ARGS__ };			\
	bool ok = true;							\
	unsigned int i;							\
									\
	pr_info("KTAP version 1\n");					\
	pr_info("1..%u\n", (unsigned int)ARRAY_SIZE(suites));		\
	for (i = 0; i < ARRAY_SIZE(suites); i++)			\
		ok &= __kunit_run_suite(suites[i], i + 1);		\
	return ok ? 0 : -EBADMSG;					\
}									\
module_init(__kunit_module_init);					\
									\
static void __exit __kunit_module_exit(void)				\
{									\
}									\
module_exit(__kunit_module_exit)

#define kunit_test_suite(suite)	kunit_test_suites(&suite)

#endif /* _KUNIT_TEST_H */
#endif /* CONFIG_KUNIT */
