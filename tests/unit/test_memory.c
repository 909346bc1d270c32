/* SPDX-License-Identifier: ISC */
/* The cache gives way when the process has more than its budget, and comes
 * back when there is room. */
#include <check.h>
#include <inttypes.h>

#include "fuse/memory.h"
#include "kvfs/kv.h"
#include "support/suite.h"

#define MIB (1ull << 20)
#define CACHE (64 * MIB)

static uint64_t cache; /* as the store was told */
static unsigned told;

static int
set_cache(struct kv *kv, uint64_t bytes)
{
	(void)kv;
	cache = bytes;
	told++;
	return 0;
}

static const struct kv_control_ops control = { .set_cache = set_cache };
static const struct kv_ops ops = { .control = &control };
static struct kv store = { .ops = &ops };

static void
setup(void)
{
	cache = told = 0;
}

START_TEST(beyond_the_budget_the_cache_shrinks_to_a_quarter_at_most)
{
	/* Any process has more. */
	struct memory_keeper k = { .kv = &store,
		.budget_bytes = 64 << 10,
		.cache_bytes = CACHE };
	uint64_t last = CACHE;

	for (int i = 0; i < 1000 && cache != CACHE / 4; i++) {
		ck_assert(memory_keep(&k));
		ck_assert_uint_lt(cache, last);
		ck_assert_uint_ge(cache, CACHE / 4);
		last = cache;
	}
	ck_assert_uint_eq(cache, CACHE / 4);
	/* No more is asked for than that. */
	told = 0;
	ck_assert(memory_keep(&k));
	ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(with_room_it_grows_back_in_steps)
{
	struct memory_keeper k = { .kv = &store,
		.budget_bytes = 512 * MIB,
		.cache_bytes = CACHE,
		.cache_now = CACHE / 4 };

	for (unsigned step = 1; step <= 6; step++) {
		ck_assert(!memory_keep(&k));
		ck_assert_uint_eq(cache, CACHE / 4 + step * 8 * MIB);
	}
	ck_assert_uint_eq(cache, CACHE);
	told = 0;
	ck_assert(!memory_keep(&k));
	ck_assert_uint_eq(told, 0);
}
END_TEST

START_TEST(within_the_budget_nothing_is_asked_of_the_store)
{
	struct memory_keeper k = { .kv = &store,
		.budget_bytes = 1ull << 40,
		.cache_bytes = CACHE };

	ck_assert(!memory_keep(&k));
	ck_assert_uint_eq(told, 0);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t,
	    beyond_the_budget_the_cache_shrinks_to_a_quarter_at_most);
	tcase_add_test(t, with_room_it_grows_back_in_steps);
	tcase_add_test(t, within_the_budget_nothing_is_asked_of_the_store);
	return run_case("memory", t);
}
