// SPDX-License-Identifier: GPL-2.0
/*
 * Batches as hypercalls, for guests that look after their page tables themselves (PV).
 *
 * Such a guest knows its frames of the machine.  A page has one in three places, which
 * are changed together: in the guest's table of frames (p2m), in the kernel's page
 * tables, and in the machine's table of pages (m2p), which is Xen's.
 *
 *	inflation	unmap, p2m; XENMEM_decrease_reservation
 *	deflation	XENMEM_populate_physmap, which sets the m2p; p2m, map
 *	migration	unmap, p2m; MMU_MACHPHYS_UPDATE, m2p; p2m, map.  No frame goes
 *			or comes, so it needs no free memory of the host.
 *
 * Pages are mapped and unmapped by many in one call.  No frame is in our hands while
 * the guest is saved or moves to another machine, where it has others: preemption is
 * off, and stop_machine(), by which the guest stops for that, waits for it.
 *
 * A page that nobody can map again, if Xen refuses that, stays in the balloon.
 *
 * No field of struct page is used.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/preempt.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>
#include <xen/page.h>

#include "internal.h"

/* Pages of one call.  A pair is a range, so a migration is one call. */
#define PV_PAGES	BALLOON_BATCH_RANGES

/* Our part of a batch. */
struct pv_call {
	struct multicall_entry entry[PV_PAGES + 1];
	struct mmuext_op flush;
	xen_pfn_t frame[PV_PAGES];
	union {
		xen_pfn_t pfn[PV_PAGES];
		struct mmu_update update[PV_PAGES];
	};
};

static unsigned long pv_address(unsigned long pfn)
{
	return (unsigned long)page_address(pfn_to_page(pfn));
}

/* Can the table of frames be changed for a page?  Nobody else does that. */
static bool pv_can_set_frame(unsigned long pfn)
{
	return pfn < xen_p2m_size &&
	       !xen_safe_write_ulong(xen_p2m_addr + pfn, READ_ONCE(xen_p2m_addr[pfn]));
}

static void pv_set_frame(unsigned long pfn, unsigned long frame)
{
	xen_safe_write_ulong(xen_p2m_addr + pfn, frame);
}

/* Return: INVALID_P2M_ENTRY if it has none, or it cannot be changed. */
static unsigned long pv_frame(unsigned long pfn)
{
	return pv_can_set_frame(pfn) ? pfn_to_mfn(pfn) : INVALID_P2M_ENTRY;
}

static void entry_map(struct multicall_entry *entry, unsigned long pfn, pte_t pte)
{
	entry->op = __HYPERVISOR_update_va_mapping;
	entry->result = -EIO;
	entry->args[0] = pv_address(pfn);
	entry->args[1] = pte.pte;
	entry->args[2] = UVMF_NONE;
}

static void entry_flush(struct multicall_entry *entry, struct mmuext_op *flush)
{
	flush->cmd = MMUEXT_TLB_FLUSH_ALL;
	entry->op = __HYPERVISOR_mmuext_op;
	entry->result = -EIO;
	entry->args[0] = (unsigned long)flush;
	entry->args[1] = 1;
	entry->args[2] = 0;
	entry->args[3] = DOMID_SELF;
}

/* Return: how many entries were done, up to the first that was not. */
static unsigned int entries_do(struct pv_call *call, unsigned int nr)
{
	unsigned int i;

	HYPERVISOR_multicall(call->entry, nr);
	for (i = 0; i < nr && !call->entry[i].result; i++)
		;
	return i;
}

/* One page, when something has failed. */
static bool pv_map(unsigned long pfn, unsigned long frame)
{
	return !HYPERVISOR_update_va_mapping(pv_address(pfn),
					     mfn_pte(frame, PAGE_KERNEL), UVMF_NONE);
}

static void pv_unmap(unsigned long pfn)
{
	HYPERVISOR_update_va_mapping(pv_address(pfn), __pte(0),
				     UVMF_INVLPG | UVMF_ALL);
}

/* A page has its frame again.  Return: false if it cannot be used. */
static bool pv_restore(unsigned long pfn, unsigned long frame)
{
	if (!pv_map(pfn, frame))
		return false;
	pv_set_frame(pfn, frame);
	return true;
}

/* Return: false if one was not unmapped, or nobody knows; then all are to be restored. */
static bool pv_unmap_pages(struct pv_call *call, unsigned int nr)
{
	entry_flush(&call->entry[nr], &call->flush);
	return entries_do(call, nr + 1) == nr + 1;
}

/* Return: number of pages that are in the balloon, from the first on. */
static unsigned int pv_take(struct pv_call *call, unsigned int nr)
{
	unsigned int i, done = 0, taken;

	for (i = 0; i < nr; i++) {
		call->frame[i] = pv_frame(call->pfn[i]);
		if (call->frame[i] == INVALID_P2M_ENTRY)
			break;
		entry_map(&call->entry[i], call->pfn[i], __pte(0));
	}
	nr = i;
	if (nr && pv_unmap_pages(call, nr)) {
		for (i = 0; i < nr; i++)
			pv_set_frame(call->pfn[i], INVALID_P2M_ENTRY);
		done = xen_extents(XENMEM_decrease_reservation, call->frame, nr, 0);
	}
	taken = done;
	for (i = done; i < nr; i++)
		if (!pv_restore(call->pfn[i], call->frame[i]))
			taken = i + 1;
	return taken;
}

/* Back to the host, from the @first on, which Xen would not map. */
static void pv_give_back(struct pv_call *call, unsigned int first, unsigned int nr)
{
	unsigned int i;

	for (i = first; i < nr; i++) {
		pv_unmap(call->pfn[i]);
		pv_set_frame(call->pfn[i], INVALID_P2M_ENTRY);
	}
	if (first < nr)
		xen_extents(XENMEM_decrease_reservation, call->frame + first,
			    nr - first, 0);
}

/* Return: number of pages that are the guest's again, from the first on. */
static unsigned int pv_give(struct pv_call *call, unsigned int nr)
{
	unsigned int i, done, mapped;

	for (i = 0; i < nr && pv_can_set_frame(call->pfn[i]); i++)
		call->frame[i] = call->pfn[i];
	done = i ? xen_extents(XENMEM_populate_physmap, call->frame, i, 0) : 0;
	for (i = 0; i < done; i++) {
		pv_set_frame(call->pfn[i], call->frame[i]);
		entry_map(&call->entry[i], call->pfn[i],
			  mfn_pte(call->frame[i], PAGE_KERNEL));
	}
	mapped = done ? entries_do(call, done) : 0;
	pv_give_back(call, mapped, done);
	return mapped;
}

/* Of one direction, some at a time, until Xen refuses a page. */
static void pv_pages(struct balloon_range_list *list, struct pv_call *call,
		     unsigned int (*pages)(struct pv_call *call, unsigned int nr))
{
	struct xen_walk walk = { .list = list };
	unsigned int nr, done;

	while (!xen_walk_is_over(&walk)) {
		nr = xen_walk_fill(walk, call->pfn, PV_PAGES, 0);
		preempt_disable();
		done = pages(call, nr);
		preempt_enable();
		xen_walk_on(&walk, done);
		if (done < nr)
			break;
	}
	xen_walk_refuse(&walk);
}

/* The page that comes keeps its frame; if it cannot be used, it is in the balloon. */
static void pair_refuse(struct balloon_batch *batch, unsigned int i,
			unsigned long frame)
{
	struct balloon_range *new = &batch->inflate.range[i];

	new->nr_refused = pv_restore(new->pfn, frame);
	batch->deflate.range[i].nr_refused = 1;
}

static void update_fill(struct mmu_update *update, unsigned long frame,
			unsigned long pfn)
{
	update->ptr = ((u64)frame << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE;
	update->val = pfn;
}

/* Return: how many were done, from the first on. */
static unsigned int updates_do(struct mmu_update *update, unsigned int nr)
{
	int done = 0;

	HYPERVISOR_mmu_update(update, nr, &done, DOMID_SELF);
	return clamp(done, 0, (int)nr);
}

/* The page that leaves has the frame, but cannot be mapped. */
static void pair_undo(struct balloon_batch *batch, unsigned int i,
		      unsigned long frame)
{
	struct mmu_update back;

	pv_set_frame(batch->deflate.range[i].pfn, INVALID_P2M_ENTRY);
	update_fill(&back, frame, batch->inflate.range[i].pfn);
	if (updates_do(&back, 1))
		pair_refuse(batch, i, frame);
	else
		batch->deflate.range[i].nr_refused = 1;
}

/* Return: false if a page is not as it should be. */
static bool pv_fill_pairs(const struct balloon_batch *batch, struct pv_call *call)
{
	unsigned int i;

	for (i = 0; i < batch->inflate.nr; i++) {
		unsigned long new = batch->inflate.range[i].pfn;
		unsigned long old = batch->deflate.range[i].pfn;

		call->frame[i] = pv_frame(new);
		if (call->frame[i] == INVALID_P2M_ENTRY || !pv_can_set_frame(old))
			return false;
		entry_map(&call->entry[i], new, __pte(0));
		update_fill(&call->update[i], call->frame[i], old);
	}
	return true;
}

/* Return: how many pairs were moved, from the first on, but for the mapping. */
static unsigned int pv_move_frames(const struct balloon_batch *batch,
				   struct pv_call *call)
{
	unsigned int i, nr = batch->inflate.nr;

	if (!pv_unmap_pages(call, nr))
		return 0;
	for (i = 0; i < nr; i++)
		pv_set_frame(batch->inflate.range[i].pfn, INVALID_P2M_ENTRY);
	nr = updates_do(call->update, nr);
	for (i = 0; i < nr; i++)
		pv_set_frame(batch->deflate.range[i].pfn, call->frame[i]);
	return nr;
}

static void pv_move(struct balloon_batch *batch, struct pv_call *call)
{
	unsigned int i, moved;

	if (!pv_fill_pairs(batch, call)) {
		for (i = 0; i < batch->inflate.nr; i++) {
			batch->inflate.range[i].nr_refused = 1;
			batch->deflate.range[i].nr_refused = 1;
		}
		return;
	}
	moved = pv_move_frames(batch, call);
	for (i = 0; i < moved; i++)
		entry_map(&call->entry[i], batch->deflate.range[i].pfn,
			  mfn_pte(call->frame[i], PAGE_KERNEL));
	if (moved)
		entries_do(call, moved);
	for (i = 0; i < batch->inflate.nr; i++) {
		if (i >= moved)
			pair_refuse(batch, i, call->frame[i]);
		else if (call->entry[i].result)
			pair_undo(batch, i, call->frame[i]);
	}
}

static int pv_submit(struct balloon *b, struct balloon_batch *batch)
{
	struct pv_call *call = balloon_batch_priv(batch);

	if (batch->inflate.nr && batch->deflate.nr) {
		preempt_disable();
		pv_move(batch, call);
		preempt_enable();
	} else {
		xen_scrub(&batch->inflate);
		pv_pages(&batch->inflate, call, pv_take);
		pv_pages(&batch->deflate, call, pv_give);
	}
	balloon_batch_complete(batch, 0);
	return 0;
}

/* Without ->reset: Xen forgets a balloon when the guest ends, not before. */
const struct balloon_dev_ops xen_pv_ops = {
	.driver = "xen_balloon",
	.batch_priv_size = sizeof(struct pv_call),
	.max_pages = XEN_BATCH_PAGES,
	.pairs = true,
	.submit = pv_submit,
};
