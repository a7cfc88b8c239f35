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

/* Of PV guests, whose page tables are those of x86. */
#define CONFIG_XEN_PV			1
#define INVALID_P2M_ENTRY		(~0UL)
#define PAGE_KERNEL			0
#define __pte(value)			((pte_t) { .pte = (value) })
#define MMU_MACHPHYS_UPDATE		1
#define MMUEXT_TLB_FLUSH_ALL		10
#define UVMF_NONE			0UL
#define UVMF_INVLPG			2UL
#define UVMF_ALL			4UL
#define __HYPERVISOR_update_va_mapping	14
#define __HYPERVISOR_mmuext_op		26

typedef struct { unsigned long pte; } pte_t;

struct multicall_entry {
	xen_ulong_t op;
	long result;
	xen_ulong_t args[6];
};

struct mmu_update {
	u64 ptr;
	u64 val;
};

struct mmuext_op {
	unsigned int cmd;
};

#endif /* _BALLOON_USPACE_XEN_H */
