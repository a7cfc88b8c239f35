// SPDX-License-Identifier: GPL-2.0
/*
 * Batches as hypercalls, for guests whose page tables Xen looks after (PVH, HVM).
 *
 * Xen counts the frames of a guest.  A page of the balloon is a page frame number
 * without a frame behind it.
 *
 *	inflation	XENMEM_decrease_reservation: frames go
 *	deflation	XENMEM_populate_physmap: frames come
 *	migration	XENMEM_add_to_physmap_range: the frame of the page that comes
 *			goes to the page that leaves.  No frame goes or comes, so it
 *			needs no free memory of the host, and no scrubbing.
 *
 * Each of them has been done when it returns, so a batch is complete inside
 * ->submit().  What Xen did not do is refused.  Where its answer leaves open whether a
 * page still has its frame, the page is asked: see has_frame().
 *
 * No field of struct page is used: a page is a frame number and its contents.
 */
#define pr_fmt(fmt) "xen_balloon: " fmt

#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/printk.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>
#include <xen/page.h>

#include "internal.h"

/* Extents that one hypercall names. */
#define CALL_EXTENTS	512U

/* Our part of a batch. */
union frames_call {
	xen_pfn_t extent[CALL_EXTENTS];
	struct {
		xen_ulong_t from[BALLOON_BATCH_RANGES];
		xen_pfn_t to[BALLOON_BATCH_RANGES];
		int error[BALLOON_BATCH_RANGES];
	} move;
};

/*
 * Batches that Xen may still refuse to move, as a whole, until it counts as one that
 * cannot.  UINT_MAX when it has moved anything.
 */
static unsigned int move_tries = 3;

/*
 * Write to a page without a frame, and nothing happens; read, and all bits are set.
 * Only for pages that nobody uses.
 */
static bool has_frame(unsigned long pfn)
{
	unsigned long *word = kmap_local_page(pfn_to_page(pfn));
	bool has;

	WRITE_ONCE(*word, 0);
	has = !READ_ONCE(*word);
	kunmap_local(word);
	return has;
}

/*
 * Frames of one direction go or come, in the order of the pages, until Xen refuses
 * one.  If it refuses a whole block, what follows is tried page by page.
 */
static void frames_call(struct balloon_range_list *list, unsigned int op,
			xen_pfn_t *extent)
{
	struct xen_walk walk = { .list = list, .blocks = true };
	unsigned int order, nr, done;

	while (!xen_walk_is_over(&walk)) {
		order = xen_walk_order(&walk);
		nr = xen_walk_fill(walk, extent, CALL_EXTENTS, order);
		done = xen_extents(op, extent, nr, order);
		xen_walk_on(&walk, done << order);
		if (done == nr)
			continue;
		/* Of a block that did not go, the first pages may have gone. */
		while (op == XENMEM_decrease_reservation && order &&
		       !xen_walk_is_over(&walk) && !has_frame(xen_walk_pfn(&walk)))
			xen_walk_on(&walk, 1);
		if (!order)
			break;
		walk.blocks = false;
	}
	xen_walk_refuse(&walk);
}

/*
 * If the frame of the page that comes is gone, though it has not arrived, the host has
 * it.  Nobody gets it back before this guest ends, but nothing is lost that was used.
 * Return: true if it has changed anything.
 */
static bool settle_failed(struct balloon_range *new, struct balloon_range *old)
{
	new->nr_refused = has_frame(new->pfn);
	old->nr_refused = !has_frame(old->pfn);
	if (!new->nr_refused && old->nr_refused)
		pr_warn_once("Xen has lost the frame of a page: it has no memory for this guest's page tables\n");
	return !new->nr_refused || !old->nr_refused;
}

static void move_fill(union frames_call *call, const struct balloon_batch *batch)
{
	unsigned int i;

	for (i = 0; i < batch->inflate.nr; i++) {
		call->move.from[i] = batch->inflate.range[i].pfn;
		call->move.to[i] = batch->deflate.range[i].pfn;
		call->move.error[i] = 0;
	}
}

/*
 * A page that leaves has no frame, as it is in the balloon; if it had one, Xen would
 * free it.
 * Return: number of pairs that failed, each of which has its error.
 */
static unsigned int move_call(const struct balloon_batch *batch,
			      union frames_call *call)
{
	struct xen_add_to_physmap_range range = {
		.domid = DOMID_SELF,
		.space = XENMAPSPACE_gmfn,
		.size = batch->inflate.nr,
	};
	unsigned int i, failed = 0;
	long err;

	move_fill(call, batch);
	set_xen_guest_handle(range.idxs, call->move.from);
	set_xen_guest_handle(range.gpfns, call->move.to);
	set_xen_guest_handle(range.errs, call->move.error);
	err = HYPERVISOR_memory_op(XENMEM_add_to_physmap_range, &range);
	for (i = 0; i < batch->inflate.nr; i++) {
		call->move.error[i] = err ?: call->move.error[i];
		failed += !!call->move.error[i];
	}
	return failed;
}

/* What it has not even begun can be had in another way. */
static void refused_to_move(struct balloon_batch *batch, int error)
{
	unsigned int i, tries = READ_ONCE(move_tries);

	for (i = 0; i < batch->inflate.nr; i++) {
		batch->inflate.range[i].nr_refused = 0;
		batch->deflate.range[i].nr_refused = 0;
	}
	if (!tries || tries == UINT_MAX)
		return;
	WRITE_ONCE(move_tries, tries - 1);
	if (tries == 1)
		pr_info("Xen does not move frames (%d): migrations need free memory of the host\n",
			error);
}

/* Return: false if Xen has done nothing. */
static bool frames_move(struct balloon_batch *batch, union frames_call *call)
{
	unsigned int i, failed;
	bool changed;

	if (!READ_ONCE(move_tries))
		return false;
	failed = move_call(batch, call);
	changed = failed < batch->inflate.nr;
	if (changed)
		WRITE_ONCE(move_tries, UINT_MAX);
	for (i = 0; failed && i < batch->inflate.nr; i++)
		if (call->move.error[i])
			changed |= settle_failed(&batch->inflate.range[i],
						 &batch->deflate.range[i]);
	if (!changed)
		refused_to_move(batch, call->move.error[0]);
	return changed;
}

static int frames_submit(struct balloon *b, struct balloon_batch *batch)
{
	union frames_call *call = balloon_batch_priv(batch);
	bool migration = batch->inflate.nr && batch->deflate.nr;

	if (!migration || !frames_move(batch, call)) {
		xen_scrub(&batch->inflate);
		frames_call(&batch->inflate, XENMEM_decrease_reservation,
			    call->extent);
		frames_call(&batch->deflate, XENMEM_populate_physmap,
			    call->extent);
	}
	balloon_batch_complete(batch, 0);
	return 0;
}

/* Without ->reset: Xen forgets a balloon when the guest ends, not before. */
const struct balloon_dev_ops xen_frames_ops = {
	.driver = "xen_balloon",
	.batch_priv_size = sizeof(union frames_call),
	.max_pages = XEN_BATCH_PAGES,
	.pairs = true,
	.submit = frames_submit,
};
