// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/sysfs.c: what an administrator sees and sets.
 */
#include <kunit/test.h>

#include "host_device.h"

/*
 * What an administrator sees, of a device of which every number is another one.
 */
static const struct {
	const char *group, *name, *value;
} sysfs_files[] = {
	{ NULL, "driver", "kunit\n" },
	{ NULL, "version", BALLOON_VERSION "\n" },
	{ NULL, "registered", "1000\n" },
	{ NULL, "state", "running\n" },
	{ NULL, "limited_by", "none\n" },
	{ NULL, "target_pages", "1\n" },
	{ NULL, "actual_pages", "230\n" },
	{ NULL, "isolated_pages", "20\n" },
	{ NULL, "pending_pages", "300\n" },
	{ NULL, "floor_pages", "2\n" },
	{ NULL, "compact", NULL },
	{ NULL, "compact_proactiveness", "20\n" },
	{ "stats", "enqueued", "1001\n" },
	{ "stats", "dequeued", "1002\n" },
	{ "stats", "inflated", "1003\n" },
	{ "stats", "deflated", "1004\n" },
	{ "stats", "compact_balloon_isolated", "1005\n" },
	{ "stats", "compact_balloon_migrated", "1006\n" },
	{ "stats", "compact_balloon_failed", "1007\n" },
	{ "stats", "compact_balloon_freed", "1008\n" },
	{ "stats", "migrate_failed", "1009\n" },
	{ "stats", "batches", "1010\n" },
	{ "stats", "refused", "1011\n" },
	{ "stats", "alloc_failed", "1012\n" },
	{ "stats", "exchanged", "1013\n" },
	{ "stats", "oom_deflated", "1014\n" },
	{ "blocks", "whole", "0\n" },
	{ "blocks", "shared_with_free", "0\n" },
	{ "blocks", "shared_with_others", "0\n" },
	{ "blocks", "by_zone", "" },
	{ "last_compact", "cause", "asked\n" },
	{ "last_compact", "ended_by", "signal\n" },
	{ "last_compact", "exchanged", "2001\n" },
	{ "last_compact", "blocks_won", "2002\n" },
	{ "last_compact", "began", "2003\n" },
	{ "last_compact", "ended", "2004\n" },
	{ "host", "batches_in_flight", "0\n" },
	{ "host", "answer_mean_us", "3001\n" },
	{ "host", "answer_worst_us", "3002\n" },
};

struct sysfs_test {
	struct balloon b;
	struct device dev;
	char *buf;
};

static struct sysfs_test *sysfs_begin(struct kunit *test)
{
	struct sysfs_test *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	device_init(&s->b, &host_ops);
	s->b.target = 1;
	s->b.floor = 2;
	s->b.nr_ballooned = 10;
	s->b.isolated_pages = 20;
	s->b.nr_inflating = 100;
	s->b.nr_deflating = 200;
	s->b.stats = (struct balloon_counters) {
		.enqueued = 1001, .dequeued = 1002, .inflated = 1003,
		.deflated = 1004, .isolated = 1005, .migrated = 1006,
		.putback = 1007, .freed = 1008, .migrate_failed = 1009,
		.batches = 1010, .refused = 1011, .alloc_failed = 1012,
		.exchanged = 1013, .oom_deflated = 1014,
	};
	s->b.last_run = (struct balloon_run) {
		.asked = true, .err = -ERESTARTSYS, .exchanged = 2001,
		.won = 2002, .began = 2003, .ended = 2004,
	};
	s->b.nr_answers = 2;
	s->b.answer_ns = 2 * 3001 * NSEC_PER_USEC;
	s->b.answer_worst_ns = 3002 * NSEC_PER_USEC;
	dev_set_drvdata(&s->dev, &s->b);
	/* sysfs_emit() wants a whole page. */
	s->buf = page_address(arena);
	return s;
}

/* The nth file of all groups, and its group's name. */
static struct device_attribute *sysfs_nth(unsigned int nth, const char **group)
{
	unsigned int i, j;

	for (i = 0; balloon_dev_groups[i]; i++) {
		struct attribute **attrs = balloon_dev_groups[i]->attrs;

		*group = balloon_dev_groups[i]->name;
		for (j = 0; attrs[j]; j++)
			if (!nth--)
				return container_of(attrs[j],
						    struct device_attribute,
						    attr);
	}
	return NULL;
}

static struct device_attribute *sysfs_find(const char *name)
{
	struct device_attribute *attr;
	const char *group;
	unsigned int i;

	for (i = 0; (attr = sysfs_nth(i, &group)); i++)
		if (!strcmp(attr->attr.name, name))
			return attr;
	return NULL;
}

static void sysfs_shows_every_number(struct kunit *test)
{
	struct sysfs_test *s = sysfs_begin(test);
	struct device_attribute *attr;
	const char *group;
	unsigned int i;

	for (i = 0; (attr = sysfs_nth(i, &group)); i++) {
		KUNIT_ASSERT_LT(test, i, ARRAY_SIZE(sysfs_files));
		KUNIT_ASSERT_TRUE_MSG(test, !strcmp(attr->attr.name,
						    sysfs_files[i].name),
				      "%s", attr->attr.name);
		KUNIT_EXPECT_EQ(test, !group, !sysfs_files[i].group);
		if (group && sysfs_files[i].group)
			KUNIT_EXPECT_EQ(test, strcmp(group, sysfs_files[i].group),
					0);
		KUNIT_EXPECT_EQ(test, attr->attr.mode & 0222,
				attr->store ? 0200 : 0);
		if (!sysfs_files[i].value) {
			KUNIT_EXPECT_NULL(test, attr->show);
			continue;
		}
		s->buf[0] = 0;
		KUNIT_EXPECT_EQ(test, attr->show(&s->dev, attr, s->buf),
				strlen(sysfs_files[i].value));
		KUNIT_EXPECT_EQ_MSG(test, strcmp(s->buf, sysfs_files[i].value), 0,
				    "%s: %s", attr->attr.name, s->buf);
	}
	KUNIT_EXPECT_EQ(test, i, ARRAY_SIZE(sysfs_files));
}

static void sysfs_shows_the_state(struct kunit *test)
{
	static const struct { enum balloon_state state; const char *value; }
	cases[] = {
		{ BALLOON_RUNNING, "running\n" }, { BALLOON_STALLED, "stalled\n" },
		{ BALLOON_BROKEN, "broken\n" }, { BALLOON_EMPTYING, "running\n" },
		{ BALLOON_STOPPED, "broken\n" },
	};
	struct device_attribute *attr = sysfs_find("state");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->b.state = cases[i].state;
		attr->show(&s->dev, attr, s->buf);
		KUNIT_EXPECT_EQ(test, strcmp(s->buf, cases[i].value), 0);
	}
}

/* The state says more than what was in the way before; the guest's owner most. */
static void sysfs_shows_why_the_target_is_not_reached(struct kunit *test)
{
	static const struct {
		enum balloon_state state;
		enum balloon_limit limit;
		bool opted_out;
		const char *value;
	} cases[] = {
		{ BALLOON_RUNNING, BALLOON_LIMITED_BY_FLOOR, false, "floor\n" },
		{ BALLOON_RUNNING, BALLOON_LIMITED_BY_ALLOCATOR, false, "allocator\n" },
		{ BALLOON_RUNNING, BALLOON_LIMITED_BY_HOST, false, "host\n" },
		{ BALLOON_RUNNING, BALLOON_LIMITED_BY_OOM, false, "oom\n" },
		{ BALLOON_RUNNING, BALLOON_LIMITED_BY_ISOLATION, false, "isolation\n" },
		{ BALLOON_RUNNING, BALLOON_NOT_LIMITED, true, "opted-out\n" },
		{ BALLOON_STALLED, BALLOON_LIMITED_BY_FLOOR, false, "stalled\n" },
		{ BALLOON_BROKEN, BALLOON_NOT_LIMITED, true, "broken\n" },
		{ BALLOON_EMPTYING, BALLOON_NOT_LIMITED, false, "leaving\n" },
		{ BALLOON_STOPPED, BALLOON_NOT_LIMITED, false, "broken\n" },
	};
	struct device_attribute *attr = sysfs_find("limited_by");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->b.state = cases[i].state;
		s->b.limited_by = cases[i].limit;
		s->b.opted_out = cases[i].opted_out;
		attr->show(&s->dev, attr, s->buf);
		KUNIT_EXPECT_EQ(test, strcmp(s->buf, cases[i].value), 0);
	}
}

static void sysfs_shows_why_a_run_ended(struct kunit *test)
{
	static const struct { int err; const char *value; } cases[] = {
		{ 0, "done\n" }, { -EAGAIN, "gave-way\n" }, { -ENOMEM, "memory\n" },
		{ -ERESTARTSYS, "signal\n" }, { -EIO, "host\n" }, { -EBUSY, "busy\n" },
	};
	struct device_attribute *attr = sysfs_find("ended_by");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		s->b.last_run.err = cases[i].err;
		attr->show(&s->dev, attr, s->buf);
		KUNIT_EXPECT_EQ(test, strcmp(s->buf, cases[i].value), 0);
	}
	s->b.last_run.ended = 0;
	attr->show(&s->dev, attr, s->buf);
	KUNIT_EXPECT_EQ(test, strcmp(s->buf, "none\n"), 0);
}

static void sysfs_sets_the_floor(struct kunit *test)
{
	static const struct { const char *text; long err; unsigned long floor; }
	cases[] = {
		{ "123\n", 0, 123 }, { "0x10", 0, 16 }, { "0\n", 0, 0 },
		{ "", -EINVAL, 0 }, { "x", -EINVAL, 0 }, { "-1", -EINVAL, 0 },
		{ "1 2", -EINVAL, 0 },
		{ "99999999999999999999999999", -ERANGE, 0 },
	};
	struct device_attribute *attr = sysfs_find("floor_pages");
	struct sysfs_test *s = sysfs_begin(test);
	unsigned long most = totalram_pages();
	unsigned int i;
	long done;

	KUNIT_ASSERT_NOT_NULL(test, attr);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		long len = strlen(cases[i].text);

		s->b.floor = 7;
		done = attr->store(&s->dev, attr, cases[i].text, len);
		KUNIT_EXPECT_EQ(test, done, cases[i].err ? cases[i].err : len);
		KUNIT_EXPECT_EQ(test, s->b.floor,
				cases[i].err ? 7 : cases[i].floor);
		KUNIT_EXPECT_EQ(test, s->b.floor_is_set, !cases[i].err);
		s->b.floor_is_set = false;
	}
	/* All of memory, and one page more. */
	for (i = 0; i < 2; i++) {
		int len = scnprintf(s->buf, PAGE_SIZE, "%lu\n", most + i);

		done = attr->store(&s->dev, attr, s->buf, len);
		KUNIT_EXPECT_EQ(test, done, i ? -ERANGE : len);
		KUNIT_EXPECT_EQ(test, s->b.floor, most);
	}
	floor_pages = -1;
}

static struct kunit_case sysfs_test_cases[] = {
	KUNIT_CASE(sysfs_shows_every_number),
	KUNIT_CASE(sysfs_shows_the_state),
	KUNIT_CASE(sysfs_shows_why_the_target_is_not_reached),
	KUNIT_CASE(sysfs_shows_why_a_run_ended),
	KUNIT_CASE(sysfs_sets_the_floor),
	{}
};

static struct kunit_suite sysfs_test_suite = {
	.name = "balloon_sysfs",
	.suite_init = fake_mm_suite_init,
	.suite_exit = fake_mm_suite_exit,
	.init = device_test_init,
	.exit = host_test_exit,
	.test_cases = sysfs_test_cases,
};
kunit_test_suite(sysfs_test_suite);

MODULE_DESCRIPTION("KUnit suite of a balloon device in sysfs");
MODULE_LICENSE("GPL");
