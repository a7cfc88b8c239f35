// SPDX-License-Identifier: GPL-2.0
/*
 * A virtio device that falls silent or fails when a scenario wants it, by kprobes
 * in a guest whose real device never does.
 *
 * silent:	names of virtqueues, such as "inflate,deflate": the device is not
 *		notified of what is in them
 * fail:	with the next notification the device's other virtqueues break
 * ack_timeout_ms:	how long a balloon waits for its device, from its next target on
 * late_report:	somebody is about to unregister from page reporting: the device
 *		falls silent on the queue "reporting", and free pages are reported
 *		before page_reporting_unregister() does anything; once
 * no_sleep:	somebody does not let the guest sleep, of which all others were told
 * suppressed:	notifications of which the device did not hear
 * tried:	calls of ->report() that late_report has provoked
 *
 * What is sent by virtqueue_kick() is not seen.  Nothing of this is undone, but
 * that a device hears of all with its next notification.
 */
#include <linux/balloon_compaction.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/page_reporting.h>
#include <linux/ptrace.h>
#include <linux/sizes.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/workqueue.h>

/* Free memory for the late report, in pieces that are worth one. */
#define PIECES			8
#define PIECE_ORDER		get_order(SZ_2M)
/* How long the late report may take to begin, and then to come to the device. */
#define BEGIN_MS		5000
#define ARRIVE_MS		100

static char silent[64];
module_param_string(silent, silent, sizeof(silent), 0644);
static bool fail;
module_param(fail, bool, 0644);
static bool no_sleep;
module_param(no_sleep, bool, 0644);
static unsigned int ack_timeout_ms;
module_param(ack_timeout_ms, uint, 0644);
static unsigned int suppressed;
module_param(suppressed, uint, 0444);
static unsigned int tried;
module_param(tried, uint, 0444);

static struct page *piece[PIECES];	/* there while a late report is wanted */
static int (*real_report)(struct page_reporting_dev_info *dev,
			  struct scatterlist *sg, unsigned int nr);

static noinline bool say_nothing(struct virtqueue *vq)
{
	/* As if the device had been notified. */
	return true;
}

static void break_others(struct virtqueue *vq)
{
	struct virtqueue *other;

	list_for_each_entry(other, &vq->vdev->vqs, list)
		if (other != vq)
			__virtqueue_break(other);
}

static int before_notify(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct virtqueue *vq = (void *)regs_get_kernel_argument(regs, 0);

	if (READ_ONCE(fail)) {
		WRITE_ONCE(fail, false);
		break_others(vq);
	}
	if (!strstr(silent, vq->name))
		return 0;
	suppressed++;
	instruction_pointer_set(regs, (unsigned long)say_nothing);
	return 1;
}
NOKPROBE_SYMBOL(before_notify);

static int before_set_target(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct balloon *b = (void *)regs_get_kernel_argument(regs, 0);

	if (READ_ONCE(ack_timeout_ms))
		balloon_set_ack_timeout(b, ack_timeout_ms);
	return 0;
}
NOKPROBE_SYMBOL(before_set_target);

static int count_and_report(struct page_reporting_dev_info *dev,
			    struct scatterlist *sg, unsigned int nr)
{
	WRITE_ONCE(tried, tried + 1);
	return real_report(dev, sg, nr);
}

static int before_unregister(struct kprobe *kprobe, struct pt_regs *regs)
{
	struct page_reporting_dev_info *dev;
	unsigned int i, before = READ_ONCE(tried), cpu;

	/* This processor is not free for it, and another may not have woken up. */
	cpu = cpumask_any_but(cpu_online_mask, smp_processor_id());
	if (!piece[0] || cpu >= nr_cpu_ids)
		return 0;
	dev = (void *)regs_get_kernel_argument(regs, 0);
	real_report = dev->report;
	dev->report = count_and_report;
	strscpy(silent, "reporting", sizeof(silent));
	for (i = 0; i < PIECES; i++) {
		__free_pages(piece[i], PIECE_ORDER);
		piece[i] = NULL;
	}
	mod_delayed_work_on(cpu, system_wq, &dev->work, 0);
	for (i = 0; i < BEGIN_MS && READ_ONCE(tried) == before; i++)
		mdelay(1);
	mdelay(ARRIVE_MS);
	return 0;
}
NOKPROBE_SYMBOL(before_unregister);

static int set_late_report(const char *value, const struct kernel_param *param)
{
	unsigned int i;

	for (i = 0; i < PIECES; i++) {
		if (piece[i])
			continue;
		piece[i] = alloc_pages(GFP_KERNEL, PIECE_ORDER);
		if (!piece[i])
			return -ENOMEM;
	}
	return 0;
}

static const struct kernel_param_ops late_report_ops = { .set = set_late_report };
module_param_cb(late_report, &late_report_ops, NULL, 0200);

static int before_sleep(struct notifier_block *nb, unsigned long action,
			void *data)
{
	return READ_ONCE(no_sleep) && action == PM_SUSPEND_PREPARE ?
	       NOTIFY_BAD : NOTIFY_OK;
}

/* The last to be told. */
static struct notifier_block sleep_notifier = {
	.notifier_call = before_sleep,
	.priority = INT_MIN,
};

static struct kprobe probe[] = {
	{ .symbol_name = "virtqueue_notify", .pre_handler = before_notify },
	{ .symbol_name = "page_reporting_unregister",
	  .pre_handler = before_unregister },
	{ .symbol_name = "balloon_set_target",
	  .pre_handler = before_set_target },
};

static int __init silence_init(void)
{
	struct kprobe *probes[] = { &probe[0], &probe[1], &probe[2] };
	int err;

	err = register_pm_notifier(&sleep_notifier);
	if (err)
		return err;
	err = register_kprobes(probes, ARRAY_SIZE(probes));
	if (err)
		unregister_pm_notifier(&sleep_notifier);
	return err;
}
module_init(silence_init);

/* Probes that change where a function goes on stay. */
MODULE_DESCRIPTION("Test aid: virtio devices that fall silent or fail");
MODULE_LICENSE("GPL");
