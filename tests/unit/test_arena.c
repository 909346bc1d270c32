/* SPDX-License-Identifier: ISC */
/* The arena. */
#include <check.h>
#include <stdlib.h>

#include "support/model.h"
#include "support/suite.h"
#include "util/arena.h"
#include "util/page_pool.h"

START_TEST(pieces_are_aligned_and_do_not_overlap)
{
	enum { COUNT = 3000 };
	static struct {
		uint8_t *p;
		size_t n;
	} pieces[COUNT];
	struct rng r = { test_seed() };
	struct page_pool pool;
	struct arena a;

	page_pool_init(&pool);
	page_pool_fill(&pool, (size_t)_i, (size_t)_i);
	arena_init(&a);
	arena_expect(&a, (size_t)_i << 21, &pool);
	for (int i = 0; i < COUNT; i++) {
		/* Mostly small; some that take a block of their own. */
		size_t n = rng_below(&r,
		    rng_below(&r, 50) == 0 ? 300000 : 2000);

		pieces[i].p = arena_alloc(&a, n);
		pieces[i].n = n;
		ck_assert_ptr_nonnull(pieces[i].p);
		ck_assert_uint_eq((uintptr_t)pieces[i].p % 8, 0);
		memset(pieces[i].p, i & 0xff, n);
	}
	for (int i = 0; i < COUNT; i++) {
		bool intact = true;

		for (size_t j = 0; j < pieces[i].n; j++)
			intact &= pieces[i].p[j] == (i & 0xff);
		ck_assert_msg(intact, "piece %d was written over", i);
	}
	/* They are used after the first MiB, where there is room for one. */
	if (_i > 2)
		ck_assert_uint_lt(page_pool_bytes(&pool) / PAGE_POOL_PAGE, _i);
	else if (_i < 2)
		ck_assert_uint_eq(page_pool_bytes(&pool) / PAGE_POOL_PAGE, _i);
	arena_fini(&a);
	ck_assert_uint_eq(page_pool_bytes(&pool) / PAGE_POOL_PAGE, _i);
	page_pool_fini(&pool);
}
END_TEST

START_TEST(the_first_piece_may_have_no_bytes)
{
	struct arena a;

	arena_init(&a);
	ck_assert_ptr_nonnull(arena_alloc(&a, 0));
	arena_fini(&a);
}
END_TEST

START_TEST(what_was_handed_out_is_counted)
{
	struct arena a;

	arena_init(&a);
	ck_assert_uint_eq(arena_bytes(&a), 0);
	arena_alloc(&a, 1);
	ck_assert_uint_eq(arena_bytes(&a), 8);
	arena_alloc(&a, 16);
	ck_assert_uint_eq(arena_bytes(&a), 24);
	arena_alloc(&a, 1 << 20);
	ck_assert_uint_eq(arena_bytes(&a), 24 + (1 << 20));
	arena_fini(&a);
}
END_TEST

START_TEST(a_large_piece_leaves_the_rest_of_the_block_in_use)
{
	struct arena a;
	char *first, *second;

	arena_init(&a);
	first = arena_alloc(&a, 8);
	arena_alloc(&a, 1 << 20);
	second = arena_alloc(&a, 8);
	ck_assert_ptr_eq(second, first + 8);
	arena_fini(&a);
}
END_TEST

START_TEST(after_the_end_an_arena_can_be_used_again)
{
	struct arena a;

	arena_init(&a);
	arena_alloc(&a, 100);
	arena_fini(&a);
	ck_assert_uint_eq(arena_bytes(&a), 0);
	memset(arena_alloc(&a, 100), 1, 100);
	arena_fini(&a);
	arena_fini(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("arena");
	TCase *tc = tcase_create("all");

	/* So many large pages, and as much expected. */
	tcase_add_loop_test(tc, pieces_are_aligned_and_do_not_overlap, 0, 8);
	tcase_add_test(tc, the_first_piece_may_have_no_bytes);
	tcase_add_test(tc, what_was_handed_out_is_counted);
	tcase_add_test(tc, a_large_piece_leaves_the_rest_of_the_block_in_use);
	tcase_add_test(tc, after_the_end_an_arena_can_be_used_again);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
