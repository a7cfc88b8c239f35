/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The balloon's compaction events, for kernels that have none: they come after
 * all others and are counted nowhere.
 */
#ifndef _COMPAT_LINUX_VMSTAT_H
#define _COMPAT_LINUX_VMSTAT_H

#include_next <linux/vmstat.h>

#ifndef HAVE_COMPACTBALLOON_EVENTS
#define COMPACTBALLOONMIGRATED	((enum vm_event_item)NR_VM_EVENT_ITEMS)
#define COMPACTBALLOONFAILED	((enum vm_event_item)(NR_VM_EVENT_ITEMS + 1))
#define COMPACTBALLOONISOLATED	((enum vm_event_item)(NR_VM_EVENT_ITEMS + 2))
#define COMPACTBALLOONFREED	((enum vm_event_item)(NR_VM_EVENT_ITEMS + 3))

static inline void compat_count_vm_events(enum vm_event_item item, long delta)
{
	if (item < NR_VM_EVENT_ITEMS)
		__count_vm_events(item, delta);
}

#define __count_vm_event(item)		compat_count_vm_events(item, 1)
#define __count_vm_events(item, delta)	compat_count_vm_events(item, delta)
#endif

#endif /* _COMPAT_LINUX_VMSTAT_H */
