/* SPDX-License-Identifier: GPL-2.0 */
/* The word for an order that the kernel chooses, for kernels where it is 0. */
#ifndef _COMPAT_LINUX_PAGE_REPORTING_H
#define _COMPAT_LINUX_PAGE_REPORTING_H

#include_next <linux/page_reporting.h>

#ifndef PAGE_REPORTING_ORDER_UNSPECIFIED
#define PAGE_REPORTING_ORDER_UNSPECIFIED	0
#endif

#endif /* _COMPAT_LINUX_PAGE_REPORTING_H */
