// SPDX-License-Identifier: GPL-2.0
/*
 * KUnit suite of mm/balloon/index.c, the index of ballooned pages.
 *
 * No page is touched, an index knows only numbers, so every case runs in every
 * runner.  A validator compares the whole index with a plain model after each
 * step.  The unit's warnings are counted, none reaches the log.
 */
#include <kunit/test.h>
#include <linux/balloon_compaction.h>
#include <linux/bitmap.h>
#include <linux/irqflags.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/xarray.h>

#include "intercept.h"
#include "../../../../mm/balloon/index.c"

#define NR_BLOCKS	8
#define NR_PAGES	(NR_BLOCKS * (unsigned int)BALLOON_BLOCK_PAGES)
#define FIRST_PFN	(5 * BALLOON_BLOCK_PAGES)

/* What an index over NR_PAGES pages from FIRST_PFN on should hold. */
struct model {
	struct balloon_blocks bs;
	unsigned int reserved[NR_BLOCKS];
	bool set[NR_PAGES];
	unsigned int cursor;		/* block of the last take, or after it */
};

static unsigned int block_of(unsigned int page)
{
	return page / BALLOON_BLOCK_PAGES;
}

/* The part of @nr pages from @page on that lies in its block. */
static unsigned int part(unsigned int page, unsigned int nr)
{
	return min_t(unsigned int, nr,
		     (block_of(page) + 1) * BALLOON_BLOCK_PAGES - page);
}

static unsigned int count_set(const struct model *m, unsigned int page,
			      unsigned int nr)
{
	unsigned int n = 0;

	while (nr--)
		n += m->set[page++];
	return n;
}

static unsigned int count_set_in_block(const struct model *m, unsigned int block)
{
	return count_set(m, block * BALLOON_BLOCK_PAGES, BALLOON_BLOCK_PAGES);
}

/* Everything that is true of an index between two calls. */
static void validate(struct kunit *test, struct model *m)
{
	unsigned int i, nr_blocks = 0, nr_found = 0;
	struct balloon_block *block;
	bool last_found = false;
	unsigned long index;

	for (i = 0; i < NR_BLOCKS; i++)
		nr_blocks += !!m->reserved[i];

	xa_for_each(&m->bs.blocks, index, block) {
		unsigned int n = index - block_index(FIRST_PFN);
		unsigned int nr_set = 0;

		KUNIT_ASSERT_LT(test, n, NR_BLOCKS);
		KUNIT_ASSERT_EQ(test, block->index, index);
		KUNIT_ASSERT_EQ(test, block->nr_reserved, m->reserved[n]);
		KUNIT_ASSERT_NE(test, block->nr_reserved, 0);
		KUNIT_ASSERT_LE(test, block->nr_set, block->nr_reserved);
		for (i = 0; i < BALLOON_BLOCK_PAGES; i++) {
			bool set = test_bit(i, block->set);

			nr_set += set;
			if (set != m->set[n * BALLOON_BLOCK_PAGES + i])
				break;
		}
		KUNIT_ASSERT_EQ_MSG(test, i, BALLOON_BLOCK_PAGES,
				    "page %u of block %u is wrong", i, n);
		KUNIT_ASSERT_EQ(test, block->nr_set, nr_set);
		last_found |= block == m->bs.last;
		nr_found++;
	}
	KUNIT_ASSERT_EQ(test, nr_found, nr_blocks);
	KUNIT_ASSERT_EQ(test, test_objects, nr_found);
	KUNIT_ASSERT_TRUE(test, !m->bs.last || last_found);
}

/* Each of these calls the unit and expects what the model says. */

static int reserve(struct kunit *test, struct model *m, unsigned int page,
		   unsigned int nr)
{
	int err = balloon_blocks_reserve(&m->bs, FIRST_PFN + page, nr,
					 GFP_NOWAIT);
	unsigned int n;

	KUNIT_EXPECT_TRUE(test, !err || err == -ENOMEM);
	for (; nr && !err; page += n, nr -= n) {
		n = part(page, nr);
		m->reserved[block_of(page)] += n;
	}
	validate(test, m);
	return err;
}

static void unreserve(struct kunit *test, struct model *m, unsigned int page,
		      unsigned int nr)
{
	unsigned int n, warnings = 0;

	balloon_blocks_unreserve(&m->bs, FIRST_PFN + page, nr);
	for (; nr; page += n, nr -= n) {
		unsigned int block = block_of(page);

		n = part(page, nr);
		if (m->reserved[block] >= n + count_set_in_block(m, block))
			m->reserved[block] -= n;
		else
			warnings++;
	}
	KUNIT_EXPECT_EQ(test, test_take_warnings(), warnings);
	validate(test, m);
}

static int set(struct kunit *test, struct model *m, unsigned int page,
	       unsigned int nr)
{
	int err = balloon_blocks_set(&m->bs, FIRST_PFN + page, nr);
	int expect = 0;
	unsigned int n;

	for (; nr && !expect; page += n, nr -= n) {
		unsigned int block = block_of(page);

		n = part(page, nr);
		if (count_set(m, page, n))
			expect = -EEXIST;
		else if (count_set_in_block(m, block) + n > m->reserved[block])
			expect = -EINVAL;
		else
			memset(m->set + page, true, n);
	}
	KUNIT_EXPECT_EQ(test, err, expect);
	validate(test, m);
	return err;
}

static bool clear(struct kunit *test, struct model *m, unsigned int page)
{
	bool cleared;

	KUNIT_EXPECT_EQ(test, balloon_blocks_test(&m->bs, FIRST_PFN + page),
			m->set[page]);
	cleared = balloon_blocks_clear(&m->bs, FIRST_PFN + page);
	KUNIT_EXPECT_EQ(test, cleared, m->set[page]);
	m->set[page] = false;
	validate(test, m);
	return cleared;
}

/* Returns the number of pages taken, the first of which is *@page. */
static unsigned int take(struct kunit *test, struct model *m, unsigned int max,
			 unsigned int *page)
{
	unsigned int start = m->cursor * BALLOON_BLOCK_PAGES;
	unsigned int end, taken, i;
	unsigned long pfn = ~0UL;

	while (start < NR_PAGES && !m->set[start])
		start++;
	if (start == NR_PAGES)
		for (start = 0; start < NR_PAGES && !m->set[start];)
			start++;
	for (end = start; end < NR_PAGES && m->set[end] && end - start < max &&
	     block_of(end) == block_of(start);)
		end++;

	taken = balloon_blocks_take(&m->bs, max, &pfn);
	KUNIT_EXPECT_EQ(test, taken, end - start);
	if (taken) {
		KUNIT_ASSERT_EQ(test, pfn, FIRST_PFN + start);
		memset(m->set + start, false, end - start);
		for (i = block_of(start) * BALLOON_BLOCK_PAGES;
		     i < (block_of(start) + 1) * BALLOON_BLOCK_PAGES && !m->set[i];)
			i++;
		m->cursor = block_of(i);
		*page = start;
	}
	validate(test, m);
	return taken;
}

/* Reserves and sets, which the case needs in order to go on. */
static void fill(struct kunit *test, struct model *m, unsigned int page,
		 unsigned int nr)
{
	KUNIT_ASSERT_EQ(test, reserve(test, m, page, nr), 0);
	KUNIT_ASSERT_EQ(test, set(test, m, page, nr), 0);
}

static void init_is_empty(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	validate(test, m);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 0);
	KUNIT_EXPECT_FALSE(test, clear(test, m, 0));
	KUNIT_EXPECT_FALSE(test, balloon_blocks_test(&m->bs, 0));
	KUNIT_EXPECT_FALSE(test, balloon_blocks_test(&m->bs, ~0UL));
}

static void reserve_and_unreserve(struct kunit *test)
{
	static const struct { unsigned int page, nr; } cases[] = {
		{ 0, 1 }, { 511, 1 }, { 0, 512 }, { 17, 100 },
		{ 511, 2 },			/* two blocks, a page of each */
		{ 300, 512 },			/* two blocks, no boundary */
		{ 256, 1024 },			/* three blocks */
		{ 0, NR_PAGES }, { 1, NR_PAGES - 2 },
	};
	struct model *m = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		KUNIT_EXPECT_EQ(test, reserve(test, m, cases[i].page,
					      cases[i].nr), 0);
		unreserve(test, m, cases[i].page, cases[i].nr);
		KUNIT_EXPECT_EQ(test, test_objects, 0);
	}

	/* In other pieces than it was reserved. */
	KUNIT_EXPECT_EQ(test, reserve(test, m, 500, 600), 0);
	unreserve(test, m, 900, 200);
	unreserve(test, m, 500, 1);
	unreserve(test, m, 501, 399);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static void nothing_is_no_error(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	KUNIT_EXPECT_EQ(test, reserve(test, m, 7, 0), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 7, 0), 0);
	unreserve(test, m, 7, 0);
	fill(test, m, 7, 1);
	KUNIT_EXPECT_EQ(test, take(test, m, 0, &page), 0);
}

/* Each allocation of a long reservation fails in turn; nothing stays behind. */
static void reserve_undone_without_memory(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int nth;
	int err = -ENOMEM;

	fill(test, m, 2 * BALLOON_BLOCK_PAGES + 10, 20);
	KUNIT_ASSERT_EQ(test, reserve(test, m, 4 * BALLOON_BLOCK_PAGES, 1), 0);

	for (nth = 1; err && nth < 100; nth++) {
		test_fail_nth = nth;
		err = reserve(test, m, 100, NR_PAGES - 200);
		if (err)
			KUNIT_EXPECT_EQ(test, test_fail_nth, 0);
	}
	/* A descriptor and a slot for each block but the two that were there. */
	KUNIT_EXPECT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, nth - 2, 2 * (NR_BLOCKS - 2));
	test_fail_nth = 0;
}

/* A reservation in a known block must work where no memory is to be had. */
static void known_block_needs_no_memory(struct kunit *test)
{
	struct model *m = test->priv;

	KUNIT_ASSERT_EQ(test, reserve(test, m, 0, 2 * BALLOON_BLOCK_PAGES - 20),
			0);
	test_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, reserve(test, m, 2 * BALLOON_BLOCK_PAGES - 20, 20),
			0);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 2 * BALLOON_BLOCK_PAGES), 0);
	KUNIT_EXPECT_EQ(test, test_fail_nth, 1);
	test_fail_nth = 0;
}

static void reserve_uses_the_callers_flags(struct kunit *test)
{
	struct model *m = test->priv;

	test_gfp = 0;
	KUNIT_EXPECT_EQ(test, balloon_blocks_reserve(&m->bs, FIRST_PFN, 1,
						     GFP_NOWAIT | __GFP_NOWARN),
			0);
	KUNIT_EXPECT_EQ(test, (__force unsigned int)test_gfp,
			(__force unsigned int)(GFP_NOWAIT | __GFP_NOWARN));
	KUNIT_EXPECT_FALSE(test, irqs_disabled());
	balloon_blocks_unreserve(&m->bs, FIRST_PFN, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static void set_and_clear(struct kunit *test)
{
	static const unsigned int pages[] = { 0, 1, 63, 64, 511, 512, 1023 };
	struct model *m = test->priv;
	unsigned int i;

	KUNIT_ASSERT_EQ(test, reserve(test, m, 0, 1024), 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		KUNIT_EXPECT_EQ(test, set(test, m, pages[i], 1), 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		KUNIT_EXPECT_TRUE(test, clear(test, m, pages[i]));
		KUNIT_EXPECT_FALSE(test, clear(test, m, pages[i]));
	}
	KUNIT_EXPECT_EQ(test, set(test, m, 300, 400), 0);
	for (i = 300; i < 700; i++)
		KUNIT_EXPECT_TRUE(test, clear(test, m, i));
	unreserve(test, m, 0, 1024);
}

static void set_refuses_wrong_calls(struct kunit *test)
{
	struct model *m = test->priv;

	/* No reservation at all, then more pages than reservations. */
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 1), -EINVAL);
	KUNIT_ASSERT_EQ(test, reserve(test, m, 0, 10), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 11), -EINVAL);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 10), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 10, 1), -EINVAL);

	/* Set already: all of it, its first page, its last page. */
	KUNIT_ASSERT_EQ(test, reserve(test, m, 10, 500), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 10), -EEXIST);
	KUNIT_EXPECT_EQ(test, set(test, m, 9, 5), -EEXIST);
	KUNIT_EXPECT_EQ(test, set(test, m, 10, 5), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 20, 5), 0);
	KUNIT_EXPECT_EQ(test, set(test, m, 15, 6), -EEXIST);

	/* The second of two blocks is the wrong one. */
	KUNIT_EXPECT_EQ(test, set(test, m, 508, 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 0);
}

static void clear_refuses_wrong_calls(struct kunit *test)
{
	struct model *m = test->priv;

	KUNIT_EXPECT_FALSE(test, clear(test, m, 0));
	fill(test, m, 1, 1);
	KUNIT_EXPECT_FALSE(test, clear(test, m, 0));
	KUNIT_EXPECT_FALSE(test, clear(test, m, 2));
	KUNIT_EXPECT_FALSE(test, clear(test, m, 513));
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 0);
}

/* The only calls that warn; unreserve() compares with the model's count. */
static void unreserve_warns_of_wrong_calls(struct kunit *test)
{
	struct model *m = test->priv;

	unreserve(test, m, 0, 1);
	KUNIT_ASSERT_EQ(test, reserve(test, m, 0, 10), 0);
	unreserve(test, m, 0, 11);
	KUNIT_EXPECT_EQ(test, m->reserved[0], 10);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 4), 0);
	unreserve(test, m, 0, 7);
	KUNIT_EXPECT_EQ(test, m->reserved[0], 10);
	unreserve(test, m, 0, 6);
	KUNIT_EXPECT_EQ(test, m->reserved[0], 4);
	unreserve(test, m, 0, 1);
	KUNIT_EXPECT_EQ(test, m->reserved[0], 4);
}

/* The section that comes next may not exist. */
static void block_is_of_one_section(struct kunit *test)
{
#ifdef PFN_SECTION_SHIFT
	KUNIT_EXPECT_LE(test, BALLOON_BLOCK_SHIFT, PFN_SECTION_SHIFT);
#endif
	KUNIT_EXPECT_LE(test, BALLOON_BLOCK_SHIFT, 9);
}

static void take_gives_maximal_ascending_runs(struct kunit *test)
{
	static const struct { unsigned int page, nr; } runs[] = {
		{ 0, 1 }, { 2, 3 }, { 63, 2 }, { 100, 1 },
		{ BALLOON_BLOCK_PAGES - 2, 2 },
		{ BALLOON_BLOCK_PAGES, BALLOON_BLOCK_PAGES },
		{ 2 * BALLOON_BLOCK_PAGES + 7, 64 }, { NR_PAGES - 1, 1 },
	};
	struct model *m = test->priv;
	unsigned int i, page;

	for (i = 0; i < ARRAY_SIZE(runs); i++)
		fill(test, m, runs[i].page, runs[i].nr);
	for (i = 0; i < ARRAY_SIZE(runs); i++) {
		KUNIT_EXPECT_EQ(test, take(test, m, UINT_MAX, &page),
				runs[i].nr);
		KUNIT_EXPECT_EQ(test, page, runs[i].page);
	}
	KUNIT_EXPECT_EQ(test, take(test, m, UINT_MAX, &page), 0);
}

static void take_is_capped(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	fill(test, m, 10, 20);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	KUNIT_EXPECT_EQ(test, page, 10);
	KUNIT_EXPECT_EQ(test, take(test, m, 18, &page), 18);
	KUNIT_EXPECT_EQ(test, page, 11);
	KUNIT_EXPECT_EQ(test, take(test, m, 2, &page), 1);
	KUNIT_EXPECT_EQ(test, page, 29);
}

/* Pages behind the cursor wait until the end was reached. */
static void take_starts_over(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	fill(test, m, 3 * BALLOON_BLOCK_PAGES, 2);
	fill(test, m, 6 * BALLOON_BLOCK_PAGES, 2);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	fill(test, m, BALLOON_BLOCK_PAGES + 5, 1);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	KUNIT_EXPECT_EQ(test, page, 3 * BALLOON_BLOCK_PAGES + 1);
	KUNIT_EXPECT_EQ(test, take(test, m, 9, &page), 2);
	KUNIT_EXPECT_EQ(test, page, 6 * BALLOON_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, take(test, m, 9, &page), 1);
	KUNIT_EXPECT_EQ(test, page, BALLOON_BLOCK_PAGES + 5);
	KUNIT_EXPECT_EQ(test, take(test, m, 9, &page), 0);
}

static void take_keeps_reservations(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	fill(test, m, 0, BALLOON_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, take(test, m, UINT_MAX, &page),
			BALLOON_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, m->reserved[0], BALLOON_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, set(test, m, 0, BALLOON_BLOCK_PAGES), 0);
}

/* The block remembered from the last lookup goes away and comes back. */
static void lookups_survive_a_freed_block(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int page;

	fill(test, m, 0, 1);
	fill(test, m, BALLOON_BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	unreserve(test, m, 0, 1);
	KUNIT_EXPECT_FALSE(test, clear(test, m, 0));
	KUNIT_EXPECT_EQ(test, set(test, m, 0, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	fill(test, m, 0, 1);
	unreserve(test, m, BALLOON_BLOCK_PAGES, 1);
	KUNIT_EXPECT_EQ(test, take(test, m, 1, &page), 1);
	KUNIT_EXPECT_EQ(test, page, 0);
}

/* A block that was prepared is there, but holds nothing. */
static void prepare_then_reserve(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned long pfn;
	unsigned int nth;

	for (nth = 1; nth <= 2; nth++) {
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, balloon_blocks_prepare(&m->bs, FIRST_PFN, 1,
							     GFP_KERNEL),
				-ENOMEM);
		KUNIT_EXPECT_EQ(test, test_objects, 0);
	}
	for (nth = 0; nth < 2; nth++) {
		KUNIT_EXPECT_EQ(test, balloon_blocks_prepare(&m->bs, FIRST_PFN, 1,
							     GFP_KERNEL), 0);
		KUNIT_EXPECT_EQ(test, test_objects, 1);
	}
	KUNIT_EXPECT_FALSE(test, balloon_blocks_test(&m->bs, FIRST_PFN));
	KUNIT_EXPECT_EQ(test, balloon_blocks_take(&m->bs, UINT_MAX, &pfn), 0);
	test_fail_nth = 1;
	KUNIT_EXPECT_EQ(test, reserve(test, m, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, test_fail_nth, 1);
	test_fail_nth = 0;
	unreserve(test, m, 0, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static struct balloon_blocks *raced;

static void prepare_raced(void)
{
	balloon_blocks_prepare(raced, FIRST_PFN, 1, GFP_KERNEL);
}

static void reserve_raced(void)
{
	balloon_blocks_reserve(raced, FIRST_PFN, 3, GFP_NOWAIT);
}

/* Two threads make the same block: one of them uses the other's. */
static void prepare_races_with_reserve(struct kunit *test)
{
	struct model *m = test->priv;

	raced = &m->bs;
	test_meanwhile = prepare_raced;
	KUNIT_EXPECT_EQ(test, reserve(test, m, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, test_objects, 1);
	unreserve(test, m, 0, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 0);

	test_meanwhile = reserve_raced;
	KUNIT_EXPECT_EQ(test, balloon_blocks_prepare(&m->bs, FIRST_PFN, 1,
						     GFP_KERNEL), 0);
	KUNIT_EXPECT_EQ(test, test_objects, 1);
	KUNIT_EXPECT_EQ(test, balloon_blocks_set(&m->bs, FIRST_PFN, 3), 0);
	KUNIT_EXPECT_TRUE(test, balloon_blocks_clear(&m->bs, FIRST_PFN));
	KUNIT_EXPECT_TRUE(test, balloon_blocks_clear(&m->bs, FIRST_PFN + 1));
	KUNIT_EXPECT_TRUE(test, balloon_blocks_clear(&m->bs, FIRST_PFN + 2));
	balloon_blocks_unreserve(&m->bs, FIRST_PFN, 3);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Of three blocks the third cannot be had: nothing is left of the others. */
static void prepare_some_then_give_up(struct kunit *test)
{
	const unsigned int nr = 2 * BALLOON_BLOCK_PAGES + 1;
	struct model *m = test->priv;

	test_fail_nth = 5;
	KUNIT_EXPECT_EQ(test, balloon_blocks_prepare(&m->bs, FIRST_PFN, nr,
						     GFP_KERNEL), -ENOMEM);
	test_fail_nth = 0;
	KUNIT_EXPECT_EQ(test, test_objects, 2);
	KUNIT_EXPECT_EQ(test, balloon_blocks_reserve(&m->bs, FIRST_PFN, 1,
						     GFP_NOWAIT), 0);
	balloon_blocks_unprepare(&m->bs, FIRST_PFN, nr);
	KUNIT_EXPECT_EQ(test, test_objects, 1);
	balloon_blocks_unreserve(&m->bs, FIRST_PFN, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Pages that nobody owns keep their block in the index, and only that. */
static void pages_are_parked(struct kunit *test)
{
	struct model *m = test->priv;
	struct balloon_blocks *bs = &m->bs;
	unsigned long index = 0, *parked, pfn;
	unsigned int nth, nr;

	for (nth = 1; nth <= 3; nth++) {
		test_fail_nth = nth;
		KUNIT_EXPECT_EQ(test, balloon_blocks_park(bs, FIRST_PFN, 1,
							       GFP_NOWAIT),
				-ENOMEM);
		KUNIT_EXPECT_EQ(test, test_objects, 0);
	}
	test_fail_nth = 0;
	fill(test, m, 0, 2);
	KUNIT_EXPECT_EQ(test, balloon_blocks_park(bs, FIRST_PFN + 2, 1,
						       GFP_NOWAIT), 0);
	KUNIT_EXPECT_EQ(test, balloon_blocks_park(bs, FIRST_PFN +
						       BALLOON_BLOCK_PAGES - 12,
						       12, GFP_NOWAIT), 0);
	index = FIRST_PFN >> BALLOON_BLOCK_SHIFT;
	KUNIT_EXPECT_EQ(test, balloon_blocks_nr_parked(bs, index), 13);
	KUNIT_EXPECT_EQ(test, balloon_blocks_nr_parked(bs, index + 1), 0);
	KUNIT_EXPECT_EQ(test, balloon_blocks_nr_set(bs, index), 2);
	KUNIT_EXPECT_EQ(test, balloon_blocks_nr_set(bs, index + 1), 0);
	KUNIT_EXPECT_EQ(test, balloon_blocks_count(bs, index), 2);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take(bs, UINT_MAX, &pfn), 2);
	balloon_blocks_unreserve(bs, FIRST_PFN, 2);
	KUNIT_EXPECT_EQ(test, balloon_blocks_count(bs, index), 0);
	KUNIT_EXPECT_EQ(test, balloon_blocks_next(bs, &index), 0);
	KUNIT_EXPECT_EQ(test, test_objects, 2);

	index = 0;
	parked = balloon_blocks_unpark(bs, &index, &nr);
	KUNIT_ASSERT_NOT_NULL(test, parked);
	KUNIT_EXPECT_EQ(test, index, FIRST_PFN >> BALLOON_BLOCK_SHIFT);
	KUNIT_EXPECT_EQ(test, nr, 13);
	KUNIT_EXPECT_EQ(test, bitmap_weight(parked, BALLOON_BLOCK_PAGES), 13);
	KUNIT_EXPECT_TRUE(test, test_bit(2, parked) &&
			  test_bit(BALLOON_BLOCK_PAGES - 1, parked));
	kfree(parked);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
	KUNIT_EXPECT_NULL(test, balloon_blocks_unpark(bs, &index, &nr));
}

/* ... one by one, too, and of the last one the block goes. */
static void single_pages_are_unparked(struct kunit *test)
{
	struct model *m = test->priv;
	struct balloon_blocks *bs = &m->bs;
	unsigned long index = FIRST_PFN >> BALLOON_BLOCK_SHIFT;

	KUNIT_EXPECT_FALSE(test, balloon_blocks_unpark_page(bs, FIRST_PFN));
	KUNIT_EXPECT_EQ(test, balloon_blocks_park(bs, FIRST_PFN, 3, GFP_NOWAIT), 0);
	KUNIT_EXPECT_TRUE(test, balloon_blocks_unpark_page(bs, FIRST_PFN + 1));
	KUNIT_EXPECT_FALSE(test, balloon_blocks_unpark_page(bs, FIRST_PFN + 1));
	KUNIT_EXPECT_FALSE(test, balloon_blocks_unpark_page(bs, FIRST_PFN + 3));
	KUNIT_EXPECT_EQ(test, balloon_blocks_nr_parked(bs, index), 2);
	KUNIT_EXPECT_TRUE(test, balloon_blocks_unpark_page(bs, FIRST_PFN));
	KUNIT_EXPECT_TRUE(test, balloon_blocks_unpark_page(bs, FIRST_PFN + 2));
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Upwards from the cursor, and not beyond the end. */
static void marked_blocks_are_taken(struct kunit *test)
{
	struct model *m = test->priv;
	struct balloon_blocks *bs = &m->bs;
	unsigned long first = FIRST_PFN >> BALLOON_BLOCK_SHIFT, pfn;

	fill(test, m, 0, 3);
	fill(test, m, BALLOON_BLOCK_PAGES, 4);
	fill(test, m, 2 * BALLOON_BLOCK_PAGES, 5);
	KUNIT_EXPECT_EQ(test, balloon_blocks_get_mark(bs, first), 0);
	balloon_blocks_mark(bs, first + 1, 7);
	KUNIT_EXPECT_EQ(test, balloon_blocks_get_mark(bs, first + 1), 7);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 7, 3, &pfn), 3);
	KUNIT_EXPECT_EQ(test, pfn, FIRST_PFN + BALLOON_BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 7, 3, &pfn), 1);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 7, 3, &pfn), 0);
	KUNIT_EXPECT_EQ(test, bs->cursor, 0);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 0, 9, &pfn), 3);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 0, 9, &pfn), 5);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 0, 9, &pfn), 0);
	KUNIT_EXPECT_EQ(test, bs->cursor, 0);
	balloon_blocks_unreserve(bs, FIRST_PFN, 3);
	balloon_blocks_unreserve(bs, FIRST_PFN + BALLOON_BLOCK_PAGES, 4);
	balloon_blocks_unreserve(bs, FIRST_PFN + 2 * BALLOON_BLOCK_PAGES, 5);
	KUNIT_EXPECT_EQ(test, test_objects, 0);

	balloon_blocks_mark(bs, first, 1);
	KUNIT_EXPECT_EQ(test, test_warnings, 1);
	KUNIT_EXPECT_EQ(test, balloon_blocks_get_mark(bs, first), 0);
	test_warnings = 0;
}

/* Not all blocks are looked at in one call. */
static void many_blocks_take_several_calls(struct kunit *test)
{
	struct model *m = test->priv;
	struct balloon_blocks *bs = &m->bs;
	unsigned long index, *parked, pfn, last = BLOCKS_AT_ONCE + 9;
	unsigned int nr, calls = 0;

	for (index = 0; index <= last; index++) {
		pfn = index << BALLOON_BLOCK_SHIFT;
		KUNIT_ASSERT_EQ(test, balloon_blocks_reserve(bs, pfn, 1,
							     GFP_NOWAIT), 0);
		KUNIT_ASSERT_EQ(test, balloon_blocks_set(bs, pfn, 1), 0);
	}
	balloon_blocks_mark(bs, last, 1);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 1, 1, &pfn), 0);
	KUNIT_EXPECT_EQ(test, bs->cursor, BLOCKS_AT_ONCE);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 1, 1, &pfn), 1);
	KUNIT_EXPECT_EQ(test, pfn, last << BALLOON_BLOCK_SHIFT);
	KUNIT_EXPECT_EQ(test, balloon_blocks_take_marked(bs, 1, 1, &pfn), 0);
	KUNIT_EXPECT_EQ(test, bs->cursor, 0);

	KUNIT_EXPECT_EQ(test, balloon_blocks_park(bs, pfn + 7, 1,
						       GFP_NOWAIT), 0);
	index = 0;
	do {
		parked = balloon_blocks_unpark(bs, &index, &nr);
		calls++;
	} while (!parked && index);
	KUNIT_ASSERT_NOT_NULL(test, parked);
	KUNIT_EXPECT_EQ(test, index, last);
	KUNIT_EXPECT_EQ(test, calls, 2);
	kfree(parked);
	KUNIT_EXPECT_NULL(test, balloon_blocks_unpark(bs, &index, &nr));
	KUNIT_EXPECT_EQ(test, index, 0);

	while (balloon_blocks_take(bs, 1, &pfn))
		balloon_blocks_unreserve(bs, pfn, 1);
	balloon_blocks_unreserve(bs, last << BALLOON_BLOCK_SHIFT, 1);
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/* Page 0 and the last page that any machine can have. */
static void extreme_page_numbers(struct kunit *test)
{
	static const unsigned long pfns[] = {
		0, BITS_PER_LONG == 64 ? (1ULL << 52) - 1 : ~0UL,
	};
	struct model *m = test->priv;
	unsigned long pfn;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pfns); i++) {
		KUNIT_EXPECT_EQ(test, balloon_blocks_reserve(&m->bs, pfns[i], 1,
							     GFP_NOWAIT), 0);
		KUNIT_EXPECT_EQ(test, balloon_blocks_set(&m->bs, pfns[i], 1), 0);
	}
	for (i = 0; i < ARRAY_SIZE(pfns); i++) {
		KUNIT_EXPECT_TRUE(test, balloon_blocks_test(&m->bs, pfns[i]));
		KUNIT_EXPECT_EQ(test, balloon_blocks_take(&m->bs, UINT_MAX, &pfn),
				1);
		KUNIT_EXPECT_EQ(test, pfn, pfns[i]);
		balloon_blocks_unreserve(&m->bs, pfns[i], 1);
	}
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

/*
 * Memory of the index below 0.02 % of the ballooned memory, in blocks that are
 * full and in blocks of which half is ballooned: a descriptor and a slot in a
 * half-filled node of the xarray for each.
 */
static void overhead_is_below_0_02_percent(struct kunit *test)
{
	size_t bytes = kmalloc_size_roundup(sizeof(struct balloon_block)) +
		       sizeof(struct xa_node) / (XA_CHUNK_SIZE / 2);
	size_t full = BALLOON_BLOCK_PAGES * PAGE_SIZE;

	kunit_info(test, "%zu bytes in a block: %zu ppm full, %zu ppm half full\n",
		   bytes, bytes * 1000000 / full, bytes * 2000000 / full);
	KUNIT_EXPECT_LT(test, bytes * 5000, full);
	KUNIT_EXPECT_LT(test, bytes * 5000, full / 2);
}

/* Thousands of calls, right and wrong ones, each compared with the model. */
static void random_walk(struct kunit *test)
{
	struct model *m = test->priv;
	unsigned int step, page, nr;

	for (step = 0; step < 8000; step++) {
		unsigned int op = test_random(16);

		nr = 1 + test_random(test_random(4) ? 40 : 1500);
		page = test_random(NR_PAGES - nr);
		if (op < 4) {
			test_fail_nth = test_random(8) ? 0 : 1 + test_random(4);
			reserve(test, m, page, nr);
			test_fail_nth = 0;
		} else if (op < 6) {
			unreserve(test, m, page, nr);
		} else if (op < 11) {
			set(test, m, page, nr);
		} else if (op < 13) {
			clear(test, m, page);
		} else {
			take(test, m, nr, &page);
		}
		if (test->status == KUNIT_FAILURE) {
			kunit_err(test, "at step %u\n", step);
			return;
		}
	}

	while (take(test, m, UINT_MAX, &page))
		;
	for (page = 0; page < NR_PAGES; page += BALLOON_BLOCK_PAGES)
		while (m->reserved[block_of(page)])
			unreserve(test, m, page,
				  min_t(unsigned int, BALLOON_BLOCK_PAGES,
					m->reserved[block_of(page)]));
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static int blocks_test_init(struct kunit *test)
{
	struct model *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	if (!m)
		return -ENOMEM;
	balloon_blocks_init(&m->bs);
	test_warnings = 0;
	test_objects = 0;
	test_fail_nth = 0;
	test_meanwhile = NULL;
	test_random_state = 1;
	test->priv = m;
	return 0;
}

/* An aborted case leaves blocks behind. */
static void blocks_test_exit(struct kunit *test)
{
	struct model *m = test->priv;
	struct balloon_block *block;
	unsigned long index;

	if (!m)
		return;
	KUNIT_EXPECT_EQ(test, test_take_warnings(), 0);
	xa_for_each(&m->bs.blocks, index, block) {
		xa_erase(&m->bs.blocks, index);
		test_kfree(block);
	}
	KUNIT_EXPECT_EQ(test, test_objects, 0);
}

static struct kunit_case blocks_test_cases[] = {
	KUNIT_CASE(init_is_empty),
	KUNIT_CASE(reserve_and_unreserve),
	KUNIT_CASE(nothing_is_no_error),
	KUNIT_CASE(reserve_undone_without_memory),
	KUNIT_CASE(known_block_needs_no_memory),
	KUNIT_CASE(reserve_uses_the_callers_flags),
	KUNIT_CASE(set_and_clear),
	KUNIT_CASE(set_refuses_wrong_calls),
	KUNIT_CASE(clear_refuses_wrong_calls),
	KUNIT_CASE(unreserve_warns_of_wrong_calls),
	KUNIT_CASE(block_is_of_one_section),
	KUNIT_CASE(take_gives_maximal_ascending_runs),
	KUNIT_CASE(take_is_capped),
	KUNIT_CASE(take_starts_over),
	KUNIT_CASE(take_keeps_reservations),
	KUNIT_CASE(lookups_survive_a_freed_block),
	KUNIT_CASE(prepare_then_reserve),
	KUNIT_CASE(prepare_races_with_reserve),
	KUNIT_CASE(prepare_some_then_give_up),
	KUNIT_CASE(pages_are_parked),
	KUNIT_CASE(single_pages_are_unparked),
	KUNIT_CASE(marked_blocks_are_taken),
	KUNIT_CASE(many_blocks_take_several_calls),
	KUNIT_CASE(extreme_page_numbers),
	KUNIT_CASE(overhead_is_below_0_02_percent),
	KUNIT_CASE(random_walk),
	{}
};

static struct kunit_suite blocks_test_suite = {
	.name = "balloon_blocks",
	.init = blocks_test_init,
	.exit = blocks_test_exit,
	.test_cases = blocks_test_cases,
};
kunit_test_suite(blocks_test_suite);

MODULE_DESCRIPTION("KUnit suite of the index of ballooned pages");
MODULE_LICENSE("GPL");
