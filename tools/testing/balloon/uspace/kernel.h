/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel as far as the balloon's units and their suites need it, in
 * userspace and in one thread, so that a sanitizer sees every access.
 *
 * The makefile lets every <linux/...> header mean this one.  Where the kernel
 * would hang, a lock taken twice or a wait for something that has not come,
 * this aborts.  Suites control time, work items and waits themselves.
 */
#ifndef _BALLOON_USPACE_KERNEL_H
#define _BALLOON_USPACE_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;
typedef unsigned int gfp_t;

/* Compiler */
#define __force
#define __init
#define __exit
#define __user
#define __noreturn		__attribute__((__noreturn__))
#define __maybe_unused		__attribute__((__unused__))
#define __printf(a, b)		__attribute__((__format__(printf, a, b)))
#define likely(x)		__builtin_expect(!!(x), 1)
#define unlikely(x)		__builtin_expect(!!(x), 0)
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_store_release(p, v)	(*(p) = (v))
#define smp_load_acquire(p)	(*(p))
#define OPTIMIZER_HIDE_VAR(x)	((void)(x))
#define noinline		__attribute__((noinline))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr) - offsetof(type, member)))
#define U32_MAX			UINT_MAX
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define __must_hold(lock)
#define IS_ALIGNED(n, a)	(!((n) & ((a) - 1)))
#define ALIGN_DOWN(n, a)	((n) & ~((unsigned long)(a) - 1))
#define ALIGN(n, a)		(((n) + (a) - 1) & ~((unsigned long)(a) - 1))
#define round_down(n, a)	((n) & ~((typeof(n))(a) - 1))
#define min3(x, y, z)		min(min(x, y), z)
#define min_t(type, a, b)	({ type _a = (a), _b = (b); _a < _b ? _a : _b; })
#define max_t(type, a, b)	({ type _a = (a), _b = (b); _a > _b ? _a : _b; })
#define min(a, b)		min_t(typeof((a) + (b)), a, b)
#define max(a, b)		max_t(typeof((a) + (b)), a, b)

/* IS_ENABLED(X) is 1 where X is defined as 1, and 0 where it is undefined. */
#define __second(ignored, value, ...)	value
#define __one_is_two_1			0,
#define __is_enabled(pair)		__second(pair 1, 0)
#define _is_enabled(value)		__is_enabled(__one_is_two_##value)
#define IS_ENABLED(option)		_is_enabled(option)
#define CONFIG_BALLOON_COMPACTION	1
#define CONFIG_HUGETLB_PAGE		1
#define CONFIG_MEMORY_FAILURE		1
#define CONFIG_PM_SLEEP			1
#define CONFIG_VM_EVENT_COUNTERS	1

/* Log, errors, modules */
#define pr_info(fmt, ...)	printf(fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...)	printf(fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...)	printf(fmt, ##__VA_ARGS__)
#define scnprintf(buf, size, fmt, ...) \
	snprintf(buf, size, fmt, ##__VA_ARGS__)

#define panic(what)							\
do {									\
	fprintf(stderr, "%s:%d: " what "\n", __FILE__, __LINE__);	\
	abort();							\
} while (0)

/* Suites put their own in the place of these. */
#define WARN_ON_ONCE(cond)	({ bool _c = !!(cond); if (_c) panic("WARN"); _c; })
#define WARN_ONCE(cond, fmt, ...)	WARN_ON_ONCE(cond)
#define WARN_ON(cond)			WARN_ON_ONCE(cond)

#define MAX_ERRNO		4095
#define IS_ERR_VALUE(x)		((unsigned long)(x) >= (unsigned long)-MAX_ERRNO)
#define ERR_PTR(error)		((void *)(long)(error))
#define PTR_ERR(p)		((long)(p))
static inline bool IS_ERR(const void *p)
{
	return IS_ERR_VALUE(p);
}

static inline bool IS_ERR_OR_NULL(const void *p)
{
	return !p || IS_ERR_VALUE(p);
}

#define KBUILD_MODNAME		"kunit"
#define THIS_MODULE		NULL
#define EXPORT_SYMBOL_GPL(symbol)	extern int balloon_uspace_unused
#define MODULE_DESCRIPTION(text)	extern int balloon_uspace_unused
#define MODULE_VERSION(text)		extern int balloon_uspace_unused
#define MODULE_LICENSE(text)		extern int balloon_uspace_unused
#define module_init(function)						\
int main(void)								\
{									\
	setlinebuf(stdout);						\
	return !!function();						\
}									\
extern int balloon_uspace_unused
#define module_param(name, type, mode)	extern int balloon_uspace_unused
#define module_param_named(name, variable, type, mode)	extern int balloon_uspace_unused
#define MODULE_PARM_DESC(name, text)	extern int balloon_uspace_unused
#define module_exit(function) \
	static void (*__module_exit)(void) __maybe_unused = function

/* A kthread runs at once; it ends with kthread_complete_and_exit(). */
struct task_struct;
struct completion { bool done; };

static jmp_buf kthread_exit_point;

static inline void init_completion(struct completion *x)
{
	x->done = false;
}

static inline void wait_for_completion(struct completion *x)
{
	if (!x->done)
		panic("waits for ever");
}

static inline void __noreturn kthread_complete_and_exit(struct completion *x,
							long code)
{
	(void)code;
	x->done = true;
	longjmp(kthread_exit_point, 1);
}

static inline struct task_struct *kthread_run(int (*function)(void *), void *data,
					      const char *name)
{
	(void)name;
	if (!setjmp(kthread_exit_point))
		function(data);
	return NULL;
}

/* Lists */
struct list_head { struct list_head *next, *prev; };

#define LIST_HEAD_INIT(name)	{ &(name), &(name) }
#define LIST_HEAD(name)		struct list_head name = LIST_HEAD_INIT(name)

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

static inline void __list_insert(struct list_head *node, struct list_head *prev,
				 struct list_head *next)
{
	if (next->prev != prev || prev->next != next)
		panic("list corrupted");
	node->prev = prev;
	node->next = next;
	prev->next = node;
	next->prev = node;
}

static inline void list_add(struct list_head *node, struct list_head *head)
{
	__list_insert(node, head, head->next);
}

static inline void list_add_tail(struct list_head *node, struct list_head *head)
{
	__list_insert(node, head->prev, head);
}

static inline void __list_remove(struct list_head *node)
{
	if (node->prev->next != node || node->next->prev != node)
		panic("list corrupted");
	node->prev->next = node->next;
	node->next->prev = node->prev;
}

static inline void list_del(struct list_head *node)
{
	__list_remove(node);
	node->next = NULL;
	node->prev = NULL;
}

static inline void list_del_init(struct list_head *node)
{
	__list_remove(node);
	INIT_LIST_HEAD(node);
}

static inline void list_move(struct list_head *node, struct list_head *head)
{
	__list_remove(node);
	list_add(node, head);
}

static inline void list_move_tail(struct list_head *node, struct list_head *head)
{
	__list_remove(node);
	list_add_tail(node, head);
}

static inline void list_splice_tail_init(struct list_head *list,
					 struct list_head *head)
{
	while (!list_empty(list))
		list_move_tail(list->next, head);
}

static inline void list_splice_init(struct list_head *list, struct list_head *head)
{
	while (!list_empty(list))
		list_move(list->prev, head);
}
#define list_splice(list, head)	list_splice_init(list, head)

#define list_entry(ptr, type, member)	container_of(ptr, type, member)
#define list_first_entry(head, type, member) \
	list_entry((head)->next, type, member)
#define list_next_entry(pos, member) \
	list_entry((pos)->member.next, typeof(*(pos)), member)
#define list_first_entry_or_null(head, type, member) \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_for_each(pos, head) \
	for (pos = (head)->next; pos != (head); pos = pos->next)
#define list_for_each_safe(pos, n, head) \
	for (pos = (head)->next, n = pos->next; pos != (head); \
	     pos = n, n = pos->next)
#define list_for_each_entry(pos, head, member) \
	for (pos = list_first_entry(head, typeof(*pos), member); \
	     &pos->member != (head); pos = list_next_entry(pos, member))
#define list_for_each_entry_safe(pos, n, head, member) \
	for (pos = list_first_entry(head, typeof(*pos), member), \
	     n = list_next_entry(pos, member); &pos->member != (head); \
	     pos = n, n = list_next_entry(n, member))

/* Processes: there is one, and who wants it interrupted defines the macro again. */
#define ERESTARTSYS		512
#define current			NULL
#define signal_pending(task)	((void)(task), false)
#define fatal_signal_pending(task)	((void)(task), false)

/* Memory, all of one node */
typedef struct { unsigned long bits; } nodemask_t;
#define NODE_MASK_NONE		{ 0 }
#define node_set(node, mask)	((mask).bits |= 1UL << (node))
#define node_isset(node, mask)	((mask).bits >> (node) & 1)
#define for_each_online_node(nid)	for (nid = 0; nid < 1; nid++)
#define pfn_to_nid(pfn)		((void)(pfn), 0)
#define GFP_KERNEL		1u
#define GFP_NOWAIT		2u
#define GFP_ATOMIC		512u
#define GFP_HIGHUSER		(4u | GFP_KERNEL)
#define GFP_HIGHUSER_MOVABLE	(8u | GFP_KERNEL)
#define __GFP_NOWARN		16u
#define __GFP_NORETRY		32u
#define __GFP_NOMEMALLOC	64u
#define __GFP_COMP		128u
#define __GFP_NOFAIL		256u
#define __GFP_THISNODE		1024u
#define PAGE_ALLOC_COSTLY_ORDER	3
#define pageblock_order		9
#define NUMA_NO_NODE		(-1)
#define __GFP_RECLAIM		GFP_KERNEL
#define gfpflags_allow_blocking(gfp)	(!!((gfp) & GFP_KERNEL))

#define kzalloc(size, gfp)	((void)(gfp), calloc(1, size))
#define kcalloc(nr, size, gfp)	((void)(gfp), calloc(nr, size))
#define kfree(p)		free((void *)(p))

/* The kernel's size classes. */
static inline size_t kmalloc_size_roundup(size_t size)
{
	size_t class = 8;

	while (class < size)
		class *= 2;
	if (class == 128 && size <= 96)
		return 96;
	if (class == 256 && size <= 192)
		return 192;
	return class;
}

/* Bitmaps */
#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define BITS_PER_LONG		(8 * (unsigned int)sizeof(long))
#define BITS_TO_LONGS(n)	(((n) + BITS_PER_LONG - 1) / BITS_PER_LONG)
#define ilog2(n)		(63 - __builtin_clzll(n))
#define PAGE_REPORTING_CAPACITY	32
#define DECLARE_BITMAP(name, n)	unsigned long name[BITS_TO_LONGS(n)]

#define __ffs(word)		((unsigned int)__builtin_ctzl(word))
#define hweight_long(word)	((unsigned int)__builtin_popcountl(word))
#define __fls(word)		(63U - __builtin_clzl(word))

static inline bool test_bit(unsigned long bit, const unsigned long *map)
{
	return map[bit / BITS_PER_LONG] >> bit % BITS_PER_LONG & 1;
}

static inline void __assign_bit(unsigned long bit, unsigned long *map, bool value)
{
	unsigned long mask = 1UL << bit % BITS_PER_LONG;

	if (value)
		map[bit / BITS_PER_LONG] |= mask;
	else
		map[bit / BITS_PER_LONG] &= ~mask;
}

static inline void __set_bit(unsigned long bit, unsigned long *map)
{
	__assign_bit(bit, map, true);
}

static inline bool __test_and_set_bit(unsigned long bit, unsigned long *map)
{
	bool was = test_bit(bit, map);

	__assign_bit(bit, map, true);
	return was;
}

static inline bool __test_and_clear_bit(unsigned long bit, unsigned long *map)
{
	bool was = test_bit(bit, map);

	__assign_bit(bit, map, false);
	return was;
}

static inline void bitmap_set(unsigned long *map, unsigned int start,
			      unsigned int nr)
{
	while (nr--)
		__assign_bit(start++, map, true);
}

static inline void bitmap_clear(unsigned long *map, unsigned int start,
				unsigned int nr)
{
	while (nr--)
		__assign_bit(start++, map, false);
}

static inline void bitmap_zero(unsigned long *map, unsigned int nr)
{
	bitmap_clear(map, 0, nr);
}

static inline unsigned int bitmap_weight(const unsigned long *map,
					 unsigned int size)
{
	unsigned int nr = 0;

	while (size--)
		nr += test_bit(size, map);
	return nr;
}

static inline unsigned long find_next_value(const unsigned long *map,
					    unsigned long size,
					    unsigned long start, bool value)
{
	while (start < size && test_bit(start, map) != value)
		start++;
	return min(start, size);
}
#define find_next_bit(map, size, start)	find_next_value(map, size, start, true)
#define find_first_bit(map, size)	find_next_value(map, size, 0, true)
#define find_next_zero_bit(map, size, start) \
	find_next_value(map, size, start, false)
#define for_each_set_bitrange(b, e, map, size)				\
	for ((b) = find_next_bit(map, size, 0);				\
	     (b) < (size) && ((e) = find_next_zero_bit(map, size, b), 1);	\
	     (b) = find_next_bit(map, size, e))

/* An xarray, as a sorted array. */
struct xa_slot { unsigned long index; void *entry; };
struct xarray { struct xa_slot *slot; size_t nr; };

/* Only its size is of interest: that of the kernel's on 64 bits. */
#define XA_CHUNK_SIZE		64
struct xa_node { unsigned long space[8 + XA_CHUNK_SIZE]; };

#define XA_FLAGS_LOCK_IRQ	1u
#define XA_ERROR(error)		((void *)(((unsigned long)(error) << 2) | 2UL))

static inline bool xa_is_err(const void *entry)
{
	unsigned long value = (unsigned long)entry;

	return (value & 3) == 2 && value >= (unsigned long)XA_ERROR(-MAX_ERRNO);
}

static inline void xa_init_flags(struct xarray *xa, unsigned int flags)
{
	(void)flags;
	xa->slot = NULL;
	xa->nr = 0;
}

/* The slot of @index, or where it would be. */
static inline size_t xa_position(const struct xarray *xa, unsigned long index)
{
	size_t low = 0, high = xa->nr;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (xa->slot[middle].index < index)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static inline void *xa_load(const struct xarray *xa, unsigned long index)
{
	size_t at = xa_position(xa, index);

	return at < xa->nr && xa->slot[at].index == index ? xa->slot[at].entry :
							    NULL;
}

static inline void *xa_cmpxchg(struct xarray *xa, unsigned long index,
			       void *expected, void *entry, gfp_t gfp)
{
	size_t at = xa_position(xa, index);
	void *old = xa_load(xa, index);

	(void)gfp;
	if (old != expected)
		return old;
	if (!old) {
		xa->slot = realloc(xa->slot, (xa->nr + 1) * sizeof(*xa->slot));
		if (!xa->slot)
			panic("out of memory");
		memmove(xa->slot + at + 1, xa->slot + at,
			(xa->nr++ - at) * sizeof(*xa->slot));
		xa->slot[at].index = index;
	}
	xa->slot[at].entry = entry;
	return old;
}
#define xa_cmpxchg_irq(xa, index, old, entry, gfp) \
	xa_cmpxchg(xa, index, old, entry, gfp)

static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	size_t at = xa_position(xa, index);
	void *old = xa_load(xa, index);

	if (!old)
		return NULL;
	memmove(xa->slot + at, xa->slot + at + 1,
		(--xa->nr - at) * sizeof(*xa->slot));
	if (!xa->nr) {
		free(xa->slot);
		xa->slot = NULL;
	}
	return old;
}

/* The entry at or above *@index, which is set to where it was found. */
static inline void *xa_at_or_above(const struct xarray *xa, unsigned long *index)
{
	size_t at = xa_position(xa, *index);

	if (at == xa->nr)
		return NULL;
	*index = xa->slot[at].index;
	return xa->slot[at].entry;
}

#define xa_for_each_start(xa, index, entry, start)			\
	for (index = (start); ((entry) = xa_at_or_above(xa, &(index))); (index)++)
#define xa_for_each(xa, index, entry)	xa_for_each_start(xa, index, entry, 0)

/* Locks: taken twice, or not held where they should be, is the end. */
typedef struct { bool locked; } spinlock_t;

#define DEFINE_SPINLOCK(name)	spinlock_t name = { }

static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = false;
}

static inline void spin_lock(spinlock_t *lock)
{
	if (lock->locked)
		panic("deadlock");
	lock->locked = true;
}

static inline void spin_unlock(spinlock_t *lock)
{
	if (!lock->locked)
		panic("unlock of a free lock");
	lock->locked = false;
}

static bool irqs_off __maybe_unused;

#define irqs_disabled()				irqs_off
#define spin_lock_irq(lock)			(spin_lock(lock), irqs_off = true)
#define spin_unlock_irq(lock)			(spin_unlock(lock), irqs_off = false)
#define spin_lock_irqsave(lock, flags) \
	((flags) = irqs_off, spin_lock_irq(lock))
#define spin_unlock_irqrestore(lock, flags) \
	(spin_unlock(lock), irqs_off = (flags))
#define spin_is_locked(lock)			((lock)->locked)
#define might_sleep()				do { } while (0)
#define cond_resched()				do { } while (0)
#define lockdep_assert_held(lock)					\
do {									\
	if (!(lock)->locked)						\
		panic("lock not held");					\
} while (0)

struct mutex { bool locked; };
#define DEFINE_MUTEX(name)			struct mutex name = { }
#define mutex_init(mutex)			((mutex)->locked = false)

static inline void mutex_lock(struct mutex *mutex)
{
	if (mutex->locked || irqs_off)
		panic("deadlock");
	mutex->locked = true;
}

static inline void mutex_unlock(struct mutex *mutex)
{
	if (!mutex->locked)
		panic("unlock of a free lock");
	mutex->locked = false;
}

typedef struct { int counter; } atomic_t;
#define atomic_set(v, i)			((v)->counter = (i))
#define atomic_dec_and_test(v)			(!--(v)->counter)

/* Time, waits and work, of which nothing happens by itself. */
#define HZ			250
#define jiffies_to_msecs(j)	((unsigned int)(j) * (1000 / HZ))
#define msecs_to_jiffies(ms)	(((unsigned long)(ms) * HZ + 999) / 1000)
#define NSEC_PER_SEC		1000000000UL
#define NSEC_PER_MSEC		1000000UL
#define NSEC_PER_USEC		1000UL
#define div64_u64(dividend, divisor)	((u64)(dividend) / (u64)(divisor))
#define div_u64(dividend, divisor)	((u64)(dividend) / (u32)(divisor))
#define nsecs_to_jiffies(ns)	((unsigned long)(ns) / (NSEC_PER_SEC / HZ))
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_before(a, b)	time_after(b, a)

typedef struct { int unused; } wait_queue_head_t;
struct workqueue_struct;
struct work_struct { void (*func)(struct work_struct *work); };
struct delayed_work { struct work_struct work; };

#define init_waitqueue_head(wait)	((wait)->unused = 0)
#define INIT_WORK(w, f)			((w)->func = (f))
#define INIT_DELAYED_WORK(w, f)		INIT_WORK(&(w)->work, f)
#define INIT_DEFERRABLE_WORK(w, f)	INIT_DELAYED_WORK(w, f)
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)

/* Notifiers, which suites call themselves */
struct notifier_block {
	int (*notifier_call)(struct notifier_block *nb, unsigned long action,
			     void *data);
};
#define NOTIFY_DONE		0
#define NOTIFY_OK		1
#define SYS_RESTART		1
#define PM_HIBERNATION_PREPARE	1
#define PM_POST_HIBERNATION	2
#define PM_SUSPEND_PREPARE	3
#define PM_POST_SUSPEND		4
#define PM_RESTORE_PREPARE	5
#define PM_POST_RESTORE		6

/* Pages */
enum vm_event_item {
	BALLOON_INFLATE, BALLOON_DEFLATE, BALLOON_MIGRATE,
	COMPACTBALLOONMIGRATED, COMPACTBALLOONFAILED, COMPACTBALLOONISOLATED,
	COMPACTBALLOONFREED,
	PSWPIN, PSWPOUT, PGFAULT, PGMAJFAULT, OOM_KILL,
	ALLOCSTALL_DMA, ALLOCSTALL_DMA32, ALLOCSTALL_NORMAL, ALLOCSTALL_MOVABLE,
	PGSCAN_KSWAPD, PGSCAN_DIRECT, PGSTEAL_KSWAPD, PGSTEAL_DIRECT,
	HTLB_BUDDY_PGALLOC, HTLB_BUDDY_PGALLOC_FAIL,
	NR_VM_EVENT_ITEMS
};

#ifndef PAGE_SHIFT
#define PAGE_SHIFT		12
#endif
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define SZ_2M			(2UL << 20)
#define SZ_4M			(4UL << 20)
#define SZ_8M			(8UL << 20)
#define SZ_16M			(16UL << 20)

enum migrate_mode { MIGRATE_ASYNC, MIGRATE_SYNC_LIGHT, MIGRATE_SYNC };
typedef unsigned int isolate_mode_t;

struct page {
	unsigned int locked : 1, lru_flag : 1, slab : 1, reserved : 1,
		     compound : 1, offline : 1, movable_ops : 1;
	int count;
	unsigned long flags;		/* what is asked for without a macro */
	void *mapping;
	unsigned long private;
	struct list_head lru;
};

/*
 * Memory from which alloc_pages() takes the first run that is free; twice as
 * much as a batch holds.  A case may say where it begins.
 */
#define MEM_MAP_PAGES		32768
#define USPACE_FIRST_PFN	8192UL
static unsigned long uspace_first_pfn = USPACE_FIRST_PFN;
static struct page mem_map[MEM_MAP_PAGES];

static inline unsigned long page_to_pfn(const struct page *page)
{
	return uspace_first_pfn + (page - mem_map);
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	if (pfn - uspace_first_pfn >= MEM_MAP_PAGES)
		panic("no such page");
	return mem_map + (pfn - uspace_first_pfn);
}

static inline struct page *alloc_pages(gfp_t gfp, unsigned int order)
{
	unsigned int i, nr = 1U << order, free = 0;

	for (i = 0; i < MEM_MAP_PAGES && free < nr; i++)
		free = i & (nr - 1) && !free ? 0 : mem_map[i].count ? 0 : free + 1;
	if (free < nr)
		return NULL;
	for (i -= nr; free--; i++)
		mem_map[i] = (struct page){
			.count = 1,
			.compound = !!(gfp & __GFP_COMP),
		};
	return mem_map + i - nr;
}
#define split_page(page, order)	do { } while (0)

static inline void put_page(struct page *page)
{
	if (page->count <= 0 || (page->count == 1 && (page->locked ||
						      page->offline)))
		panic("bad page state");
	page->count--;
}
#define __free_pages(page, order)	put_page(page)
#define __free_page(page)	__free_pages(page, 0)
#define get_page(page)		((void)(page)->count++)
#define page_count(page)	((page)->count)
#define page_ref_count(page)	page_count(page)
#define set_page_count(page, value)	((page)->count = (value))
#define page_zone_id(page)	((void)(page), 0)
#define page_ref_freeze(page, value) \
	((page)->count == (value) && ((page)->count = 0, true))
#define page_ref_unfreeze(page, value)	set_page_count(page, value)
#define page_private(page)	((page)->private)
#define set_page_private(page, value)	((page)->private = (value))
#define PageLocked(page)	((bool)(page)->locked)
#define PageLRU(page)		((bool)(page)->lru_flag)
#define PageSlab(page)		((bool)(page)->slab)
#define PageReserved(page)	((bool)(page)->reserved)
#define __PG_HWPOISON		1UL
#define PageHWPoison(page)	((bool)((page)->flags & __PG_HWPOISON))
#define SetPageHWPoison(page)	((page)->flags |= __PG_HWPOISON)
#define ClearPageHWPoison(page)	((page)->flags &= ~__PG_HWPOISON)
#define PageCompound(page)	((bool)(page)->compound)
#define PageOffline(page)	((bool)(page)->offline)
#define SetPageLRU(page)	((page)->lru_flag = 1)
#define ClearPageLRU(page)	((page)->lru_flag = 0)
#define __SetPageReserved(page)	((page)->reserved = 1)
#define __ClearPageReserved(page)	((page)->reserved = 0)

/* Of memory that is touched only where a case does. */
static inline void *page_address(const struct page *page)
{
	static char *memory;

	if (!memory)
		memory = mmap(NULL, MEM_MAP_PAGES * PAGE_SIZE,
			      PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		panic("out of memory");
	return memory + (page - mem_map) * PAGE_SIZE;
}

/* The page of an object that was kmalloc()ed. */
static struct page slab_page __maybe_unused = { .count = 1, .slab = 1 };
#define virt_to_page(object)	((void)(object), &slab_page)

static inline void __SetPageOffline(struct page *page)
{
	if (page->offline)
		panic("page is offline already");
	page->offline = 1;
}

static inline void __ClearPageOffline(struct page *page)
{
	if (!page->offline)
		panic("page is not offline");
	page->offline = 0;
}

static inline bool trylock_page(struct page *page)
{
	bool was = page->locked;

	page->locked = 1;
	return !was;
}

static inline void unlock_page(struct page *page)
{
	if (!page->locked)
		panic("unlock of a free page");
	page->locked = 0;
}

/* What lets compaction find the balloon */
struct movable_operations {
	bool (*isolate_page)(struct page *page, isolate_mode_t mode);
	int (*migrate_page)(struct page *dst, struct page *src,
			    enum migrate_mode mode);
	void (*putback_page)(struct page *page);
};

/* As up to 6.16: a pointer with a mark, and the mark alone from then on. */
#define PAGE_MAPPING_MOVABLE	2UL
static inline void __SetPageMovable(struct page *page,
				    const struct movable_operations *ops)
{
	page->mapping = (void *)((unsigned long)ops | PAGE_MAPPING_MOVABLE);
}
#define __ClearPageMovable(page) \
	((page)->mapping = (void *)PAGE_MAPPING_MOVABLE)
#define __PageMovable(page) \
	((unsigned long)(page)->mapping & PAGE_MAPPING_MOVABLE)
#define page_movable_ops(page)						\
	((const struct movable_operations *)				\
	 ((unsigned long)(page)->mapping & ~PAGE_MAPPING_MOVABLE))

/* As since 6.17: a flag, and the callbacks of all such pages in one place. */
enum pagetype { PGTY_offline };
#define PageMovableOps(page)	((bool)(page)->movable_ops)
#define SetPageMovableOps(page)	((page)->movable_ops = 1)
#define page_has_movable_ops(page) \
	(PageMovableOps(page) && PageOffline(page))
#define smp_mb__before_atomic()	do { } while (0)
static inline int set_movable_ops(const struct movable_operations *ops,
				  enum pagetype type)
{
	return 0;
}

/* Zones, which only suites fill */
#define MAX_NR_ZONES		4
#define ZONE_NORMAL		2
struct sysinfo { unsigned long freeram, totalram; };

/* Shrinkers, which suites call themselves */
struct shrinker;
struct shrink_control { unsigned long nr_to_scan; };
struct shrinker {
	unsigned long (*count_objects)(struct shrinker *shrinker,
				       struct shrink_control *sc);
	unsigned long (*scan_objects)(struct shrinker *shrinker,
				      struct shrink_control *sc);
};
#define SHRINK_STOP		ULONG_MAX
#define PAGE_POISON		0xaa
struct pglist_data;
struct zone {
	unsigned long present_pages;
	const char *name;
	struct pglist_data *zone_pgdat;
	struct { unsigned long nr_free; } free_area[11];
};
#define NR_FREE_PAGES		0
#define NR_INACTIVE_ANON	0
#define NR_FILE_PAGES		2
#define NR_ACTIVE_ANON		1
#define global_zone_page_state(item)	((void)(item), 100000UL)
#define zone_page_state(zone, item)	((void)(zone), (void)(item), 50000UL)
#define first_online_node		0
#define global_node_page_state(item)	((void)(item), 50000UL)
#define get_nr_swap_pages()	60000L
#define low_wmark_pages(zone)	((void)(zone), 1000UL)
#define zone_idx(zone)		((zone) - (zone)->zone_pgdat->node_zones)
#define populated_zone(zone)	((zone)->present_pages)
struct pglist_data {
	struct zone node_zones[MAX_NR_ZONES];
	unsigned long node_present_pages;
};
static struct pglist_data node_data[] = {
	{ .node_zones = { { 0 }, { 1, "DMA32", node_data }, { 1, "Normal", node_data } }, .node_present_pages = 2 },
};
#define NODE_DATA(nid)		(&node_data[nid])
#define page_zone(page)		((void)(page), &node_data->node_zones[1])
static inline unsigned long totalram_pages(void)
{
	return 1UL << 18;
}

/* Device model: suites put their own in the place of most functions. */
struct kobject { int unused; };
struct device { void *driver_data; struct kobject kobj; };
#define KOBJ_CHANGE	0
#define dev_get_drvdata(dev)		((dev)->driver_data)
#define dev_set_drvdata(dev, data)	((dev)->driver_data = (data))
struct ida { int unused; };
#define DEFINE_IDA(name)	struct ida name

struct attribute { const char *name; unsigned short mode; };
struct attribute_group { const char *name; struct attribute **attrs; };
struct device_attribute {
	struct attribute attr;
	ssize_t (*show)(struct device *dev, struct device_attribute *attr,
			char *buf);
	ssize_t (*store)(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t len);
};
#define __ATTR(_name, _mode, _show, _store)				\
	{ .attr = { #_name, _mode }, .show = _show, .store = _store }
#define DEVICE_ATTR_RO(_name)						\
	struct device_attribute dev_attr_##_name = {			\
		.attr = { #_name, 0444 }, .show = _name##_show,		\
	}
#define DEVICE_ATTR_WO(_name)						\
	struct device_attribute dev_attr_##_name = {			\
		.attr = { #_name, 0200 }, .store = _name##_store,	\
	}
#define DEVICE_ATTR_RW(_name)						\
	struct device_attribute dev_attr_##_name = {			\
		.attr = { #_name, 0644 }, .show = _name##_show,		\
		.store = _name##_store,					\
	}

struct class {
	const char *name;
	const struct attribute_group **dev_groups;
};

static inline __printf(2, 3) int sysfs_emit(char *buf, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf, PAGE_SIZE, fmt, args);
	va_end(args);
	return len;
}

static inline __printf(3, 4) int sysfs_emit_at(char *buf, int at, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(buf + at, PAGE_SIZE - at, fmt, args);
	va_end(args);
	return len;
}

/* One newline may follow, as from echo. */
static inline int kstrtoul(const char *s, unsigned int base, unsigned long *res)
{
	char *end;

	errno = 0;
	*res = strtoul(s, &end, base);
	if (end == s || *s == '-' || *s == ' ' ||
	    (*end && (*end != '\n' || end[1])))
		return -EINVAL;
	return errno ? -ERANGE : 0;
}

static inline int kstrtouint(const char *s, unsigned int base, unsigned int *res)
{
	unsigned long value;
	int err = kstrtoul(s, base, &value);

	*res = value;
	return err ?: value > UINT_MAX ? -ERANGE : 0;
}

static inline bool sysfs_streq(const char *s1, const char *s2)
{
	size_t length = strcspn(s1, "\n");

	return strlen(s2) == length && !strncmp(s1, s2, length) &&
	       strlen(s1) <= length + 1;
}

/* Tracepoints that are off. */
#define TP_PROTO(...)			__VA_ARGS__
#define TRACE_EVENT(name, proto, ...)	static inline void trace_##name(proto) { }
#define DECLARE_EVENT_CLASS(...)
#define DEFINE_EVENT(class, name, proto, ...)	TRACE_EVENT(name, TP_PROTO(proto))

struct kernel_param { void *arg; };
struct kernel_param_ops {
	int (*set)(const char *value, const struct kernel_param *param);
	int (*get)(char *buf, const struct kernel_param *param);
};

static inline int param_set_uint_minmax(const char *s,
					const struct kernel_param *param,
					unsigned int min, unsigned int max)
{
	unsigned long value = 0;
	int err = kstrtoul(s, 0, &value);

	if (!err && (value < min || value > max))
		err = -EINVAL;
	if (!err)
		*(unsigned int *)param->arg = value;
	return err;
}

static inline int param_get_uint(char *buf, const struct kernel_param *param)
{
	return snprintf(buf, 16, "%u\n", *(unsigned int *)param->arg);
}

static inline void sort(void *base, size_t nr, size_t size,
			int (*cmp)(const void *, const void *), void *swap)
{
	(void)swap;
	qsort(base, nr, size, cmp);
}

#define swap(a, b)	do { typeof(a) _t = (a); (a) = (b); (b) = _t; } while (0)
#define clamp(value, low, high)	min(max(value, low), high)

#endif /* _BALLOON_USPACE_KERNEL_H */
