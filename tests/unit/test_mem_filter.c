/* SPDX-License-Identifier: ISC */
/* The filter of a memtable. */
#include <check.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/memtable/mem_filter.h"
#include "support/suite.h"

#define KEYS 20000

static uint64_t
hash_of(uint64_t n)
{
	return key_hash(slice_make(&n, sizeof(n)));
}

START_TEST(what_was_added_passes_and_little_else)
{
	struct mem_filter f;
	unsigned passed = 0;

	ck_assert_int_eq(mem_filter_init(&f, KEYS * 10 / 8), 0);
	ck_assert_uint_ge(mem_filter_bytes(&f), KEYS * 10 / 8 - 8);
	ck_assert(!mem_filter_may_contain(&f, hash_of(1)));
	for (uint64_t n = 0; n < KEYS; n++) {
		mem_filter_add(&f, hash_of(n));
		ck_assert(mem_filter_may_contain(&f, hash_of(n)));
	}
	for (uint64_t n = 0; n < KEYS; n++)
		ck_assert(mem_filter_may_contain(&f, hash_of(n)));
	for (uint64_t n = KEYS; n < 2 * KEYS; n++)
		passed += mem_filter_may_contain(&f, hash_of(n));
	printf("%.1f %% of absent keys pass\n", passed * 100.0 / KEYS);
	ck_assert_uint_lt(passed, KEYS * 6 / 100);
	mem_filter_fini(&f);
}
END_TEST

START_TEST(without_bytes_everything_passes)
{
	struct mem_filter f;

	ck_assert_int_eq(mem_filter_init(&f, 7), 0);
	ck_assert_uint_eq(mem_filter_bytes(&f), 0);
	mem_filter_add(&f, hash_of(1));
	ck_assert(mem_filter_may_contain(&f, hash_of(1)));
	ck_assert(mem_filter_may_contain(&f, hash_of(2)));
	mem_filter_fini(&f);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, what_was_added_passes_and_little_else);
	tcase_add_test(tc, without_bytes_everything_passes);
	return run_case("mem_filter", tc);
}
