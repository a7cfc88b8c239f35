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
 * Not every device accepts all that the specification allows.  What all accept
 * is a buffer of one direct, device-readable descriptor with at most 256 PFNs,
 * several of them at once; nothing else is sent to inflate or to deflate, but
 * that blocks of 2 MiB are inflated by way of the queue of free page reports, if
 * the device has one: what is reported it gives up at once, not page by page.
 * They are sent as the kernel's own reports are, and share the queue.
 *
 * A batch becomes one *part* for each way that it takes.  A part waits in its
 * queue until enough messages are free, is encoded into them, 256 PFNs or 32
 * pieces at a time, and is done when the device has used all of them.
 *
 * Lock order: core locks, then queue->lock; the core is called without it.
 * vb->work_lock and vb_hints_lock are innermost.
 */
#include <linux/align.h>
#include <linux/balloon_compaction.h>
#include <linux/bug.h>
#include <linux/compiler.h>
#include <linux/device.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/page_reporting.h>
#include <linux/poison.h>
#include <linux/reboot.h>
#include <linux/scatterlist.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/vmstat.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#define PFNS_PER_PAGE		(PAGE_SIZE >> VIRTIO_BALLOON_PFN_SHIFT)
#define PFNS_PER_MESSAGE	256
#define PAGES_PER_MESSAGE	(PFNS_PER_MESSAGE / PFNS_PER_PAGE)

/* Reported memory: whole blocks, pieces of one or two, and pieces in a message. */
#define PAGES_PER_BLOCK		(SZ_2M >> PAGE_SHIFT)
#define PAGES_PER_PIECE		(SZ_4M >> PAGE_SHIFT)
#define PIECES_PER_MESSAGE	PAGE_REPORTING_CAPACITY

/* Messages of a queue: half of the largest batch of 4 KiB pages, the rest waits. */
#define MESSAGES_PER_QUEUE	32U

/* How long the device may hold a buffer before that is worth a message. */
#define VB_ACK_TIMEOUT		(30 * HZ)

/* Tags of statistics that are known here. */
#define VB_NR_STATS		16

/* What a hint is about: large blocks, which cost the guest and the host least. */
#define VB_HINT_ORDER		min_t(unsigned int, pageblock_order, \
				      ilog2(SZ_4M >> PAGE_SHIFT))

/* Memory that is free as it is: hints are not worth any reclaim. */
#define VB_HINT_GFP		(__GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC)

static unsigned int stats_tags = VB_NR_STATS;
module_param(stats_tags, uint, 0644);
MODULE_PARM_DESC(stats_tags, "Statistics are sent with tags below this number, for hosts that do not ignore unknown tags");

static bool report_blocks = true;
module_param(report_blocks, bool, 0644);
MODULE_PARM_DESC(report_blocks, "Inflated blocks of 2 MiB are reported as free, which costs the host little, if the device has a queue for that (default: Y)");

/* Which way pages go. */
enum vb_way { VB_INFLATE, VB_DEFLATE, VB_REPORT, VB_NR_WAYS };

/* Which pages of its ranges a part is about. */
enum vb_pages { VB_ALL, VB_BLOCKS, VB_REST };

/* In this order; a device numbers those that were negotiated without gaps. */
enum vb_vq {
	VB_VQ_INFLATE,
	VB_VQ_DEFLATE,
	VB_VQ_STATS,
	VB_VQ_HINTS,
	VB_VQ_REPORTING,
	VB_NR_VQS
};

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
 * struct vb_message - a buffer for the device
 * @next: the next in ->free of its queue, unless the device has it
 * @part: what it is about, NULL unless the device has it
 * @sg: describes @pfns
 * @pfns: what is sent
 * @pieces: what is reported
 */
struct vb_message {
	struct vb_message *next;
	struct vb_part *part;
	union {
		struct {
			struct scatterlist sg;
			__virtio32 pfns[PFNS_PER_MESSAGE];
		};
		struct scatterlist pieces[PIECES_PER_MESSAGE];
	};
};

/**
 * struct vb_queue - a virtqueue with its messages
 * @vq: the virtqueue, or NULL
 * @reporting: if it is for reports: who else sends some
 * @lock: protects all below and serialises operations on @vq
 * @waiting: parts not completely encoded, first to be sent first
 * @free: a stack of messages that the device does not have
 * @messages: memory of all messages
 * @dead: the device was reset and is told nothing any more
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

/**
 * struct vb_hints - free blocks that a live migration can leave out
 * @vq: the virtqueue, or NULL
 * @work: the only user of @vq
 * @wait: woken when the device has used a buffer
 * @changed: the configuration has changed
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
	wait_queue_head_t wait;
	bool changed;
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
 * @registered: @dev is registered
 * @busy: the device has such pages; set under the lock of the queue
 * @wait: woken when @busy has ended or the queue has room
 */
struct vb_reporting {
	struct page_reporting_dev_info dev;
	bool registered;
	bool busy;
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
 * @reset: the device was reset and knows of no page
 * @stats: statistics
 * @hints: free page hints
 * @reporting: free page reporting
 * @reboot: told when the guest ends
 */
struct virtio_balloon {
	struct virtio_device *vdev;
	struct balloon_dev_info b;
	struct vb_queue queue[VB_NR_WAYS];
	struct work_struct target_work;
	spinlock_t work_lock;		/* protects what is said above */
	bool stopped;
	unsigned int nr_works;
	bool reset;
	struct vb_stats stats;
	struct vb_hints hints;
	struct vb_reporting reporting;
	struct notifier_block reboot;
};

static struct virtio_balloon *to_vb(struct balloon_dev_info *b)
{
	return container_of(b, struct virtio_balloon, b);
}

/* PFNs have 32 bits: pages above are refused. */
static void refuse_high_pages(struct balloon_range_list *list)
{
	const u64 end = (U32_MAX + 1ULL) / PFNS_PER_PAGE;
	struct balloon_range *range = list->range + list->nr;

	while (range-- > list->range && (u64)range->pfn + range->nr > end)
		range->nr_refused = min_t(u64, range->nr,
					  (u64)range->pfn + range->nr - end);
}

/*
 * The next pages of a range that a part is about, from @part->page on.
 * Return: number of them, 0 at the end of the range.
 */
static unsigned int next_pages(struct vb_part *part,
			       const struct balloon_range *range)
{
	unsigned int nr = range->nr - range->nr_refused, first, last;

	if (part->pages == VB_ALL)
		return nr - part->page;
	first = min_t(unsigned int, nr,
		      ALIGN(range->pfn, PAGES_PER_BLOCK) - range->pfn);
	last = first + round_down(nr - first, PAGES_PER_BLOCK);
	if (part->pages == VB_BLOCKS) {
		part->page = max(part->page, first);
		return last - min(part->page, last);
	}
	if (part->page < first)
		return first - part->page;
	part->page = max(part->page, last);
	return nr - part->page;
}

/* Two with one store: most of what is inflated or deflated comes this way. */
static __always_inline void encode(__virtio32 *to, bool little_endian,
				   u32 value, unsigned int nr)
{
	u64 pair, step = 2ULL << 32 | 2;
	__virtio64 two;

	if (nr % 2)
		*to++ = __cpu_to_virtio32(little_endian, value++);
	pair = little_endian ? value | (u64)(value + 1) << 32 :
	       (u64)value << 32 | (value + 1);
	/* Too large for an instruction: keep it in a register. */
	OPTIMIZER_HIDE_VAR(step);
#pragma GCC unroll 8
	for (nr /= 2; nr; nr--, to += 2, pair += step) {
		two = __cpu_to_virtio64(little_endian, pair);
		memcpy(to, &two, sizeof(two));
	}
}

/* Not inline: its loop needs registers that the caller does not have. */
static noinline void encode_pfns(__virtio32 *to, bool little_endian,
				 unsigned long pfn, unsigned int nr)
{
	if (little_endian)
		encode(to, true, pfn * PFNS_PER_PAGE, nr * PFNS_PER_PAGE);
	else
		encode(to, false, pfn * PFNS_PER_PAGE, nr * PFNS_PER_PAGE);
}

/* Return: number of PFNs or pieces, 0 at the end of the part or without room. */
static unsigned int message_encode(struct vb_queue *queue,
				   struct vb_message *msg, struct vb_part *part)
{
	bool little_endian = virtio_is_little_endian(queue->vq->vdev);
	unsigned int room = PAGES_PER_MESSAGE, used = 0, nr;
	struct balloon_range *range;

	if (queue->reporting) {
		room = min_t(unsigned int, PIECES_PER_MESSAGE,
			     queue->vq->num_free);
		sg_init_table(msg->pieces, PIECES_PER_MESSAGE);
	}
	for (; part->range < part->list->nr; part->range++, part->page = 0) {
		range = &part->list->range[part->range];
		while ((nr = next_pages(part, range))) {
			unsigned long pfn = range->pfn + part->page;

			if (used == room)
				goto out;
			if (queue->reporting) {
				nr = min_t(unsigned int, nr, PAGES_PER_PIECE);
				sg_set_page(&msg->pieces[used++],
					    pfn_to_page(pfn), nr << PAGE_SHIFT, 0);
			} else {
				nr = min(nr, room - used);
				encode_pfns(msg->pfns + used * PFNS_PER_PAGE,
					    little_endian, pfn, nr);
				used += nr;
			}
			part->page += nr;
		}
	}
out:
	return used;
}

static int message_send(struct vb_queue *queue, struct vb_message *msg,
			unsigned int used)
{
	if (queue->reporting) {
		sg_mark_end(&msg->pieces[used - 1]);
		return virtqueue_add_inbuf(queue->vq, msg->pieces, used, msg,
					   GFP_ATOMIC);
	}
	msg->sg.length = used * PFNS_PER_PAGE * sizeof(msg->pfns[0]);
	return virtqueue_add_outbuf(queue->vq, &msg->sg, 1, msg, GFP_ATOMIC);
}

/* Parts of which messages are in flight end with those. */
static void __queue_fail_waiting(struct vb_queue *queue, struct list_head *done)
{
	struct vb_part *part, *next;

	lockdep_assert_held(&queue->lock);
	list_for_each_entry_safe(part, next, &queue->waiting, node) {
		part->error = -ENODEV;
		list_del_init(&part->node);
		if (!part->in_flight)
			list_add_tail(&part->node, done);
	}
}

/*
 * Encode a message of the part that waits for longest, or be done with it.
 * Return: false if none waits, or there is no message, or no room in the ring.
 */
static bool __queue_feed(struct vb_queue *queue, struct list_head *done,
			 bool *fed)
{
	struct vb_part *part;
	struct vb_message *msg;
	unsigned int used;

	lockdep_assert_held(&queue->lock);
	if (queue->dead)
		__queue_fail_waiting(queue, done);
	part = list_first_entry_or_null(&queue->waiting, struct vb_part, node);
	msg = queue->free;
	if (!part || !msg)
		return false;
	used = message_encode(queue, msg, part);
	/* The ring is full. */
	if (!used && part->range < part->list->nr)
		return false;
	if (used)
		part->error = message_send(queue, msg, used);
	if (used && !part->error) {
		queue->free = msg->next;
		msg->part = part;
		part->in_flight++;
		*fed = true;
	} else {
		/* All encoded, or the device takes no more. */
		list_del_init(&part->node);
		if (!part->in_flight)
			list_add_tail(&part->node, done);
	}
	return true;
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
	msg->next = queue->free;
	queue->free = msg;
	if (!--part->in_flight && list_empty(&part->node))
		list_add_tail(&part->node, done);
}

static void __token_done(struct vb_queue *queue, void *token,
			 struct list_head *done)
{
	lockdep_assert_held(&queue->lock);
	if (!queue->reporting || token != queue->reporting)
		__message_done(queue, token, done);
	else
		WRITE_ONCE(queue->reporting->busy, false);
	if (queue->reporting)
		wake_up(&queue->reporting->wait);
}

static void __queue_collect(struct vb_queue *queue, struct list_head *done)
{
	unsigned int len;
	void *token;

	lockdep_assert_held(&queue->lock);
	while ((token = virtqueue_get_buf(queue->vq, &len)))
		__token_done(queue, token, done);
}

/* A part is done, or all are queued; the last one completes the batch. */
static void batch_put(struct balloon_batch *batch)
{
	struct vb_batch *vbb = balloon_batch_priv(batch);

	if (atomic_dec_and_test(&vbb->nr_parts))
		balloon_batch_complete(batch, vbb->part[VB_INFLATE].error ?:
					      vbb->part[VB_DEFLATE].error ?:
					      vbb->part[VB_REPORT].error);
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
		again = false;
		virtqueue_disable_cb(queue->vq);
		__queue_collect(queue, &done);
		while (__queue_feed(queue, &done, &again)) {
			/* There may be many: let interrupts in. */
			spin_unlock_irqrestore(&queue->lock, flags);
			spin_lock_irqsave(&queue->lock, flags);
		}
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
	unsigned int i;

	/* A device may interrupt before it is known whose queue this is. */
	for (i = 0; i < VB_NR_WAYS; i++)
		/* Pairs with the release in queue_init(). */
		if (smp_load_acquire(&vb->queue[i].vq) == vq)
			queue_run(&vb->queue[i], NULL);
}

/* Are blocks of @batch to be reported?  Not if they had to keep a pattern. */
static bool has_reports(struct virtio_balloon *vb, struct balloon_batch *batch)
{
	struct virtqueue *vq = vb->queue[VB_REPORT].vq;

	return vq && READ_ONCE(report_blocks) &&
	       batch->inflate.nr_pages >= PAGES_PER_BLOCK &&
	       !virtqueue_is_broken(vq) &&
	       (!virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_PAGE_POISON) ||
		want_init_on_free());
}

static int vb_submit(struct balloon_dev_info *b, struct balloon_batch *batch)
{
	struct vb_batch *vbb = balloon_batch_priv(batch);
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;
	bool reports;

	if (virtqueue_is_broken(vb->queue[VB_INFLATE].vq) ||
	    virtqueue_is_broken(vb->queue[VB_DEFLATE].vq))
		return -EIO;

	refuse_high_pages(&batch->inflate);
	refuse_high_pages(&batch->deflate);
	reports = has_reports(vb, batch);
	atomic_set(&vbb->nr_parts, 1 + VB_NR_WAYS);
	vbb->part[VB_INFLATE] = (struct vb_part){
		.batch = batch,
		.list = &batch->inflate,
		.pages = reports ? VB_REST : VB_ALL,
	};
	vbb->part[VB_DEFLATE] = (struct vb_part){
		.batch = batch,
		.list = &batch->deflate,
		.pages = VB_ALL,
	};
	vbb->part[VB_REPORT] = (struct vb_part){
		.batch = batch,
		.list = &batch->inflate,
		.pages = VB_BLOCKS,
	};
	for (i = 0; i < VB_NR_WAYS; i++) {
		if (vbb->part[i].list->nr && (i != VB_REPORT || reports))
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
	struct vb_message *msg;
	LIST_HEAD(done);
	void *token;

	/*
	 * There is none after a sleep from which the device did not come back,
	 * and not all devices have one for reports.
	 */
	if (!queue->vq)
		return;
	spin_lock_irq(&queue->lock);
	queue->dead = true;
	__queue_fail_waiting(queue, &done);
	while ((token = virtqueue_detach_unused_buf(queue->vq))) {
		msg = token;
		if (!queue->reporting || token != queue->reporting)
			msg->part->error = -ENODEV;
		__token_done(queue, token, &done);
	}
	spin_unlock_irq(&queue->lock);
	parts_done(&done);
}

static void vb_reset(struct balloon_dev_info *b)
{
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;

	virtio_reset_device(vb->vdev);
	WRITE_ONCE(vb->reset, true);
	for (i = 0; i < VB_NR_WAYS; i++)
		queue_fail(&vb->queue[i]);
	wake_up(&vb->reporting.wait);
}

static const struct balloon_dev_ops vb_ops = {
	.driver = KBUILD_MODNAME,
	.batch_priv_size = sizeof(struct vb_batch),
	.submit = vb_submit,
	.report = vb_report,
	.reset = vb_reset,
};

/*
 * Work items
 */

/* What the device wants wakes the guest up, if the device is allowed to. */
static void vb_queue_work(struct virtio_balloon *vb, struct work_struct *work)
{
	unsigned long flags;

	spin_lock_irqsave(&vb->work_lock, flags);
	if (!vb->stopped && queue_work(system_freezable_wq, work) &&
	    !vb->nr_works++)
		pm_stay_awake(&vb->vdev->dev);
	spin_unlock_irqrestore(&vb->work_lock, flags);
}

static void vb_work_done(struct virtio_balloon *vb)
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
		balloon_device_failed(&vb->b, -EIO);
	else	/* rounded up, as a page can only be given whole */
		balloon_set_target(&vb->b,
				   DIV_ROUND_UP((u64)nr_pfns, PFNS_PER_PAGE));
	vb_work_done(vb);
}

static void vb_changed(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;

	vb_queue_work(vb, &vb->target_work);
	if (vb->hints.vq) {
		WRITE_ONCE(vb->hints.changed, true);
		wake_up(&vb->hints.wait);
		vb_queue_work(vb, &vb->hints.work);
	}
}

/*
 * Statistics (5.5.6.3): the device holds one buffer and gives it back when it
 * wants another.
 */

struct stats_buffer {
	struct virtio_device *vdev;
	struct virtio_balloon_stat *stat;
	unsigned int nr;
	unsigned int tags;
};

static void stats_add(struct stats_buffer *buf, u16 tag, u64 value)
{
	if (tag >= buf->tags || WARN_ON_ONCE(buf->nr >= VB_NR_STATS))
		return;
	buf->stat[buf->nr].tag = cpu_to_virtio16(buf->vdev, tag);
	buf->stat[buf->nr].val = cpu_to_virtio64(buf->vdev, value);
	buf->nr++;
}

static void stats_add_pages(struct stats_buffer *buf, u16 tag, u64 nr_pages)
{
	stats_add(buf, tag, nr_pages << PAGE_SHIFT);
}

static void stats_add_events(struct stats_buffer *buf)
{
#ifdef CONFIG_VM_EVENT_COUNTERS
	unsigned long events[NR_VM_EVENT_ITEMS], stalls = 0;
	unsigned int i;

	all_vm_events(events);
	/* One event for each zone that the kernel has, next to each other. */
	for (i = 0; i < MAX_NR_ZONES; i++)
		stalls += events[ALLOCSTALL_NORMAL - ZONE_NORMAL + i];

	stats_add_pages(buf, VIRTIO_BALLOON_S_SWAP_IN, events[PSWPIN]);
	stats_add_pages(buf, VIRTIO_BALLOON_S_SWAP_OUT, events[PSWPOUT]);
	stats_add(buf, VIRTIO_BALLOON_S_MAJFLT, events[PGMAJFAULT]);
	stats_add(buf, VIRTIO_BALLOON_S_MINFLT, events[PGFAULT]);
#ifdef CONFIG_HUGETLB_PAGE
	stats_add(buf, VIRTIO_BALLOON_S_HTLB_PGALLOC,
		  events[HTLB_BUDDY_PGALLOC]);
	stats_add(buf, VIRTIO_BALLOON_S_HTLB_PGFAIL,
		  events[HTLB_BUDDY_PGALLOC_FAIL]);
#endif
	stats_add(buf, VIRTIO_BALLOON_S_OOM_KILL, events[OOM_KILL]);
	stats_add(buf, VIRTIO_BALLOON_S_ALLOC_STALL, stalls);
	stats_add_pages(buf, VIRTIO_BALLOON_S_ASYNC_SCAN,
			events[PGSCAN_KSWAPD]);
	stats_add_pages(buf, VIRTIO_BALLOON_S_DIRECT_SCAN,
			events[PGSCAN_DIRECT]);
	stats_add_pages(buf, VIRTIO_BALLOON_S_ASYNC_RECLAIM,
			events[PGSTEAL_KSWAPD]);
	stats_add_pages(buf, VIRTIO_BALLOON_S_DIRECT_RECLAIM,
			events[PGSTEAL_DIRECT]);
#endif
}

static void stats_add_memory(struct stats_buffer *buf)
{
	struct sysinfo info;

	si_meminfo(&info);
	stats_add_pages(buf, VIRTIO_BALLOON_S_MEMFREE, info.freeram);
	stats_add_pages(buf, VIRTIO_BALLOON_S_MEMTOT, info.totalram);
	stats_add_pages(buf, VIRTIO_BALLOON_S_AVAIL,
			max(si_mem_available(), 0L));
	stats_add_pages(buf, VIRTIO_BALLOON_S_CACHES,
			global_node_page_state(NR_FILE_PAGES));
}

static void stats_send(struct vb_stats *stats)
{
	struct stats_buffer buf = {
		.vdev = stats->vq->vdev,
		.stat = stats->stat,
		.tags = READ_ONCE(stats_tags),
	};
	struct scatterlist sg;
	unsigned int len;

	if (stats->sent && !virtqueue_get_buf(stats->vq, &len))
		return;
	stats_add_events(&buf);
	stats_add_memory(&buf);
	/* An empty buffer could not be queued; the device would wait for ever. */
	if (!buf.nr)
		return;
	sg_init_one(&sg, buf.stat, buf.nr * sizeof(buf.stat[0]));
	stats->sent = !virtqueue_add_outbuf(stats->vq, &sg, 1, stats,
					    GFP_KERNEL);
	if (stats->sent)
		virtqueue_kick(stats->vq);
}

static void stats_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 stats.work);

	stats_send(&vb->stats);
	vb_work_done(vb);
}

static void stats_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	vb_queue_work(vb, &vb->stats.work);
}

/*
 * Free page hints (5.5.6.5): for a live migration the device asks for a series
 * of hints by a new command id.  The driver sends that id, then free blocks
 * until there are no more, then "stop".  The blocks stay allocated until the
 * device says "done", by when the migration is over, so that their contents do
 * not change and need not be sent.
 *
 * When the guest needs memory, a block may be used earlier; but only when the
 * device has used its buffer: it could take a block for free that was written
 * to since.
 */

static LIST_HEAD(vb_hints_list);
static DEFINE_SPINLOCK(vb_hints_lock);	/* list, and blocks of all devices */

static struct virtio_balloon *hints_to_vb(struct vb_hints *hints)
{
	return container_of(hints, struct virtio_balloon, hints);
}

/* Takes up to @max blocks, to be freed when the lock is dropped. */
static unsigned long __hints_take(struct vb_hints *hints, unsigned long max,
				  struct list_head *blocks)
{
	unsigned long nr = min(max, hints->nr_blocks), i;

	lockdep_assert_held(&vb_hints_lock);
	for (i = 0; i < nr; i++)
		list_move(hints->blocks.next, blocks);
	hints->nr_blocks -= nr;
	return nr;
}

static void blocks_free(struct list_head *blocks)
{
	struct page *block;

	while ((block = balloon_page_pop(blocks)))
		__free_pages(block, VB_HINT_ORDER);
}

static void hints_free(struct vb_hints *hints)
{
	LIST_HEAD(blocks);

	spin_lock(&vb_hints_lock);
	__hints_take(hints, ULONG_MAX, &blocks);
	spin_unlock(&vb_hints_lock);
	blocks_free(&blocks);
}

static unsigned long hints_count(struct shrinker *shrinker,
				 struct shrink_control *sc)
{
	struct vb_hints *hints;
	unsigned long nr = 0;

	spin_lock(&vb_hints_lock);
	list_for_each_entry(hints, &vb_hints_list, node)
		nr += hints->nr_blocks << VB_HINT_ORDER;
	spin_unlock(&vb_hints_lock);
	return nr;
}

static unsigned long hints_scan(struct shrinker *shrinker,
				struct shrink_control *sc)
{
	unsigned long max = DIV_ROUND_UP(sc->nr_to_scan, 1UL << VB_HINT_ORDER);
	unsigned long nr = 0;
	struct vb_hints *hints;
	LIST_HEAD(blocks);

	spin_lock(&vb_hints_lock);
	list_for_each_entry(hints, &vb_hints_list, node)
		nr += __hints_take(hints, max - nr, &blocks);
	spin_unlock(&vb_hints_lock);
	blocks_free(&blocks);
	return nr ? nr << VB_HINT_ORDER : SHRINK_STOP;
}

static void hints_used(struct vb_hints *hints, void *token)
{
	struct page *page = token;

	if (token == &hints->begin || token == &hints->end) {
		((struct vb_command *)token)->in_flight = false;
		return;
	}
	hints->nr_in_flight--;
	spin_lock(&vb_hints_lock);
	list_add(&page->lru, &hints->blocks);
	hints->nr_blocks++;
	spin_unlock(&vb_hints_lock);
}

static void hints_collect(struct vb_hints *hints)
{
	unsigned int len;
	void *token;

	while ((token = virtqueue_get_buf(hints->vq, &len)))
		hints_used(hints, token);
}

/* One entry of the ring is for the command that ends the series. */
static bool hints_room(struct vb_hints *hints)
{
	hints_collect(hints);
	return hints->nr_in_flight + hints->begin.in_flight +
	       hints->end.in_flight + 1 < virtqueue_get_vring_size(hints->vq);
}

/* What the device wants now. */
static u32 hints_read_id(struct vb_hints *hints)
{
	u32 id;

	WRITE_ONCE(hints->changed, false);
	virtio_cread_le(hints->vq->vdev, struct virtio_balloon_config,
			free_page_hint_cmd_id, &id);
	return id;
}

static bool hints_over(struct vb_hints *hints)
{
	return READ_ONCE(hints_to_vb(hints)->stopped) ||
	       virtqueue_is_broken(hints->vq);
}

/* The configuration may also have changed because of another target. */
static bool hints_unwanted(struct vb_hints *hints)
{
	return hints_over(hints) ||
	       (READ_ONCE(hints->changed) && hints_read_id(hints) != hints->id);
}

/* Return: false if there is no room for another block, and no need of it. */
static bool hints_wait_for_room(struct vb_hints *hints)
{
	while (!hints_room(hints)) {
		if (!wait_event_timeout(hints->wait, hints_room(hints) ||
					READ_ONCE(hints->changed) ||
					hints_over(hints), VB_ACK_TIMEOUT))
			return false;
		if (hints_unwanted(hints))
			return false;
	}
	return !hints_unwanted(hints);
}

static bool hints_command(struct vb_hints *hints, struct vb_command *command,
			  u32 id)
{
	struct scatterlist sg;

	command->id = cpu_to_virtio32(hints->vq->vdev, id);
	sg_init_one(&sg, &command->id, sizeof(command->id));
	command->in_flight = !virtqueue_add_outbuf(hints->vq, &sg, 1, command,
						   GFP_KERNEL);
	if (command->in_flight)
		virtqueue_kick(hints->vq);
	return command->in_flight;
}

static bool hints_block(struct vb_hints *hints)
{
	struct scatterlist sg;
	struct page *page;

	if (!hints_wait_for_room(hints))
		return false;
	page = alloc_pages(VB_HINT_GFP, VB_HINT_ORDER);
	if (!page)
		return false;
	sg_init_one(&sg, page_address(page), PAGE_SIZE << VB_HINT_ORDER);
	if (virtqueue_add_inbuf(hints->vq, &sg, 1, page, GFP_KERNEL)) {
		__free_pages(page, VB_HINT_ORDER);
		return false;
	}
	hints->nr_in_flight++;
	virtqueue_kick(hints->vq);
	return true;
}

static void hints_follow(struct vb_hints *hints)
{
	u32 id = hints_read_id(hints);

	hints_collect(hints);
	if (id == VIRTIO_BALLOON_CMD_ID_DONE)
		hints_free(hints);
	if (id == VIRTIO_BALLOON_CMD_ID_DONE ||
	    id == VIRTIO_BALLOON_CMD_ID_STOP || id == hints->id)
		return;

	/* When the device has used the commands of the series before. */
	if (hints->begin.in_flight || hints->end.in_flight ||
	    !hints_command(hints, &hints->begin, id))
		return;
	hints->id = id;
	while (hints_block(hints))
		cond_resched();
	hints_command(hints, &hints->end, VIRTIO_BALLOON_CMD_ID_STOP);
}

static void hints_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 hints.work);

	hints_follow(&vb->hints);
	vb_work_done(vb);
}

static void hints_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	wake_up(&vb->hints.wait);
	vb_queue_work(vb, &vb->hints.work);
}

static void hints_begin(struct vb_hints *hints)
{
	spin_lock(&vb_hints_lock);
	list_add(&hints->node, &vb_hints_list);
	spin_unlock(&vb_hints_lock);
	hints->id = VIRTIO_BALLOON_CMD_ID_STOP;
}

/* The device was reset. */
static void hints_end(struct vb_hints *hints)
{
	void *token;

	hints_collect(hints);
	while ((token = virtqueue_detach_unused_buf(hints->vq)))
		hints_used(hints, token);
	spin_lock(&vb_hints_lock);
	list_del(&hints->node);
	spin_unlock(&vb_hints_lock);
	hints_free(hints);
}

/*
 * Free page reporting (5.5.6.7): the kernel takes free pages aside until the
 * device has used the buffer that names them.
 */

static struct vb_queue *reporting_queue(struct virtio_balloon *vb)
{
	return &vb->queue[VB_REPORT];
}

/* Return: 0 if the device has them, -ENOSPC if there is no room now. */
static int reporting_add(struct virtio_balloon *vb, struct scatterlist *sg,
			 unsigned int nr)
{
	struct vb_queue *queue = reporting_queue(vb);
	bool notify = false;
	int err;

	spin_lock_irq(&queue->lock);
	if (queue->dead)
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
	       READ_ONCE(vb->reset);
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

static void reporting_begin(struct virtio_balloon *vb)
{
	struct vb_reporting *reporting = &vb->reporting;
	int err;

	memset(&reporting->dev, 0, sizeof(reporting->dev));
	reporting->dev.report = reporting_report;
	err = page_reporting_register(&reporting->dev);
	reporting->registered = !err;
	if (err)
		dev_warn(&vb->vdev->dev, "free pages are not reported (%d): is there another driver that does?\n",
			 err);
}

/* A device that keeps pages is made to forget them; the balloon ends by that. */
static void reporting_end(struct virtio_balloon *vb)
{
	struct vb_reporting *reporting = &vb->reporting;

	if (!reporting->registered)
		return;
	reporting->registered = false;
	if (!wait_event_timeout(reporting->wait, !READ_ONCE(reporting->busy) ||
				virtqueue_is_broken(reporting_queue(vb)->vq),
				VB_ACK_TIMEOUT) || READ_ONCE(reporting->busy))
		vb_reset(&vb->b);
	page_reporting_unregister(&reporting->dev);
}

/*
 * Device life
 */

static int queue_init(struct vb_queue *queue, struct virtqueue *vq)
{
	unsigned int nr = min(virtqueue_get_vring_size(vq), MESSAGES_PER_QUEUE);
	struct vb_message *msg;
	unsigned int i;

	queue->dead = false;
	spin_lock_init(&queue->lock);
	INIT_LIST_HEAD(&queue->waiting);
	queue->free = NULL;
	queue->messages = kcalloc(nr, sizeof(*queue->messages), GFP_KERNEL);
	if (!queue->messages)
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		msg = &queue->messages[i];
		sg_init_one(&msg->sg, msg->pfns, sizeof(msg->pfns));
		msg->next = queue->free;
		queue->free = msg;
	}
	/* From now on an interrupt finds the queue: queue_callback(). */
	smp_store_release(&queue->vq, vq);
	return 0;
}

/* Found queues are enabled, and a device disables none but by a reset. */
static void vb_del_vqs(struct virtio_balloon *vb)
{
	unsigned int i;

	virtio_reset_device(vb->vdev);
	if (vb->hints.vq)
		hints_end(&vb->hints);
	vb->vdev->config->del_vqs(vb->vdev);
	vb->stats.vq = NULL;
	vb->hints.vq = NULL;
	for (i = 0; i < VB_NR_WAYS; i++) {
		vb->queue[i].vq = NULL;
		kfree(vb->queue[i].messages);
		vb->queue[i].messages = NULL;
	}
}

static int vb_find_vqs(struct virtio_balloon *vb)
{
	struct virtqueue_info info[VB_NR_VQS] = {
		[VB_VQ_INFLATE] = { .name = "inflate", .callback = queue_callback },
		[VB_VQ_DEFLATE] = { .name = "deflate", .callback = queue_callback },
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
		info[VB_VQ_STATS].callback = stats_callback;
	}
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_FREE_PAGE_HINT)) {
		info[VB_VQ_HINTS].name = "hints";
		info[VB_VQ_HINTS].callback = hints_callback;
	}
	if (virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_REPORTING)) {
		info[VB_VQ_REPORTING].name = "reporting";
		info[VB_VQ_REPORTING].callback = queue_callback;
	}
	err = virtio_find_vqs(vb->vdev, VB_NR_VQS, vqs, info, NULL);
	if (err)
		return err;
	vb->reset = false;
	vb->stats.vq = vqs[VB_VQ_STATS];
	vb->stats.sent = false;
	vb->hints.vq = vqs[VB_VQ_HINTS];
	if (vb->hints.vq)
		hints_begin(&vb->hints);
	for (i = 0; i < VB_NR_WAYS && !err; i++)
		if (vqs[ways[i]])
			err = queue_init(&vb->queue[i], vqs[ways[i]]);
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
static void vb_start(struct virtio_balloon *vb)
{
	vb_tell_poison(vb->vdev);
	virtio_device_ready(vb->vdev);
	spin_lock_irq(&vb->work_lock);
	vb->stopped = false;
	spin_unlock_irq(&vb->work_lock);
	if (reporting_queue(vb)->vq)
		reporting_begin(vb);
	if (vb->stats.vq)
		vb_queue_work(vb, &vb->stats.work);
	vb_changed(vb->vdev);
}

/* Nothing but the core uses the device any more. */
static void vb_stop(struct virtio_balloon *vb)
{
	spin_lock_irq(&vb->work_lock);
	vb->stopped = true;
	spin_unlock_irq(&vb->work_lock);
	wake_up(&vb->hints.wait);
	vb_cancel_work(vb, &vb->target_work);
	vb_cancel_work(vb, &vb->stats.work);
	vb_cancel_work(vb, &vb->hints.work);
	reporting_end(vb);
}

static int vb_register(struct virtio_balloon *vb)
{
	int err = balloon_register_device(&vb->b, &vb->vdev->dev, &vb_ops);

	if (!err &&
	    virtio_has_feature(vb->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM) &&
	    balloon_deflate_on_oom(&vb->b))
		dev_warn(&vb->vdev->dev, "balloon does not deflate on OOM\n");
	return err;
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

	vb_stop(vb);
	balloon_shutdown(&vb->b);
	return NOTIFY_OK;
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
	vb->stopped = true;
	spin_lock_init(&vb->work_lock);
	INIT_WORK(&vb->target_work, vb_target_work);
	INIT_WORK(&vb->stats.work, stats_work);
	INIT_WORK(&vb->hints.work, hints_work);
	init_waitqueue_head(&vb->hints.wait);
	INIT_LIST_HEAD(&vb->hints.blocks);
	init_waitqueue_head(&vb->reporting.wait);
	vb->queue[VB_REPORT].reporting = &vb->reporting;
	vb->reboot.notifier_call = vb_reboot;

	err = vb_find_vqs(vb);
	if (err)
		goto err_free;
	err = vb_register(vb);
	if (err)
		goto err_del_vqs;
	err = register_reboot_notifier(&vb->reboot);
	if (err)
		goto err_unregister;
	device_set_wakeup_capable(&vdev->dev, true);
	vb_start(vb);
	return 0;

err_unregister:
	balloon_unregister_device(&vb->b);
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

	unregister_reboot_notifier(&vb->reboot);
	vb_stop(vb);
	err = balloon_unregister_device(&vb->b);
	vb_del_vqs(vb);
	if (!err)
		kfree(vb);
}

#ifdef CONFIG_PM_SLEEP
/* The queues do not survive a sleep, and the device may be another one then. */
static int vb_freeze(struct virtio_device *vdev)
{
	struct virtio_balloon *vb = vdev->priv;
	int err;

	vb_stop(vb);
	err = balloon_freeze(&vb->b);
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
	balloon_thaw(&vb->b);
	vb_start(vb);
	return 0;
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

static struct shrinker *vb_shrinker;

static int __init vb_init(void)
{
	int err;

	vb_shrinker = shrinker_alloc(0, "virtio-balloon");
	if (!vb_shrinker)
		return -ENOMEM;
	vb_shrinker->count_objects = hints_count;
	vb_shrinker->scan_objects = hints_scan;
	shrinker_register(vb_shrinker);
	err = register_virtio_driver(&vb_driver);
	if (err)
		shrinker_free(vb_shrinker);
	return err;
}
module_init(vb_init);

static void __exit vb_exit(void)
{
	unregister_virtio_driver(&vb_driver);
	shrinker_free(vb_shrinker);
}
module_exit(vb_exit);

MODULE_DESCRIPTION("Virtio balloon adapter");
MODULE_LICENSE("GPL");
