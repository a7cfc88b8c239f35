/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory ballooning: the interface between balloon drivers and the core.
 *
 * An *adapter* has balloon_register_device() make a balloon and passes on the
 * size that the hypervisor asks for with balloon_set_target().  The core allocates
 * pages, hands batches of ranges to ->submit(), migrates pages for compaction and
 * gives pages back.  The adapter owns no list of pages and does no accounting.
 *
 * A *page-level* driver calls balloon_devinfo_init() and moves pages by itself with
 * balloon_page_enqueue(), balloon_page_dequeue() and their list variants.
 *
 * Only a BALLOONED page, one whose inflation the hypervisor has answered, can be
 * isolated or deflated: mm/balloon/states.c has the life of a page.  The authors'
 * guide is Documentation/mm/balloon_drivers.rst.  Pages are of PAGE_SIZE everywhere.
 */
#ifndef _LINUX_BALLOON_COMPACTION_H
#define _LINUX_BALLOON_COMPACTION_H

#if defined(__has_include_next) && !defined(_COMPAT_LINUX_BALLOON_COMPACTION_H)
#if __has_include_next("linux/balloon_compaction.h")
#error "build with: make adapter M=DIR KVER=V, see Documentation/mm/balloon_drivers.rst"
#endif
#endif

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/migrate.h>
#include <linux/mm_types.h>
#include <linux/pagemap.h>		/* for page-level drivers that rely on it */
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/xarray.h>

struct balloon;			/* what balloon_register_device() makes */
struct device;

/* What balloon_get_state() tells. */
enum balloon_state {
	BALLOON_RUNNING,
	BALLOON_STALLED,		/* the hypervisor is silent */
	BALLOON_BROKEN,			/* the hypervisor has failed */
	BALLOON_EMPTYING,		/* all pages are to be given back */
	BALLOON_STOPPED,		/* that failed, or the guest ends */
};

#define BALLOON_API_VERSION	1	/* raised when adapters have to be changed */
#define BALLOON_VERSION		"0.1.0"

/* Most ranges, and most pages, that one direction of a batch can have. */
#define BALLOON_BATCH_RANGES	256
#define BALLOON_BATCH_PAGES	16384

/* Batches of a device: the bound on requests in flight at once. */
#define BALLOON_NR_BATCHES	8

/**
 * struct balloon_range - physically contiguous guest pages
 * @pfn: first page frame number
 * @nr: number of pages, at least 1
 * @nr_refused: set by the adapter before it completes the batch: how many
 *	pages at the end of the range the hypervisor did not take (inflate) or
 *	did not give back (deflate).  0 when ->submit() is called.
 */
struct balloon_range {
	unsigned long pfn;
	unsigned int nr;
	unsigned int nr_refused;
};

/**
 * struct balloon_range_list - one direction of a batch
 * @range: the ranges; ascending when ->submit() sees them, but for pairs
 * @nr: number of ranges
 * @nr_pages: number of pages in all ranges
 */
struct balloon_range_list {
	struct balloon_range range[BALLOON_BATCH_RANGES];
	unsigned int nr;
	unsigned int nr_pages;
};

/**
 * struct balloon_batch - what one ->submit() tells the hypervisor
 * @inflate: pages that the guest gives up
 * @deflate: pages that the guest takes back
 *
 * An inflation carries only @inflate, a deflation only @deflate, a migration
 * both; the two directions name different pages and need no order between
 * them.  With &balloon_dev_ops.pairs the ranges of a migration are single pages:
 * the i-th of @inflate takes the place of the i-th of @deflate.  The batch belongs
 * to the adapter from ->submit() to balloon_batch_complete().
 */
struct balloon_batch {
	struct balloon_range_list inflate;
	struct balloon_range_list deflate;
	/* private: what balloon_batch_priv() returns */
	void *priv;
};

/**
 * balloon_batch_priv - the adapter's own part of a batch
 * @batch: a batch
 *
 * Return: &balloon_dev_ops.batch_priv_size bytes, aligned for any type.  They
 * are zero at first and keep their contents from one use of @batch to the next.
 */
static inline void *balloon_batch_priv(struct balloon_batch *batch)
{
	return batch->priv;
}

/**
 * struct balloon_dev_ops - what an adapter does for the core
 * @driver: name shown in sysfs
 * @batch_priv_size: bytes that balloon_batch_priv() shall give.  They are freed
 *	when balloon_unregister_device() returns, so a timer or work item that
 *	completes batches cannot be in them.
 * @max_pfn: highest page frame that the hypervisor can be told of; 0: no bound
 * @max_ranges: most ranges of one direction, or 0 for BALLOON_BATCH_RANGES
 * @max_pages: most pages of one direction, or 0 for BALLOON_BATCH_PAGES
 * @pairs: migrations come as pairs, see &struct balloon_batch
 * @submit: Tell the hypervisor about @batch, without waiting for its answer.
 *	Called in process context, possibly with page locks held and from
 *	memory reclaim, so it must not sleep, not allocate with reclaim, and
 *	not wait for the hypervisor.  Several batches may be in flight, and
 *	calls may come from several CPUs at once.  Returns 0 if
 *	balloon_batch_complete() was or will be called exactly once for
 *	@batch, or a negative errno if the hypervisor has seen none of it; then
 *	the adapter must not complete it and the device is marked broken.
 * @report: Optional.  Publish that the balloon now holds @nr_pages.  Called by the
 *	target worker, balloon_unregister_device(), balloon_freeze() and before
 *	@reset, never concurrently with itself; may sleep.
 * @reset: Optional; the authors' guide says what it costs to be without.  Make
 *	the hypervisor forget this balloon, because it failed or fell silent, or
 *	because the guest ends: when @reset returns, every batch in flight has
 *	been completed (with an error) and the guest may use all of its pages
 *	again.  Called by balloon_unregister_device(), balloon_freeze() and
 *	balloon_shutdown(); nothing is submitted meanwhile or afterwards, until
 *	balloon_thaw(); may sleep.
 */
struct balloon_dev_ops {
	const char *driver;
	size_t batch_priv_size;
	unsigned long max_pfn;
	unsigned int max_ranges;
	unsigned int max_pages;
	bool pairs;
	int (*submit)(struct balloon *b, struct balloon_batch *batch);
	void (*report)(struct balloon *b, unsigned long nr_pages);
	void (*reset)(struct balloon *b);
};

/* Counters since a device was registered; mm/balloon/internal.h has their meaning. */
struct balloon_counters {
	unsigned long enqueued, dequeued, inflated, deflated;
	unsigned long isolated, migrated, putback, migrate_failed, freed;
	unsigned long batches, refused, alloc_failed, exchanged, oom_deflated;
};

/* An index of pages, see mm/balloon/index.c. */
struct balloon_blocks {
	struct xarray blocks;
	struct balloon_block *last;
	unsigned long cursor;
};

/**
 * struct balloon_dev_info - the pages of a balloon; a page-level driver has one
 * @pages_lock: protects what a driver does not set; irqs off, inside the page lock
 * @isolated_pages: ISOLATED pages
 * @nr_ballooned: BALLOONED pages
 * @nr_inflating: PENDING_INFLATE pages
 * @nr_deflating: PENDING_DEFLATE pages; those of a migration until the pages that
 *	take their places are settled
 * @adjust_managed_page_count: pages do not count as the guest's memory; set by the
 *	driver before the first one is enqueued
 * @migratepage: the driver's migration callback, or NULL; both pages are locked.
 *	What it is to do depends on BALLOON_CORE_MIGRATES: see the authors' guide.
 *	Returns 0 or a negative errno.
 */
struct balloon_dev_info {
	spinlock_t pages_lock;		/* protects what is said above */
	unsigned long isolated_pages;
	unsigned long nr_ballooned;
	unsigned long nr_inflating;
	unsigned long nr_deflating;
	bool adjust_managed_page_count;
	int (*migratepage)(struct balloon_dev_info *b, struct page *newpage,
			   struct page *page, enum migrate_mode mode);

	/* private: */
	struct balloon_blocks blocks;
	struct balloon_counters stats;
	wait_queue_head_t wait;		/* woken when a count above changes */
	struct balloon *adapter;	/* whose pages they are, or NULL */
};

/* Adapters: mm/balloon/device.c, target.c, states.c, oom.c and batch.c */
struct balloon *balloon_register_device(struct device *parent,
					const struct balloon_dev_ops *ops,
					void *data);
void *balloon_data(const struct balloon *b);
enum balloon_state balloon_get_state(const struct balloon *b);
int balloon_unregister_device(struct balloon *b);
int balloon_freeze(struct balloon *b);
void balloon_thaw(struct balloon *b);
void balloon_shutdown(struct balloon *b);
void balloon_deflate_on_oom(struct balloon *b);
void balloon_set_target(struct balloon *b, unsigned long nr_pages);
unsigned long balloon_actual(struct balloon *b);
void balloon_set_ack_timeout(struct balloon *b, unsigned int ms);
void balloon_batch_complete(struct balloon_batch *batch, int error);
void balloon_device_failed(struct balloon *b, int error);

/* Page-level drivers: mm/balloon_compaction.c, mm/balloon/pages.c */
void balloon_devinfo_init(struct balloon_dev_info *b);
struct page *balloon_page_alloc(void);
int balloon_page_enqueue(struct balloon_dev_info *b, struct page *page);
size_t balloon_page_list_enqueue(struct balloon_dev_info *b,
				 struct list_head *pages);
struct page *balloon_page_dequeue(struct balloon_dev_info *b);
size_t balloon_page_list_dequeue(struct balloon_dev_info *b,
				 struct list_head *pages, size_t n_req_pages);
#ifndef BALLOON_CORE_MIGRATES
void balloon_page_insert(struct balloon_dev_info *b, struct page *page);
void balloon_page_finalize(struct page *page);
#endif
void balloon_page_push(struct list_head *pages, struct page *page);
struct page *balloon_page_pop(struct list_head *pages);

/**
 * balloon_mapping_gfp_mask - where balloon pages may come from
 *
 * Return: GFP flags that name movable memory exactly if this kernel can migrate
 * balloon pages.
 */
static inline gfp_t balloon_mapping_gfp_mask(void)
{
	return IS_ENABLED(CONFIG_BALLOON_COMPACTION) ? GFP_HIGHUSER_MOVABLE :
						       GFP_HIGHUSER;
}

#endif /* _LINUX_BALLOON_COMPACTION_H */
