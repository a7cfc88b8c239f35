/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of the balloon core share and no driver sees.
 *
 * Lock order:
 *
 *	page lock
 *	  b->pages_lock (interrupts off)
 *	    locks inside the xarray, the slab allocator, wait queues,
 *	    workqueues and printk
 *
 * The page lock of a page that belongs to a device keeps the device and this
 * code in place: a page leaves the device only after it was made immovable
 * under its page lock, and compaction calls us with that lock held.
 */
#ifndef _MM_BALLOON_INTERNAL_H
#define _MM_BALLOON_INTERNAL_H

#include <linux/balloon_compaction.h>
#include <linux/bits.h>

#include "balloon_movable.h"

/*
 * mm/balloon_blocks.c
 *
 * Each page of a device holds a reservation of its block for as long as it
 * belongs to the device; in addition it is *set* while it is BALLOONED.
 */
#define BALLOON_BLOCK_SHIFT	9
#define BALLOON_BLOCK_PAGES	BIT(BALLOON_BLOCK_SHIFT)

void balloon_blocks_init(struct balloon_blocks *bs);
int balloon_blocks_reserve(struct balloon_blocks *bs, unsigned long pfn,
			   unsigned int nr, gfp_t gfp);
int balloon_blocks_prepare(struct balloon_blocks *bs, unsigned long pfn,
			   unsigned int nr, gfp_t gfp);
void balloon_blocks_unprepare(struct balloon_blocks *bs, unsigned long pfn,
			      unsigned int nr);
void balloon_blocks_unreserve(struct balloon_blocks *bs, unsigned long pfn,
			      unsigned int nr);
int balloon_blocks_set(struct balloon_blocks *bs, unsigned long pfn,
		       unsigned int nr);
bool balloon_blocks_test(struct balloon_blocks *bs, unsigned long pfn);
bool balloon_blocks_clear(struct balloon_blocks *bs, unsigned long pfn);
void balloon_blocks_set_unit(struct balloon_blocks *bs, unsigned long pfn,
			     bool unit);
bool balloon_blocks_is_unit(struct balloon_blocks *bs, unsigned long pfn);
unsigned int balloon_blocks_take(struct balloon_blocks *bs, unsigned int max,
				 unsigned long *pfn);
unsigned int balloon_blocks_take_marked(struct balloon_blocks *bs,
					unsigned char mark, unsigned int max,
					unsigned long *pfn);
unsigned int balloon_blocks_next(struct balloon_blocks *bs, unsigned long *index);
void balloon_blocks_mark(struct balloon_blocks *bs, unsigned long index,
			 unsigned char mark);
unsigned char balloon_blocks_get_mark(struct balloon_blocks *bs,
				      unsigned long index);
unsigned int balloon_blocks_nr_set(struct balloon_blocks *bs,
				   unsigned long index);
unsigned int balloon_blocks_count(struct balloon_blocks *bs,
				  unsigned long index);
unsigned int balloon_blocks_take_from(struct balloon_blocks *bs,
				      unsigned long index, unsigned int max,
				      unsigned long *pfn);
int balloon_blocks_put_aside(struct balloon_blocks *bs, unsigned long pfn,
			     unsigned int nr, gfp_t gfp);
unsigned int balloon_blocks_nr_aside(struct balloon_blocks *bs,
				     unsigned long index);
unsigned long *balloon_blocks_take_aside(struct balloon_blocks *bs,
					 unsigned long *index,
					 unsigned int *nr);

/*
 * mm/balloon_placement.c
 *
 * Marks of blocks: others use it, too, or it was not looked at; nobody else does,
 * and the balloon shall stay or leave.
 */
enum {
	BALLOON_BLOCK_SHARED,
	BALLOON_BLOCK_KEEP,
	BALLOON_BLOCK_LEAVE,
};

bool __balloon_block_is_shared(struct balloon_dev_info *b, unsigned long index,
			       unsigned int nr);
bool balloon_block_is_on(unsigned long index, int nid);
void balloon_find_vacatable(struct balloon_dev_info *b, int nid);
void balloon_count_vacatable(struct balloon_dev_info *b, int nid,
			     unsigned int *nr_with);
void balloon_keep_fullest(struct balloon_dev_info *b, int nid,
			  unsigned int most, unsigned long nr_most);
void balloon_plan_deflation(struct balloon_dev_info *b, unsigned long nr);
unsigned int __balloon_take(struct balloon_dev_info *b, unsigned int max,
			    unsigned long *pfn, bool *more);

/* mm/balloon_pages.c */
#define BALLOON_PAGE_GFP	(balloon_mapping_gfp_mask() | __GFP_NOMEMALLOC | \
				 __GFP_NORETRY | __GFP_NOWARN)

bool balloon_in_one_zone(unsigned long first, unsigned long last);
unsigned int balloon_inflate_order(void);
struct page *balloon_run_alloc(unsigned int order);
unsigned int balloon_pages_alloc(struct page **pages, unsigned int max);
void balloon_range_put(unsigned long pfn, unsigned int nr);
void balloon_range_own(struct balloon_dev_info *b, unsigned long pfn,
		       unsigned int nr);
void __balloon_split(struct balloon_dev_info *b, unsigned long pfn);
void balloon_range_split(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr);
void balloon_range_free(struct balloon_dev_info *b, unsigned long pfn,
			unsigned int nr);
void balloon_range_release(unsigned long pfn, unsigned int nr);
void balloon_range_disown(unsigned long pfn, unsigned int nr);
void balloon_page_disown(struct page *page);

/* mm/balloon_ranges.c */
void balloon_range_add_page(struct balloon_range_list *list, unsigned long pfn);
void balloon_range_add(struct balloon_range_list *list, unsigned long pfn,
		       unsigned int nr);
void balloon_ranges_sort(struct balloon_range_list *list);

/*
 * mm/balloon_batch.c
 *
 * A batch is FREE, then OPEN while it is filled, SUBMITTING while ->submit()
 * runs, IN_FLIGHT until the adapter completes it, DONE until it is reaped.
 */
enum balloon_batch_state {
	BALLOON_BATCH_FREE,
	BALLOON_BATCH_OPEN,
	BALLOON_BATCH_SUBMITTING,
	BALLOON_BATCH_IN_FLIGHT,
	BALLOON_BATCH_DONE,
};

/* Batches that inflation and deflation leave for migration. */
#define BALLOON_BATCH_KEEP	2

/* Might another range not fit into each of its directions? */
static inline bool balloon_batch_full(const struct balloon_batch *batch)
{
	return batch->inflate.nr == BALLOON_BATCH_RANGES ||
	       batch->deflate.nr == BALLOON_BATCH_RANGES ||
	       batch->inflate.nr_pages == BALLOON_BATCH_PAGES ||
	       batch->deflate.nr_pages == BALLOON_BATCH_PAGES;
}

static inline bool balloon_batch_is_migration(const struct balloon_batch *batch)
{
	return batch->inflate.nr && batch->deflate.nr;
}

int balloon_batches_alloc(struct balloon_dev_info *b);
void balloon_batches_free(struct balloon_dev_info *b);
struct balloon_batch *__balloon_batch_get(struct balloon_dev_info *b,
					  unsigned int keep);
struct balloon_batch *balloon_batch_get(struct balloon_dev_info *b,
					unsigned int keep, unsigned long timeout);
void __balloon_batch_put(struct balloon_batch *batch);
void balloon_batch_put(struct balloon_batch *batch);
void balloon_batch_submit(struct balloon_batch *batch);
void balloon_batch_submit_migration(struct balloon_batch *batch,
				    enum migrate_mode mode);
void balloon_batch_flush(struct balloon_dev_info *b);
void balloon_batch_schedule_flush(struct balloon_dev_info *b);
void balloon_flush_work(struct work_struct *work);
void balloon_watchdog(struct work_struct *work);
void __balloon_forgive(struct balloon_dev_info *b);

/* mm/balloon_settle.c */
void balloon_account(struct balloon_dev_info *b, unsigned long pfn, long nr);
bool balloon_batch_is_clean(const struct balloon_batch *batch);
void balloon_batch_settle(struct balloon_batch *batch);
void balloon_free_refused(struct balloon_dev_info *b);
void balloon_reap_work(struct work_struct *work);

/* mm/balloon_migrate.c, there only if pages can be migrated */
bool balloon_page_isolate(struct page *page);
void balloon_page_putback(struct page *page);
int balloon_page_migrate(struct page *new, struct page *old,
			 enum migrate_mode mode);
#ifdef CONFIG_BALLOON_COMPACTION
void __balloon_count_freed(struct balloon_dev_info *b, unsigned int nr);
#else
static inline void __balloon_count_freed(struct balloon_dev_info *b,
					 unsigned int nr) { }
#endif

/* mm/balloon_dev.c */
extern struct workqueue_struct *balloon_wq;

/* mm/balloon_worker.c */

/* Pauses of a worker that makes no progress double from the first to the last. */
#define BALLOON_BACKOFF_MIN	(HZ / 5)
#define BALLOON_BACKOFF_MAX	(32 * HZ)

/* Unregistration gives up when no page came back for so long. */
#define BALLOON_DYING_TIMEOUT	(60 * HZ)

unsigned long balloon_room_above_floor(struct balloon_dev_info *b);
unsigned long balloon_actual(struct balloon_dev_info *b);
void balloon_report(struct balloon_dev_info *b);
void balloon_work(struct work_struct *work);
unsigned long balloon_squeeze(struct balloon_dev_info *b, unsigned long nr);
void balloon_deflate_all(struct balloon_dev_info *b);
void balloon_abandon(struct balloon_dev_info *b);

/* Out of memory: longest wait for a batch, and for the hypervisor's answer. */
#define BALLOON_OOM_TIMEOUT	(10 * HZ)

/* mm/balloon_oom.c */
void balloon_oom_exit(struct balloon_dev_info *b);

/* mm/balloon_floor.c */
long balloon_mem_available(void);
unsigned long balloon_default_floor(void);

/* mm/balloon_compact.c */
int balloon_compact(struct balloon_dev_info *b);
bool __balloon_put_aside(struct balloon_dev_info *b, unsigned long pfn,
			 unsigned int nr);
void balloon_free_aside(struct balloon_dev_info *b);

/* mm/balloon_sysfs.c */
extern const struct attribute_group *balloon_dev_groups[];

/*
 * A page is the device's from balloon_page_set_owner() to
 * balloon_page_clear_owner(); in between compaction may call us with it, under
 * the page lock.  Both are under the page lock, too, with two exceptions.  A
 * page that was just allocated gets its owner without: a scanner that has taken
 * a reference looks for the mark under the lock, finds the owner with it, and
 * isolates nothing, since the page is not BALLOONED yet.  A page to which nobody
 * can get a reference, because it is of a unit or the count is frozen, gets or
 * loses its owner without: nobody can take the lock.
 */
static inline struct balloon_dev_info *balloon_page_owner(struct page *page)
{
	return (struct balloon_dev_info *)page_private(page);
}

static inline void balloon_page_set_owner(struct page *page,
					  struct balloon_dev_info *b)
{
	set_page_private(page, (unsigned long)b);
	balloon_page_set_movable(page);
}

/* A page that was just allocated becomes the device's. */
static inline void balloon_page_own(struct balloon_dev_info *b,
				    struct page *page)
{
	__SetPageOffline(page);
	balloon_page_set_owner(page, b);
}

/* While nobody else has a reference to the page, or can get one. */
static inline void balloon_page_reset_owner(struct page *page)
{
	balloon_page_reset_movable(page);
	set_page_private(page, 0);
}

static inline void balloon_page_clear_owner(struct page *page)
{
	balloon_page_clear_movable(page);
	set_page_private(page, 0);
}

#endif /* _MM_BALLOON_INTERNAL_H */
