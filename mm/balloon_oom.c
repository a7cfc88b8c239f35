// SPDX-License-Identifier: GPL-2.0
/*
 * Deflation when the guest runs out of memory, for devices that allow it.
 *
 * An OOM notifier, not a shrinker: a balloon must not shrink because somebody
 * drops caches or reclaims for the page cache's sake.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/device.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sizes.h>
#include <linux/workqueue.h>

#include "balloon_internal.h"

/* What is taken back at a time, before the OOM killer looks for a victim. */
#define BALLOON_OOM_PAGES	(SZ_4M >> PAGE_SHIFT)

/* Called with the OOM lock held; allocates nothing. */
static int oom_notify(struct notifier_block *nb, unsigned long unused,
		      void *data)
{
	struct balloon_dev_info *b = container_of(nb, struct balloon_dev_info,
						  oom);
	unsigned long *freed = data, nr;

	/* Another balloon may have given enough already. */
	if (*freed >= BALLOON_OOM_PAGES)
		return NOTIFY_OK;
	nr = balloon_squeeze(b, BALLOON_OOM_PAGES - *freed);
	if (nr)
		dev_info_ratelimited(b->dev, "out of memory: %lu pages given back\n",
				     nr);
	*freed += nr;
	return NOTIFY_OK;
}

/**
 * balloon_deflate_on_oom - let the guest have pages back when memory runs out
 * @b: a registered device of which the target was never set
 *
 * Pages of the balloon then count as memory of the guest: they stay in MemTotal
 * and in the zones' managed pages.  After it was squeezed, the balloon tries to
 * reach its target again when memory is available, half a minute later.
 *
 * Context: process, may sleep.
 * Return: 0 or a negative errno.
 */
int balloon_deflate_on_oom(struct balloon_dev_info *b)
{
	int err;

	b->oom.notifier_call = oom_notify;
	err = register_oom_notifier(&b->oom);
	b->deflate_on_oom = !err;
	return err;
}
EXPORT_SYMBOL_GPL(balloon_deflate_on_oom);

/**
 * balloon_oom_exit - no call for this device any more
 * @b: a device that is being unregistered
 *
 * Context: process, may sleep.
 */
void balloon_oom_exit(struct balloon_dev_info *b)
{
	if (b->deflate_on_oom)
		unregister_oom_notifier(&b->oom);
}
