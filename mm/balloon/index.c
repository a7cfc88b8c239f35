// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages belong to a balloon: an index by pageblock.
 *
 * An xarray keyed by pfn / BALLOON_BLOCK_PAGES holds one small descriptor for
 * each block in which the device has pages: how many pages it has there
 * (reservations) and a bitmap of those that are BALLOONED (set).  Because every
 * page reserves its block on entry, moving it between states later never
 * allocates and cannot fail.  While the balloon is compacted, a second bitmap is
 * of *parked* pages, which are in no balloon and which nobody shall use.
 *
 * Uses no field of struct page and has no allocation policy (the caller gives
 * the flags).  The caller serialises everything, with interrupts off, but
 * balloon_blocks_prepare(): what that adds to the xarray meanwhile, under the
 * xarray's own lock, is an empty block.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitmap.h>
#include <linux/bug.h>
#include <linux/minmax.h>
#include <linux/slab.h>
#include <linux/xarray.h>

#include "internal.h"

/* So many are looked at in one call: interrupts are off. */
#define BLOCKS_AT_ONCE	256

struct balloon_block {
	unsigned long index;		/* its key */
	unsigned int nr_reserved;	/* pages of the device in this block */
	unsigned int nr_set;		/* bits set in @set, <= @nr_reserved */
	unsigned int nr_parked;		/* bits set in @parked, not reserved */
	unsigned char mark;		/* as balloon_blocks_mark() was told */
	DECLARE_BITMAP(set, BALLOON_BLOCK_PAGES);
	unsigned long *parked;		/* NULL if @nr_parked is 0 */
};

static unsigned long block_index(unsigned long pfn)
{
	return pfn >> BALLOON_BLOCK_SHIFT;
}

static unsigned int block_offset(unsigned long pfn)
{
	return pfn & (BALLOON_BLOCK_PAGES - 1);
}

/* How many of @nr pages from @pfn on lie in the block of @pfn. */
static unsigned int pages_in_block(unsigned long pfn, unsigned int nr)
{
	return min_t(unsigned long, nr, BALLOON_BLOCK_PAGES - block_offset(pfn));
}

/* Scanners walk a block page by page, so the block used last is remembered. */
static struct balloon_block *block_find(struct balloon_blocks *bs,
					unsigned long pfn)
{
	unsigned long index = block_index(pfn);
	struct balloon_block *block = bs->last;

	if (likely(block && block->index == index))
		return block;
	block = xa_load(&bs->blocks, index);
	if (block)
		bs->last = block;
	return block;
}

static struct balloon_block *block_alloc(unsigned long pfn, gfp_t gfp)
{
	struct balloon_block *block = kzalloc(sizeof(*block), gfp);

	if (block)
		block->index = block_index(pfn);
	return block;
}

/* @old is what the xarray had in the place of @block. */
static struct balloon_block *block_added(struct balloon_block *block,
					 struct balloon_block *old)
{
	if (likely(!old))
		return block;
	kfree(block);
	return xa_is_err(old) ? NULL : old;
}

static struct balloon_block *block_create(struct balloon_blocks *bs,
					  unsigned long pfn, gfp_t gfp)
{
	struct balloon_block *block = block_alloc(pfn, gfp);

	if (!block)
		return NULL;
	return block_added(block, xa_cmpxchg(&bs->blocks, block->index, NULL,
					     block, gfp));
}

static void block_destroy_if_empty(struct balloon_blocks *bs,
				   struct balloon_block *block)
{
	if (block->nr_reserved || block->nr_parked)
		return;
	if (bs->last == block)
		bs->last = NULL;
	xa_erase(&bs->blocks, block->index);
	kfree(block);
}

/**
 * balloon_blocks_init - make an empty index
 * @bs: the index; needs no counterpart, an index without reservations holds no
 *	memory
 */
void balloon_blocks_init(struct balloon_blocks *bs)
{
	xa_init_flags(&bs->blocks, XA_FLAGS_LOCK_IRQ);
	bs->last = NULL;
	bs->cursor = 0;
}

/**
 * balloon_blocks_reserve - let pages be set later
 * @bs: the index
 * @pfn: first page
 * @nr: number of pages, may span blocks
 * @gfp: how to allocate descriptors, without sleeping
 *
 * Return: 0, or -ENOMEM and nothing is reserved.
 */
int balloon_blocks_reserve(struct balloon_blocks *bs, unsigned long pfn,
			   unsigned int nr, gfp_t gfp)
{
	struct balloon_block *block = block_find(bs, pfn);
	unsigned long end = pfn + nr, next = pfn;
	unsigned int n;

	/* So it is when pages are migrated one by one. */
	if (likely(block && nr == 1)) {
		block->nr_reserved++;
		return 0;
	}
	while (next < end) {
		block = block_find(bs, next) ?: block_create(bs, next, gfp);
		if (!block) {
			balloon_blocks_unreserve(bs, pfn, next - pfn);
			return -ENOMEM;
		}
		n = pages_in_block(next, end - next);
		block->nr_reserved += n;
		next += n;
	}
	return 0;
}

/* Return: 0 or -ENOMEM. */
static int block_prepare(struct balloon_blocks *bs, unsigned long pfn, gfp_t gfp)
{
	struct balloon_block *block;

	if (xa_load(&bs->blocks, block_index(pfn)))
		return 0;
	block = block_alloc(pfn, gfp);
	if (!block)
		return -ENOMEM;
	/* Interrupts off: the caller's lock, taken in one, encloses this one. */
	return block_added(block, xa_cmpxchg_irq(&bs->blocks, block->index,
						 NULL, block, gfp)) ?
	       0 : -ENOMEM;
}

/**
 * balloon_blocks_prepare - allocate what a reservation will need
 * @bs: the index
 * @pfn: first page that is to be reserved
 * @nr: number of pages, may span blocks
 * @gfp: how to allocate, may sleep
 *
 * The descriptors are there when this returns, but others may reserve pages of
 * a block and drop it with the last of them, so a reservation can still fail.
 * Whoever fails or does without calls balloon_blocks_unprepare().
 *
 * Context: process, not under the lock by which the caller serialises.
 * Return: 0 or -ENOMEM.
 */
int balloon_blocks_prepare(struct balloon_blocks *bs, unsigned long pfn,
			   unsigned int nr, gfp_t gfp)
{
	unsigned int n;
	int err = 0;

	for (; nr && !err; pfn += n, nr -= n) {
		n = pages_in_block(pfn, nr);
		err = block_prepare(bs, pfn, gfp);
	}
	return err;
}

/**
 * balloon_blocks_unprepare - free what was prepared and is not needed
 * @bs: the index
 * @pfn: first page that was not reserved
 * @nr: number of pages, may span blocks
 */
void balloon_blocks_unprepare(struct balloon_blocks *bs, unsigned long pfn,
			      unsigned int nr)
{
	unsigned int n;

	for (; nr; pfn += n, nr -= n) {
		struct balloon_block *block = block_find(bs, pfn);

		n = pages_in_block(pfn, nr);
		if (block)
			block_destroy_if_empty(bs, block);
	}
}

/**
 * balloon_blocks_unreserve - drop reservations of pages that are not set
 * @bs: the index
 * @pfn: first page
 * @nr: number of pages, may span blocks
 */
void balloon_blocks_unreserve(struct balloon_blocks *bs, unsigned long pfn,
			      unsigned int nr)
{
	unsigned int n;

	for (; nr; pfn += n, nr -= n) {
		struct balloon_block *block = block_find(bs, pfn);

		n = pages_in_block(pfn, nr);
		if (WARN_ON_ONCE(!block || block->nr_reserved < block->nr_set + n))
			continue;
		block->nr_reserved -= n;
		block_destroy_if_empty(bs, block);
	}
}

/**
 * balloon_blocks_set - mark reserved pages as BALLOONED
 * @bs: the index
 * @pfn: first page
 * @nr: number of pages, may span blocks
 *
 * Return: 0; -EINVAL if a page is not reserved or -EEXIST if one is set
 * already, and the pages of its block were not touched.
 */
int balloon_blocks_set(struct balloon_blocks *bs, unsigned long pfn,
		       unsigned int nr)
{
	unsigned int n;

	for (; nr; pfn += n, nr -= n) {
		struct balloon_block *block = block_find(bs, pfn);
		unsigned int start = block_offset(pfn);

		n = pages_in_block(pfn, nr);
		if (!block)
			return -EINVAL;
		if (n == 1 ? test_bit(start, block->set) :
			     find_next_bit(block->set, start + n, start) <
			     start + n)
			return -EEXIST;
		if (block->nr_set + n > block->nr_reserved)
			return -EINVAL;
		if (n == 1)
			__set_bit(start, block->set);
		else
			bitmap_set(block->set, start, n);
		block->nr_set += n;
	}
	return 0;
}

/**
 * balloon_blocks_test - is a page BALLOONED?
 * @bs: the index
 * @pfn: the page
 *
 * Return: true if @pfn is set.
 */
bool balloon_blocks_test(struct balloon_blocks *bs, unsigned long pfn)
{
	struct balloon_block *block = block_find(bs, pfn);

	return block && test_bit(block_offset(pfn), block->set);
}

/**
 * balloon_blocks_clear - a page is BALLOONED no more
 * @bs: the index
 * @pfn: the page; keeps its reservation
 *
 * Return: true if @pfn was set.
 */
bool balloon_blocks_clear(struct balloon_blocks *bs, unsigned long pfn)
{
	struct balloon_block *block = block_find(bs, pfn);

	if (!block || !__test_and_clear_bit(block_offset(pfn), block->set))
		return false;
	block->nr_set--;
	return true;
}

/* Of some blocks from *@index on the first in which a page is set, marked so. */
static struct balloon_block *block_next_marked(struct balloon_blocks *bs,
					       unsigned long *index,
					       unsigned char mark)
{
	struct balloon_block *block;
	unsigned int nr = 0;

	xa_for_each_start(&bs->blocks, *index, block, *index) {
		if (block->nr_set && block->mark == mark)
			return block;
		if (++nr == BLOCKS_AT_ONCE) {
			++*index;
			return NULL;
		}
	}
	*index = 0;
	return NULL;
}

/* The next block at or above @index in which a page is set. */
static struct balloon_block *block_next_set(struct balloon_blocks *bs,
					    unsigned long index)
{
	struct balloon_block *block;

	xa_for_each_start(&bs->blocks, index, block, index)
		if (block->nr_set)
			return block;
	return NULL;
}

/**
 * balloon_blocks_next - find a block with set pages
 * @bs: the index
 * @index: where to begin; becomes the number of the block
 *
 * Return: how many pages are set in it; 0 if there is none from @index on.
 */
unsigned int balloon_blocks_next(struct balloon_blocks *bs, unsigned long *index)
{
	struct balloon_block *block = block_next_set(bs, *index);

	if (!block)
		return 0;
	*index = block->index;
	return block->nr_set;
}

/**
 * balloon_blocks_mark - mark a block for the caller
 * @bs: the index
 * @index: number of a block in the index
 * @mark: what the caller makes of it; 0 for a block that comes into the index
 */
void balloon_blocks_mark(struct balloon_blocks *bs, unsigned long index,
			 unsigned char mark)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	if (!WARN_ON_ONCE(!block))
		block->mark = mark;
}

/**
 * balloon_blocks_get_mark - how a block is marked
 * @bs: the index
 * @index: number of the block
 *
 * Return: as balloon_blocks_mark() was told; 0 if it is not in the index.
 */
unsigned char balloon_blocks_get_mark(struct balloon_blocks *bs,
				      unsigned long index)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	return block ? block->mark : 0;
}

/**
 * balloon_blocks_nr_set - how many pages of a block are set
 * @bs: the index
 * @index: number of the block
 *
 * Return: number of pages.
 */
unsigned int balloon_blocks_nr_set(struct balloon_blocks *bs, unsigned long index)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	return block ? block->nr_set : 0;
}

/**
 * balloon_blocks_count - how many pages of a block are reserved, set or not
 * @bs: the index
 * @index: number of the block
 *
 * Return: number of pages.
 */
unsigned int balloon_blocks_count(struct balloon_blocks *bs, unsigned long index)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	return block ? block->nr_reserved : 0;
}

static unsigned int block_take(struct balloon_blocks *bs,
			       struct balloon_block *block, unsigned int max,
			       unsigned long *pfn)
{
	unsigned int start = 0, nr = BALLOON_BLOCK_PAGES;

	if (block->nr_set == nr && max >= nr) {
		bitmap_zero(block->set, BALLOON_BLOCK_PAGES);
	} else {
		start = find_first_bit(block->set, BALLOON_BLOCK_PAGES);
		nr = find_next_zero_bit(block->set, BALLOON_BLOCK_PAGES, start) -
		     start;
		nr = min(nr, max);
		bitmap_clear(block->set, start, nr);
	}
	block->nr_set -= nr;
	bs->last = block;
	*pfn = (block->index << BALLOON_BLOCK_SHIFT) + start;
	return nr;
}

/* Next time, do not look at a block of which no page is left. */
static unsigned int block_take_and_go_on(struct balloon_blocks *bs,
					 struct balloon_block *block,
					 unsigned int max, unsigned long *pfn)
{
	unsigned int nr = block_take(bs, block, max, pfn);

	bs->cursor = block->index + !block->nr_set;
	return nr;
}

/**
 * balloon_blocks_take_from - clear the next run of set pages of one block
 * @bs: the index
 * @index: number of the block
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Return: as of balloon_blocks_take().
 */
unsigned int balloon_blocks_take_from(struct balloon_blocks *bs,
				      unsigned long index, unsigned int max,
				      unsigned long *pfn)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	if (!block || !block->nr_set || !max)
		return 0;
	return block_take(bs, block, max, pfn);
}

/**
 * balloon_blocks_take_marked - clear the next run of set pages of marked blocks
 * @bs: the index
 * @mark: as balloon_blocks_mark() was told
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Return: number of contiguous pages taken, at most to the end of their block; 0
 * if none of the next blocks is one: @bs->cursor is where to go on, 0 at the end.
 */
unsigned int balloon_blocks_take_marked(struct balloon_blocks *bs,
					unsigned char mark, unsigned int max,
					unsigned long *pfn)
{
	struct balloon_block *block = block_next_marked(bs, &bs->cursor, mark);

	return block ? block_take_and_go_on(bs, block, max, pfn) : 0;
}

/**
 * balloon_blocks_take - clear the next run of set pages
 * @bs: the index
 * @max: most pages to take
 * @pfn: set to the first page
 *
 * Goes through the index in ascending order, block by block, and starts over
 * at its end.  The pages keep their reservations.
 *
 * Return: number of contiguous pages taken, at most to the end of their block;
 * 0 if no page is set.
 */
unsigned int balloon_blocks_take(struct balloon_blocks *bs, unsigned int max,
				 unsigned long *pfn)
{
	struct balloon_block *block = block_next_set(bs, bs->cursor);

	if (!block)
		block = block_next_set(bs, 0);
	if (!block || !max)
		return 0;
	return block_take_and_go_on(bs, block, max, pfn);
}

/**
 * balloon_blocks_park - park pages that nobody owns
 * @bs: the index
 * @pfn: first page, not parked; FREE, or about to be
 * @nr: number of pages, all of one block
 * @gfp: how to allocate descriptor and bitmap, without sleeping
 *
 * Return: 0, or -ENOMEM and they are not parked.
 */
int balloon_blocks_park(struct balloon_blocks *bs, unsigned long pfn,
			unsigned int nr, gfp_t gfp)
{
	struct balloon_block *block = block_find(bs, pfn);

	if (!block)
		block = block_create(bs, pfn, gfp);
	if (!block)
		return -ENOMEM;
	if (!block->parked)
		block->parked = kzalloc(sizeof(block->set), gfp);
	if (!block->parked) {
		block_destroy_if_empty(bs, block);
		return -ENOMEM;
	}
	if (nr == 1)
		__set_bit(block_offset(pfn), block->parked);
	else
		bitmap_set(block->parked, block_offset(pfn), nr);
	block->nr_parked += nr;
	return 0;
}

/**
 * balloon_blocks_nr_parked - how many pages of a block are parked
 * @bs: the index
 * @index: number of the block
 *
 * Return: number of pages.
 */
unsigned int balloon_blocks_nr_parked(struct balloon_blocks *bs,
				      unsigned long index)
{
	struct balloon_block *block = block_find(bs, index << BALLOON_BLOCK_SHIFT);

	return block ? block->nr_parked : 0;
}

/* Of some blocks from *@index on the first with parked pages. */
static struct balloon_block *block_next_parked(struct balloon_blocks *bs,
					       unsigned long *index)
{
	struct balloon_block *block;
	unsigned int nr = 0;

	xa_for_each_start(&bs->blocks, *index, block, *index) {
		if (block->nr_parked)
			return block;
		if (++nr == BLOCKS_AT_ONCE) {
			++*index;
			return NULL;
		}
	}
	*index = 0;
	return NULL;
}

/**
 * balloon_blocks_unpark - the pages of the next block are parked no more
 * @bs: the index
 * @index: number of the block where to begin; becomes that of the block
 * @nr: set to the number of pages that were
 *
 * Return: a bitmap of them, BALLOON_BLOCK_PAGES long, for kfree(); NULL if none
 * of the next blocks has any: @index is where to go on, 0 at the end.
 */
unsigned long *balloon_blocks_unpark(struct balloon_blocks *bs,
				     unsigned long *index, unsigned int *nr)
{
	struct balloon_block *block = block_next_parked(bs, index);
	unsigned long *pages;

	if (!block)
		return NULL;
	*nr = block->nr_parked;
	pages = block->parked;
	block->nr_parked = 0;
	block->parked = NULL;
	block_destroy_if_empty(bs, block);
	return pages;
}

/**
 * balloon_blocks_unpark_page - a page is parked no more
 * @bs: the index
 * @pfn: any page
 *
 * Return: true if it was.
 */
bool balloon_blocks_unpark_page(struct balloon_blocks *bs, unsigned long pfn)
{
	struct balloon_block *block = block_find(bs, pfn);

	if (!block || !block->parked ||
	    !__test_and_clear_bit(block_offset(pfn), block->parked))
		return false;
	if (!--block->nr_parked) {
		kfree(block->parked);
		block->parked = NULL;
		block_destroy_if_empty(bs, block);
	}
	return true;
}
