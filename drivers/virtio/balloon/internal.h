/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the virtio adapter share.
 *
 * Lock order:
 *
 *	vb->mutex; core locks
 *	  queue->lock (interrupts off)
 *	    vb->work_lock (interrupts off), vb_hints_lock
 *
 * The core is called with neither vb->mutex nor a queue->lock held.
 */
#ifndef _VIRTIO_BALLOON_INTERNAL_H
#define _VIRTIO_BALLOON_INTERNAL_H

#include <linux/atomic.h>
#include <linux/balloon_compaction.h>
#include <linux/container_of.h>
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/page_reporting.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define VB_PFNS_PER_PAGE	(PAGE_SIZE >> VIRTIO_BALLOON_PFN_SHIFT)

/* How long the device may hold a buffer before that is worth a message. */
#define VB_ACK_TIMEOUT		(30 * HZ)

/* And when the guest goes to sleep or ends, before it is taken away by a reset. */
#define VB_LEAVE_TIMEOUT	HZ

/* Tags of statistics that are known here. */
#define VB_NR_STATS		16

/* Which way pages go. */
enum vb_way { VB_INFLATE, VB_DEFLATE, VB_REPORT, VB_NR_WAYS };

/* Which pages of its ranges a part is about. */
enum vb_pages { VB_ALL, VB_BLOCKS, VB_REST };

/**
 * struct vb_part - what of a batch goes one way
 * @node: in ->waiting of its queue until all is encoded, then free for lists
 *	of done parts
 * @batch: the batch
 * @list: the ranges
 * @pages: which pages of them
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
	enum vb_pages pages;
	unsigned int range;
	unsigned int page;
	unsigned int in_flight;
	int error;
};

/**
 * struct vb_batch - the driver's own part of a batch
 * @part: one for each way
 * @nr_parts: parts not done yet, and one while they are being queued
 */
struct vb_batch {
	struct vb_part part[VB_NR_WAYS];
	atomic_t nr_parts;
};

/**
 * struct vb_queue - a virtqueue with its messages
 * @vq: the virtqueue, or NULL; it goes under @lock
 * @reporting: if it is for reports: who else sends some
 * @lock: protects all below and serialises operations on @vq
 * @waiting: parts not completely encoded, first to be sent first
 * @free: a stack of messages that the device does not have
 * @messages: memory of all messages
 * @dead: the device is about to be reset, or was, and is told nothing any more
 */
struct vb_queue {
	struct virtqueue *vq;
	struct vb_reporting *reporting;
	spinlock_t lock;		/* protects what is said above */
	struct list_head waiting;
	struct vb_message *free;
	struct vb_message *messages;
	bool dead;
};

/**
 * struct vb_stats - statistics, which the device asks for
 * @vq: the virtqueue, or NULL
 * @work: collects and sends them
 * @sent: the device has been given a buffer
 * @stat: the buffer
 *
 * Of @work alone, which runs once at a time.
 */
struct vb_stats {
	struct virtqueue *vq;
	struct work_struct work;
	bool sent;
	struct virtio_balloon_stat stat[VB_NR_STATS];
};

/**
 * struct vb_command - a buffer that begins or ends a series of hints
 * @id: the command
 * @in_flight: the device has the buffer
 */
struct vb_command {
	__virtio32 id;
	bool in_flight;
};

/* A series of hints */
enum vb_series {
	VB_SERIES_NONE,		/* the device has been told the end of the last */
	VB_SERIES_OPEN,		/* blocks are hinted while there are any */
	VB_SERIES_ENDING,	/* the device is yet to be told the end */
};

/**
 * struct vb_hints - free blocks that a live migration can leave out
 * @vq: the virtqueue, or NULL
 * @work: the only user of @vq
 * @series: how far it is; of @work
 * @id: series that was hinted last; of @work
 * @begin: first buffer of a series; of @work
 * @end: last buffer of a series; of @work
 * @nr_in_flight: blocks that the device has; of @work
 * @node: in vb_hints_list
 * @blocks: what the device has used, kept from the guest until the migration
 *	is done or memory is short; under vb_hints_lock
 * @nr_blocks: their number; under vb_hints_lock
 */
struct vb_hints {
	struct virtqueue *vq;
	struct work_struct work;
	enum vb_series series;
	u32 id;
	struct vb_command begin;
	struct vb_command end;
	unsigned int nr_in_flight;
	struct list_head node;
	struct list_head blocks;
	unsigned long nr_blocks;
};

/**
 * struct vb_reporting - free pages of which the kernel tells the device
 * @dev: the kernel's page reporting
 * @pm: told before the guest goes to sleep
 * @registered: @dev is registered
 * @open: reports are taken; under the lock of the queue.  Only while they are,
 *	@busy begins.
 * @busy: the device has such pages; under the lock of the queue, looked at
 *	without
 * @was_reset: the device was reset because the guest goes to sleep, and has not
 *	been frozen since; only of what is called for a sleep, one after the other
 * @wait: woken when one of these has ended or the queue has room
 */
struct vb_reporting {
	struct page_reporting_dev_info dev;
	struct notifier_block pm;
	bool registered;
	bool open;
	bool busy;
	bool was_reset;
	wait_queue_head_t wait;
};

/**
 * struct virtio_balloon - a device
 * @vdev: the virtio device
 * @b: the core's side
 * @queue: inflateq, deflateq, and the queue for reports if there is one
 * @target_work: reads the target from the configuration space
 * @work_lock: protects @stopped and @nr_works
 * @stopped: no work item is queued any more
 * @nr_works: work items that keep the guest awake
 * @mutex: protects @over, @reset, and the device's status and what it is told in
 *	its configuration, against each other; outside all locks
 * @over: the guest ends: the device is not started any more
 * @reset: the device was reset and knows of no page; looked at without @mutex
 * @stats: statistics
 * @hints: free page hints
 * @reporting: free page reporting
 * @reboot: told when the guest ends
 */
struct virtio_balloon {
	struct virtio_device *vdev;
	struct balloon *b;
	struct vb_queue queue[VB_NR_WAYS];
	struct work_struct target_work;
	spinlock_t work_lock;		/* protects what is said above */
	bool stopped;
	unsigned int nr_works;
	struct mutex mutex;		/* protects what is said above */
	bool over;
	bool reset;
	struct vb_stats stats;
	struct vb_hints hints;
	struct vb_reporting reporting;
	struct notifier_block reboot;
};

static inline struct virtio_balloon *to_vb(struct balloon *b)
{
	return balloon_data(b);
}

/* drivers/virtio/virtio_balloon.c */
void vb_queue_work(struct virtio_balloon *vb, struct work_struct *work);
void vb_work_done(struct virtio_balloon *vb);
void vb_reset(struct balloon *b);
#ifdef CONFIG_PM_SLEEP
void vb_restart(struct virtio_balloon *vb);
#else
static inline void vb_restart(struct virtio_balloon *vb)
{
}
#endif

/* drivers/virtio/balloon/queues.c */
int vb_submit(struct balloon *b, struct balloon_batch *batch);
void vb_queue_callback(struct virtqueue *vq);
int vb_queue_init(struct vb_queue *queue, struct virtqueue *vq);
void vb_queue_exit(struct vb_queue *queue);
void vb_queue_close(struct vb_queue *queue);
void vb_queue_fail(struct vb_queue *queue);

/* drivers/virtio/balloon/stats.c */
void vb_stats_work(struct work_struct *work);
void vb_stats_callback(struct virtqueue *vq);

/* drivers/virtio/balloon/hints.c */
int vb_hints_init(void);
void vb_hints_exit(void);
void vb_hints_begin(struct vb_hints *hints);
void vb_hints_end(struct vb_hints *hints);
void vb_hints_work(struct work_struct *work);
void vb_hints_callback(struct virtqueue *vq);

/* drivers/virtio/balloon/reporting.c */
void vb_reporting_begin(struct virtio_balloon *vb);
void vb_reporting_end(struct virtio_balloon *vb, unsigned long timeout);
int vb_reporting_pm(struct notifier_block *nb, unsigned long action,
		    void *data);

#endif /* _VIRTIO_BALLOON_INTERNAL_H */
