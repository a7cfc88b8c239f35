/* SPDX-License-Identifier: GPL-2.0 */
/* The word for a queue of each processor, which is what all were that are not unbound. */
#ifndef _COMPAT_LINUX_WORKQUEUE_H
#define _COMPAT_LINUX_WORKQUEUE_H

#include_next <linux/workqueue.h>

#ifndef HAVE_WQ_PERCPU
#define WQ_PERCPU	0
#endif

#endif /* _COMPAT_LINUX_WORKQUEUE_H */
