/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the Xen adapter is compiled with, in userspace.  There is no hypervisor: the
 * suite brings one.
 */
#ifndef _BALLOON_USPACE_XEN_H
#define _BALLOON_USPACE_XEN_H

#include "kernel.h"

typedef unsigned long xen_pfn_t;
typedef unsigned long xen_ulong_t;
typedef u16 domid_t;

#define DOMID_SELF			((domid_t)0x7ff0)

#define XENMEM_decrease_reservation	1
#define XENMEM_populate_physmap		6
#define XENMEM_add_to_physmap_range	23
#define XENMAPSPACE_gmfn		2

#define set_xen_guest_handle(handle, value)	((handle) = (value))

struct xen_memory_reservation {
	xen_pfn_t *extent_start;
	xen_ulong_t nr_extents;
	unsigned int extent_order;
	unsigned int address_bits;
	domid_t domid;
};

struct xen_add_to_physmap_range {
	domid_t domid;
	u16 space;
	u16 size;
	domid_t foreign_domid;
	xen_ulong_t *idxs;
	xen_pfn_t *gpfns;
	int *errs;
};

#endif /* _BALLOON_USPACE_XEN_H */
