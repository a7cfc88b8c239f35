/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory ballooning: the interface between balloon drivers and the core.
 *
 * A balloon driver comes in one of two shapes.
 *
 * An *adapter* fills in a struct balloon_dev_ops, calls
 * balloon_register_device() and passes on the size that the hypervisor asks
 * for with balloon_set_target().  The core allocates pages, hands batches of
 * page ranges to ->submit(), migrates pages for compaction and gives pages
 * back.  The adapter owns no list of pages and does no accounting.
 *
 * A *page-level* driver calls balloon_devinfo_init() and moves pages in and out
 * by itself with balloon_page_enqueue(), balloon_page_dequeue() and their list
 * variants, and sets &balloon_dev_info.migratepage to have them migrated.
 *
 * The life of a page::
 *
 *	FREE -> PENDING_INFLATE -> BALLOONED -> PENDING_DEFLATE -> FREE
 *	                             |  ^
 *	                           ISOLATED
 *
 * Only a BALLOONED page, one whose inflation the hypervisor has answered, can be
 * isolated or deflated.  See Documentation/mm/balloon_compaction.rst.
 *
 * Numbers of pages are in units of PAGE_SIZE everywhere.
 */
#ifndef _LINUX_BALLOON_COMPACTION_H
#define _LINUX_BALLOON_COMPACTION_H

#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/migrate.h>
#include <linux/mm_types.h>
#include <linux/notifier.h>
#include <linux/pagemap.h>		/* for page-level drivers that rely on it */
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

struct balloon_compaction;
struct balloon_dev_info;
struct device;

/* Most ranges, and most pages, that one direction of a batch holds. */
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
 * @range: the ranges, ascending by pfn when ->submit() sees them
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
 * them.  From ->submit() to balloon_batch_complete() the batch belongs to the
 * adapter.
 */
struct balloon_batch {
	struct balloon_range_list inflate;
	struct balloon_range_list deflate;
	/* private: owned by mm/balloon_batch.c; the state is under b->pages_lock */
	struct balloon_dev_info *b;
	struct list_head node;		/* in ->free, ->in_flight or ->done */
	unsigned int state;		/* enum balloon_batch_state */
	unsigned int seq;		/* times that the batch was reaped */
	unsigned long submitted;	/* jiffies */
	int error;			/* as given to balloon_batch_complete() */
	bool rejected;			/* ->submit() failed */
	bool for_target;		/* the target worker's */
	bool exchange;			/* not asked for by the migration code */
	unsigned long priv[];		/* ->batch_priv_size bytes */
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
 * @submit: Tell the hypervisor about @batch, without waiting for its answer.
 *	Called in process context, possibly with page locks held and from
 *	memory reclaim, so it must not sleep, not allocate with reclaim, and
 *	not wait for the hypervisor.  Several batches may be in flight, and
 *	calls may come from several CPUs at once.  Returns 0 if
 *	balloon_batch_complete() was or will be called exactly once for
 *	@batch, or a negative errno if the hypervisor has seen none of it; then
 *	the adapter must not complete it and the device is marked broken.
 * @report: Optional.  Publish that the balloon now holds @nr_pages.  Called by
 *	the target worker and once more by balloon_unregister_device() and
 *	balloon_freeze(), never concurrently with itself; may sleep.
 * @reset: Optional.  Make the hypervisor forget this balloon, because it failed
 *	or fell silent, or because the guest ends: when @reset returns, every
 *	batch in flight has been completed (with an error) and the guest may
 *	use all of its pages again.  Called by balloon_unregister_device(),
 *	balloon_freeze() and balloon_shutdown(); nothing is submitted meanwhile
 *	or afterwards, until balloon_thaw(); may sleep.
 */
struct balloon_dev_ops {
	const char *driver;
	size_t batch_priv_size;
	int (*submit)(struct balloon_dev_info *b, struct balloon_batch *batch);
	void (*report)(struct balloon_dev_info *b, unsigned long nr_pages);
	void (*reset)(struct balloon_dev_info *b);
};

/**
 * struct balloon_stats - counters of one device since it was registered
 * @enqueued: pages that entered the device
 * @dequeued: pages that left the device
 * @inflated: pages that became BALLOONED, migrations not counted
 * @deflated: pages given back, migrations not counted
 * @isolated: pages isolated for migration
 * @migrated: isolated pages of which the migration was recorded
 * @putback: isolated pages that were not migrated, whatever the reason
 * @migrate_failed: migrations that this device refused, each attempt counted
 * @freed: old pages of migrations given to the page allocator
 * @batches: batches submitted
 * @refused: pages that the hypervisor refused or failed on
 * @alloc_failed: times that inflation found no page
 * @exchanged: pages exchanged for others by balloon_compact()
 * @oom_deflated: pages given back because the guest ran out of memory
 *
 * All under &balloon_dev_info.pages_lock.  At every moment
 * @enqueued - @dequeued is the number of pages that the device holds, and
 * @isolated - @migrated - @putback the number of isolated ones.  When nothing is
 * pending, @migrated - @freed is the number of old pages that a hypervisor would
 * not give back.
 *
 * @isolated, @migrated, @putback and @freed of all devices together are the
 * vm events COMPACTBALLOONISOLATED, COMPACTBALLOONMIGRATED,
 * COMPACTBALLOONFAILED and COMPACTBALLOONFREED.
 */
struct balloon_stats {
	unsigned long enqueued;
	unsigned long dequeued;
	unsigned long inflated;
	unsigned long deflated;
	unsigned long isolated;
	unsigned long migrated;
	unsigned long putback;
	unsigned long migrate_failed;
	unsigned long freed;
	unsigned long batches;
	unsigned long refused;
	unsigned long alloc_failed;
	unsigned long exchanged;
	unsigned long oom_deflated;
};

/**
 * struct balloon_blocks - index of a device's pages by pageblock
 * @blocks: struct balloon_block by pfn / BALLOON_BLOCK_PAGES
 * @last: the block looked up last, or NULL
 * @cursor: where balloon_blocks_take() goes on
 *
 * The caller of mm/balloon_blocks.c serialises all access.
 */
struct balloon_blocks {
	struct xarray blocks;
	struct balloon_block *last;
	unsigned long cursor;
};

/**
 * struct balloon_dev_info - a balloon
 * @pages_lock: protects every member below up to @ops.  Taken with interrupts
 *	off, inside the page lock.
 * @isolated_pages: ISOLATED pages
 * @nr_ballooned: BALLOONED pages
 * @nr_inflating: PENDING_INFLATE pages
 * @nr_deflating: PENDING_DEFLATE pages; those of a migration until the pages that
 *	take their places are settled
 * @migratepage: a page-level driver's migration callback, else NULL: replaces
 *	@page, which is isolated, with @newpage and tells the hypervisor;
 *	both are locked.  On success the driver has taken a reference to
 *	@newpage, inserted it with balloon_page_insert() and decremented
 *	@isolated_pages under @pages_lock, and has finalized and put @page.
 *	Returns 0 or a negative errno.
 *
 * An adapter embeds one and touches no member.  A page-level driver may use
 * the documented ones.
 */
struct balloon_dev_info {
	spinlock_t pages_lock;		/* protects what is said above */
	unsigned long isolated_pages;
	unsigned long nr_ballooned;
	unsigned long nr_inflating;
	unsigned long nr_deflating;
	int (*migratepage)(struct balloon_dev_info *b, struct page *newpage,
			   struct page *page, enum migrate_mode mode);

	/* private: protected by pages_lock */
	struct balloon_blocks blocks;
	struct balloon_stats stats;
	struct list_head free;		/* batches not in use */
	struct list_head in_flight;	/* submitted, oldest first */
	struct list_head done;		/* completed, not yet reaped */
	struct balloon_batch *open;	/* migrations not yet submitted */
	struct list_head refused;	/* pages that the worker is to free */
	unsigned int nr_free;		/* batches in ->free */
	unsigned int nr_for_target;	/* the target worker's, not yet settled */
	unsigned int nr_submitting;	/* calls of ->submit() under way */
	bool dying;			/* being emptied: isolates nothing */
	struct balloon_compaction *compaction;	/* under way, or NULL */
	unsigned int nr_exchanging;	/* batches that it uses */
	unsigned long nr_aside;		/* pages of nobody, kept for it */
	unsigned int turn;		/* how far deflation is with its plan */
	bool squeezed;			/* the guest has run out of memory */
	int error;			/* why the device is broken, or 0 */

	/* private: written at registration only */
	const struct balloon_dev_ops *ops;
	struct device *dev;
	int id;
	bool deflate_on_oom;
	struct notifier_block oom;
	struct balloon_batch *batch[BALLOON_NR_BATCHES];

	/* private: each with its own synchronisation */
	wait_queue_head_t wait;		/* woken when a count above changes */
	struct work_struct reap_work;	/* settles ->done */
	struct delayed_work flush_work;	/* submits ->open */
	struct delayed_work watchdog;	/* finds a silent hypervisor */
	struct delayed_work work;	/* follows ->target */
	unsigned long target;		/* READ_ONCE(), WRITE_ONCE() */
	unsigned long floor;		/* READ_ONCE(), WRITE_ONCE() */
	unsigned long ack_timeout;	/* jiffies; READ_ONCE(), WRITE_ONCE() */
	unsigned long backoff;		/* jiffies, worker only */
	unsigned long reported;		/* jiffies, worker only */
};

/* Adapters: mm/balloon_dev.c, mm/balloon_worker.c, mm/balloon_oom.c, mm/balloon_batch.c */
int balloon_register_device(struct balloon_dev_info *b, struct device *parent,
			    const struct balloon_dev_ops *ops);
int balloon_unregister_device(struct balloon_dev_info *b);
int balloon_freeze(struct balloon_dev_info *b);
void balloon_thaw(struct balloon_dev_info *b);
void balloon_shutdown(struct balloon_dev_info *b);
int balloon_deflate_on_oom(struct balloon_dev_info *b);
void balloon_set_target(struct balloon_dev_info *b, unsigned long nr_pages);
void balloon_set_ack_timeout(struct balloon_dev_info *b, unsigned int ms);
void balloon_batch_complete(struct balloon_batch *batch, int error);
void balloon_device_failed(struct balloon_dev_info *b, int error);

/* Page-level drivers: mm/balloon_compaction.c */
void balloon_devinfo_init(struct balloon_dev_info *b);
struct page *balloon_page_alloc(void);
int balloon_page_enqueue(struct balloon_dev_info *b, struct page *page);
size_t balloon_page_list_enqueue(struct balloon_dev_info *b,
				 struct list_head *pages);
struct page *balloon_page_dequeue(struct balloon_dev_info *b);
size_t balloon_page_list_dequeue(struct balloon_dev_info *b,
				 struct list_head *pages, size_t n_req_pages);
void balloon_page_insert(struct balloon_dev_info *b, struct page *page);
void balloon_page_finalize(struct page *page);

/**
 * balloon_page_push - put a page on a private list
 * @pages: list that no other thread uses
 * @page: page in no device
 */
static inline void balloon_page_push(struct list_head *pages, struct page *page)
{
	list_add(&page->lru, pages);
}

/**
 * balloon_page_pop - take a page from a private list
 * @pages: list filled by balloon_page_push() or balloon_page_list_dequeue()
 *
 * Return: the page, or NULL when @pages is empty.
 */
static inline struct page *balloon_page_pop(struct list_head *pages)
{
	struct page *page = list_first_entry_or_null(pages, struct page, lru);

	if (page)
		list_del(&page->lru);
	return page;
}

/**
 * balloon_mapping_gfp_mask - where balloon pages may come from
 *
 * Return: GFP flags that name movable memory exactly if balloon pages can be
 * migrated.
 */
static inline gfp_t balloon_mapping_gfp_mask(void)
{
	return IS_ENABLED(CONFIG_BALLOON_COMPACTION) ? GFP_HIGHUSER_MOVABLE :
						       GFP_HIGHUSER;
}

#endif /* _LINUX_BALLOON_COMPACTION_H */
