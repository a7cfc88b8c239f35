// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon adapter for virtio: tells the device about batches of page ranges,
 * and what else the guest has to tell of its memory: statistics, hints which
 * pages a live migration can leave out, reports of free pages.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, section 5.5, "Traditional Memory
 * Balloon Device".  The device counts in pages of 4 KiB (called PFNs here)
 * whatever PAGE_SIZE is.
 *
 * This is the life of a device: what it can do, how it begins, sleeps and ends,
 * and the work items in which its wishes are followed.  What it is told, and by
 * which queue, is in drivers/virtio/balloon/.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/err.h>
#include <linux/device.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/poison.h>
#include <linux/reboot.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "balloon/internal.h"

/* PFNs have 32 bits. */
#define VB_MAX_PFN		((U32_MAX + 1ULL) / VB_PFNS_PER_PAGE - 1)

/* In this order; a device numbers those that were negotiated without gaps. */
enum vb_vq {
	VB_VQ_INFLATE,
	VB_VQ_DEFLATE,
	VB_VQ_STATS,
	VB_VQ_HINTS,
	VB_VQ_REPORTING,
	VB_NR_VQS
};

/* A device that was reset has been told 0, and is not to be written to (3.1.1). */
static void __vb_report(struct virtio_balloon *vb, unsigned long nr_pages)
{
	u32 actual = nr_pages * VB_PFNS_PER_PAGE;

	lockdep_assert_held(&vb->mutex);
	/* One little-endian word, in legacy devices too (5.5.6.2.1). */
	if (!vb->reset)
		virtio_cwrite_le(vb->vdev, struct virtio_balloon_config, actual,
				 &actual);
}

static void vb_report(struct balloon *b, unsigned long nr_pages)
{
	struct virtio_balloon *vb = to_vb(b);

	mutex_lock(&vb->mutex);
	__vb_report(vb, nr_pages);
	mutex_unlock(&vb->mutex);
}

/**
 * vb_reset - the core's ->reset()
 * @b: the device
 *
 * The device forgets its pages by a reset, but not how many it was told that
 * there are.
 *
 * Context: may sleep; takes vb->mutex and the locks of the queues.
 */
void vb_reset(struct balloon *b)
{
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;

	for (i = 0; i < VB_NR_WAYS; i++)
		vb_queue_close(&vb->queue[i]);
	mutex_lock(&vb->mutex);
	__vb_report(vb, 0);
	virtio_reset_device(vb->vdev);
	WRITE_ONCE(vb->reset, true);
	mutex_unlock(&vb->mutex);
	for (i = 0; i < VB_NR_WAYS; i++)
		vb_queue_fail(&vb->queue[i]);
	wake_up(&vb->reporting.wait);
}

static const struct balloon_dev_ops vb_ops = {
	.driver = KBUILD_MODNAME,
	.batch_priv_size = sizeof(struct vb_batch),
	.max_pfn = VB_MAX_PFN,
	.submit = vb_submit,
	.report = vb_report,
	.reset = vb_reset,
};

/*
 * Work items: frozen when the guest sleeps, so none waits for the device; and not
 * counted among those of a processor, so none keeps others waiting.  The queue is
 * not unbound for the reason that mm/balloon/batch.c gives.
 */

static struct workqueue_struct *vb_wq;

/**
 * vb_queue_work - do what the device wants
 * @vb: the device
 * @work: one of its work items
 *
 * It wakes the guest up, if the device is allowed to.
 *
 * Context: any, interrupts included; takes vb->work_lock.
 */
void vb_queue_work(struct virtio_balloon *vb, struct work_struct *work)
{
	unsigned long flags;

	spin_lock_irqsave(&vb->work_lock, flags);
	if (!vb->stopped && queue_work(vb_wq, work) &&
	    !vb->nr_works++)
		pm_stay_awake(&vb->vdev->dev);
	spin_unlock_irqrestore(&vb->work_lock, flags);
}

/**
 * vb_work_done - a work item ends
 * @vb: its device
 *
 * Context: any with interrupts on; takes vb->work_lock.
 */
void vb_work_done(struct virtio_balloon *vb)
{
	spin_lock_irq(&vb->work_lock);
	if (!--vb->nr_works)
		pm_relax(&vb->vdev->dev);
	spin_unlock_irq(&vb->work_lock);
}

static void vb_cancel_work(struct virtio_balloon *vb, struct work_struct *work)
{
	if (cancel_work_sync(work))
		vb_work_done(vb);
}

static void vb_target_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 target_work);
	struct virtio_device *vdev = vb->vdev;
	u32 nr_pfns;

	virtio_cread_le(vdev, struct virtio_balloon_config, num_pages, &nr_pfns);
	/* A device that has failed says so (2.1.2), and reads as anything. */
	if (vdev->config->get_status(vdev) & VIRTIO_CONFIG_S_NEEDS_RESET)
		balloon_device_failed(vb->b, -EIO);
	else	/* rounded up, as a page can only be given whole */
		balloon_set_target(vb->b,
				   DIV_ROUND_UP((u64)nr_pfns, VB_PFNS_PER_PAGE));
	vb_work_done(vb);
}

static void vb_changed(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	vb_queue_work(vb, &vb->target_work);
	if (vb->hints.vq)
		vb_queue_work(vb, &vb->hints.work);
}

/* Found queues are enabled, and a device disables none but by a reset. */
static void vb_del_vqs(struct virtio_balloon *vb)
{
	unsigned int i;

	mutex_lock(&vb->mutex);
	virtio_reset_device(vb->vdev);
	WRITE_ONCE(vb->reset, true);
	mutex_unlock(&vb->mutex);
	if (vb->hints.vq)
		vb_hints_end(&vb->hints);
	for (i = 0; i < VB_NR_WAYS; i++)
		vb_queue_exit(&vb->queue[i]);
	vb->vdev->config->del_vqs(vb->vdev);
	vb->stats.vq = NULL;
	vb->hints.vq = NULL;
}

static int vb_find_vqs(struct virtio_balloon *vb)
{
	struct virtqueue_info info[VB_NR_VQS] = {
		[VB_VQ_INFLATE] = { .name = "inflate", .callback = vb_queue_callback },
		[VB_VQ_DEFLATE] = { .name = "deflate", .callback = vb_queue_callback },
	};
	static const enum vb_vq ways[VB_NR_WAYS] = {
		[VB_INFLATE] = VB_VQ_INFLATE,
		[VB_DEFLATE] = VB_VQ_DEFLATE,
		[VB_REPORT] = VB_VQ_REPORTING,
	};
	struct virtqueue *vqs[VB_NR_VQS] = { };
	unsigned int i;
	int err;

	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_STATS_VQ)) {
		info[VB_VQ_STATS].name = "stats";
		info[VB_VQ_STATS].callback = vb_stats_callback;
	}
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT)) {
		info[VB_VQ_HINTS].name = "hints";
		info[VB_VQ_HINTS].callback = vb_hints_callback;
	}
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_REPORTING)) {
		info[VB_VQ_REPORTING].name = "reporting";
		info[VB_VQ_REPORTING].callback = vb_queue_callback;
	}
	err = virtio_find_vqs(vb->vdev, VB_NR_VQS, vqs, info, NULL);
	if (err)
		return err;
	WRITE_ONCE(vb->reset, false);
	vb->stats.vq = vqs[VB_VQ_STATS];
	vb->stats.sent = false;
	vb->hints.vq = vqs[VB_VQ_HINTS];
	if (vb->hints.vq)
		vb_hints_begin(&vb->hints);
	for (i = 0; i < VB_NR_WAYS && !err; i++)
		if (vqs[ways[i]])
			err = vb_queue_init(&vb->queue[i], vqs[ways[i]]);
	if (err)
		vb_del_vqs(vb);
	return err;
}

/* The device is to know what free pages contain, before DRIVER_OK (5.5.6.6). */
static void vb_tell_poison(struct virtio_device *vdev)
{
	u32 poison = want_init_on_free() ? 0 : PAGE_POISON * 0x01010101U;

	if (virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		virtio_cwrite_le(vdev, struct virtio_balloon_config, poison_val,
				 &poison);
}

/* The queues are there: follow the device. */
static void __vb_start(struct virtio_balloon *vb)
{
	lockdep_assert_held(&vb->mutex);
	vb_tell_poison(vb->vdev);
	virtio_device_ready(vb->vdev);
	spin_lock_irq(&vb->work_lock);
	vb->stopped = false;
	spin_unlock_irq(&vb->work_lock);
	if (vb->queue[VB_REPORT].vq)
		vb_reporting_begin(vb);
	if (vb->stats.vq)
		vb_queue_work(vb, &vb->stats.work);
	vb_changed(vb->vdev);
}

static void vb_start(struct virtio_balloon *vb)
{
	mutex_lock(&vb->mutex);
	/* After vb_reboot() the device is not to hear of this kernel again. */
	if (!vb->over)
		__vb_start(vb);
	mutex_unlock(&vb->mutex);
}

/*
 * Nothing but the core uses the device any more; with what it holds by then it
 * has @timeout to be done.
 */
static void vb_stop(struct virtio_balloon *vb, unsigned long timeout)
{
	spin_lock_irq(&vb->work_lock);
	vb->stopped = true;
	spin_unlock_irq(&vb->work_lock);
	vb_cancel_work(vb, &vb->target_work);
	vb_cancel_work(vb, &vb->stats.work);
	vb_cancel_work(vb, &vb->hints.work);
	vb_reporting_end(vb, timeout);
}

static int vb_register(struct virtio_balloon *vb)
{
	vb->b = balloon_register_device(&vb->vdev->dev, &vb_ops, vb);
	if (IS_ERR(vb->b))
		return PTR_ERR(vb->b);
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		balloon_deflate_on_oom(vb->b);
	return 0;
}

/*
 * What the device was told and has not done must not happen to the next kernel.
 * Of this a reboot notifier is told in time by all kernels; a driver's
 * ->shutdown() is not, since some of them reset virtio devices first.
 */
static int vb_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	struct virtio_balloon *vb = container_of(nb, struct virtio_balloon,
						 reboot);

	mutex_lock(&vb->mutex);
	vb->over = true;
	mutex_unlock(&vb->mutex);
	vb_stop(vb, VB_LEAVE_TIMEOUT);
	balloon_shutdown(vb->b);
	return NOTIFY_OK;
}

static struct virtio_balloon *vb_alloc(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = kzalloc(sizeof(*vb), GFP_KERNEL);

	if (!vb)
		return NULL;
	vb->vdev = vdev;
	vdev->priv = vb;
	vb->stopped = true;
	spin_lock_init(&vb->work_lock);
	mutex_init(&vb->mutex);
	INIT_WORK(&vb->target_work, vb_target_work);
	INIT_WORK(&vb->stats.work, vb_stats_work);
	INIT_WORK(&vb->hints.work, vb_hints_work);
	INIT_LIST_HEAD(&vb->hints.blocks);
	init_waitqueue_head(&vb->reporting.wait);
	vb->queue[VB_REPORT].reporting = &vb->reporting;
	vb->reporting.pm.notifier_call = vb_reporting_pm;
	vb->reboot.notifier_call = vb_reboot;
	return vb;
}

static int vb_probe(struct virtio_device *vdev)
{
	struct virtio_balloon *vb;
	int err;

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "device has no configuration space\n");
		return -EINVAL;
	}
	vb = vb_alloc(vdev);
	if (!vb)
		return -ENOMEM;
	err = vb_find_vqs(vb);
	if (err)
		goto err_free;
	err = vb_register(vb);
	if (err)
		goto err_del_vqs;
	err = register_reboot_notifier(&vb->reboot);
	if (err)
		goto err_unregister;
	err = register_pm_notifier(&vb->reporting.pm);
	if (err)
		goto err_unregister_reboot;
	device_set_wakeup_capable(&vdev->dev, true);
	vb_start(vb);
	return 0;

err_unregister_reboot:
	unregister_reboot_notifier(&vb->reboot);
err_unregister:
	balloon_unregister_device(vb->b);
err_del_vqs:
	vb_del_vqs(vb);
err_free:
	kfree(vb);
	return err;
}

static void vb_remove(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err;

	unregister_pm_notifier(&vb->reporting.pm);
	unregister_reboot_notifier(&vb->reboot);
	vb_stop(vb, VB_ACK_TIMEOUT);
	err = balloon_unregister_device(vb->b);
	vb_del_vqs(vb);
	/*
	 * A call of vb_submit() may hang in a notification.  When it comes back it
	 * uses @vb, and has this code on its stack.  If it is this module that is
	 * being unloaded, a reference does not stop that.
	 */
	if (err)
		__module_get(THIS_MODULE);
	else
		kfree(vb);
}

#ifdef CONFIG_PM_SLEEP
/* The queues do not survive a sleep, and the device may be another one then. */
static int vb_freeze(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err;

	/* From here on the virtio core has the device restored. */
	vb->reporting.was_reset = false;
	vb_stop(vb, VB_LEAVE_TIMEOUT);
	err = balloon_freeze(vb->b);
	if (!err)
		vb_del_vqs(vb);
	return err;
}

static int vb_restore(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err;

	err = vb_find_vqs(vb);
	if (err)
		return err;
	balloon_thaw(vb->b);
	vb_start(vb);
	return 0;
}

/**
 * vb_restart - start a device anew that was reset for a sleep that did not come
 * @vb: the device
 *
 * It goes to sleep and wakes up as far as the virtio core is concerned, which
 * calls vb_freeze() and vb_restore().
 *
 * The virtio core is used to having the device lock, and must not get it here:
 * vb_remove() begins with unregister_pm_notifier() under that lock, and waits
 * there for vb_reporting_pm(), which calls this.  For the same reason it cannot
 * remove the device meanwhile.
 *
 * Context: may sleep; only in vb_reporting_pm(); takes vb->mutex and the locks of
 * the queues.
 */
void vb_restart(struct virtio_balloon *vb)
{
	struct virtio_device *vdev = vb->vdev;
	int err;

	err = virtio_device_freeze(vdev);
	if (!err)
		err = virtio_device_restore(vdev);
	if (err)
		dev_err(&vdev->dev, "balloon stopped after a sleep that was given up (%d): unbind and bind the device to restart it\n",
			err);
}
#endif

static int vb_validate(struct virtio_device *vdev)
{
	/* PFNs are guest physical, whatever the device's own addresses are. */
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	/* Direct descriptors only: all devices take them, nothing to allocate. */
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	/* A device that does not know what free pages contain would change it. */
	if (!want_init_on_free() && !page_poisoning_enabled_static())
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_PAGE_POISON);
	else if (!virtio_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_REPORTING);
	return 0;
}

/*
 * Features that have a queue are accepted up to one of them and refused from
 * there on: devices number their queues by what they offered, the kernel by what
 * was accepted.  A legacy device has none of those that came later.
 */
static const unsigned int vb_legacy_features[] = {
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
};

static const unsigned int vb_features[] = {
	/*
	 * No page is given back before the device has acknowledged it, with
	 * or without this.
	 */
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
	VIRTIO_BALLOON_F_STATS_VQ,
	VIRTIO_BALLOON_F_DEFLATE_ON_OOM,
	VIRTIO_BALLOON_F_FREE_PAGE_HINT,
	VIRTIO_BALLOON_F_PAGE_POISON,
	VIRTIO_BALLOON_F_REPORTING,
};

static const struct virtio_device_id vb_id_table[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, vb_id_table);

static struct virtio_driver vb_driver = {
	.feature_table = vb_features,
	.feature_table_size = ARRAY_SIZE(vb_features),
	.feature_table_legacy = vb_legacy_features,
	.feature_table_size_legacy = ARRAY_SIZE(vb_legacy_features),
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.id_table = vb_id_table,
	.validate = vb_validate,
	.probe = vb_probe,
	.remove = vb_remove,
	.config_changed = vb_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vb_freeze,
	.restore = vb_restore,
#endif
};

static int __init vb_init(void)
{
	int err;

	vb_wq = alloc_workqueue(KBUILD_MODNAME,
				WQ_PERCPU | WQ_CPU_INTENSIVE | WQ_FREEZABLE, 0);
	if (!vb_wq)
		return -ENOMEM;
	err = vb_hints_init();
	if (err)
		goto err_destroy_wq;
	err = register_virtio_driver(&vb_driver);
	if (err)
		goto err_hints_exit;
	return 0;

err_hints_exit:
	vb_hints_exit();
err_destroy_wq:
	destroy_workqueue(vb_wq);
	return err;
}
module_init(vb_init);

static void __exit vb_exit(void)
{
	unregister_virtio_driver(&vb_driver);
	vb_hints_exit();
	destroy_workqueue(vb_wq);
}
module_exit(vb_exit);

MODULE_DESCRIPTION("Virtio balloon adapter");
MODULE_LICENSE("GPL");
