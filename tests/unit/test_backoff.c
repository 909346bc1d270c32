/* SPDX-License-Identifier: ISC */
/* When compression is tried again after it did not pay. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "engine/segment/backoff.h"
#include "engine/key/key.h"
#include "support/suite.h"

static struct backoff *b;

static void
setup(void)
{
	b = calloc(1, sizeof(*b));
	ck_assert_ptr_nonnull(b);
}

static void
teardown(void)
{
	free(b);
}

static struct slice
group(uint64_t number, uint8_t user[KEY_USER_MAX])
{
	struct kv_key key = { 3, number, slice_str("") };

	return slice_make(user, key_encode(user, &key));
}

/* How many of the next n values of a group are tried, each with that
 * outcome. */
static unsigned
tries(uint64_t number, unsigned n, bool has_shrunk)
{
	uint8_t user[KEY_USER_MAX];
	struct slice key = group(number, user);
	unsigned tried = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!backoff_may_try(b, key))
			continue;
		tried++;
		backoff_learn(b, key, has_shrunk);
	}
	return tried;
}

START_TEST(what_gets_smaller_is_always_tried)
{
	ck_assert_uint_eq(tries(1, 10000, true), 10000);
}
END_TEST

START_TEST(what_never_does_is_tried_half_as_often_each_time)
{
	/* 0, 1, then after 1, 3, 7 and 15 that are skipped. */
	ck_assert_uint_eq(tries(1, 2, false), 2);
	ck_assert_uint_eq(tries(1, 2, false), 1);
	ck_assert_uint_eq(tries(1, 4, false), 1);
	ck_assert_uint_eq(tries(1, 8, false), 1);
	ck_assert_uint_eq(tries(1, 16, false), 1);
	ck_assert_uint_eq(tries(1, 16000, false), 1000);
}
END_TEST

START_TEST(one_success_ends_it)
{
	tries(1, 10000, false);
	ck_assert_uint_ge(tries(1, 1000, true), 1000 - BACKOFF_SKIP_MAX);
	ck_assert_uint_eq(tries(1, 1000, true), 1000);
	ck_assert_uint_eq(tries(1, BACKOFF_MIN_FAILURES, false),
	    BACKOFF_MIN_FAILURES);
}
END_TEST

START_TEST(groups_do_not_share_their_fate)
{
	unsigned tried = 0;

	for (uint64_t i = 0; i < 1000; i++)
		tries(i, 100, false);
	/* Others than those are tried, whatever is in their places. */
	for (uint64_t i = 100000; i < 110000; i++)
		tried += tries(i, 1, true);
	ck_assert_uint_eq(tried, 10000);
	/* And have not made the table forget. */
	ck_assert_uint_lt(tries(999, BACKOFF_SKIP_MAX + 1, false), 3);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, what_gets_smaller_is_always_tried);
	tcase_add_test(t, what_never_does_is_tried_half_as_often_each_time);
	tcase_add_test(t, one_success_ends_it);
	tcase_add_test(t, groups_do_not_share_their_fate);
	return run_case("backoff", t);
}
