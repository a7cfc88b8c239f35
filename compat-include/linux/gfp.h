/* SPDX-License-Identifier: GPL-2.0 */
/* Allocating pages in bulk by the names that it has since 6.14, for kernels before. */
#ifndef _COMPAT_LINUX_GFP_H
#define _COMPAT_LINUX_GFP_H

#include_next <linux/gfp.h>

#ifndef HAVE_ALLOC_PAGES_BULK
#define alloc_pages_bulk(gfp, nr, pages)	alloc_pages_bulk_array(gfp, nr, pages)
#define alloc_pages_bulk_node(gfp, nid, nr, pages) \
	alloc_pages_bulk_array_node(gfp, nid, nr, pages)
#endif

#endif /* _COMPAT_LINUX_GFP_H */
