/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compaction of the balloon by itself: what a run (mm/balloon/compact.c) shares with
 * its exchanges (mm/balloon/exchange.c).
 */
#ifndef _MM_BALLOON_COMPACT_H
#define _MM_BALLOON_COMPACT_H

#include <linux/compiler.h>
#include <linux/types.h>

#include "internal.h"

/* Pages that are asked for at once; their addresses are on the stack. */
#define BALLOON_HOLES_AT_ONCE	64U

/**
 * struct balloon_compaction - a run
 * @b: the device
 * @nid: its node
 * @batch: what is being filled, or NULL
 * @exchanged: pages since parked pages were freed last
 * @nr_exchanged: pages in all
 * @index: the block that is being evacuated
 * @taken: pages that the allocator has handed out since then: for each, one is
 *	parked or on its way
 * @most_parked: the bound on them
 * @nr_whole: pages of blocks that are free as a whole, seen in a row
 * @seen: the block of which a page was found last
 * @seen_hole: may the balloon go there?
 * @nr_with: vacatable blocks by their number of pages of the balloon
 * @free_choice: a marked block with as many pages or more may be kept instead
 * @nr_evacuated: blocks that were evacuated in this round
 * @exhausted: nothing is left but whole blocks
 * @target: the target, as it was when a run in the background began
 * @refused: the count of refused pages then
 * @background: nobody has asked for it
 * @began: when it has rested last, in ns, and since then it only worked
 * @nr_leaving: blocks whose last pages were exchanged in this round
 * @won: blocks that were evacuated, up to the first refusal
 * @begun: seconds since boot
 */
struct balloon_compaction {
	struct balloon *b;
	int nid;
	struct balloon_core_batch *batch;
	unsigned int exchanged;
	unsigned long nr_exchanged;
	unsigned long index;
	unsigned long taken;
	unsigned long most_parked;
	unsigned int nr_whole;
	unsigned long seen;
	bool seen_hole;
	unsigned int nr_with[BALLOON_BLOCK_PAGES + 1];
	unsigned int free_choice;
	unsigned long nr_evacuated;
	bool exhausted;
	unsigned long target;
	unsigned long refused;
	bool background;
	u64 began;
	unsigned long nr_leaving;
	unsigned long won;
	u64 begun;
};

/* What the hypervisor refuses once it may refuse again, so nobody goes round for it. */
static inline bool balloon_was_refused(const struct balloon_compaction *c)
{
	return READ_ONCE(c->b->stats.refused) != c->refused;
}

/* mm/balloon/exchange.c */
int balloon_reason_to_end(const struct balloon_compaction *c);
unsigned int balloon_take_holes(struct balloon_compaction *c, struct page **pages,
				unsigned int max);
int balloon_exchange(struct balloon_compaction *c, struct page **pages,
		     unsigned int nr);

#endif /* _MM_BALLOON_COMPACT_H */
