/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Other names for our exports, because stock kernels export the usual ones and
 * a module may not export them again; and what the page-level API is in the kernel
 * that is built for.  An overlay does not use this file.
 */
#ifndef _COMPAT_LINUX_BALLOON_COMPACTION_H
#define _COMPAT_LINUX_BALLOON_COMPACTION_H

#define balloon_page_alloc		bc_balloon_page_alloc
#define balloon_page_enqueue		bc_balloon_page_enqueue
#define balloon_page_dequeue		bc_balloon_page_dequeue
#define balloon_page_list_enqueue	bc_balloon_page_list_enqueue
#define balloon_page_list_dequeue	bc_balloon_page_list_dequeue

/* As in kernels since 7.0: see ->migratepage. */
#ifdef __has_include
#if __has_include("linux/balloon.h")
#define BALLOON_CORE_MIGRATES
#endif
#endif

#include_next <linux/balloon_compaction.h>

#endif /* _COMPAT_LINUX_BALLOON_COMPACTION_H */
