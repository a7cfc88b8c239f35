// SPDX-License-Identifier: GPL-2.0
/*
 * Balloon adapter for virtio: tells the device about batches of page ranges.
 *
 * Source: Virtual I/O Device (VIRTIO) 1.2, section 5.5, "Traditional Memory
 * Balloon Device".  The device counts in pages of 4 KiB (called PFNs here)
 * whatever PAGE_SIZE is.
 *
 * Not every device accepts all that the specification allows.  What all accept
 * is a buffer of one direct, device-readable descriptor with at most 256 PFNs,
 * several of them at once; that is all that is sent.
 *
 * A batch becomes one *part* for each of its directions.  A part waits in its
 * queue until enough messages are free, is encoded into them 256 PFNs at a
 * time, and is done when the device has used all of them.
 *
 * Lock order: core locks, then queue->lock; the core is called without it.
 */
#include <linux/balloon_compaction.h>
#include <linux/bug.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/workqueue.h>

#define PFNS_PER_PAGE		(PAGE_SIZE >> VIRTIO_BALLOON_PFN_SHIFT)
#define PFNS_PER_MESSAGE	256
#define PAGES_PER_MESSAGE	(PFNS_PER_MESSAGE / PFNS_PER_PAGE)

/* Messages of a queue: enough for two batches of 4 KiB pages. */
#define MESSAGES_PER_QUEUE	32U

enum vb_direction { VB_INFLATE, VB_DEFLATE, VB_NR_DIRECTIONS };

/**
 * struct vb_part - one direction of a batch on its way
 * @node: in ->waiting of its queue until all is encoded, then free for lists
 *	of done parts
 * @batch: the batch
 * @list: the ranges
 * @range: index of the range to be encoded next
 * @page: page in it to be encoded next
 * @in_flight: messages that the device has not used yet
 * @error: 0, or why not all was sent
 *
 * All under the lock of the queue.
 */
struct vb_part {
	struct list_head node;
	struct balloon_batch *batch;
	struct balloon_range_list *list;
	unsigned int range;
	unsigned int page;
	unsigned int in_flight;
	int error;
};

/**
 * struct vb_batch - the driver's own part of a batch
 * @part: one for each direction
 * @nr_parts: parts not done yet, and one while they are being queued
 */
struct vb_batch {
	struct vb_part part[VB_NR_DIRECTIONS];
	atomic_t nr_parts;
};

/**
 * struct vb_message - a buffer for the device
 * @node: in ->free of its queue, unless the device has it
 * @part: what it is about, NULL unless the device has it
 * @pfns: what is sent
 */
struct vb_message {
	struct list_head node;
	struct vb_part *part;
	__virtio32 pfns[PFNS_PER_MESSAGE];
};

/**
 * struct vb_queue - a virtqueue with its messages
 * @vq: the virtqueue
 * @lock: protects all below and serialises operations on @vq
 * @waiting: parts not completely encoded, first to be sent first
 * @free: messages that the device does not have
 * @messages: memory of all messages
 */
struct vb_queue {
	struct virtqueue *vq;
	spinlock_t lock;		/* protects what is said above */
	struct list_head waiting;
	struct list_head free;
	struct vb_message *messages;
};

/**
 * struct virtio_balloon - a device
 * @vdev: the virtio device
 * @b: the core's side
 * @queue: inflateq and deflateq
 * @target_work: reads the target from the configuration space
 */
struct virtio_balloon {
	struct virtio_device *vdev;
	struct balloon_dev_info b;
	struct vb_queue queue[VB_NR_DIRECTIONS];
	struct work_struct target_work;
};

static struct virtio_balloon *to_vb(struct balloon_dev_info *b)
{
	return container_of(b, struct virtio_balloon, b);
}

/*
 * PFNs have 32 bits: pages above are refused.
 * Return: number of pages of @range that can be told.
 */
static unsigned int range_limit(struct balloon_range *range)
{
	const u64 end = (U32_MAX + 1ULL) / PFNS_PER_PAGE;
	u64 last = (u64)range->pfn + range->nr;

	if (unlikely(last > end))
		range->nr_refused = min_t(u64, range->nr, last - end);
	return range->nr - range->nr_refused;
}

/* Return: number of PFNs, 0 at the end of the part. */
static unsigned int message_encode(struct virtio_device *vdev,
				   struct vb_message *msg, struct vb_part *part)
{
	struct balloon_range *range = &part->list->range[part->range];
	struct balloon_range *end = &part->list->range[part->list->nr];
	bool little_endian = virtio_is_little_endian(vdev);
	__virtio32 *to = msg->pfns, *last;
	unsigned int nr;
	u32 pfn;

	for (; range < end; range++, part->page = 0) {
		nr = range_limit(range) - part->page;
		nr = min_t(unsigned int, nr * PFNS_PER_PAGE,
			   msg->pfns + PAGES_PER_MESSAGE * PFNS_PER_PAGE - to);
		pfn = (range->pfn + part->page) * PFNS_PER_PAGE;
		for (last = to + nr; to < last; pfn++)
			*to++ = __cpu_to_virtio32(little_endian, pfn);
		part->page += nr / PFNS_PER_PAGE;
		if (part->page < range->nr - range->nr_refused)
			break;
	}
	part->range = range - part->list->range;
	return to - msg->pfns;
}

/* Encode waiting parts as far as there are messages. */
static bool __queue_feed(struct vb_queue *queue, struct list_head *done)
{
	struct vb_part *part;
	struct vb_message *msg;
	struct scatterlist sg;
	bool fed = false;
	unsigned int nr;

	lockdep_assert_held(&queue->lock);
	while ((part = list_first_entry_or_null(&queue->waiting,
						struct vb_part, node))) {
		msg = list_first_entry_or_null(&queue->free, struct vb_message,
					       node);
		if (!msg)
			break;
		nr = message_encode(queue->vq->vdev, msg, part);
		if (nr) {
			sg_init_one(&sg, msg->pfns, nr * sizeof(msg->pfns[0]));
			part->error = virtqueue_add_outbuf(queue->vq, &sg, 1,
							   msg, GFP_ATOMIC);
		}
		if (nr && !part->error) {
			list_del(&msg->node);
			msg->part = part;
			part->in_flight++;
			fed = true;
		} else {
			/* All encoded, or the device takes no more. */
			list_del_init(&part->node);
			if (!part->in_flight)
				list_add_tail(&part->node, done);
		}
	}
	return fed;
}

static void __message_done(struct vb_queue *queue, struct vb_message *msg,
			   struct list_head *done)
{
	struct vb_part *part = msg->part;

	lockdep_assert_held(&queue->lock);
	/* The device does not have it. */
	if (WARN_ON_ONCE(!part))
		return;
	msg->part = NULL;
	list_add(&msg->node, &queue->free);
	if (!--part->in_flight && list_empty(&part->node))
		list_add_tail(&part->node, done);
}

static void __queue_collect(struct vb_queue *queue, struct list_head *done)
{
	struct vb_message *msg;
	unsigned int len;

	lockdep_assert_held(&queue->lock);
	while ((msg = virtqueue_get_buf(queue->vq, &len)))
		__message_done(queue, msg, done);
}

/* A part is done, or all are queued; the last one completes the batch. */
static void batch_put(struct balloon_batch *batch)
{
	struct vb_batch *vbb = balloon_batch_priv(batch);

	if (atomic_dec_and_test(&vbb->nr_parts))
		balloon_batch_complete(batch, vbb->part[VB_INFLATE].error ?:
					      vbb->part[VB_DEFLATE].error);
}

static void parts_done(struct list_head *done)
{
	struct vb_part *part, *next;

	list_for_each_entry_safe(part, next, done, node)
		batch_put(part->batch);
}

/*
 * Send what waits and collect what the device has used.  Many devices have
 * their answer ready when the notification returns, so look before asking for
 * an interrupt.
 */
static void queue_run(struct vb_queue *queue, struct vb_part *part)
{
	unsigned long flags;
	LIST_HEAD(done);
	bool again;

	spin_lock_irqsave(&queue->lock, flags);
	if (part)
		list_add_tail(&part->node, &queue->waiting);
	do {
		virtqueue_disable_cb(queue->vq);
		__queue_collect(queue, &done);
		again = __queue_feed(queue, &done);
		if (again && virtqueue_kick_prepare(queue->vq)) {
			spin_unlock_irqrestore(&queue->lock, flags);
			virtqueue_notify(queue->vq);
			spin_lock_irqsave(&queue->lock, flags);
		}
	} while (again || !virtqueue_enable_cb(queue->vq));
	spin_unlock_irqrestore(&queue->lock, flags);
	parts_done(&done);
}

static void queue_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	queue_run(&vb->queue[vq->index], NULL);
}

static int vb_submit(struct balloon_dev_info *b, struct balloon_batch *batch)
{
	struct vb_batch *vbb = balloon_batch_priv(batch);
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;

	for (i = 0; i < VB_NR_DIRECTIONS; i++)
		if (virtqueue_is_broken(vb->queue[i].vq))
			return -EIO;

	atomic_set(&vbb->nr_parts, 1 + VB_NR_DIRECTIONS);
	vbb->part[VB_INFLATE] = (struct vb_part){
		.batch = batch,
		.list = &batch->inflate,
	};
	vbb->part[VB_DEFLATE] = (struct vb_part){
		.batch = batch,
		.list = &batch->deflate,
	};
	for (i = 0; i < VB_NR_DIRECTIONS; i++) {
		if (vbb->part[i].list->nr)
			queue_run(&vb->queue[i], &vbb->part[i]);
		else
			batch_put(batch);
	}
	batch_put(batch);
	return 0;
}

static void vb_report(struct balloon_dev_info *b, unsigned long nr_pages)
{
	struct virtio_balloon *vb = to_vb(b);
	u32 actual = nr_pages * PFNS_PER_PAGE;

	/* One little-endian word, in legacy devices too (5.5.6.2.1). */
	virtio_cwrite_le(vb->vdev, struct virtio_balloon_config, actual,
			 &actual);
}

/* After a reset the device uses no buffer any more. */
static void queue_fail(struct vb_queue *queue)
{
	struct vb_part *part;
	struct vb_message *msg;
	LIST_HEAD(done);

	spin_lock_irq(&queue->lock);
	while ((msg = virtqueue_detach_unused_buf(queue->vq))) {
		msg->part->error = -ENODEV;
		__message_done(queue, msg, &done);
	}
	list_for_each_entry(part, &queue->waiting, node)
		part->error = -ENODEV;
	list_splice_tail_init(&queue->waiting, &done);
	spin_unlock_irq(&queue->lock);
	parts_done(&done);
}

static void vb_reset(struct balloon_dev_info *b)
{
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;

	virtio_reset_device(vb->vdev);
	for (i = 0; i < VB_NR_DIRECTIONS; i++)
		queue_fail(&vb->queue[i]);
}

static const struct balloon_dev_ops vb_ops = {
	.driver = KBUILD_MODNAME,
	.batch_priv_size = sizeof(struct vb_batch),
	.submit = vb_submit,
	.report = vb_report,
	.reset = vb_reset,
};

static void vb_target_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 target_work);
	u32 nr_pfns;

	virtio_cread_le(vb->vdev, struct virtio_balloon_config, num_pages,
			&nr_pfns);
	/* Rounded up, as a page can only be given whole. */
	balloon_set_target(&vb->b, DIV_ROUND_UP((u64)nr_pfns, PFNS_PER_PAGE));
}

static void vb_changed(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	queue_work(system_freezable_wq, &vb->target_work);
}

static int queue_init(struct vb_queue *queue, struct virtqueue *vq)
{
	unsigned int nr = min(virtqueue_get_vring_size(vq), MESSAGES_PER_QUEUE);
	unsigned int i;

	queue->vq = vq;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->waiting);
	INIT_LIST_HEAD(&queue->free);
	queue->messages = kcalloc(nr, sizeof(*queue->messages), GFP_KERNEL);
	if (!queue->messages)
		return -ENOMEM;
	for (i = 0; i < nr; i++)
		list_add_tail(&queue->messages[i].node, &queue->free);
	return 0;
}

static void vb_free(struct virtio_balloon *vb)
{
	unsigned int i;

	for (i = 0; i < VB_NR_DIRECTIONS; i++)
		kfree(vb->queue[i].messages);
	kfree(vb);
}

/* Found queues are enabled, and a device disables none but by a reset. */
static void vb_del_vqs(struct virtio_device *vdev)
{
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static int vb_find_vqs(struct virtio_balloon *vb)
{
	struct virtqueue_info info[VB_NR_DIRECTIONS] = {
		[VB_INFLATE] = { .name = "inflate", .callback = queue_callback },
		[VB_DEFLATE] = { .name = "deflate", .callback = queue_callback },
	};
	struct virtqueue *vqs[VB_NR_DIRECTIONS];
	unsigned int i;
	int err;

	err = virtio_find_vqs(vb->vdev, VB_NR_DIRECTIONS, vqs, info, NULL);
	if (err)
		return err;
	for (i = 0; i < VB_NR_DIRECTIONS && !err; i++)
		err = queue_init(&vb->queue[i], vqs[i]);
	if (err)
		vb_del_vqs(vb->vdev);
	return err;
}

static int vb_probe(struct virtio_device *vdev)
{
	struct virtio_balloon *vb;
	int err;

	BUILD_BUG_ON(PAGE_SHIFT < VIRTIO_BALLOON_PFN_SHIFT);
	BUILD_BUG_ON(!PAGES_PER_MESSAGE);

	if (!vdev->config->get) {
		dev_err(&vdev->dev, "device has no configuration space\n");
		return -EINVAL;
	}
	vb = kzalloc(sizeof(*vb), GFP_KERNEL);
	if (!vb)
		return -ENOMEM;
	vb->vdev = vdev;
	vdev->priv = vb;
	INIT_WORK(&vb->target_work, vb_target_work);

	err = vb_find_vqs(vb);
	if (err)
		goto err_free;
	err = balloon_register_device(&vb->b, &vdev->dev, &vb_ops);
	if (err)
		goto err_del_vqs;
	virtio_device_ready(vdev);
	vb_changed(vdev);
	return 0;

err_del_vqs:
	vb_del_vqs(vdev);
err_free:
	vb_free(vb);
	return err;
}

static void vb_remove(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err;

	cancel_work_sync(&vb->target_work);
	err = balloon_unregister_device(&vb->b);
	vb_del_vqs(vdev);
	if (!err)
		vb_free(vb);
}

#ifdef CONFIG_PM_SLEEP
/* The queues do not survive a sleep; rather none than a dead balloon. */
static int vb_freeze(struct virtio_device *vdev)
{
	dev_err(&vdev->dev, "balloon cannot be suspended yet: unbind the driver first\n");
	return -EOPNOTSUPP;
}
#endif

static int vb_validate(struct virtio_device *vdev)
{
	/* PFNs are guest physical, whatever the device's own addresses are. */
	__virtio_clear_bit(vdev, VIRTIO_F_ACCESS_PLATFORM);
	/* Direct descriptors only: all devices take them, nothing to allocate. */
	__virtio_clear_bit(vdev, VIRTIO_RING_F_INDIRECT_DESC);
	return 0;
}

static const unsigned int vb_features[] = {
	/*
	 * No page is given back before the device has acknowledged it, with
	 * or without this.
	 */
	VIRTIO_BALLOON_F_MUST_TELL_HOST,
};

static const struct virtio_device_id vb_id_table[] = {
	{ VIRTIO_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{ 0 },
};
MODULE_DEVICE_TABLE(virtio, vb_id_table);

static struct virtio_driver vb_driver = {
	.feature_table = vb_features,
	.feature_table_size = ARRAY_SIZE(vb_features),
	.driver.name = KBUILD_MODNAME,
	.driver.owner = THIS_MODULE,
	.id_table = vb_id_table,
	.validate = vb_validate,
	.probe = vb_probe,
	.remove = vb_remove,
	.config_changed = vb_changed,
#ifdef CONFIG_PM_SLEEP
	.freeze = vb_freeze,
#endif
};
module_virtio_driver(vb_driver);

MODULE_DESCRIPTION("Virtio balloon adapter");
MODULE_LICENSE("GPL");
