/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the Xen adapter share.
 */
#ifndef _XEN_BALLOON_INTERNAL_H
#define _XEN_BALLOON_INTERNAL_H

#include <linux/balloon_compaction.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

/*
 * A whole block is one extent, the largest that a guest may name.  A batch has four
 * of them: with scrubbing, its pages cost Xen and us some milliseconds, during which
 * nobody else runs on this processor.
 */
#define XEN_BLOCK_ORDER		9
#define XEN_BATCH_PAGES		(4U << XEN_BLOCK_ORDER)

/**
 * struct xen_walk - where in one direction of a batch we are
 * @list: the direction
 * @i: which range
 * @offset: which page of it
 * @blocks: whole blocks are one extent
 */
struct xen_walk {
	struct balloon_range_list *list;
	unsigned int i;
	unsigned int offset;
	bool blocks;
};

/* common.c */
bool xen_walk_is_over(const struct xen_walk *walk);
unsigned long xen_walk_pfn(const struct xen_walk *walk);
unsigned int xen_walk_order(const struct xen_walk *walk);
void xen_walk_on(struct xen_walk *walk, unsigned int nr);
unsigned int xen_walk_fill(struct xen_walk walk, xen_pfn_t *extent,
			   unsigned int max, unsigned int order);
void xen_walk_refuse(struct xen_walk *walk);
unsigned int xen_extents(unsigned int op, xen_pfn_t *extent, unsigned int nr,
			 unsigned int order);
void xen_scrub(const struct balloon_range_list *list);

/* frames.c */
extern const struct balloon_dev_ops xen_frames_ops;

/* pv.c */
#ifdef CONFIG_XEN_PV
extern const struct balloon_dev_ops xen_pv_ops;
#else
#define xen_pv_ops xen_frames_ops	/* never used */
#endif

#endif /* _XEN_BALLOON_INTERNAL_H */
