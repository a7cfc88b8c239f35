/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the Xen adapter share.
 */
#ifndef _XEN_BALLOON_INTERNAL_H
#define _XEN_BALLOON_INTERNAL_H

#include <linux/balloon_compaction.h>
#include <linux/types.h>

/*
 * A whole block is one extent, the largest that a guest may name.  A batch has four
 * of them: with scrubbing, its pages cost Xen and us some milliseconds, during which
 * nobody else runs on this processor.
 */
#define XEN_BLOCK_ORDER		9
#define XEN_BATCH_PAGES		(4U << XEN_BLOCK_ORDER)

/* frames.c */
extern const struct balloon_dev_ops xen_frames_ops;

#endif /* _XEN_BALLOON_INTERNAL_H */
