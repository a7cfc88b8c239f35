// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's slot for the callbacks of PageOffline pages.
 *
 * There is one, and the kernel's own balloon has it from the beginning.  A module may
 * empty it and then fill it, so we do that when the first balloon appears, and put the
 * kernel's callbacks back when the last one has gone.  Two things must not happen:
 *
 *  - That somebody finds the slot empty.  It is only while all other processors stand
 *    still.
 *  - That we are called for a page that is not ours, of which we know nothing.  As long
 *    as another balloon has pages the slot is left to it.  For pages that appear later
 *    we call the kernel's callbacks, which are found with a probe, for they have no
 *    other name that modules can use.
 *
 * Where that cannot be done, pages of our balloons are not movable.
 *
 * Uses page->private.
 */
#include <linux/balloon_compaction.h>
#include <linux/kprobes.h>
#include <linux/kallsyms.h>
#include <linux/migrate.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/stop_machine.h>
#include <linux/string.h>
#include <linux/vmstat.h>

#include "internal.h"

bool balloon_slot_is_ours;

static DEFINE_MUTEX(slot_lock);
static unsigned int nr_users;		/* under slot_lock */

/*
 * The kernel's own callbacks.  They are in no module's memory, since the slot has a
 * pointer to them when we are gone.
 */
static struct movable_operations *kernel_ops;

static bool is_ours(struct page *page)
{
	return balloon_page_owner(page);
}

static bool isolate_page(struct page *page, isolate_mode_t mode)
{
	if (is_ours(page))
		return balloon_movable_ops.isolate_page(page, mode);
	return page_private(page) && kernel_ops && kernel_ops->isolate_page(page, mode);
}

static int migrate_page(struct page *new, struct page *old, enum migrate_mode mode)
{
	return is_ours(old) || !kernel_ops ? balloon_movable_ops.migrate_page(new, old, mode) :
					     kernel_ops->migrate_page(new, old, mode);
}

static void putback_page(struct page *page)
{
	if (is_ours(page) || !kernel_ops)
		balloon_movable_ops.putback_page(page);
	else
		kernel_ops->putback_page(page);
}

static const struct movable_operations slot_ops = {
	.isolate_page = isolate_page,
	.migrate_page = migrate_page,
	.putback_page = putback_page,
};

#ifdef CONFIG_KPROBES
/*
 * Where a function of the kernel begins, which may be some bytes before the place of
 * a probe.
 * Return: the address, or 0.
 */
static unsigned long function_of(const char *name)
{
	char symbol[KSYM_SYMBOL_LEN], *plus;
	struct kprobe probe = { .symbol_name = name };
	unsigned long address, offset;

	if (register_kprobe(&probe))
		return 0;
	address = (unsigned long)probe.addr;
	unregister_kprobe(&probe);
	sprint_symbol(symbol, address);
	plus = strchr(symbol, '+');
	if (strchr(symbol, '[') || !plus || sscanf(plus, "+%lx", &offset) != 1 ||
	    strncmp(symbol, name, plus - symbol))
		return 0;
	return address - offset;
}
#else
static unsigned long function_of(const char *name)
{
	return 0;
}
#endif

/* Return: 0, or -ENOENT or -ENOMEM. */
static int find_kernel_ops(void)
{
	struct movable_operations *ops;

	if (kernel_ops)
		return 0;
	ops = kzalloc(sizeof(*ops), GFP_KERNEL);
	if (!ops)
		return -ENOMEM;
	ops->isolate_page = (void *)function_of("balloon_page_isolate");
	ops->migrate_page = (void *)function_of("balloon_page_migrate");
	ops->putback_page = (void *)function_of("balloon_page_putback");
	if (!ops->isolate_page || !ops->migrate_page || !ops->putback_page) {
		kfree(ops);
		return -ENOENT;
	}
	kernel_ops = ops;
	return 0;
}

static int refill_slot(void *ops)
{
	set_movable_ops(NULL, PGTY_offline);
	return set_movable_ops(ops, PGTY_offline);
}

/* Return: NULL, or why it cannot be. */
static const char *take_slot(void)
{
	/* Nobody has it: then there are no pages that are not ours. */
	if (!kernel_ops && !set_movable_ops(&slot_ops, PGTY_offline))
		return NULL;
	if (global_node_page_state(NR_BALLOON_PAGES))
		return "another balloon has pages";
	if (find_kernel_ops())
		return "this kernel's own balloon is not found, for which it needs kprobes";
	if (stop_machine(refill_slot, (void *)&slot_ops, NULL))
		return "this kernel does not let go of its callbacks";
	return NULL;
}

static void give_slot_back(void)
{
	WRITE_ONCE(balloon_slot_is_ours, false);
	stop_machine(refill_slot, kernel_ops, NULL);
	/* A page without an owner may still be looked at. */
	synchronize_rcu_tasks();
}

/**
 * balloon_movable_get - there is a balloon of which the pages are to be movable
 *
 * Says once why they are not, if that cannot be.
 *
 * Context: process, may sleep.
 */
void balloon_movable_get(void)
{
	const char *reason = NULL;

	mutex_lock(&slot_lock);
	if (!balloon_slot_is_ours)
		reason = take_slot();
	if (!balloon_slot_is_ours && !reason)
		WRITE_ONCE(balloon_slot_is_ours, true);
	nr_users++;
	mutex_unlock(&slot_lock);
	if (reason)
		pr_notice_once("balloon: pages cannot be migrated: %s\n", reason);
}

/**
 * balloon_movable_put - a balloon for which balloon_movable_get() was called has gone
 *
 * Context: process, may sleep.
 */
void balloon_movable_put(void)
{
	mutex_lock(&slot_lock);
	if (!--nr_users && balloon_slot_is_ours)
		give_slot_back();
	mutex_unlock(&slot_lock);
}

/**
 * balloon_movable_exit - all balloons have gone
 *
 * Context: process, may sleep.
 */
void balloon_movable_exit(void)
{
	if (balloon_slot_is_ours)
		give_slot_back();
}
