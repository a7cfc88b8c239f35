// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of page ranges: from single pages in any order to few, ascending
 * ranges.
 *
 * Hypervisors like ascending pages, and adjacent ones best.  Compaction hands
 * over pages that lie in a few pageblocks, in an order of its own, so they are
 * sorted by setting bits; a general sort costs several times as much.
 *
 * Uses no field of struct page.
 */
#include <linux/balloon_compaction.h>
#include <linux/bitmap.h>
#include <linux/bitops.h>
#include <linux/sort.h>

#include "internal.h"

/* Blocks that are sorted by bitmap; on the stack. */
#define NR_BUCKETS	8

struct bucket {
	unsigned long block;
	DECLARE_BITMAP(pages, BALLOON_BLOCK_PAGES);
};

static void append(struct balloon_range_list *list, unsigned long pfn,
		   unsigned int nr)
{
	struct balloon_range *range = &list->range[list->nr++];

	range->pfn = pfn;
	range->nr = nr;
	range->nr_refused = 0;
	list->nr_pages += nr;
}

/**
 * balloon_range_add_page - add a page to one direction of a batch
 * @list: the direction; the batch is not full
 * @pfn: the page
 *
 * It becomes a range of its own until the list is sorted.
 */
void balloon_range_add_page(struct balloon_range_list *list, unsigned long pfn)
{
	append(list, pfn, 1);
}

/**
 * balloon_range_add - add pages to one direction of a batch
 * @list: the direction; the batch is not full
 * @pfn: first page
 * @nr: number of pages, at most what the batch has room for
 *
 * Pages adjacent to the range added last extend it.
 */
void balloon_range_add(struct balloon_range_list *list, unsigned long pfn,
		       unsigned int nr)
{
	struct balloon_range *last = list->range + list->nr - !!list->nr;
	bool above = last->pfn + last->nr == pfn, below = pfn + nr == last->pfn;

	if (!list->nr || !(above || below)) {
		append(list, pfn, nr);
		return;
	}
	if (below)
		last->pfn = pfn;
	last->nr += nr;
	list->nr_pages += nr;
}

static struct bucket *find_bucket(struct bucket *buckets, unsigned int *nr,
				  unsigned long block)
{
	unsigned int i;

	for (i = 0; i < *nr; i++)
		if (buckets[i].block == block)
			return &buckets[i];
	if (*nr == NR_BUCKETS)
		return NULL;
	buckets[*nr].block = block;
	bitmap_zero(buckets[*nr].pages, BALLOON_BLOCK_PAGES);
	return &buckets[(*nr)++];
}

/* Return: number of buckets, 0 if there are too few of them. */
static unsigned int fill_buckets(struct bucket *buckets,
				 const struct balloon_range_list *list)
{
	struct bucket *bucket = NULL;
	unsigned int nr = 0, i;

	/* Each page costs some instructions, each range that is sorted hundreds. */
	if (list->nr_pages > 32 * list->nr)
		return 0;
	for (i = 0; i < list->nr; i++) {
		unsigned long pfn = list->range[i].pfn;
		unsigned long end = pfn + list->range[i].nr;

		for (; pfn < end; pfn++) {
			unsigned long block = pfn >> BALLOON_BLOCK_SHIFT;

			if (!bucket || bucket->block != block)
				bucket = find_bucket(buckets, &nr, block);
			if (!bucket)
				return 0;
			__set_bit(pfn & (BALLOON_BLOCK_PAGES - 1),
				  bucket->pages);
		}
	}
	return nr;
}

/* The buckets are few: always take the lowest that is left. */
static struct bucket *take_lowest(struct bucket *buckets, unsigned int *nr)
{
	unsigned int i, lowest = 0;

	for (i = 1; i < *nr; i++)
		if (buckets[i].block < buckets[lowest].block)
			lowest = i;
	--*nr;
	if (lowest != *nr)
		swap(buckets[lowest], buckets[*nr]);
	return &buckets[*nr];
}

static void empty_bucket(struct balloon_range_list *list,
			 const struct bucket *bucket)
{
	unsigned long pfn = bucket->block << BALLOON_BLOCK_SHIFT, bits, rest;
	unsigned int i, start, nr;

	for (i = 0; i < BITS_TO_LONGS(BALLOON_BLOCK_PAGES); i++) {
		for (bits = bucket->pages[i]; bits; bits = rest) {
			/* Adding to its lowest bit clears a run of ones. */
			start = __ffs(bits);
			rest = bits & (bits + BIT(start));
			nr = hweight_long(bits ^ rest);
			if (start)
				append(list, pfn + start, nr);
			else
				balloon_range_add(list, pfn, nr);
		}
		pfn += BITS_PER_LONG;
	}
}

static bool sort_by_bitmap(struct balloon_range_list *list)
{
	struct bucket buckets[NR_BUCKETS];
	unsigned int nr = fill_buckets(buckets, list);

	if (!nr)
		return false;
	list->nr = 0;
	list->nr_pages = 0;
	while (nr)
		empty_bucket(list, take_lowest(buckets, &nr));
	return true;
}

/* So are the pages that leave the balloon. */
static bool is_sorted(const struct balloon_range_list *list)
{
	unsigned int i;

	for (i = 1; i < list->nr; i++)
		if (list->range[i].pfn < list->range[i - 1].pfn)
			return false;
	return true;
}

static int range_cmp(const void *a, const void *b)
{
	const struct balloon_range *x = a, *y = b;

	return x->pfn < y->pfn ? -1 : x->pfn > y->pfn;
}

/**
 * balloon_ranges_sort - put ranges into ascending order
 * @list: ranges that do not overlap
 *
 * Adjacent ranges are joined where that costs nothing.
 */
void balloon_ranges_sort(struct balloon_range_list *list)
{
	if (!is_sorted(list) && !sort_by_bitmap(list))
		sort(list->range, list->nr, sizeof(list->range[0]), range_cmp,
		     NULL);
}
