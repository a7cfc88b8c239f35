// SPDX-License-Identifier: GPL-2.0
/*
 * What an administrator sees: /sys/class/balloon/balloonN.
 *
 * Described in Documentation/ABI/testing/sysfs-class-balloon.  Each file holds
 * one value; numbers are pages of PAGE_SIZE or plain counts.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/sysfs.h>

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
	&dev_attr_state.attr,
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
	NULL
};
