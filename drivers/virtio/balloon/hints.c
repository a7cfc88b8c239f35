// SPDX-License-Identifier: GPL-2.0
/*
 * Free page hints (5.5.6.5): free blocks that a live migration can leave out.
 *
 * For that the device asks for a series of hints by a new command id.  The driver
 * sends that id, then free blocks until there are no more, then "stop".  When the
 * ring is full, the work item ends and goes on when the device has used a block.
 * The blocks stay allocated until the device says "done", by when the migration
 * is over, so that their contents do not change and need not be sent.
 *
 * When the guest needs memory, a block may be used earlier; but only when the
 * device has used its buffer: it could take a block for free that was written
 * to since.
 *
 * page->lru links blocks that the device has used.
 */
#include <linux/balloon_compaction.h>
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/limits.h>
#include <linux/list.h>
#include <linux/log2.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/shrinker.h>
#include <linux/sizes.h>
#include <linux/spinlock.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "internal.h"

/*
 * What a hint is about: large blocks, which cost the guest and the host least.
 * An allocator that has none of that size gives none, without a word.
 */
#define VB_HINT_ORDER		ilog2(SZ_2M >> PAGE_SHIFT)

/* Hints in one run of the work item, before it looks at what is wanted now. */
#define VB_HINTS_AT_ONCE	16

/* Memory that is free as it is: hints are not worth any reclaim. */
#define VB_HINT_GFP		(__GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC)

static LIST_HEAD(vb_hints_list);
static DEFINE_SPINLOCK(vb_hints_lock);	/* list, and blocks of all devices */

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

static struct shrinker *vb_shrinker;

/**
 * vb_hints_init - let the kernel have hinted blocks when memory is short
 *
 * Context: may sleep.
 * Return: 0, or -ENOMEM.
 */
int __init vb_hints_init(void)
{
	vb_shrinker = shrinker_alloc(0, "virtio-balloon");
	if (!vb_shrinker)
		return -ENOMEM;
	vb_shrinker->count_objects = hints_count;
	vb_shrinker->scan_objects = hints_scan;
	shrinker_register(vb_shrinker);
	return 0;
}

/**
 * vb_hints_exit - undo vb_hints_init()
 *
 * Context: may sleep; no device is left.
 */
void vb_hints_exit(void)
{
	shrinker_free(vb_shrinker);
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

/* When the device has used the commands of the series before. */
static void series_try_begin(struct vb_hints *hints, u32 id)
{
	if (id == VIRTIO_BALLOON_CMD_ID_DONE ||
	    id == VIRTIO_BALLOON_CMD_ID_STOP || id == hints->id ||
	    hints->begin.in_flight || hints->end.in_flight ||
	    !hints_command(hints, &hints->begin, id))
		return;
	hints->id = id;
	hints->series = VB_SERIES_OPEN;
}

/*
 * Hints until the ring is full; then the device's next answer goes on with it.
 * Return: true if there is more to do now.
 */
static bool series_go_on(struct vb_hints *hints)
{
	unsigned int nr;

	for (nr = 0; nr < VB_HINTS_AT_ONCE; nr++) {
		if (!hints_room(hints)) {
			/* No answer is due: the ring is too small for a block. */
			if (!hints->nr_in_flight && !hints->begin.in_flight)
				hints->series = VB_SERIES_ENDING;
			return false;
		}
		if (!hints_block(hints)) {
			hints->series = VB_SERIES_ENDING;
			return false;
		}
		cond_resched();
	}
	return true;
}

/* In a ring of one entry the first command may be in the way. */
static void series_try_end(struct vb_hints *hints)
{
	if (!hints->vq->num_free)
		return;
	hints_command(hints, &hints->end, VIRTIO_BALLOON_CMD_ID_STOP);
	hints->series = VB_SERIES_NONE;
}

/*
 * Waits for nothing: whatever the device does next queues the work item again.
 * Return: true if there is more to do now.
 */
static bool hints_follow(struct vb_hints *hints)
{
	bool more = false;
	u32 id;

	virtio_cread_le(hints->vq->vdev, struct virtio_balloon_config,
			free_page_hint_cmd_id, &id);
	hints_collect(hints);
	if (id == VIRTIO_BALLOON_CMD_ID_DONE)
		hints_free(hints);
	/* It wants another one, or no more of this one. */
	if (hints->series == VB_SERIES_OPEN && id != hints->id)
		hints->series = VB_SERIES_ENDING;
	if (hints->series == VB_SERIES_NONE)
		series_try_begin(hints, id);
	if (hints->series == VB_SERIES_OPEN)
		more = series_go_on(hints);
	if (hints->series == VB_SERIES_ENDING)
		series_try_end(hints);
	return more;
}

/**
 * vb_hints_work - hint what the device wants now
 * @work: of the device
 *
 * Context: a work item, the only user of the queue.
 */
void vb_hints_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 hints.work);

	if (hints_follow(&vb->hints))
		vb_queue_work(vb, work);
	vb_work_done(vb);
}

/**
 * vb_hints_callback - the device has used hints
 * @vq: its queue for them
 *
 * Context: any, interrupts included.
 */
void vb_hints_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	vb_queue_work(vb, &vb->hints.work);
}

/**
 * vb_hints_begin - the device has a queue for hints
 * @hints: of the device; its work item does not run
 *
 * Context: process; takes vb_hints_lock.
 */
void vb_hints_begin(struct vb_hints *hints)
{
	spin_lock(&vb_hints_lock);
	list_add(&hints->node, &vb_hints_list);
	spin_unlock(&vb_hints_lock);
	hints->id = VIRTIO_BALLOON_CMD_ID_STOP;
	hints->series = VB_SERIES_NONE;
}

/**
 * vb_hints_end - free what was hinted
 * @hints: of a device that was reset; its work item does not run
 *
 * Context: process; takes vb_hints_lock.
 */
void vb_hints_end(struct vb_hints *hints)
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
