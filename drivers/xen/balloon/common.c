// SPDX-License-Identifier: GPL-2.0
/*
 * What both kinds of guests need: the pages of a batch as extents of hypercalls, in
 * order, and pages that are cleared before the host gets them.
 *
 * No field of struct page is used.
 */
#include <linux/align.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/highmem.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>

#include <asm/xen/hypercall.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>
#include <xen/page.h>

#include "internal.h"

static bool scrub_pages = IS_ENABLED(CONFIG_XEN_SCRUB_PAGES_DEFAULT);
module_param(scrub_pages, bool, 0644);
MODULE_PARM_DESC(scrub_pages, "Clear pages before the host gets them (default: as the kernel was configured)");

/**
 * xen_walk_is_over - has it come to the end?
 * @walk: through one direction of a batch
 *
 * Context: any.
 * Return: true if no page is left.
 */
bool xen_walk_is_over(const struct xen_walk *walk)
{
	return walk->i == walk->list->nr;
}

/**
 * xen_walk_pfn - the page that is next
 * @walk: one that is not over
 *
 * Context: any.
 * Return: its page frame number.
 */
unsigned long xen_walk_pfn(const struct xen_walk *walk)
{
	return walk->list->range[walk->i].pfn + walk->offset;
}

/**
 * xen_walk_order - the extent that is next
 * @walk: one that is not over
 *
 * Context: any.
 * Return: its order, which is 0 or XEN_BLOCK_ORDER.
 */
unsigned int xen_walk_order(const struct xen_walk *walk)
{
	unsigned int rest = walk->list->range[walk->i].nr - walk->offset;

	return walk->blocks && rest >= BIT(XEN_BLOCK_ORDER) &&
	       IS_ALIGNED(xen_walk_pfn(walk), BIT(XEN_BLOCK_ORDER)) ?
	       XEN_BLOCK_ORDER : 0;
}

/**
 * xen_walk_on - what comes next has been done
 * @walk: the walk
 * @nr: number of pages
 *
 * Context: any.
 */
void xen_walk_on(struct xen_walk *walk, unsigned int nr)
{
	unsigned int n;

	for (; nr; nr -= n) {
		unsigned int rest = walk->list->range[walk->i].nr - walk->offset;

		n = min(nr, rest);
		walk->offset += n;
		if (n == rest) {
			walk->i++;
			walk->offset = 0;
		}
	}
}

/**
 * xen_walk_fill - the extents for a hypercall
 * @walk: the walk, which stays where it is
 * @extent: where to store them
 * @max: most extents
 * @order: of each
 *
 * Context: any.
 * Return: how many there are, up to the first of another order.
 */
unsigned int xen_walk_fill(struct xen_walk walk, xen_pfn_t *extent,
			   unsigned int max, unsigned int order)
{
	unsigned int nr;

	for (nr = 0; nr < max && !xen_walk_is_over(&walk) &&
	     xen_walk_order(&walk) == order; nr++) {
		extent[nr] = xen_walk_pfn(&walk);
		xen_walk_on(&walk, BIT(order));
	}
	return nr;
}

/**
 * xen_walk_refuse - all pages that are left are refused
 * @walk: the walk, which is over then
 *
 * Context: any.
 */
void xen_walk_refuse(struct xen_walk *walk)
{
	for (; !xen_walk_is_over(walk); walk->i++, walk->offset = 0) {
		struct balloon_range *range = &walk->list->range[walk->i];

		range->nr_refused = range->nr - walk->offset;
	}
}

/**
 * xen_extents - take frames from this guest, or give it some
 * @op: XENMEM_decrease_reservation or XENMEM_populate_physmap
 * @extent: as @op has it
 * @nr: number of extents
 * @order: of each
 *
 * Context: any; may take some milliseconds.
 * Return: how many extents Xen has done, from the first on.
 */
unsigned int xen_extents(unsigned int op, xen_pfn_t *extent, unsigned int nr,
			 unsigned int order)
{
	struct xen_memory_reservation reservation = {
		.nr_extents = nr,
		.extent_order = order,
		.domid = DOMID_SELF,
	};
	long done;

	set_xen_guest_handle(reservation.extent_start, extent);
	done = HYPERVISOR_memory_op(op, &reservation);
	return clamp(done, 0L, (long)nr);
}

/**
 * xen_scrub - clear pages that the host will get
 * @list: the pages
 *
 * Xen does not, and the next guest could read what is in them.
 *
 * Context: any.
 */
void xen_scrub(const struct balloon_range_list *list)
{
	unsigned int i, j;

	if (!READ_ONCE(scrub_pages))
		return;
	for (i = 0; i < list->nr; i++)
		for (j = 0; j < list->range[i].nr; j++)
			clear_highpage(pfn_to_page(list->range[i].pfn + j));
}
