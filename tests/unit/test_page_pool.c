/* SPDX-License-Identifier: ISC */
/* The pool of large pages. */
#include <check.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/suite.h"
#include "util/page_pool.h"

static struct page_pool pool;

static void
setup(void)
{
	page_pool_init(&pool);
}

static void
teardown(void)
{
	page_pool_fini(&pool);
}

static size_t
count(void)
{
	return page_pool_bytes(&pool) / PAGE_POOL_PAGE;
}

START_TEST(there_are_none_before_it_is_filled)
{
	ck_assert_ptr_null(page_pool_take(&pool));
	ck_assert_uint_eq(count(), 0);
}
END_TEST

START_TEST(pages_are_whole_aligned_and_taken_once)
{
	uint8_t *page[3];

	page_pool_fill(&pool, 3, 3);
	ck_assert_uint_eq(count(), 3);
	for (int i = 0; i < 3; i++) {
		page[i] = page_pool_take(&pool);
		ck_assert_ptr_nonnull(page[i]);
		ck_assert_uint_eq((uintptr_t)page[i] % PAGE_POOL_PAGE, 0);
		memset(page[i], 'a' + i, PAGE_POOL_PAGE);
	}
	ck_assert_ptr_null(page_pool_take(&pool));
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(page[i][0], 'a' + i);
		ck_assert_uint_eq(page[i][PAGE_POOL_PAGE - 1], 'a' + i);
		page_pool_give(&pool, page[i]);
	}
	ck_assert_uint_eq(count(), 3);
}
END_TEST

START_TEST(there_are_no_more_than_wanted)
{
	void *page[4];

	page_pool_fill(&pool, 4, 4);
	for (int i = 0; i < 4; i++)
		page[i] = page_pool_take(&pool);
	page_pool_fill(&pool, 4, 4); /* those that are taken count */
	ck_assert_uint_eq(count(), 0);
	for (int i = 0; i < 4; i++)
		page_pool_give(&pool, page[i]);
	ck_assert_uint_eq(count(), 4);
	page_pool_fill(&pool, 2, 4);
	ck_assert_uint_eq(count(), 2);
	page_pool_fill(&pool, 4, 4); /* half of them is enough */
	ck_assert_uint_eq(count(), 2);
	page_pool_fill(&pool, 1, 4);
	page_pool_fill(&pool, 3, 4);
	ck_assert_uint_eq(count(), 3);
	page_pool_fill(&pool, 0, 0);
	ck_assert_uint_eq(count(), 0);
	ck_assert_ptr_null(page_pool_take(&pool));
}
END_TEST

static void *
take_and_give(void *arg)
{
	(void)arg;
	for (int i = 0; i < 20000; i++) {
		uint8_t *page = page_pool_take(&pool);

		if (page == NULL)
			continue;
		/* Nobody else has it. */
		page[64] = (uint8_t)i;
		if (page[64] != (uint8_t)i)
			abort();
		page_pool_give(&pool, page);
	}
	return NULL;
}

START_TEST(threads_share_it)
{
	pthread_t t[4];

	page_pool_fill(&pool, 3, 3);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, take_and_give,
				     NULL),
		    0);
	for (size_t i = 0; i < 20; i++)
		page_pool_fill(&pool, i % 4, 3);
	page_pool_fill(&pool, 3, 3);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	ck_assert_uint_le(count(), 3);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, there_are_none_before_it_is_filled);
	tcase_add_test(tc, pages_are_whole_aligned_and_taken_once);
	tcase_add_test(tc, there_are_no_more_than_wanted);
	tcase_add_test(tc, threads_share_it);
	return run_case("page_pool", tc);
}
