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
#include <linux/mmzone.h>
#include <linux/nodemask.h>
#include <linux/workqueue.h>

#include "movable.h"

struct balloon_compaction;

enum balloon_batch_state {
	BALLOON_BATCH_FREE,
	BALLOON_BATCH_OPEN,
	BALLOON_BATCH_SUBMITTING,
	BALLOON_BATCH_IN_FLIGHT,
	BALLOON_BATCH_DONE,
};

enum balloon_batch_purpose {
	BALLOON_FOR_MIGRATION,		/* the migration code's */
	BALLOON_FOR_TARGET,		/* the target worker's */
	BALLOON_FOR_OOM,		/* the guest has run out of memory */
	BALLOON_FOR_EXCHANGE,		/* balloon_compact()'s */
};

enum balloon_batch_result {
	BALLOON_ANSWERED,		/* ranges tell what was refused */
	BALLOON_REJECTED,		/* the hypervisor has seen none of it */
	BALLOON_UNKNOWN,		/* it may have done any part of it */
};

/* A batch, and what the core knows of it.  The state is under b->pages_lock. */
struct balloon_core_batch {
	union {
		struct balloon_batch;
		struct balloon_batch batch;	/* the same, for the adapter */
	};
	struct balloon *b;
	struct list_head node;		/* in ->free, ->in_flight or ->done */
	enum balloon_batch_state state;
	enum balloon_batch_purpose purpose;
	enum balloon_batch_result result;
	bool awaited;			/* who has submitted it settles it */
	unsigned int seq;		/* times that the batch was reaped */
	unsigned long submitted;	/* jiffies */
	u64 sent;			/* ns, for how long it took */
	unsigned long adapter[];	/* ->batch_priv_size bytes */
};

/*
 * struct balloon_counters: counters of one device since it was registered
 *
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

/* Why a balloon has not reached its target, as far as the worker knows. */
enum balloon_limit {
	BALLOON_NOT_LIMITED,		/* it has, or nothing was in the way yet */
	BALLOON_LIMITED_BY_FLOOR,	/* the guest has no more to spare */
	BALLOON_LIMITED_BY_ALLOCATOR,	/* there is no page, or no memory for the index */
	BALLOON_LIMITED_BY_HOST,	/* the hypervisor refuses pages */
	BALLOON_LIMITED_BY_OOM,		/* memory has run out: it rests */
	BALLOON_LIMITED_BY_ISOLATION,	/* others hold the pages that are to leave */
};

/**
 * struct balloon_round - what the target worker does until its next pause
 * @begun: it is under way
 * @oom: the guest has run out of memory: the balloon does not grow
 * @planned: it is chosen which blocks a deflation empties first
 * @waited: nothing could be deflated, and it was waited for that
 * @err: 0, or why a pause is due when the hypervisor has answered
 * @target: the target, as seen last
 * @held: pages at the beginning
 * @refused: pages that were refused before
 * @may_ask: nobody is moved to swap, and it was not asked for that yet
 * @limit: what was in the way
 */
struct balloon_round {
	bool begun;
	bool may_ask;
	bool oom;
	bool planned;
	bool waited;
	int err;
	unsigned long target;
	unsigned long held;
	unsigned long refused;
	enum balloon_limit limit;
};

/**
 * struct balloon_swap - is it of use that others are moved to swap?
 * @begun: it is being looked at
 * @useless: it is not: swap is in memory, and what is in it cannot be compressed
 * @owed: what the kernel lacks because of that has yet to be given back
 * @free: free pages of swap at the beginning
 * @used: pages of memory that swap took then
 * @most: pages that the balloon goes down to for that, or ULONG_MAX
 * @seen: free pages of swap when the last round began
 * @nr_asked: rounds in a row in which the kernel was asked to swap, and did not
 */
struct balloon_swap {
	bool begun;
	bool useless;
	bool owed;
	long free;
	long used;
	unsigned long most;
	long seen;
	unsigned int nr_asked;
};

/**
 * struct balloon_run - what came of a run of compaction
 * @asked: somebody has asked for it
 * @err: as of balloon_reason_to_end(), or why nothing could be done
 * @exchanged: pages that were exchanged
 * @won: blocks that were evacuated
 * @began: seconds since boot, 0 if there was no run
 * @ended: likewise
 */
struct balloon_run {
	bool asked;
	int err;
	unsigned long exchanged;
	unsigned long won;
	u64 began;
	u64 ended;
};

/*
 * A balloon of an adapter: its pages, and what the core knows of its hypervisor.
 * Members of ->info are used as if they were its own.
 */
struct balloon {
	union {
		struct balloon_dev_info;
		struct balloon_dev_info info;
	};

	/* Protected by pages_lock */
	struct list_head free;		/* batches not in use */
	struct list_head in_flight;	/* submitted, oldest first */
	struct list_head done;		/* completed, not yet reaped */
	struct balloon_core_batch *open;	/* migrations not yet submitted */
	struct list_head refused;	/* pages that the worker is to free */
	unsigned int nr_free;		/* batches in ->free */
	unsigned int nr_for_target;	/* the target worker's, not yet settled */
	unsigned int nr_submitting;	/* calls of ->submit() under way */
	enum balloon_state state;
	struct balloon_compaction *compaction;	/* under way, or NULL */
	bool background;		/* it is one that nobody has asked for ... */
	unsigned int compact_asked;	/* ... and so many wait for its end */
	unsigned int nr_exchanging;	/* batches that it uses */
	unsigned long nr_parked;		/* pages of nobody, kept for it */
	unsigned int pass;		/* how far deflation is with its plan */
	bool oom;			/* the guest has run out of memory */
	bool has_target;		/* ->target was set */
	bool worker_waits;		/* a change of these counts queues ->work */
	long late;			/* longest wait under page locks in vain since an answer */
	struct balloon_run last_run;	/* of compaction */
	unsigned long nr_answers;	/* of the hypervisor, refusals among them ... */
	u64 answer_ns;			/* ... how long they took in all ... */
	u64 answer_worst_ns;		/* ... and the slowest */
	struct balloon_core_batch *oom_batch; /* given back last for want of memory */
	unsigned int oom_seq;		/* its ->seq then */

	/* Written at registration only */
	const struct balloon_dev_ops *ops;
	void *data;			/* the adapter's */
	unsigned int max_ranges;	/* of one direction of a batch */
	unsigned int max_pages;
	struct device *dev;
	int id;
	u64 registered;		/* seconds since boot */
	bool deflate_on_oom;
	struct list_head oom_node;	/* under a lock of mm/balloon/oom.c */
	struct balloon_core_batch *batch[BALLOON_NR_BATCHES];

	/* Each with its own synchronisation */
	struct work_struct reap_work;	/* settles ->done */
	struct delayed_work flush_work;	/* submits ->open */
	struct delayed_work watchdog;	/* finds a silent hypervisor */
	struct delayed_work work;	/* follows ->target */
	struct delayed_work compact_work; /* compacts in the background */
	struct delayed_work look_work;	/* queues ->compact_work, now and then */
	struct work_struct tell_work;	/* tells userspace of a change */
	unsigned long look_interval;	/* jiffies, ->compact_work only */
	unsigned long holes_left;	/* by the last run, or ULONG_MAX */
	unsigned int proactiveness;	/* READ_ONCE(), WRITE_ONCE() */
	unsigned long target;		/* READ_ONCE(), WRITE_ONCE() */
	bool opted_out;			/* the guest's owner has made it 0; likewise */
	enum balloon_limit limited_by;	/* likewise */
	unsigned long floor;		/* READ_ONCE(), WRITE_ONCE() */
	bool floor_is_set;		/* by an administrator; likewise */
	unsigned long ack_timeout;	/* jiffies; READ_ONCE(), WRITE_ONCE() */
	unsigned long backoff;		/* jiffies, worker only */
	unsigned long reported;		/* jiffies, worker only */
	struct balloon_round round;	/* worker only */
	struct balloon_swap swap;	/* worker only */
};

/*
 * mm/balloon/index.c
 *
 * struct balloon_blocks has a struct balloon_block by pfn / BALLOON_BLOCK_PAGES in
 * ->blocks, the one looked up last, or NULL, in ->last, and where
 * balloon_blocks_take() goes on in ->cursor.  The caller serialises all access.
 *
 * Each page of a device holds a reservation of its block for as long as it
 * belongs to the device; in addition it is *set* while it is BALLOONED.
 */
#ifdef PFN_SECTION_SHIFT
/* The memory section that comes next may not exist. */
#define BALLOON_BLOCK_SHIFT	(PFN_SECTION_SHIFT < 9 ? PFN_SECTION_SHIFT : 9)
#else
#define BALLOON_BLOCK_SHIFT	9
#endif
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
int balloon_blocks_park(struct balloon_blocks *bs, unsigned long pfn,
			unsigned int nr, gfp_t gfp);
unsigned int balloon_blocks_nr_parked(struct balloon_blocks *bs,
				      unsigned long index);
unsigned long *balloon_blocks_unpark(struct balloon_blocks *bs,
				     unsigned long *index,
				     unsigned int *nr);
bool balloon_blocks_unpark_page(struct balloon_blocks *bs, unsigned long pfn);

/*
 * mm/balloon/placement.c
 *
 * Marks of blocks: others use it, too, or nobody has looked; only the balloon uses
 * it, and shall keep it or evacuate it.
 */
enum {
	BALLOON_BLOCK_SHARED,
	BALLOON_BLOCK_KEEP,
	BALLOON_BLOCK_EVACUATE,
};

bool __balloon_block_is_shared(struct balloon *b, unsigned long index,
			       unsigned int nr);
bool balloon_block_is_on(unsigned long index, int nid);
void balloon_find_vacatable(struct balloon *b, int nid, bool last_resort);
void balloon_count_vacatable(struct balloon *b, int nid,
			     unsigned int *nr_with);
void balloon_keep_fullest(struct balloon *b, int nid,
			  unsigned int most, unsigned long nr_most);
void balloon_plan_deflation(struct balloon *b, unsigned long nr);
unsigned int balloon_most_that_fit(const unsigned int *nr_with,
				   unsigned long *nr_last, unsigned long *nr);
void balloon_batch_take(struct balloon_core_batch *batch, unsigned long nr,
			const nodemask_t *nodes);

/* Pages of a balloon, and the blocks that they are in: of one zone, or of all. */
struct balloon_blocks_in {
	unsigned long pages;
	unsigned long whole;		/* nothing else is in them */
	unsigned long with_free;	/* nobody else uses them */
	unsigned long with_others;
};

void balloon_count_blocks(struct balloon *b, const struct zone *zone,
			  struct balloon_blocks_in *in);

/* mm/balloon/pages.c */
#define BALLOON_PAGE_GFP						\
	((balloon_pages_are_movable() ? GFP_HIGHUSER_MOVABLE : GFP_HIGHUSER) |	\
	 __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN)

/* Pages of a node that are in balloons, which kernels since 6.16 count. */
#ifdef HAVE_NR_BALLOON_PAGES
static inline void balloon_count_on_node(struct page *page, long nr)
{
	mod_node_page_state(page_pgdat(page), NR_BALLOON_PAGES, nr);
}
#else
static inline void balloon_count_on_node(struct page *page, long nr) { }
#endif

bool balloon_in_one_zone(unsigned long first, unsigned long last);
unsigned int balloon_inflate_order(void);
struct page *balloon_run_alloc(unsigned int order);
unsigned int balloon_pages_alloc(struct page **pages, unsigned int max);
void balloon_range_put(unsigned long pfn, unsigned int nr);
void balloon_range_own(struct balloon *b, unsigned long pfn,
		       unsigned int nr);
void balloon_range_free(struct balloon *b, unsigned long pfn,
			unsigned int nr);
void balloon_range_release(unsigned long pfn, unsigned int nr);
void balloon_range_disown(unsigned long pfn, unsigned int nr);
void balloon_page_disown(struct page *page);
void balloon_adjust_managed(struct balloon *b, unsigned long pfn, long nr);
void balloon_hold_back(struct balloon *b, unsigned long pfn,
		       unsigned int nr);
void balloon_free_refused(struct balloon *b);
bool __balloon_park(struct balloon *b, unsigned long pfn,
		    unsigned int nr);
bool __balloon_unpark(struct balloon *b, struct page *page);
void balloon_free_parked(struct balloon *b);

/* mm/balloon/ranges.c */
void balloon_range_add_page(struct balloon_range_list *list, unsigned long pfn);
void balloon_range_add(struct balloon_range_list *list, unsigned long pfn,
		       unsigned int nr);
void balloon_ranges_sort(struct balloon_range_list *list);

/* mm/balloon/states.c */

/* For tracepoints; a page-level driver's has no number. */
static inline int balloon_id(const struct balloon_dev_info *b)
{
	return b->adapter ? b->adapter->id : -1;
}

void __balloon_begin_inflate(struct balloon_dev_info *b, unsigned int nr);
void __balloon_end_inflate(struct balloon_dev_info *b, unsigned long pfn,
			   unsigned int nr, bool pair);
void __balloon_refuse_inflate(struct balloon_dev_info *b, unsigned long pfn,
			      unsigned int nr, bool pair);
unsigned int __balloon_begin_deflate(struct balloon_dev_info *b, unsigned int max,
				     unsigned long *pfn);
unsigned int __balloon_begin_deflate_marked(struct balloon_dev_info *b,
					    unsigned char mark, unsigned int max,
					    unsigned long *pfn);
unsigned int __balloon_begin_deflate_block(struct balloon_dev_info *b,
					   unsigned long index, unsigned int max,
					   unsigned long *pfn);
void __balloon_end_deflate(struct balloon_dev_info *b, unsigned long pfn,
			   unsigned int nr, bool pair);
void __balloon_refuse_deflate(struct balloon_dev_info *b, unsigned long pfn,
			      unsigned int nr, bool pair);
bool __balloon_isolate(struct balloon_dev_info *b, unsigned long pfn);
void __balloon_putback(struct balloon_dev_info *b, unsigned long pfn);
void __balloon_begin_migrate(struct balloon_dev_info *b);
void __balloon_count_settled(const struct balloon_core_batch *batch,
			     unsigned int inflated, unsigned int deflated);
void __balloon_count_migrate_failed(struct balloon_dev_info *b);
void __balloon_count_exchanged(struct balloon *b, unsigned int nr);
void __balloon_count_batch(struct balloon *b);
void __balloon_count_alloc_failed(struct balloon *b);
void __balloon_count_oom_deflated(struct balloon *b, unsigned long nr);
void __balloon_insert(struct balloon_dev_info *b, unsigned long pfn);
void __balloon_count_enqueued(struct balloon_dev_info *b);
void __balloon_count_dequeued(struct balloon_dev_info *b, unsigned int nr);
void __balloon_replaced(struct balloon_dev_info *b, unsigned long pfn);
void __balloon_lost(struct balloon_dev_info *b, unsigned long pfn);
unsigned long __balloon_held(struct balloon *b);
unsigned long balloon_held(struct balloon *b);

/*
 * The states of a device, which change in mm/balloon/batch.c, as the hypervisor
 * does, and in mm/balloon/device.c, as the adapter asks.
 *
 *	RUNNING <-> STALLED -> BROKEN, RUNNING -> BROKEN
 *	RUNNING -> EMPTYING, and STOPPED if the hypervisor does not take part;
 *	STALLED or BROKEN -> STOPPED at once; back to RUNNING after a sleep
 */

/* Does it make sense to ask the hypervisor for anything? */
static inline bool balloon_is_answered(const struct balloon *b)
{
	enum balloon_state state = READ_ONCE(b->state);

	return state == BALLOON_RUNNING || state == BALLOON_EMPTYING;
}

/* Nothing is isolated any more, and no work item changes the size. */
static inline bool balloon_is_leaving(const struct balloon *b)
{
	return READ_ONCE(b->state) >= BALLOON_EMPTYING;
}

static inline bool balloon_is_running(const struct balloon *b)
{
	return READ_ONCE(b->state) == BALLOON_RUNNING;
}

/*
 * mm/balloon/batch.c
 *
 * A batch is FREE, then OPEN while it is filled, SUBMITTING while ->submit()
 * runs, IN_FLIGHT until the adapter completes it, DONE until it is reaped.
 */

/* Batches that inflation, deflation and exchanges leave for migration. */
#define BALLOON_BATCH_KEEP	2

/* Might another range not fit into each of its directions? */
static inline bool balloon_batch_full(const struct balloon_core_batch *batch)
{
	const struct balloon *b = batch->b;

	return batch->inflate.nr == b->max_ranges ||
	       batch->deflate.nr == b->max_ranges ||
	       batch->inflate.nr_pages == b->max_pages ||
	       batch->deflate.nr_pages == b->max_pages;
}

static inline bool balloon_batch_is_migration(const struct balloon_core_batch *batch)
{
	return batch->inflate.nr && batch->deflate.nr;
}

/* Does the order of its ranges tell which page takes the place of which? */
static inline bool balloon_batch_is_paired(const struct balloon_core_batch *batch)
{
	return batch->b->ops->pairs && balloon_batch_is_migration(batch);
}

extern struct workqueue_struct *balloon_wq;
extern struct workqueue_struct *balloon_target_wq;

int balloon_queues_init(void);
void balloon_queues_exit(void);
int balloon_batches_alloc(struct balloon *b);
void balloon_batches_free(struct balloon *b);
bool __balloon_target_has_room(struct balloon *b);
struct balloon_core_batch *__balloon_batch_get(struct balloon *b,
					       enum balloon_batch_purpose purpose);
struct balloon_core_batch *balloon_batch_get(struct balloon *b,
					     enum balloon_batch_purpose purpose);
struct balloon_core_batch *balloon_batch_wait(struct balloon *b,
					      enum balloon_batch_purpose purpose,
					      unsigned long timeout);
void __balloon_batch_put(struct balloon_core_batch *batch);
void balloon_batch_put(struct balloon_core_batch *batch);
void balloon_batch_submit(struct balloon_core_batch *batch);
void balloon_batch_submit_migration(struct balloon_core_batch *batch, long patience);
void balloon_batch_flush(struct balloon *b);
void balloon_batch_schedule_flush(struct balloon *b);
void balloon_flush_work(struct work_struct *work);
void balloon_watchdog(struct work_struct *work);
void __balloon_set_state(struct balloon *b, enum balloon_state state);
void __balloon_changed(struct balloon *b);
void __balloon_answers_again(struct balloon *b);

void balloon_batch_settle(struct balloon_core_batch *batch);
void balloon_reap_work(struct work_struct *work);

/* mm/balloon/settle.c */
bool balloon_batch_is_clean(const struct balloon_core_batch *batch);
void balloon_settle_pages(struct balloon_core_batch *batch, struct list_head *refused,
			  bool clean);
void __balloon_settle_states(struct balloon_core_batch *batch, bool clean);

/* mm/balloon/device.c */

/* Can the hypervisor be told of @nr pages from @pfn on? */
static inline bool balloon_in_reach(struct balloon *b,
				    unsigned long pfn, unsigned int nr)
{
	return !b->ops->max_pfn || pfn + nr - 1 <= b->ops->max_pfn;
}

/* Jiffies until @deadline, 0 when it is over. */
#define balloon_time_left(deadline)	max((long)((deadline) - jiffies), 0L)

/*
 * How long a migration waits for the hypervisor, under page locks.  Asynchronous
 * ones, which a page fault may wait for, do so for no longer than it takes a
 * hypervisor that is well.
 */
static inline long balloon_patience(enum migrate_mode mode)
{
	return mode == MIGRATE_ASYNC ? max(HZ / 50, 1) : HZ;
}

/*
 * Wait for the hypervisor for @patience while page locks may be held, by which
 * others wait for us.  After a wait in vain nobody waits as long again until it
 * has answered.
 */
#define balloon_wait_locked(dev, patience, condition)			\
do {									\
	struct balloon *__dev = (dev);				\
	long __patience = (patience);					\
									\
	if (__patience > READ_ONCE(__dev->late) &&			\
	    !wait_event_timeout(__dev->wait, condition, __patience))	\
		WRITE_ONCE(__dev->late, __patience);			\
} while (0)

/* mm/balloon/target.c */

/* Pauses of a worker that makes no progress double from the first to the last. */
#define BALLOON_BACKOFF_MIN	(HZ / 5)
#define BALLOON_BACKOFF_MAX	(32 * HZ)

/* How long deflation waits for pages that are isolated or pending. */
#define BALLOON_DRY_TIMEOUT	HZ

void balloon_report(struct balloon *b);
void balloon_work(struct work_struct *work);

/* mm/balloon/swap.c */
void balloon_owe_no_more(struct balloon *b);
unsigned long balloon_room_to_inflate(struct balloon *b);

/* mm/balloon/emptying.c */
/* Unregistration gives up when no page came back for so long. */
#define BALLOON_DYING_TIMEOUT	(60 * HZ)

/* So does the way to sleep, where others wait. */
#define BALLOON_FREEZE_TIMEOUT	HZ

void balloon_deflate_all(struct balloon *b, unsigned long timeout);
void balloon_abandon(struct balloon *b);

/* mm/balloon/oom.c */
int balloon_oom_init(void);
void balloon_oom_exit(void);
void balloon_oom_remove(struct balloon *b);

/* mm/balloon/floor.c */
unsigned long balloon_room_above_floor(struct balloon *b);
long balloon_mem_available(void);
void balloon_init_floor(struct balloon *b);
void balloon_set_floor(struct balloon *b, unsigned long nr);
unsigned long balloon_swap_to_spare(struct balloon *b);
unsigned long balloon_room_by_swap(void);
long balloon_swap_in_memory(void);
unsigned long balloon_missing_to_high(void);
unsigned long balloon_free_to_spare(int nid);
bool balloon_is_last_resort(struct page *page);
unsigned long balloon_holes(void);
unsigned long balloon_spare_blocks(void);

/* mm/balloon/compact.c */
/* 0: never in the background; 100: with a quarter of a processor. */
#define BALLOON_PROACTIVENESS_MAX	100
#define BALLOON_PROACTIVENESS_DEFAULT	20

int balloon_compact(struct balloon *b);
unsigned long balloon_compact_in_background(struct balloon *b);

/* mm/balloon/background.c */
void balloon_compact_work(struct work_struct *work);
void balloon_look_work(struct work_struct *work);
void balloon_compact_soon(struct balloon *b);
void balloon_set_proactiveness(struct balloon *b, unsigned int proactiveness);

/* mm/balloon/sysfs.c */
extern const struct attribute_group *balloon_dev_groups[];

void balloon_tell_work(struct work_struct *work);

/*
 * A page is the device's from balloon_page_set_owner() to
 * balloon_page_clear_owner(); in between compaction may call us with it, under
 * the page lock.  Both are under the page lock, too, with three exceptions.  A
 * page that was just allocated gets its owner without: a scanner that has taken
 * a reference looks for the mark under the lock, finds the owner with it, and
 * isolates nothing, since the page is not BALLOONED yet.  So does a page that is
 * parked: a scanner that finds the owner waits for pages_lock, and unparks it.  A
 * page to which nobody can get a reference, because the count is frozen, gets or
 * loses its owner without: nobody can take the lock.
 */
static inline struct balloon_dev_info *balloon_page_owner(struct page *page)
{
	return balloon_private_to_owner(page_private(page));
}

static inline void balloon_page_set_owner(struct page *page,
					  struct balloon_dev_info *b)
{
	set_page_private(page, balloon_owner_to_private(b));
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
