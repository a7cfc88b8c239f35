/* SPDX-License-Identifier: GPL-2.0 */
/* Statistics that kernels before 6.12 do not know. */
#ifndef _COMPAT_LINUX_VIRTIO_BALLOON_H
#define _COMPAT_LINUX_VIRTIO_BALLOON_H

#include_next <linux/virtio_balloon.h>

#ifndef VIRTIO_BALLOON_S_OOM_KILL
#define VIRTIO_BALLOON_S_OOM_KILL	10
#define VIRTIO_BALLOON_S_ALLOC_STALL	11
#define VIRTIO_BALLOON_S_ASYNC_SCAN	12
#define VIRTIO_BALLOON_S_DIRECT_SCAN	13
#define VIRTIO_BALLOON_S_ASYNC_RECLAIM	14
#define VIRTIO_BALLOON_S_DIRECT_RECLAIM	15
#endif

#endif /* _COMPAT_LINUX_VIRTIO_BALLOON_H */
