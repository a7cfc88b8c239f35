// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator sees: /sys/class/balloon/balloonN.
 *
 * Described in Documentation/ABI/testing/sysfs-class-balloon.  Each file holds
 * one value; numbers are pages of PAGE_SIZE or plain counts.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/list.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/sysfs.h>
#include <linux/workqueue.h>

#include "internal.h"

static struct balloon *to_balloon(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static ssize_t driver_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n", to_balloon(dev)->ops->driver);
}
static DEVICE_ATTR_RO(driver);

static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char * const names[] = {
		[BALLOON_RUNNING] = "running",
		[BALLOON_STALLED] = "stalled",
		[BALLOON_BROKEN] = "broken",
		[BALLOON_EMPTYING] = "running",
		[BALLOON_STOPPED] = "broken",
	};

	return sysfs_emit(buf, "%s\n", names[READ_ONCE(to_balloon(dev)->state)]);
}
static DEVICE_ATTR_RO(state);

static const char *limit_name(const struct balloon *b)
{
	static const char * const states[] = {
		[BALLOON_STALLED] = "stalled",
		[BALLOON_BROKEN] = "broken",
		[BALLOON_EMPTYING] = "leaving",
		[BALLOON_STOPPED] = "broken",
	};
	static const char * const limits[] = {
		[BALLOON_NOT_LIMITED] = "none",
		[BALLOON_LIMITED_BY_FLOOR] = "floor",
		[BALLOON_LIMITED_BY_ALLOCATOR] = "allocator",
		[BALLOON_LIMITED_BY_HOST] = "host",
		[BALLOON_LIMITED_BY_OOM] = "oom",
		[BALLOON_LIMITED_BY_ISOLATION] = "isolation",
	};
	enum balloon_state state = READ_ONCE(b->state);

	if (state != BALLOON_RUNNING)
		return states[state];
	return READ_ONCE(b->opted_out) ? "opted-out" :
					 limits[READ_ONCE(b->limited_by)];
}

static ssize_t limited_by_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", limit_name(to_balloon(dev)));
}
static DEVICE_ATTR_RO(limited_by);

/**
 * balloon_tell_work - tell userspace that a device is in another state, or limited
 *	by something else
 * @work: ->tell_work of a device
 *
 * Not for balloon_wq, since it allocates memory.
 *
 * Context: a worker of the system's queue.
 */
void balloon_tell_work(struct work_struct *work)
{
	struct balloon *b = container_of(work, struct balloon, tell_work);
	struct kobject *kobj = &b->dev->kobj;

	sysfs_notify(kobj, NULL, "state");
	sysfs_notify(kobj, NULL, "limited_by");
	kobject_uevent(kobj, KOBJ_CHANGE);
}

static ssize_t version_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%s\n", BALLOON_VERSION);
}
static DEVICE_ATTR_RO(version);

static ssize_t registered_show(struct device *dev,
			       struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  (unsigned long long)to_balloon(dev)->registered);
}
static DEVICE_ATTR_RO(registered);

static ssize_t target_pages_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(to_balloon(dev)->target));
}
static DEVICE_ATTR_RO(target_pages);

static ssize_t actual_pages_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", balloon_actual(to_balloon(dev)));
}
static DEVICE_ATTR_RO(actual_pages);

static ssize_t isolated_pages_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n",
			  READ_ONCE(to_balloon(dev)->isolated_pages));
}
static DEVICE_ATTR_RO(isolated_pages);

static ssize_t pending_pages_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	struct balloon *b = to_balloon(dev);

	return sysfs_emit(buf, "%lu\n", READ_ONCE(b->nr_inflating) +
			  READ_ONCE(b->nr_deflating));
}
static DEVICE_ATTR_RO(pending_pages);

static ssize_t floor_pages_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lu\n", READ_ONCE(to_balloon(dev)->floor));
}

static ssize_t floor_pages_store(struct device *dev,
				 struct device_attribute *attr,
				 const char *buf, size_t len)
{
	unsigned long nr_pages;
	int err = kstrtoul(buf, 0, &nr_pages);

	if (err)
		return err;
	if (nr_pages > totalram_pages())
		return -ERANGE;
	balloon_set_floor(to_balloon(dev), nr_pages);
	return len;
}
static DEVICE_ATTR_RW(floor_pages);

static ssize_t compact_proactiveness_show(struct device *dev,
					  struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_balloon(dev)->proactiveness));
}

static ssize_t compact_proactiveness_store(struct device *dev,
					   struct device_attribute *attr,
					   const char *buf, size_t len)
{
	unsigned int proactiveness;
	int err = kstrtouint(buf, 0, &proactiveness);

	if (err)
		return err;
	if (proactiveness > BALLOON_PROACTIVENESS_MAX)
		return -ERANGE;
	balloon_set_proactiveness(to_balloon(dev), proactiveness);
	return len;
}
static DEVICE_ATTR_RW(compact_proactiveness);

static ssize_t compact_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t len)
{
	int err;

	if (!sysfs_streq(buf, "1"))
		return -EINVAL;
	err = balloon_compact(to_balloon(dev));
	return err ?: len;
}
static DEVICE_ATTR_WO(compact);

static struct attribute *balloon_attrs[] = {
	&dev_attr_driver.attr,
	&dev_attr_version.attr,
	&dev_attr_registered.attr,
	&dev_attr_state.attr,
	&dev_attr_limited_by.attr,
	&dev_attr_target_pages.attr,
	&dev_attr_actual_pages.attr,
	&dev_attr_isolated_pages.attr,
	&dev_attr_pending_pages.attr,
	&dev_attr_floor_pages.attr,
	&dev_attr_compact.attr,
	&dev_attr_compact_proactiveness.attr,
	NULL
};

static const struct attribute_group balloon_group = {
	.attrs = balloon_attrs,
};

/* blocks/: what the balloon is made of */
#define BALLOON_BLOCKS(_name, _member)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct balloon_blocks_in in;					\
									\
	balloon_count_blocks(to_balloon(dev), NULL, &in);		\
	return sysfs_emit(buf, "%lu\n", in._member);			\
}									\
static DEVICE_ATTR_RO(_name)

BALLOON_BLOCKS(whole, whole);
BALLOON_BLOCKS(shared_with_free, with_free);
BALLOON_BLOCKS(shared_with_others, with_others);

/* Return: number of characters; none if no page of the balloon is there. */
static int emit_zone(struct balloon *b, char *buf, int at, int nid,
		     struct zone *zone)
{
	struct balloon_blocks_in in;

	if (!populated_zone(zone))
		return 0;
	balloon_count_blocks(b, zone, &in);
	if (!in.pages)
		return 0;
	return sysfs_emit_at(buf, at, "%d %s %lu %lu %lu %lu\n", nid, zone->name,
			     in.pages, in.whole, in.with_free, in.with_others);
}

static ssize_t by_zone_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	struct balloon *b = to_balloon(dev);
	int nid, i, len = 0;

	for_each_online_node(nid)
		for (i = 0; i < MAX_NR_ZONES; i++)
			len += emit_zone(b, buf, len, nid,
					 &NODE_DATA(nid)->node_zones[i]);
	return len;
}
static DEVICE_ATTR_RO(by_zone);

static struct attribute *balloon_blocks_attrs[] = {
	&dev_attr_whole.attr,
	&dev_attr_shared_with_free.attr,
	&dev_attr_shared_with_others.attr,
	&dev_attr_by_zone.attr,
	NULL
};

static const struct attribute_group balloon_blocks_group = {
	.name = "blocks",
	.attrs = balloon_blocks_attrs,
};

/* last_compact/: what came of the last run */
static struct balloon_run last_run(struct balloon *b)
{
	struct balloon_run run;

	spin_lock_irq(&b->pages_lock);
	run = b->last_run;
	spin_unlock_irq(&b->pages_lock);
	return run;
}

static const char *end_of_run(const struct balloon_run *run)
{
	if (!run->ended)
		return "none";
	switch (run->err) {
	case 0:
		return "done";
	case -EAGAIN:
		return "gave-way";
	case -ENOMEM:
		return "memory";
	case -ERESTARTSYS:
		return "signal";
	case -EIO:
		return "host";
	}
	return "busy";
}

static ssize_t cause_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	struct balloon_run run = last_run(to_balloon(dev));

	return sysfs_emit(buf, "%s\n", !run.ended ? "none" :
			  run.asked ? "asked" : "background");
}
static DEVICE_ATTR_RO(cause);

static ssize_t ended_by_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct balloon_run run = last_run(to_balloon(dev));

	return sysfs_emit(buf, "%s\n", end_of_run(&run));
}
static DEVICE_ATTR_RO(ended_by);

#define BALLOON_RUN(_name, _file, _member)				\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	struct balloon_run run = last_run(to_balloon(dev));		\
									\
	return sysfs_emit(buf, "%llu\n", (unsigned long long)run._member); \
}									\
static struct device_attribute dev_attr_##_name =			\
	__ATTR(_file, 0444, _name##_show, NULL)

BALLOON_RUN(run_exchanged, exchanged, exchanged);
BALLOON_RUN(run_won, blocks_won, won);
BALLOON_RUN(run_began, began, began);
BALLOON_RUN(run_ended, ended, ended);

static struct attribute *balloon_run_attrs[] = {
	&dev_attr_cause.attr,
	&dev_attr_ended_by.attr,
	&dev_attr_run_exchanged.attr,
	&dev_attr_run_won.attr,
	&dev_attr_run_began.attr,
	&dev_attr_run_ended.attr,
	NULL
};

static const struct attribute_group balloon_run_group = {
	.name = "last_compact",
	.attrs = balloon_run_attrs,
};

/* host/: how fast the hypervisor answers */
static ssize_t batches_in_flight_show(struct device *dev,
				      struct device_attribute *attr, char *buf)
{
	struct balloon *b = to_balloon(dev);
	const struct balloon_core_batch *batch;
	unsigned int nr = 0;

	spin_lock_irq(&b->pages_lock);
	list_for_each_entry(batch, &b->in_flight, node)
		nr += batch->state != BALLOON_BATCH_DONE;
	spin_unlock_irq(&b->pages_lock);
	return sysfs_emit(buf, "%u\n", nr);
}
static DEVICE_ATTR_RO(batches_in_flight);

static ssize_t answer_mean_us_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	struct balloon *b = to_balloon(dev);
	u64 ns;

	spin_lock_irq(&b->pages_lock);
	ns = b->nr_answers ? div64_u64(b->answer_ns, b->nr_answers) : 0;
	spin_unlock_irq(&b->pages_lock);
	return sysfs_emit(buf, "%llu\n",
			  (unsigned long long)div_u64(ns, NSEC_PER_USEC));
}
static DEVICE_ATTR_RO(answer_mean_us);

static ssize_t answer_worst_us_show(struct device *dev,
				    struct device_attribute *attr, char *buf)
{
	struct balloon *b = to_balloon(dev);
	u64 ns;

	spin_lock_irq(&b->pages_lock);
	ns = b->answer_worst_ns;
	spin_unlock_irq(&b->pages_lock);
	return sysfs_emit(buf, "%llu\n",
			  (unsigned long long)div_u64(ns, NSEC_PER_USEC));
}
static DEVICE_ATTR_RO(answer_worst_us);

static struct attribute *balloon_host_attrs[] = {
	&dev_attr_batches_in_flight.attr,
	&dev_attr_answer_mean_us.attr,
	&dev_attr_answer_worst_us.attr,
	NULL
};

static const struct attribute_group balloon_host_group = {
	.name = "host",
	.attrs = balloon_host_attrs,
};

/* stats/: file name, member of struct balloon_counters */
#define BALLOON_STAT(_name, _member)					\
static ssize_t _name##_show(struct device *dev,				\
			    struct device_attribute *attr, char *buf)	\
{									\
	return sysfs_emit(buf, "%lu\n",					\
			  READ_ONCE(to_balloon(dev)->stats._member));	\
}									\
static DEVICE_ATTR_RO(_name)

BALLOON_STAT(enqueued, enqueued);
BALLOON_STAT(dequeued, dequeued);
BALLOON_STAT(inflated, inflated);
BALLOON_STAT(deflated, deflated);
BALLOON_STAT(compact_balloon_isolated, isolated);
BALLOON_STAT(compact_balloon_migrated, migrated);
BALLOON_STAT(compact_balloon_failed, putback);
BALLOON_STAT(compact_balloon_freed, freed);
BALLOON_STAT(migrate_failed, migrate_failed);
BALLOON_STAT(batches, batches);
BALLOON_STAT(refused, refused);
BALLOON_STAT(alloc_failed, alloc_failed);
BALLOON_STAT(exchanged, exchanged);
BALLOON_STAT(oom_deflated, oom_deflated);

static struct attribute *balloon_stats_attrs[] = {
	&dev_attr_enqueued.attr,
	&dev_attr_dequeued.attr,
	&dev_attr_inflated.attr,
	&dev_attr_deflated.attr,
	&dev_attr_compact_balloon_isolated.attr,
	&dev_attr_compact_balloon_migrated.attr,
	&dev_attr_compact_balloon_failed.attr,
	&dev_attr_compact_balloon_freed.attr,
	&dev_attr_migrate_failed.attr,
	&dev_attr_batches.attr,
	&dev_attr_refused.attr,
	&dev_attr_alloc_failed.attr,
	&dev_attr_exchanged.attr,
	&dev_attr_oom_deflated.attr,
	NULL
};

static const struct attribute_group balloon_stats_group = {
	.name = "stats",
	.attrs = balloon_stats_attrs,
};

const struct attribute_group *balloon_dev_groups[] = {
	&balloon_group,
	&balloon_stats_group,
	&balloon_blocks_group,
	&balloon_run_group,
	&balloon_host_group,
	NULL
};
