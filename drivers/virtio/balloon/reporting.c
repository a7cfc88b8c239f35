// SPDX-License-Identifier: GPL-2.0
/*
 * Free page reporting (5.5.6.7): the kernel takes free pages aside until the
 * device has used the buffer that names them.
 *
 * Blocks that are inflated may share the queue: drivers/virtio/balloon/queues.c.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/minmax.h>
#include <linux/notifier.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/virtio.h>
#include <linux/virtio_ring.h>
#include <linux/wait.h>

#include "internal.h"

static struct vb_queue *reporting_queue(struct virtio_balloon *vb)
{
	return &vb->queue[VB_REPORT];
}

/* Return: 0 if the device has them, -ENOSPC if there is no room now, -ENODEV. */
static int reporting_add(struct virtio_balloon *vb, struct scatterlist *sg,
			 unsigned int nr)
{
	struct vb_queue *queue = reporting_queue(vb);
	bool notify = false;
	int err;

	spin_lock_irq(&queue->lock);
	if (queue->dead || !queue->reporting->open)
		err = -ENODEV;
	else if (queue->vq->num_free < nr)
		err = -ENOSPC;
	else
		err = virtqueue_add_inbuf(queue->vq, sg, nr, queue->reporting,
					  GFP_ATOMIC);
	if (!err) {
		WRITE_ONCE(queue->reporting->busy, true);
		notify = virtqueue_kick_prepare(queue->vq);
	}
	spin_unlock_irq(&queue->lock);
	if (notify)
		virtqueue_notify(queue->vq);
	return err;
}

static bool reporting_has_room(struct virtio_balloon *vb, unsigned int nr)
{
	return READ_ONCE(reporting_queue(vb)->vq->num_free) >= nr ||
	       !READ_ONCE(vb->reporting.open) || READ_ONCE(vb->reset);
}

static bool reporting_over(struct virtio_balloon *vb)
{
	return !READ_ONCE(vb->reporting.busy) || READ_ONCE(vb->reset);
}

/*
 * The pages must not be used before the device is done with them, however long
 * that takes.  It ends when the device is reset, which unbinding does.
 */
static int reporting_send(struct virtio_balloon *vb, struct scatterlist *sg,
			  unsigned int nr)
{
	bool complained = false;
	int err;

	/* The balloon's own reports may fill the ring. */
	do
		err = reporting_add(vb, sg, nr);
	while (err == -ENOSPC &&
	       wait_event_idle_timeout(vb->reporting.wait,
				       reporting_has_room(vb, nr),
				       VB_ACK_TIMEOUT));
	if (err)
		return err;
	while (!wait_event_idle_timeout(vb->reporting.wait, reporting_over(vb),
					VB_ACK_TIMEOUT)) {
		if (!complained)
			dev_err(&vb->vdev->dev, "device does not answer: free page reporting stopped until it does\n");
		complained = true;
	}
	return READ_ONCE(vb->reset) ? -ENODEV : 0;
}

static int reporting_report(struct page_reporting_dev_info *dev,
			    struct scatterlist *sg, unsigned int nr)
{
	struct virtio_balloon *vb = container_of(dev, struct virtio_balloon,
						 reporting.dev);
	unsigned int n, max = virtqueue_get_vring_size(reporting_queue(vb)->vq);
	bool last;
	int err;

	/* A buffer ends where its list is marked to end. */
	for (err = 0; nr && !err; sg += n, nr -= n) {
		n = min(nr, max);
		last = sg_is_last(&sg[n - 1]);
		sg_mark_end(&sg[n - 1]);
		err = reporting_send(vb, sg, n);
		if (!last)
			sg_unmark_end(&sg[n - 1]);
	}
	return err;
}

static void reporting_open(struct virtio_balloon *vb)
{
	spin_lock_irq(&reporting_queue(vb)->lock);
	WRITE_ONCE(vb->reporting.open, true);
	spin_unlock_irq(&reporting_queue(vb)->lock);
}

/*
 * No report begins any more.  The device has time for one that it has, and if it
 * keeps those pages, it is made to forget them; the balloon ends by that.
 * Return: true if the device was reset.
 */
static bool reporting_close(struct virtio_balloon *vb, unsigned long timeout)
{
	struct vb_reporting *reporting = &vb->reporting;
	struct vb_queue *queue = reporting_queue(vb);

	spin_lock_irq(&queue->lock);
	WRITE_ONCE(reporting->open, false);
	spin_unlock_irq(&queue->lock);
	wake_up(&reporting->wait);
	if (wait_event_timeout(reporting->wait, !READ_ONCE(reporting->busy) ||
			       virtqueue_is_broken(queue->vq), timeout) &&
	    !READ_ONCE(reporting->busy))
		return false;
	vb_reset(vb->b);
	return true;
}

/**
 * vb_reporting_begin - let the kernel report free pages
 * @vb: a device that has a queue for that
 *
 * That there is another driver that reports them is no error.
 *
 * Context: may sleep; under vb->mutex.
 */
void vb_reporting_begin(struct virtio_balloon *vb)
{
	struct vb_reporting *reporting = &vb->reporting;
	int err;

	reporting_open(vb);
	memset(&reporting->dev, 0, sizeof(reporting->dev));
	reporting->dev.report = reporting_report;
	reporting->dev.order = PAGE_REPORTING_ORDER_UNSPECIFIED;
	err = page_reporting_register(&reporting->dev);
	reporting->registered = !err;
	if (err)
		dev_warn(&vb->vdev->dev, "free pages are not reported (%d): is there another driver that does?\n",
			 err);
}

/**
 * vb_reporting_end - let the kernel report no more
 * @vb: the device
 * @timeout: jiffies in which the device may use what it was told
 *
 * The kernel waits for a report that is under way, however long that takes.
 *
 * Context: may sleep; takes vb->mutex if it resets the device.
 */
void vb_reporting_end(struct virtio_balloon *vb, unsigned long timeout)
{
	struct vb_reporting *reporting = &vb->reporting;

	if (!reporting->registered)
		return;
	reporting->registered = false;
	reporting_close(vb, timeout);
	page_reporting_unregister(&reporting->dev);
}

/**
 * vb_reporting_pm - the guest goes to sleep, or has woken up
 * @nb: of the device
 * @action: which of these
 * @data: not used
 *
 * Some kernels report in a freezable work item.  The freezer would wait for the
 * device's answer, and give up before vb_freeze() is called.
 *
 * A sleep may be given up for other reasons, too.  A device that was reset for it
 * knows of no page then, and hears of none: it is started anew.
 *
 * Context: may sleep; takes vb->mutex if it resets or starts the device.
 * Return: NOTIFY_OK, or NOTIFY_DONE if nothing is reported.
 */
int vb_reporting_pm(struct notifier_block *nb, unsigned long action,
		    void *data)
{
	struct virtio_balloon *vb = container_of(nb, struct virtio_balloon,
						 reporting.pm);

	if (!vb->reporting.registered)
		return NOTIFY_DONE;
	if (action == PM_SUSPEND_PREPARE || action == PM_HIBERNATION_PREPARE ||
	    action == PM_RESTORE_PREPARE)
		vb->reporting.was_reset |= reporting_close(vb, VB_LEAVE_TIMEOUT);
	else if (vb->reporting.was_reset)
		vb_restart(vb);
	else
		reporting_open(vb);
	return NOTIFY_OK;
}
