/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The virtio driver between the core and a device that a suite controls, at the
 * door of the virtqueues: what the driver calls of the virtio core is replaced,
 * and behaves as the virtio core does between a driver and a device that may do
 * whatever it likes.
 *
 * The device keeps a ledger of the pages that it was told of and looks at the
 * shape of every buffer.  It sees a buffer when it was notified, answers when
 * the case says so (in any order, twice, never), and reads the buffer once more
 * then, so that a sanitizer sees one that was freed too early.
 */
#ifndef _BALLOON_KUNIT_FAKE_VIRTIO_H
#define _BALLOON_KUNIT_FAKE_VIRTIO_H

#include <linux/page_reporting.h>
#include <linux/poison.h>
#include <linux/scatterlist.h>
#include <linux/shrinker.h>
#include <linux/reboot.h>
#include <linux/string.h>
#include <linux/suspend.h>
#include <linux/swap.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include "fake_host.h"

#define VIRT_PFNS_PER_PAGE	(PAGE_SIZE >> VIRTIO_BALLOON_PFN_SHIFT)
#define VIRT_PFNS_PER_MESSAGE	256
#define VIRT_PAGES_PER_MESSAGE	(VIRT_PFNS_PER_MESSAGE / VIRT_PFNS_PER_PAGE)

#define VIRT_NR_QUEUES		8
/* Of larger rings no driver is expected to use more. */
#define VIRT_RING		64
#define VIRT_NR_OBJECTS		16

/* The kernel's large blocks are small here, so that the arena has many. */
#define VIRT_BLOCK_ORDER	5
#define VIRT_BLOCK_PAGES	(1U << VIRT_BLOCK_ORDER)

/* Statistics that the specification has. */
#define VIRT_NR_STATS		16

/* Pages of the arena that are reported together. */
struct virt_piece {
	unsigned int first;
	unsigned int nr;
};

struct virt_buffer {
	void *token;
	void *data;
	unsigned int len;		/* of the contents, if they matter */
	unsigned int nr_descriptors;
	u32 hash;			/* of the contents */
	unsigned long seq;		/* buffers are numbered as they come */
	bool outstanding;		/* the device's */
	bool answered;
	unsigned int nr_pieces;		/* of the balloon, if it is a report */
	struct virt_piece piece[PAGE_REPORTING_CAPACITY];
};

/* In the order in which devices number those that they have. */
enum virt_kind {
	VIRT_INFLATE, VIRT_DEFLATE, VIRT_STATS, VIRT_HINTS, VIRT_REPORTING,
	VIRT_NR_KINDS
};

struct virt_queue {
	struct virtqueue vq;
	enum virt_kind kind;
	bool found;
	bool broken;
	bool interrupts;		/* the driver asks for them */
	struct virt_buffer buffer[VIRT_RING];
	unsigned long seq;
	unsigned long visible;		/* the device has seen buffers up to here */
	unsigned char used[2 * VIRT_RING];
	unsigned int nr_used;
};

static struct virtio_driver *virt_driver;

static struct fake_virtio {
	struct virtio_device vdev;
	struct virt_queue queue[VIRT_NR_QUEUES];
	unsigned int nr_queues;
	struct virtio_balloon_config config;
	struct balloon *b;	/* the device, from registration on */
	struct notifier_block *reboot;	/* told when the guest ends ... */
	struct notifier_block *pm;	/* ... and before it sleeps */
	void *object[VIRT_NR_OBJECTS];	/* memory of the driver's */
	struct page_reporting_dev_info *reporting;
	bool bound;
	bool asleep;			/* frozen, or not restored */
	bool ready;			/* DRIVER_OK */
	bool reset;			/* and nothing since */
	u8 status;

	/* What the device offers */
	u64 features;
	unsigned int ring_size;
	bool big_endian;
	int find_error;			/* virtio_find_vqs() fails with it */
	int reporting_error;		/* page_reporting_register() does */
	bool init_on_free;		/* what the kernel fills free pages with */
	bool page_poisoning;

	/* How it behaves */
	bool silent;			/* answers nobody who waits */
	bool at_once;			/* answers inside virtqueue_notify() ... */
	bool interrupts_notify;		/* ... and interrupts there, asked or not */
	bool breaks_notify;		/* is gone when it is notified */
	bool polls;			/* wants no notification */
	bool races;			/* answers as interrupts are enabled */
	bool trusting;			/* virtio believes whatever is answered */
	unsigned int stats_wanted;	/* buffers to be returned for new ones */
	unsigned int used_len;
	u32 flap;			/* num_pages changes so at each read */
	bool guest_ends;		/* as soon as it would be told */
	void (*meanwhile)(void);	/* what another thread does as the device is
					 * reset, and as reporting ends */
	/* What another thread does during this notification from now on. */
	void (*hangs)(struct kunit *test);
	unsigned int hang_nth_notify;
	unsigned int fail_nth_add;	/* this buffer from now on fails ... */
	int add_error;			/* ... with this */

	/* What it has seen */
	unsigned int nr_messages[VIRT_NR_KINDS];
	unsigned int nr_pages[VIRT_NR_KINDS];
	unsigned int nr_reported;	/* pages of the balloon */
	unsigned int nr_full;		/* messages that hold no more */
	unsigned int nr_notifications;
	unsigned int most_notified;	/* buffers, in one of them */
	unsigned int nr_target_reads;
	unsigned int nr_resets;
	unsigned int nr_lies;		/* buffers returned that it did not have */
	u32 stats_seen;			/* tags in the last statistics ... */
	u64 stat[VIRT_NR_STATS];	/* ... and their values */
	unsigned int nr_stats;		/* in that buffer */
	u32 hint_id;			/* the series, or STOP */
	unsigned int nr_series;		/* of hints that were begun ... */
	unsigned int nr_stops;		/* ... and ended */
	unsigned int nr_poison_writes;
	unsigned int nr_blocks;		/* allocated */
	int awake;			/* pm_stay_awake() less pm_relax() */
} virt;

static struct virt_queue *virt_queue(const struct virtqueue *vq)
{
	return container_of(vq, struct virt_queue, vq);
}

static inline struct virt_queue *virt_queue_of(enum virt_kind kind)
{
	unsigned int i;

	for (i = 0; i < virt.nr_queues; i++)
		if (virt.queue[i].found && virt.queue[i].kind == kind)
			return &virt.queue[i];
	return NULL;
}

/* Messages: what the device reads in them */

static u32 virt_hash(const struct virt_buffer *buf)
{
	const u8 *data = buf->data;
	u32 hash = 0;
	unsigned int i;

	for (i = 0; i < buf->len; i++)
		hash = hash * 31 + data[i];
	return hash;
}

static u32 virt_pfn(const struct virt_buffer *buf, unsigned int nth)
{
	return __virtio32_to_cpu(!virt.big_endian,
				 ((__virtio32 *)buf->data)[nth]);
}

/* The page of which a message has the first PFN at @nth; all of it follows. */
static struct fake_page *virt_page(const struct virt_buffer *buf,
				   unsigned int nth)
{
	u32 pfn = virt_pfn(buf, nth);
	unsigned long index = pfn / VIRT_PFNS_PER_PAGE - page_to_pfn(arena);
	unsigned int i;

	for (i = 1; i < VIRT_PFNS_PER_PAGE; i++)
		if (virt_pfn(buf, nth + i) != pfn + i)
			fake_violation("a page is told in part");
	if (pfn % VIRT_PFNS_PER_PAGE || index >= ARENA_PAGES) {
		fake_violation("the device is told of a foreign page");
		index = 0;
	}
	return &fake.page[index];
}

static bool virt_is_arena(const void *token)
{
	const struct page *page = token;

	return page >= arena && page < arena + ARENA_PAGES;
}

static bool virt_is_message(const struct virt_queue *q)
{
	return q->kind == VIRT_INFLATE || q->kind == VIRT_DEFLATE;
}

/* What every device takes */
static void virt_check_shape(struct virt_queue *q, struct scatterlist *sg,
			     unsigned int num, void *token, gfp_t gfp, bool out)
{
	bool writable = q->kind == VIRT_REPORTING || virt_is_arena(token);
	unsigned int i;

	if (!num || num > virt.ring_size ||
	    (num != 1 && q->kind != VIRT_REPORTING))
		fake_violation("a buffer has too many descriptors");
	for (i = 0; i < num; i++)
		if (sg_is_last(&sg[i]) != (i + 1 == num))
			fake_violation("a buffer does not end where it says");
	if (out == writable)
		fake_violation("a buffer has the wrong direction");
	if (writable && q->kind != VIRT_REPORTING && q->kind != VIRT_HINTS)
		fake_violation("the device may write to a page of the balloon");
	/* Messages are added under a lock, reports while memory is short. */
	if ((virt_is_message(q) || q->kind == VIRT_REPORTING) &&
	    gfpflags_allow_blocking(gfp))
		fake_violation("a buffer is added with an allocation that sleeps");
}

static bool virt_is_empty(const struct virt_queue *q)
{
	unsigned int i;

	for (i = 0; i < VIRT_RING; i++)
		if (q->buffer[i].outstanding)
			return false;
	return true;
}

/* Statistics: one buffer at a time, each tag once. */
static void virt_check_stats(struct virt_queue *q, struct virt_buffer *buf)
{
	struct virtio_balloon_stat *stat = buf->data;
	unsigned int i;

	virt.nr_messages[VIRT_STATS]++;
	virt.nr_stats = buf->len / sizeof(*stat);
	virt.stats_seen = 0;
	if (!virt_is_empty(q))
		fake_violation("two buffers of statistics at once");
	if (!buf->len || buf->len % sizeof(*stat) ||
	    virt.nr_stats > VIRT_NR_STATS) {
		fake_violation("statistics have a bad length");
		return;
	}
	for (i = 0; i < virt.nr_stats; i++) {
		u16 tag = __virtio16_to_cpu(!virt.big_endian, stat[i].tag);

		if (tag >= VIRT_NR_STATS || virt.stats_seen & BIT(tag)) {
			fake_violation("statistics have a bad tag");
			return;
		}
		virt.stats_seen |= BIT(tag);
		virt.stat[tag] = __virtio64_to_cpu(!virt.big_endian, stat[i].val);
	}
}

/* Hints: a command that begins a series, blocks, a command that ends it. */
static void virt_check_hint(struct virt_queue *q, struct virt_buffer *buf)
{
	struct page *page = buf->token;
	u32 id;

	virt.nr_messages[VIRT_HINTS]++;
	if (virt_is_arena(page)) {
		virt.nr_pages[VIRT_HINTS] += VIRT_BLOCK_PAGES;
		if (virt.hint_id == VIRTIO_BALLOON_CMD_ID_STOP)
			fake_violation("a hint that belongs to no series");
		if (buf->len != PAGE_SIZE << VIRT_BLOCK_ORDER ||
		    buf->data != page_address(page) ||
		    arena_index(page) % VIRT_BLOCK_PAGES ||
		    !fake_page(page)->taken)
			fake_violation("a hint is not a block of the guest's");
		/* It has no contents. */
		buf->len = 0;
		return;
	}
	if (buf->len != sizeof(u32)) {
		fake_violation("a command has a bad length");
		buf->len = 0;
		return;
	}
	id = virt_pfn(buf, 0);
	if (id == VIRTIO_BALLOON_CMD_ID_DONE ||
	    (id == VIRTIO_BALLOON_CMD_ID_STOP && virt.hint_id == id))
		fake_violation("a command that makes no sense");
	virt.nr_stops += id == VIRTIO_BALLOON_CMD_ID_STOP;
	virt.nr_series += id != VIRTIO_BALLOON_CMD_ID_STOP;
	virt.hint_id = id;
}

static void virt_check_report(struct virt_queue *q, struct virt_buffer *buf,
			      struct scatterlist *sg)
{
	unsigned int i;

	virt.nr_messages[VIRT_REPORTING]++;
	for (i = 0; i < buf->nr_descriptors; i++) {
		if (!sg[i].length || sg[i].length % PAGE_SIZE)
			fake_violation("a report of a part of a page");
		virt.nr_pages[VIRT_REPORTING] += sg[i].length / PAGE_SIZE;
	}
	buf->len = 0;
}

/* Is it the kernel's own report, and not one of the balloon's? */
static bool virt_is_foreign(const void *token);

/* Blocks that were inflated: whole ones of 2 MiB, one or two in a piece. */
static void virt_check_blocks(struct virt_buffer *buf, struct scatterlist *sg)
{
	unsigned int i, j;

	virt.nr_messages[VIRT_INFLATE]++;
	for (i = 0; i < buf->nr_descriptors; i++) {
		struct virt_piece *piece = &buf->piece[i];

		piece->first = page_to_pfn(sg_page(&sg[i])) - page_to_pfn(arena);
		piece->nr = sg[i].length / PAGE_SIZE;
		if (sg[i].offset || page_to_pfn(sg_page(&sg[i])) %
				    (SZ_2M / PAGE_SIZE) ||
		    (sg[i].length != SZ_2M && sg[i].length != 2 * SZ_2M) ||
		    piece->first + piece->nr > ARENA_PAGES) {
			fake_violation("a report is no block of the balloon's");
			piece->nr = 0;
		}
		for (j = 0; j < piece->nr; j++) {
			struct fake_page *p = &fake.page[piece->first + j];

			if (!p->taken || p->inflate_in_flight ||
			    p->deflate_in_flight || p->at_host)
				fake_violation("the device is told nonsense");
			p->inflate_in_flight = true;
		}
		virt.nr_reported += piece->nr;
	}
	buf->nr_pieces = buf->nr_descriptors;
	buf->len = 0;
}

static void virt_blocks_done(struct virt_buffer *buf)
{
	unsigned int i, j;

	for (i = 0; i < buf->nr_pieces; i++)
		for (j = 0; j < buf->piece[i].nr; j++) {
			struct fake_page *p = &fake.page[buf->piece[i].first + j];

			p->inflate_in_flight = false;
			p->at_host = true;
		}
}

/* Returns false if the contents cannot be looked at. */
static bool virt_check_message(struct virt_queue *q, struct virt_buffer *buf)
{
	bool inflate = q->kind == VIRT_INFLATE;
	unsigned int i, nr = buf->len / sizeof(__virtio32);

	if (!buf->len || nr > VIRT_PFNS_PER_MESSAGE ||
	    buf->len % (VIRT_PFNS_PER_PAGE * sizeof(__virtio32)) ||
	    (unsigned long)buf->data % sizeof(__virtio32)) {
		fake_violation("a message has a bad length");
		return false;
	}
	for (i = 0; i < nr; i += VIRT_PFNS_PER_PAGE) {
		struct fake_page *p = virt_page(buf, i);

		if (i && virt_pfn(buf, i) <= virt_pfn(buf, i - 1))
			fake_violation("PFNs do not ascend");
		if (!p->taken)
			fake_violation("the device is told of a free page");
		if (p->inflate_in_flight || p->deflate_in_flight ||
		    p->at_host == inflate)
			fake_violation("the device is told nonsense");
		p->inflate_in_flight = inflate;
		p->deflate_in_flight = !inflate;
	}
	virt.nr_messages[q->kind]++;
	virt.nr_pages[q->kind] += nr / VIRT_PFNS_PER_PAGE;
	virt.nr_full += nr == VIRT_PFNS_PER_MESSAGE;
	return true;
}

static void virt_message_done(struct virt_queue *q, struct virt_buffer *buf)
{
	unsigned int i, nr = buf->len / sizeof(__virtio32);

	for (i = 0; i < nr; i += VIRT_PFNS_PER_PAGE) {
		struct fake_page *p = virt_page(buf, i);

		p->inflate_in_flight = false;
		p->deflate_in_flight = false;
		p->at_host = q->kind == VIRT_INFLATE;
	}
}

/* Virtqueues, as the virtio core has them */

static bool virt_is_outstanding(struct virt_queue *q, const void *token)
{
	unsigned int i;

	for (i = 0; i < VIRT_RING; i++)
		if (q->buffer[i].outstanding && q->buffer[i].token == token)
			return true;
	return false;
}

static int virt_add(struct virtqueue *vq, struct scatterlist *sg,
		    unsigned int num, void *token, gfp_t gfp, bool out)
{
	struct virt_queue *q = virt_queue(vq);
	struct virt_buffer *buf;
	unsigned int i;

	fake_must_move_on();
	if (!q->found || !virt.ready || virt.reset)
		fake_violation("a buffer for a device that is not ready");
	if (!token)
		fake_violation("a buffer without a token");
	virt_check_shape(q, sg, num, token, gfp, out);
	if (q->broken)
		return -EIO;
	if (virt.fail_nth_add && !--virt.fail_nth_add)
		return virt.add_error;
	if (vq->num_free < num) {
		/* The command that ends a series may have no room. */
		if (q->kind != VIRT_HINTS || virt_is_arena(token))
			fake_violation("more buffers than the ring holds");
		return -ENOSPC;
	}
	if (virt_is_outstanding(q, token))
		fake_violation("a buffer is added twice");

	for (i = 0; q->buffer[i].outstanding; i++)
		;
	buf = &q->buffer[i];
	buf->token = token;
	buf->data = sg_virt(sg);
	buf->len = sg->length;
	buf->nr_descriptors = num;
	buf->nr_pieces = 0;
	if (virt_is_message(q) && !virt_check_message(q, buf))
		return -EINVAL;
	if (q->kind == VIRT_STATS)
		virt_check_stats(q, buf);
	else if (q->kind == VIRT_HINTS)
		virt_check_hint(q, buf);
	else if (q->kind == VIRT_REPORTING && virt_is_foreign(token))
		virt_check_report(q, buf, sg);
	else if (q->kind == VIRT_REPORTING)
		virt_check_blocks(buf, sg);
	buf->hash = virt_hash(buf);
	buf->seq = ++q->seq;
	buf->outstanding = true;
	buf->answered = false;
	vq->num_free -= num;
	return 0;
}

static inline bool virt_kick_prepare(struct virtqueue *vq)
{
	struct virt_queue *q = virt_queue(vq);

	if (!q->found || !virt.ready || virt.reset)
		fake_violation("a device is notified that is not ready");
	if (virt.polls)
		q->visible = q->seq;
	return !virt.polls;
}

static void *virt_get_buf(struct virtqueue *vq, unsigned int *len)
{
	struct virt_queue *q = virt_queue(vq);
	struct virt_buffer *buf;

	if (!q->found)
		fake_violation("a queue is used that was deleted");
	if (q->broken || !q->nr_used)
		return NULL;
	buf = &q->buffer[q->used[0]];
	memmove(q->used, q->used + 1, --q->nr_used);
	*len = virt.used_len;
	if (!buf->outstanding) {
		/* Not even then can it take a buffer that is elsewhere. */
		if (virt.trusting && buf->token && virt_is_message(q) &&
		    !virt_is_outstanding(q, buf->token)) {
			virt.nr_lies++;
			return buf->token;
		}
		q->broken = true;
		return NULL;
	}
	if (virt_hash(buf) != buf->hash)
		fake_violation("a buffer was changed in flight");
	if (virt_is_message(q))
		virt_message_done(q, buf);
	virt_blocks_done(buf);
	buf->outstanding = false;
	vq->num_free += buf->nr_descriptors;
	return buf->token;
}

/* A queue breaks without an interrupt. */
static inline bool virt_is_broken(struct virtqueue *vq)
{
	bool broken = virt_queue(vq)->broken;

	fake.unannounced |= broken;
	return broken;
}

static inline void *virt_detach(struct virtqueue *vq)
{
	struct virt_queue *q = virt_queue(vq);
	unsigned int i;

	if (!virt.reset)
		fake_violation("buffers are taken from a live device");
	for (i = 0; i < VIRT_RING; i++) {
		if (!q->buffer[i].outstanding)
			continue;
		q->buffer[i].outstanding = false;
		vq->num_free += q->buffer[i].nr_descriptors;
		return q->buffer[i].token;
	}
	return NULL;
}

/* The device's side */

/* @asked: only if the driver asks for interrupts. */
static void virt_interrupt(struct virt_queue *q, bool asked)
{
	if (q->found && virt.ready && !virt.reset && !q->broken &&
	    q->vq.callback && (q->interrupts || !asked))
		q->vq.callback(&q->vq);
}

/* Whatever is in that place of the ring, sent or not. */
static void virt_use(struct virt_queue *q, unsigned int place)
{
	if (q->nr_used < sizeof(q->used)) {
		q->buffer[place].answered = true;
		q->used[q->nr_used++] = place;
	}
}

/* Oldest first: the @nth of the buffers seen and not answered, or NULL. */
static struct virt_buffer *virt_seen(struct virt_queue *q, unsigned int nth)
{
	struct virt_buffer *best;
	unsigned long after = 0;
	unsigned int i;

	do {
		best = NULL;
		for (i = 0; i < VIRT_RING; i++) {
			struct virt_buffer *buf = &q->buffer[i];

			if (buf->outstanding && !buf->answered &&
			    buf->seq > after && buf->seq <= q->visible &&
			    (!best || buf->seq < best->seq))
				best = buf;
		}
		if (best)
			after = best->seq;
	} while (best && nth--);
	return best;
}

/* Answers the @nth buffer, @times over; false if there is none. */
static bool virt_answer(struct virt_queue *q, unsigned int nth,
			unsigned int times)
{
	struct virt_buffer *buf = virt_seen(q, nth);

	if (!buf || !q->found || q->broken || virt.reset)
		return false;
	while (times--)
		virt_use(q, buf - q->buffer);
	virt_interrupt(q, true);
	return true;
}

/* The device returns statistics only when it wants new ones. */
static bool virt_answer_next(struct virt_queue *q)
{
	if (q->kind == VIRT_STATS && !virt.stats_wanted)
		return false;
	if (!virt_answer(q, 0, 1))
		return false;
	virt.stats_wanted -= q->kind == VIRT_STATS;
	return true;
}

static inline void virt_disable_interrupts(struct virtqueue *vq)
{
	struct virt_queue *q = virt_queue(vq);

	if (!q->found)
		fake_violation("a queue is used that was deleted");
	q->interrupts = false;
}

static inline bool virt_enable_interrupts(struct virtqueue *vq)
{
	struct virt_queue *q = virt_queue(vq);

	if (!q->found)
		fake_violation("a queue is used that was deleted");
	/* An interrupt would not come: the driver had not asked for it yet. */
	if (virt.races)
		virt_answer(q, 0, 1);
	q->interrupts = true;
	return q->broken || !q->nr_used;
}

/* A world in which the device answers whoever waits. */
static bool virt_step(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < virt.nr_queues && !virt.silent; i++)
		if (virt_answer_next(&virt.queue[i]))
			return true;
	return false;
}

static inline bool virt_notify(struct virtqueue *vq)
{
	struct virt_queue *q = virt_queue(vq);

	virt.nr_notifications++;
	if (!q->found || !virt.ready || virt.reset)
		fake_violation("a device is notified that is not ready");
	if (irqs_disabled())
		fake_violation("a device is notified with interrupts off");
	if (virt.breaks_notify)
		q->broken = true;
	virt.most_notified = max_t(unsigned int, virt.most_notified,
				   q->seq - q->visible);
	q->visible = q->seq;
	if (virt.at_once)
		while (virt_answer_next(q))
			;
	if (virt.interrupts_notify)
		virt_interrupt(q, false);
	if (virt.hang_nth_notify && !--virt.hang_nth_notify)
		virt.hangs(fake.test);
	return !q->broken;
}

/* The number that the device gives to a queue: it goes by what it offers. */
static unsigned int virt_number(enum virt_kind kind)
{
	static const unsigned int bits[] = {
		[VIRT_STATS] = VIRTIO_BALLOON_F_STATS_VQ,
		[VIRT_HINTS] = VIRTIO_BALLOON_F_FREE_PAGE_HINT,
		[VIRT_REPORTING] = VIRTIO_BALLOON_F_REPORTING,
	};
	unsigned int i, nr = min_t(unsigned int, kind, VIRT_STATS);

	for (i = VIRT_STATS; i < kind; i++)
		nr += !!(virt.features & BIT_ULL(bits[i]));
	if (kind >= VIRT_STATS && !(virt.vdev.features & BIT_ULL(bits[kind])))
		fake_violation("a queue that was not negotiated");
	return nr;
}

static enum virt_kind virt_kind_of(const char *name)
{
	static const char * const names[] = {
		"inflate", "deflate", "stats", "hints", "reporting"
	};
	unsigned int i;

	for (i = 0; i < VIRT_NR_KINDS; i++)
		if (!strcmp(names[i], name))
			return i;
	fake_violation("a queue that no device has");
	return 0;
}

static int virt_find_vqs(struct virtio_device *vdev, unsigned int nr,
			 struct virtqueue *vqs[], struct virtqueue_info info[])
{
	unsigned int i, index = 0;

	if (virt.nr_queues || virt.ready || nr > VIRT_NR_QUEUES)
		fake_violation("queues are found twice, or too late");
	if (virt.find_error)
		return virt.find_error;
	if (test_alloc_fails(GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < nr; i++) {
		struct virt_queue *q = &virt.queue[i];

		memset(q, 0, sizeof(*q));
		vqs[i] = NULL;
		/* A queue that the device does not have keeps its place. */
		if (!info[i].name)
			continue;
		q->found = true;
		q->interrupts = true;
		q->vq.name = info[i].name;
		q->vq.callback = info[i].callback;
		q->vq.vdev = vdev;
		q->vq.index = index++;
		q->vq.num_free = min_t(unsigned int, virt.ring_size, VIRT_RING);
		q->kind = virt_kind_of(q->vq.name);
		if (virt_number(q->kind) != q->vq.index)
			fake_violation("the device has another number for a queue");
		vqs[i] = &q->vq;
	}
	virt.nr_queues = nr;
	virt.reset = false;
	virt.hint_id = VIRTIO_BALLOON_CMD_ID_STOP;
	return 0;
}

static void virt_del_vqs(struct virtio_device *vdev)
{
	if (virt.nr_queues && !virt.reset)
		fake_violation("queues are deleted under a live device");
	memset(virt.queue, 0, sizeof(virt.queue));
	virt.nr_queues = 0;
}

/* The device forgets all buffers and all pages. */
static void virt_reset(void)
{
	unsigned int i;

	virt.nr_resets++;
	virt.reset = true;
	virt.ready = false;
	virt.status = 0;
	for (i = 0; i < ARENA_PAGES; i++) {
		fake.page[i].at_host = false;
		fake.page[i].inflate_in_flight = false;
		fake.page[i].deflate_in_flight = false;
	}
	if (virt.meanwhile && virt.nr_queues)
		virt.meanwhile();
}

static inline void virt_ready(void)
{
	if (virt.ready || virt.reset || !virt.nr_queues)
		fake_violation("a device is ready that has no queues");
	virt.ready = true;
}

/* Features */

static inline bool virt_driver_offers(unsigned int bit)
{
	bool legacy = !(virt.features & BIT_ULL(VIRTIO_F_VERSION_1));
	const unsigned int *table = legacy ? virt_driver->feature_table_legacy :
					     virt_driver->feature_table;
	unsigned int i, nr = legacy ? virt_driver->feature_table_size_legacy :
				      virt_driver->feature_table_size;

	for (i = 0; i < nr; i++)
		if (table[i] == bit)
			return true;
	return bit >= VIRTIO_TRANSPORT_F_START;
}

static inline bool virt_has_feature(const struct virtio_device *vdev,
				    unsigned int bit)
{
	unsigned int i;

	for (i = 0; i < virt_driver->feature_table_size; i++)
		if (virt_driver->feature_table[i] == bit)
			break;
	if (i == virt_driver->feature_table_size && bit < VIRTIO_TRANSPORT_F_START)
		fake_violation("a feature that the driver does not offer");
	return vdev->features & BIT_ULL(bit);
}

/* Configuration space */

static void virt_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		     unsigned int len)
{
	if (offset + len > sizeof(virt.config)) {
		fake_violation("read beyond the configuration");
		return;
	}
	memcpy(buf, (u8 *)&virt.config + offset, len);
	if (offset == offsetof(struct virtio_balloon_config, num_pages)) {
		virt.nr_target_reads++;
		virt.config.num_pages ^= cpu_to_le32(virt.flap);
	}
}

static void virt_set(struct virtio_device *vdev, unsigned int offset,
		     const void *buf, unsigned int len)
{
	/* Some devices take nothing but a whole word. */
	if (len != sizeof(u32) || offset % sizeof(u32) ||
	    offset == offsetof(struct virtio_balloon_config, num_pages) ||
	    offset == offsetof(struct virtio_balloon_config, free_page_hint_cmd_id) ||
	    offset + len > sizeof(virt.config)) {
		fake_violation("write to the configuration");
		return;
	}
	memcpy((u8 *)&virt.config + offset, buf, len);
	if (offset != offsetof(struct virtio_balloon_config, poison_val))
		return;
	virt.nr_poison_writes++;
	if (virt.ready || !virt_has_feature(vdev, VIRTIO_BALLOON_F_PAGE_POISON))
		fake_violation("the device is told too late what pages contain");
}

static inline u8 virt_get_status(struct virtio_device *vdev)
{
	return virt.status;
}

static const struct virtio_config_ops virt_config_ops = {
	.get = virt_get,
	.set = virt_set,
	.get_status = virt_get_status,
	.del_vqs = virt_del_vqs,
};

/* What the driver has allocated, to be freed whatever a case has done. */

static void *virt_alloc(size_t size, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < VIRT_NR_OBJECTS && virt.object[i]; i++)
		;
	if (i == VIRT_NR_OBJECTS) {
		fake_violation("too many objects of the driver");
		return NULL;
	}
	virt.object[i] = test_kzalloc(size, gfp);
	return virt.object[i];
}

static void virt_free(const void *object)
{
	unsigned int i;

	for (i = 0; i < VIRT_NR_OBJECTS && object; i++)
		if (virt.object[i] == object)
			virt.object[i] = NULL;
	test_kfree(object);
}

static struct balloon *virt_register(struct device *parent,
					      const struct balloon_dev_ops *ops,
					      void *data)
{
	struct balloon *b = balloon_register_device(parent, ops, data);

	if (!IS_ERR(b))
		virt.b = b;
	else
		fake_device_blank();
	return b;
}

static int virt_unregister(struct balloon *b)
{
	int err = balloon_unregister_device(b);

	if (!err) {
		if (b->stats.enqueued != b->stats.dequeued ||
		    fake.managed[0] || fake.managed[1])
			fake_violation("pages are lost");
		virt.b = NULL;
		fake_device_blank();
		memset(fake.events, 0, sizeof(fake.events));
	}
	return err;
}

/* Free blocks, from the arena */

static struct page *virt_alloc_block(gfp_t gfp, unsigned int order)
{
	unsigned int i, j;

	if (order != VIRT_BLOCK_ORDER || gfpflags_allow_blocking(gfp))
		fake_violation("a hint that is not for the taking");
	if (test_alloc_fails(gfp) || fake.no_memory)
		return NULL;
	for (i = 0; i < ARENA_PAGES; i += VIRT_BLOCK_PAGES) {
		for (j = 0; j < VIRT_BLOCK_PAGES && !fake.page[i + j].taken; j++)
			;
		if (j < VIRT_BLOCK_PAGES)
			continue;
		while (j--)
			fake_take_page(i + j);
		virt.nr_blocks++;
		return arena + i;
	}
	return NULL;
}

static void virt_free_block(struct page *block, unsigned int order)
{
	unsigned int i;

	for (i = 0; i < virt.nr_queues && !virt.reset; i++)
		if (virt_is_outstanding(&virt.queue[i], block))
			fake_violation("a block is freed that the device may discard");
	if (order != VIRT_BLOCK_ORDER)
		fake_violation("a block is freed in part");
	for (i = 0; i < VIRT_BLOCK_PAGES; i++)
		fake_put_page(block + i);
	virt.nr_blocks--;
}

/* The kernel's page reporting */

static int virt_reporting_register(struct page_reporting_dev_info *dev)
{
	if (dev->order != (unsigned int)PAGE_REPORTING_ORDER_UNSPECIFIED)
		fake_violation("the order of reports is the kernel's to choose");
	if (virt.reporting_error)
		return virt.reporting_error;
	if (virt.reporting || !virt.ready)
		fake_violation("reporting begins too early");
	virt.reporting = dev;
	return 0;
}

static void virt_reporting_unregister(struct page_reporting_dev_info *dev);

/* Statistics */

static inline void virt_all_vm_events(unsigned long *events)
{
	unsigned int i;

	for (i = 0; i < NR_VM_EVENT_ITEMS; i++)
		events[i] = 1000 + i;
}

static inline void virt_meminfo(struct sysinfo *info)
{
	memset(info, 0, sizeof(*info));
	info->freeram = 3;
	info->totalram = 5;
}

static struct shrinker *virt_shrinker_alloc(void)
{
	static struct shrinker shrinker;

	memset(&shrinker, 0, sizeof(shrinker));
	return &shrinker;
}

static inline int virt_register_reboot(struct notifier_block *nb)
{
	if (test_alloc_fails(GFP_KERNEL))
		return -ENOMEM;
	virt.reboot = nb;
	if (virt.guest_ends)
		nb->notifier_call(nb, SYS_RESTART, NULL);
	return 0;
}

static inline int virt_register_pm(struct notifier_block *nb)
{
	if (test_alloc_fails(GFP_KERNEL))
		return -ENOMEM;
	virt.pm = nb;
	return 0;
}

/* Sleep, as the virtio core has it */

static inline int virt_device_freeze(void)
{
	virt.asleep = true;
#ifdef CONFIG_PM_SLEEP
	return virt_driver->freeze(&virt.vdev);
#else
	return -EOPNOTSUPP;
#endif
}

static inline int virt_device_restore(void)
{
	int err = -EOPNOTSUPP;

	virt_reset();
	virt.reset = false;
#ifdef CONFIG_PM_SLEEP
	err = virt_driver->restore(&virt.vdev);
#endif
	virt.asleep = err;
	return err;
}

#undef register_pm_notifier
#define register_pm_notifier(nb)	virt_register_pm(nb)
#undef unregister_pm_notifier
#define unregister_pm_notifier(nb)	((void)(nb), virt.pm = NULL)
#undef register_reboot_notifier
#define register_reboot_notifier(nb)	virt_register_reboot(nb)
#undef unregister_reboot_notifier
#define unregister_reboot_notifier(nb)	((void)(nb), virt.reboot = NULL)
#undef alloc_pages
#define alloc_pages(gfp, order)		virt_alloc_block(gfp, order)
#undef __free_pages
#define __free_pages(page, order)	virt_free_block(page, order)
/* The driver's only logarithm is that of the blocks of hints. */
#undef ilog2
#define ilog2(n)			VIRT_BLOCK_ORDER
#define page_reporting_register(dev)	virt_reporting_register(dev)
#define page_reporting_unregister(dev)	virt_reporting_unregister(dev)
#undef shrinker_alloc
#define shrinker_alloc(flags, name)	virt_shrinker_alloc()
#define shrinker_register(shrinker)	((void)(shrinker))
#define shrinker_free(shrinker)		((void)(shrinker))
#define all_vm_events(events)		virt_all_vm_events(events)
#define si_meminfo(info)		virt_meminfo(info)
#undef si_mem_available
#define si_mem_available()		7L
#undef global_node_page_state
#define global_node_page_state(item)	((item) == NR_FILE_PAGES ? 11UL : 2000 + (item))
/* Newer kernels count what reclaim has done by node. */
#ifdef HAVE_NODE_RECLAIM_STATE
#define VIRT_RECLAIM(item)		(2000 + (item))
#else
#define VIRT_RECLAIM(item)		(1000 + (item))
#endif
#undef want_init_on_free
#define want_init_on_free()		(virt.init_on_free)
#undef page_poisoning_enabled_static
#define page_poisoning_enabled_static()	(virt.page_poisoning)
#undef wait_event_idle_timeout
#define wait_event_idle_timeout(wait, cond, timeout) \
	fake_wait_event_timeout(cond, timeout)
#undef virtio_device_freeze
#define virtio_device_freeze(vdev)	((void)(vdev), virt_device_freeze())
#undef virtio_device_restore
#define virtio_device_restore(vdev)	((void)(vdev), virt_device_restore())
#define pm_stay_awake(dev)		((void)(dev), virt.awake++)
#define pm_relax(dev)			((void)(dev), virt.awake--)
#define device_set_wakeup_capable(dev, capable)	((void)(dev))
#define cpu_to_virtio16(vdev, value) \
	((void)(vdev), __cpu_to_virtio16(!virt.big_endian, value))
#define cpu_to_virtio32(vdev, value) \
	((void)(vdev), __cpu_to_virtio32(!virt.big_endian, value))
#define cpu_to_virtio64(vdev, value) \
	((void)(vdev), __cpu_to_virtio64(!virt.big_endian, value))

#undef virtqueue_add_outbuf
#define virtqueue_add_outbuf(vq, sg, num, data, gfp) \
	virt_add(vq, sg, num, data, gfp, true)
#undef virtqueue_add_inbuf
#define virtqueue_add_inbuf(vq, sg, num, data, gfp) \
	virt_add(vq, sg, num, data, gfp, false)
#undef virtqueue_kick_prepare
#define virtqueue_kick_prepare(vq)	virt_kick_prepare(vq)
#undef virtqueue_notify
#define virtqueue_notify(vq)		virt_notify(vq)
#undef virtqueue_kick
#define virtqueue_kick(vq)	(virt_kick_prepare(vq) ? virt_notify(vq) : true)
#undef virtqueue_get_buf
#define virtqueue_get_buf(vq, len)	virt_get_buf(vq, len)
#undef virtqueue_disable_cb
#define virtqueue_disable_cb(vq)	virt_disable_interrupts(vq)
#undef virtqueue_enable_cb
#define virtqueue_enable_cb(vq)		virt_enable_interrupts(vq)
#undef virtqueue_detach_unused_buf
#define virtqueue_detach_unused_buf(vq)	virt_detach(vq)
#undef virtqueue_is_broken
#define virtqueue_is_broken(vq)		virt_is_broken(vq)
#undef virtqueue_get_vring_size
#define virtqueue_get_vring_size(vq)	((void)(vq), virt.ring_size)
#undef virtio_find_vqs
#define virtio_find_vqs(vdev, nr, vqs, info, affinity) \
	virt_find_vqs(vdev, nr, vqs, info)
#undef virtio_reset_device
#define virtio_reset_device(vdev)	((void)(vdev), virt_reset())
#undef virtio_device_ready
#define virtio_device_ready(vdev)	((void)(vdev), virt_ready())
#undef virtio_has_feature
#define virtio_has_feature(vdev, bit)	virt_has_feature(vdev, bit)
#undef virtio_is_little_endian
#define virtio_is_little_endian(vdev)	((void)(vdev), !virt.big_endian)
#undef kzalloc
#define kzalloc(size, gfp)		virt_alloc(size, gfp)
#undef kcalloc
#define kcalloc(nr, size, gfp)		virt_alloc((nr) * (size), gfp)
#undef kfree
#define kfree(object)			virt_free(object)
#define balloon_register_device(parent, ops, data) virt_register(parent, ops, data)
#define balloon_unregister_device(b)	virt_unregister(b)
/* The suite is no driver. */
#undef MODULE_DEVICE_TABLE
#define MODULE_DEVICE_TABLE(type, table)
#undef register_virtio_driver
#define register_virtio_driver(driver)	(virt_driver = (driver), 0)
#define unregister_virtio_driver(driver)	((void)(driver))
#pragma push_macro("module_init")
#pragma push_macro("module_exit")
#pragma push_macro("__init")
#pragma push_macro("__exit")
#undef module_init
#define module_init(f)		static int (*virt_module_init)(void) = f
#undef module_exit
#define module_exit(f)		static void (*virt_module_exit)(void) __maybe_unused = f
#undef __init
#define __init
#undef __exit
#define __exit
#include "../../../../drivers/virtio/balloon/queues.c"
#include "../../../../drivers/virtio/balloon/stats.c"
#include "../../../../drivers/virtio/balloon/hints.c"
#include "../../../../drivers/virtio/balloon/reporting.c"
#include "../../../../drivers/virtio/virtio_balloon.c"
#pragma pop_macro("__exit")
#pragma pop_macro("__init")
#pragma pop_macro("module_exit")
#pragma pop_macro("module_init")

static struct virtio_balloon *virt_vb(void)
{
	return virt.vdev.priv;
}

static bool virt_is_foreign(const void *token)
{
	return token == &virt_vb()->reporting;
}

/* As the kernel does, waits for a report that is under way. */
static void virt_reporting_unregister(struct page_reporting_dev_info *dev)
{
	if (virt.reporting != dev)
		fake_violation("reporting ends that never began");
	if (virt.meanwhile)
		virt.meanwhile();
	virt.reporting = NULL;
	if (!virt_vb()->reporting.busy)
		return;
	queue_run(reporting_queue(virt_vb()), NULL);
	if (!reporting_over(virt_vb()))
		fake_violation("a report is waited for that never ends");
	virt_vb()->reporting.busy = false;
}

/* The virtio core: negotiation, probe, removal */

static inline int virt_bind(struct kunit *test)
{
	unsigned int bit;
	int err;

	virt.vdev.features = 0;
	for (bit = 0; bit < 64; bit++)
		if (virt.features & BIT_ULL(bit) && virt_driver_offers(bit))
			virt.vdev.features |= BIT_ULL(bit);
	if (virt_driver->validate)
		KUNIT_ASSERT_EQ(test, virt_driver->validate(&virt.vdev), 0);
	virt.reset = false;
	err = virt_driver->probe(&virt.vdev);
	virt.bound = !err;
	if (err) {
		KUNIT_EXPECT_EQ(test, test_objects, 0);
		KUNIT_EXPECT_EQ(test, virt.nr_queues, 0);
		KUNIT_EXPECT_PTR_EQ(test, virt.b, NULL);
	} else if (!virt.ready && !virt.guest_ends) {
		/* The virtio core sees to it, after what was queued has run. */
		while (fake_run_work(fake.now))
			;
		virt_ready();
	}
	return err;
}

/* Afterwards everything is the guest's, unless the core kept the device. */
static inline void virt_unbind(struct kunit *test)
{
	/* Nothing more is heard of the configuration from then on. */
	virt.bound = false;
	virt_driver->remove(&virt.vdev);
	KUNIT_EXPECT_EQ(test, virt.nr_queues, 0);
	KUNIT_EXPECT_TRUE(test, virt.reset);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
	KUNIT_EXPECT_EQ(test, virt.nr_blocks, 0);
	KUNIT_EXPECT_PTR_EQ(test, virt.reporting, NULL);
	KUNIT_EXPECT_NULL(test, virt.reboot);
	KUNIT_EXPECT_NULL(test, virt.pm);
	virt.asleep = false;
	if (virt.b) {
		KUNIT_EXPECT_EQ(test, test_warnings--, virt.nr_lies + 1);
		/* Nothing else is a reason. */
		KUNIT_EXPECT_NOT_NULL(test, compaction_first());
		return;
	}
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_EQ(test, fake.nr_taken, 0);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(virt.config.actual), 0);
}

/* Holds between any two calls into the driver, bound or not. */
static void virt_validate(struct kunit *test)
{
	struct balloon *b = virt.b ?: &host.b;
	unsigned int i, j;

	/* The driver warns whenever it is lied to. */
	KUNIT_ASSERT_EQ(test, test_take_warnings(), virt.nr_lies);
	virt.nr_lies = 0;
	validate_device(test, b, balloon_is_answered(b) || b->state == BALLOON_STALLED);
	for (i = 0; i < virt.nr_queues; i++) {
		struct virt_queue *q = &virt.queue[i];
		unsigned int nr = min_t(unsigned int, virt.ring_size, VIRT_RING);

		for (j = 0; j < VIRT_RING && q->found; j++)
			if (q->buffer[j].outstanding)
				nr -= q->buffer[j].nr_descriptors;
		if (q->found)
			KUNIT_ASSERT_EQ(test, nr, q->vq.num_free);
	}
}

/* When nothing is pending, the device's set of pages is the guest's. */
static inline void virt_at_rest(struct kunit *test)
{
	unsigned int i;

	virt_validate(test);
	if (!virt.b)
		return;
	KUNIT_ASSERT_EQ(test, virt.b->nr_inflating + virt.b->nr_deflating, 0);
	for (i = 0; i < ARENA_PAGES; i++)
		KUNIT_ASSERT_EQ(test, fake.page[i].at_host,
				!!PageOffline(arena + i));
	KUNIT_ASSERT_EQ(test, le32_to_cpu(virt.config.actual),
			balloon_actual(virt.b) * VIRT_PFNS_PER_PAGE);
}

/* Moves until nothing does any more, the device included. */
static inline void virt_settle(struct kunit *test)
{
	do {
		while (virt_step(test))
			virt_validate(test);
	} while (fake_run_work(fake.now));
	virt_validate(test);
}

static inline void virt_ask(u32 nr_pfns)
{
	virt.config.num_pages = cpu_to_le32(nr_pfns);
	if (virt.bound && !virt.asleep)
		virt_driver->config_changed(&virt.vdev);
}

/* The device asks for hints, or for none. */
static inline void virt_ask_hints(u32 id)
{
	virt.config.free_page_hint_cmd_id = cpu_to_le32(id);
	if (virt.bound && !virt.asleep)
		virt_driver->config_changed(&virt.vdev);
}

static inline int virt_freeze(struct kunit *test)
{
	int err = virt_device_freeze();

	if (!err)
		KUNIT_EXPECT_EQ(test, virt.nr_queues, 0);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
	return err;
}

static inline int virt_restore(struct kunit *test)
{
	return virt_device_restore();
}

static inline void virt_shutdown(struct kunit *test)
{
	virt.asleep = true;
	virt.reboot->notifier_call(virt.reboot, SYS_RESTART, NULL);
	KUNIT_EXPECT_TRUE(test, virt.reset);
	KUNIT_EXPECT_EQ(test, le32_to_cpu(virt.config.actual), 0);
	KUNIT_EXPECT_EQ(test, virt.awake, 0);
}

static inline void virt_resize(struct kunit *test, unsigned int nr_pages)
{
	virt_ask(nr_pages * VIRT_PFNS_PER_PAGE);
	virt_settle(test);
	KUNIT_ASSERT_EQ(test, balloon_actual(virt.b), nr_pages);
	virt_at_rest(test);
}

static inline void virt_init(struct kunit *test)
{
	host_init(test);
	fake_device_blank();
	memset(&virt, 0, sizeof(virt));
	fake.step = virt_step;
	virt.vdev.config = &virt_config_ops;
	virt.features = BIT_ULL(VIRTIO_F_VERSION_1);
	virt.ring_size = 128;
	virt.add_error = -EIO;
	/* Whatever an aborted case has left. */
	INIT_LIST_HEAD(&vb_hints_list);
	stats_tags = VB_NR_STATS;
	virt_module_init();
}

/* Frees what a case has left behind, also one that was aborted. */
static inline void virt_exit(void)
{
	unsigned int i;

	fake_mm_exit();
	if (virt.b) {
		free_device(virt.b);
		fake_device_free(virt.b);
	}
	for (i = 0; i < VIRT_NR_OBJECTS; i++)
		virt_free(virt.object[i]);
	virt.b = NULL;
}

/* What the suites share */

/* A message full of them, and some more. */
#define SOME_PAGES	((unsigned int)VIRT_PAGES_PER_MESSAGE + 5)

/* Unless the case says another one, all unbinding is done within this time. */
#define UNBIND_TIME	(4 * 60 * HZ)

static inline void begin(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, virt_bind(test), 0);
	virt_validate(test);
}

/* In all of its life there were so many messages in the log. */
static inline void end(struct kunit *test, unsigned int complaints)
{
	unsigned long start = fake.now;

	virt_unbind(test);
	virt_validate(test);
	KUNIT_EXPECT_PTR_EQ(test, virt.b, NULL);
	KUNIT_EXPECT_LE(test, fake.now - start, UNBIND_TIME);
	KUNIT_EXPECT_EQ(test, fake.nr_complaints, complaints);
}

static inline void isolate_some(struct kunit *test, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < ARENA_PAGES && nr; i++)
		nr -= compaction_isolate(arena + i);
	KUNIT_ASSERT_EQ(test, nr, 0);
	virt_validate(test);
}

static inline int virt_test_init(struct kunit *test)
{
	virt_init(test);
	return 0;
}

static inline void virt_test_exit(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, test_warnings, 0);
	KUNIT_EXPECT_TRUE_MSG(test, !fake.violation, "%s", fake.violation);
	virt_exit();
	KUNIT_EXPECT_EQ(test, test_objects, 0);
#ifdef _BALLOON_USPACE_KERNEL_H
	uspace_first_pfn = USPACE_FIRST_PFN;
#endif
}

#endif /* _BALLOON_KUNIT_FAKE_VIRTIO_H */
