// SPDX-License-Identifier: GPL-2.0
/*
 * The queues by which the device is told of batches of page ranges.
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
 * Uses no field of struct page.
 */
#include <linux/align.h>
#include <linux/atomic.h>
#include <linux/balloon_compaction.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <linux/wait.h>

#include "internal.h"

#define PFNS_PER_MESSAGE	256
#define PAGES_PER_MESSAGE	(PFNS_PER_MESSAGE / VB_PFNS_PER_PAGE)

/* Reported memory: whole blocks, pieces of one or two, and pieces in a message. */
#define PAGES_PER_BLOCK		(SZ_2M >> PAGE_SHIFT)
#define PAGES_PER_PIECE		(SZ_4M >> PAGE_SHIFT)
#define PIECES_PER_MESSAGE	PAGE_REPORTING_CAPACITY

/* Messages of a queue: half of the largest batch of 4 KiB pages, the rest waits. */
#define MESSAGES_PER_QUEUE	32U

/*
 * And in one notification: many devices do all that they are told of before they
 * let the processor go on.  64 notifications to inflate 1 GiB remain.
 */
#define MESSAGES_PER_KICK	16U

static bool report_blocks = true;
module_param(report_blocks, bool, 0644);
MODULE_PARM_DESC(report_blocks, "Inflated blocks of 2 MiB are reported as free, which costs the host little, if the device has a queue for that (default: Y)");

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

/*
 * The next pages of a range that a part is about, from @part->page on.
 * Return: number of them, 0 at the end of the range.
 */
static unsigned int next_pages(struct vb_part *part,
			       const struct balloon_range *range)
{
	unsigned int nr = range->nr, first, last;

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
		encode(to, true, pfn * VB_PFNS_PER_PAGE, nr * VB_PFNS_PER_PAGE);
	else
		encode(to, false, pfn * VB_PFNS_PER_PAGE, nr * VB_PFNS_PER_PAGE);
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
				encode_pfns(msg->pfns + used * VB_PFNS_PER_PAGE,
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
	msg->sg.length = used * VB_PFNS_PER_PAGE * sizeof(msg->pfns[0]);
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
			 unsigned int *nr_fed)
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
		(*nr_fed)++;
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
 *
 * The virtqueue may go whenever the lock is not held: vb_queue_exit().  What waits
 * then is of a batch that the core has given up, so nobody is told of it.
 */
static void queue_run(struct vb_queue *queue, struct vb_part *part)
{
	struct virtqueue *vq;
	unsigned long flags;
	LIST_HEAD(done);
	unsigned int nr;

	spin_lock_irqsave(&queue->lock, flags);
	if (part)
		list_add_tail(&part->node, &queue->waiting);
	while ((vq = queue->vq)) {
		virtqueue_disable_cb(vq);
		__queue_collect(queue, &done);
		nr = 0;
		while (queue->vq && nr < MESSAGES_PER_KICK &&
		       __queue_feed(queue, &done, &nr)) {
			/* There may be many: let interrupts in. */
			spin_unlock_irqrestore(&queue->lock, flags);
			spin_lock_irqsave(&queue->lock, flags);
		}
		if (nr && queue->vq && virtqueue_kick_prepare(vq)) {
			spin_unlock_irqrestore(&queue->lock, flags);
			virtqueue_notify(vq);
			spin_lock_irqsave(&queue->lock, flags);
		}
		if (!nr && queue->vq && virtqueue_enable_cb(vq))
			break;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	parts_done(&done);
}

/**
 * vb_queue_callback - the device has used messages
 * @vq: one of the queues for batches
 *
 * Context: any, interrupts included; takes the lock of the queue.
 */
void vb_queue_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;
	unsigned int i;

	/* A device may interrupt before it is known whose queue this is. */
	for (i = 0; i < VB_NR_WAYS; i++)
		/* Pairs with the release in vb_queue_init(). */
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

/**
 * vb_submit - the core's ->submit()
 * @b: the device
 * @batch: what the device is to be told
 *
 * Context: any in which the core calls it; takes the locks of the queues.
 * Return: 0 if the batch completes, be it with an error; -EIO if the device is
 *	broken.
 */
int vb_submit(struct balloon *b, struct balloon_batch *batch)
{
	struct vb_batch *vbb = balloon_batch_priv(batch);
	struct virtio_balloon *vb = to_vb(b);
	unsigned int i;
	bool reports;

	if (virtqueue_is_broken(vb->queue[VB_INFLATE].vq) ||
	    virtqueue_is_broken(vb->queue[VB_DEFLATE].vq))
		return -EIO;

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

/**
 * vb_queue_init - make a queue ready for batches
 * @queue: the queue
 * @vq: its virtqueue
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int vb_queue_init(struct vb_queue *queue, struct virtqueue *vq)
{
	unsigned int nr = min(virtqueue_get_vring_size(vq), MESSAGES_PER_QUEUE);
	struct vb_message *msg;
	unsigned int i;

	BUILD_BUG_ON(PAGE_SHIFT < VIRTIO_BALLOON_PFN_SHIFT);
	BUILD_BUG_ON(!PAGES_PER_MESSAGE);

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
	/* From now on an interrupt finds the queue: vb_queue_callback(). */
	smp_store_release(&queue->vq, vq);
	return 0;
}

/**
 * vb_queue_exit - undo vb_queue_init()
 * @queue: a queue, initialised or not; the device uses none of its buffers any more
 *
 * Before the virtqueue is deleted: a thread that comes back from a notification
 * only afterwards must not find it.
 *
 * Context: may sleep; takes the lock of the queue.
 */
void vb_queue_exit(struct vb_queue *queue)
{
	/* Neither has it a lock then. */
	if (!queue->vq)
		return;
	spin_lock_irq(&queue->lock);
	queue->vq = NULL;
	spin_unlock_irq(&queue->lock);
	kfree(queue->messages);
	queue->messages = NULL;
}

/**
 * vb_queue_close - tell the device nothing more, whoever comes
 * @queue: the queue
 *
 * Context: any with interrupts on; takes the lock of the queue.
 */
void vb_queue_close(struct vb_queue *queue)
{
	/*
	 * There is none after a sleep from which the device did not come back,
	 * and not all devices have one for reports.
	 */
	if (!queue->vq)
		return;
	spin_lock_irq(&queue->lock);
	queue->dead = true;
	spin_unlock_irq(&queue->lock);
}

/**
 * vb_queue_fail - be done with what a reset device was told
 * @queue: a closed queue; the device uses none of its buffers any more
 *
 * Context: any with interrupts on; takes the lock of the queue.
 */
void vb_queue_fail(struct vb_queue *queue)
{
	struct vb_message *msg;
	LIST_HEAD(done);
	void *token;

	if (!queue->vq)
		return;
	spin_lock_irq(&queue->lock);
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
