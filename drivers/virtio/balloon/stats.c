// SPDX-License-Identifier: GPL-2.0
/*
 * Memory statistics (5.5.6.3): the device holds one buffer and gives it back when
 * it wants another.
 *
 * Uses no field of struct page.
 */
#include <linux/bug.h>
#include <linux/gfp.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/moduleparam.h>
#include <linux/scatterlist.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/vm_event_item.h>
#include <linux/vmstat.h>
#include <linux/workqueue.h>

#include "internal.h"

static unsigned int stats_tags = VB_NR_STATS;
module_param(stats_tags, uint, 0644);
MODULE_PARM_DESC(stats_tags, "Statistics are sent with tags below this number, for hosts that do not ignore unknown tags");

struct stats_buffer {
	struct virtio_device *vdev;
	struct virtio_balloon_stat *stat;
	unsigned int nr;
	unsigned int tags;
};

static void stats_add(struct stats_buffer *buf, u16 tag, u64 value)
{
	if (tag >= buf->tags || WARN_ON_ONCE(buf->nr >= VB_NR_STATS))
		return;
	buf->stat[buf->nr].tag = cpu_to_virtio16(buf->vdev, tag);
	buf->stat[buf->nr].val = cpu_to_virtio64(buf->vdev, value);
	buf->nr++;
}

static void stats_add_pages(struct stats_buffer *buf, u16 tag, u64 nr_pages)
{
	stats_add(buf, tag, nr_pages << PAGE_SHIFT);
}

#ifdef CONFIG_HUGETLB_PAGE
static void stats_add_huge_pages(struct stats_buffer *buf,
				 const unsigned long *events)
{
	stats_add(buf, VIRTIO_BALLOON_S_HTLB_PGALLOC,
		  events[HTLB_BUDDY_PGALLOC]);
	stats_add(buf, VIRTIO_BALLOON_S_HTLB_PGFAIL,
		  events[HTLB_BUDDY_PGALLOC_FAIL]);
}
#else
static void stats_add_huge_pages(struct stats_buffer *buf,
				 const unsigned long *events)
{
}
#endif

/* What reclaim has done, which newer kernels count by node. */
#ifdef HAVE_NODE_RECLAIM_STATE
#define reclaim_state(events, item)	((void)(events), global_node_page_state(item))
#else
#define reclaim_state(events, item)	((events)[item])
#endif

static void stats_add_events(struct stats_buffer *buf)
{
	unsigned long events[NR_VM_EVENT_ITEMS], stalls = 0;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_VM_EVENT_COUNTERS))
		return;
	all_vm_events(events);
	/* One event for each zone that the kernel has, next to each other. */
	for (i = 0; i < MAX_NR_ZONES; i++)
		stalls += events[ALLOCSTALL_NORMAL - ZONE_NORMAL + i];

	stats_add_pages(buf, VIRTIO_BALLOON_S_SWAP_IN, events[PSWPIN]);
	stats_add_pages(buf, VIRTIO_BALLOON_S_SWAP_OUT, events[PSWPOUT]);
	stats_add(buf, VIRTIO_BALLOON_S_MAJFLT, events[PGMAJFAULT]);
	stats_add(buf, VIRTIO_BALLOON_S_MINFLT, events[PGFAULT]);
	stats_add_huge_pages(buf, events);
	stats_add(buf, VIRTIO_BALLOON_S_OOM_KILL, events[OOM_KILL]);
	stats_add(buf, VIRTIO_BALLOON_S_ALLOC_STALL, stalls);
	stats_add_pages(buf, VIRTIO_BALLOON_S_ASYNC_SCAN,
			reclaim_state(events, PGSCAN_KSWAPD));
	stats_add_pages(buf, VIRTIO_BALLOON_S_DIRECT_SCAN,
			reclaim_state(events, PGSCAN_DIRECT));
	stats_add_pages(buf, VIRTIO_BALLOON_S_ASYNC_RECLAIM,
			reclaim_state(events, PGSTEAL_KSWAPD));
	stats_add_pages(buf, VIRTIO_BALLOON_S_DIRECT_RECLAIM,
			reclaim_state(events, PGSTEAL_DIRECT));
}

static void stats_add_memory(struct stats_buffer *buf)
{
	struct sysinfo info;

	si_meminfo(&info);
	stats_add_pages(buf, VIRTIO_BALLOON_S_MEMFREE, info.freeram);
	stats_add_pages(buf, VIRTIO_BALLOON_S_MEMTOT, info.totalram);
	stats_add_pages(buf, VIRTIO_BALLOON_S_AVAIL,
			max(si_mem_available(), 0L));
	stats_add_pages(buf, VIRTIO_BALLOON_S_CACHES,
			global_node_page_state(NR_FILE_PAGES));
}

static void stats_send(struct vb_stats *stats)
{
	struct stats_buffer buf = {
		.vdev = stats->vq->vdev,
		.stat = stats->stat,
		.tags = READ_ONCE(stats_tags),
	};
	struct scatterlist sg;
	unsigned int len;

	if (stats->sent && !virtqueue_get_buf(stats->vq, &len))
		return;
	stats_add_events(&buf);
	stats_add_memory(&buf);
	/* An empty buffer could not be queued; the device would wait for ever. */
	if (!buf.nr)
		return;
	sg_init_one(&sg, buf.stat, buf.nr * sizeof(buf.stat[0]));
	stats->sent = !virtqueue_add_outbuf(stats->vq, &sg, 1, stats,
					    GFP_KERNEL);
	if (stats->sent)
		virtqueue_kick(stats->vq);
}

/**
 * vb_stats_work - collect statistics and send them, if the device waits for some
 * @work: of the device
 *
 * Context: a work item.
 */
void vb_stats_work(struct work_struct *work)
{
	struct virtio_balloon *vb = container_of(work, struct virtio_balloon,
						 stats.work);

	stats_send(&vb->stats);
	vb_work_done(vb);
}

/**
 * vb_stats_callback - the device wants statistics
 * @vq: its queue for them
 *
 * Context: any, interrupts included.
 */
void vb_stats_callback(struct virtqueue *vq)
{
	struct virtio_balloon *vb = vq->vdev->priv;

	vb_queue_work(vb, &vb->stats.work);
}
