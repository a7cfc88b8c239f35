// SPDX-License-Identifier: GPL-2.0
/*
 * Swap: what an inflation may take beyond what is free.
 *
 * What is cold can go to swap, as with any other user of memory.  But the kernel
 * swaps only when it is asked, and swap may be of no use: it may live in memory
 * itself, or be closed to those who have the memory.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/swap.h>

#include "internal.h"

/* It is looked again whether swap is of use when so many pages more are in it. */
#define SWAP_WINDOW		(SZ_2M >> PAGE_SHIFT)

/*
 * An allocation of so many pages asks the kernel to swap.  What it has not swapped after
 * so many rounds it cannot swap: a control group may not let it, for instance.
 */
#define PAGES_TO_ASK		4
#define ASKED_IN_VAIN		64

/*
 * Does it give memory to move that of others to swap?  Swap that lives in memory
 * gives as much as it can compress.  If that is less than half, the kernel would go
 * on for ever without coming back to its watermarks: the balloon gives back what is
 * missing, and takes nothing more until it is asked for another size.
 */
static bool swap_is_of_use(struct balloon *b)
{
	struct balloon_swap *swap = &b->swap;
	long free = get_nr_swap_pages(), used = balloon_swap_in_memory();

	if (!swap->begun) {
		swap->begun = true;
		swap->free = free;
		swap->used = used;
	}
	if (!swap->useless && swap->free - free >= SWAP_WINDOW) {
		swap->useless = 2 * (used - swap->used) > swap->free - free;
		swap->owed = swap->useless;
		swap->begun = false;
	}
	return !swap->useless;
}

/**
 * balloon_owe_no_more - swap was of no use: find out what is to be given back
 * @b: the device
 *
 * That is known when the last batches have been answered.
 *
 * Context: the target worker.
 */
void balloon_owe_no_more(struct balloon *b)
{
	unsigned long held = balloon_held(b);

	if (!b->swap.owed || READ_ONCE(b->nr_for_target))
		return;
	b->swap.most = held - min(held, balloon_missing_to_high());
	b->swap.owed = false;
}

/*
 * The kernel swaps when an allocation finds less than the low watermarks.  If that much
 * is not free, and nothing has come to swap since the last round, nobody has asked.
 */
static unsigned long room_to_ask(struct balloon *b)
{
	struct balloon_swap *swap = &b->swap;

	if (!b->round.may_ask)
		return 0;
	b->round.may_ask = false;
	if (++swap->nr_asked < ASKED_IN_VAIN)
		return PAGES_TO_ASK;
	swap->useless = true;
	swap->owed = true;
	return 0;
}

/**
 * balloon_room_to_inflate - how much may the balloon take now?
 * @b: the device
 *
 * What is above the floor; then what can go to swap, unless an administrator has set
 * what is to stay.  That takes the kernel some time, in which there is no room.
 *
 * Context: the target worker.
 * Return: number of pages.
 */
unsigned long balloon_room_to_inflate(struct balloon *b)
{
	unsigned long room = balloon_room_above_floor(b);

	if (room || READ_ONCE(b->floor_is_set) || !balloon_swap_to_spare(b) ||
	    !swap_is_of_use(b))
		return room;
	room = balloon_room_by_swap();
	if (room)
		b->swap.nr_asked = 0;
	else
		room = room_to_ask(b);
	return min(room, balloon_swap_to_spare(b));
}
