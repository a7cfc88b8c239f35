/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How this kernel is told that a page can be moved: one header for each way.
 *
 * Included by mm/balloon/internal.h, which says when a page may be marked.
 */
#ifndef _MM_BALLOON_MOVABLE_H
#define _MM_BALLOON_MOVABLE_H

#ifdef HAVE_SET_MOVABLE_OPS
#include "movable_type.h"
#else
#include "movable_mapping.h"
#endif

#endif /* _MM_BALLOON_MOVABLE_H */
