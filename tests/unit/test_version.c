/* SPDX-License-Identifier: ISC */
/* Sets of tables: applying edits, finding tables, and who holds them. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/tree/version.h"
#include "support/aborts.h"
#include "support/model.h"
#include "support/suite.h"

static struct version *current;
static unsigned dropped; /* files that lost their last holder */

static void
drop(void *arg, struct table_file *f)
{
	ck_assert_ptr_eq(arg, &dropped);
	dropped++;
	table_file_free(f);
}

static void
setup(void)
{
	current = version_create(drop, &dropped);
	ck_assert_ptr_nonnull(current);
}

static void
teardown(void)
{
	version_unref(current);
}

/* User keys of one group by number. */
static struct slice
user_of(uint8_t *dst, uint64_t n)
{
	struct kv_key k = { 1, 5, { dst + KEY_PREFIX_LEN, 8 } };

	put_be64(dst + KEY_PREFIX_LEN, n);
	return slice_make(dst, key_encode(dst, &k));
}

static struct table_file *
file_of(uint64_t number, uint64_t from, uint64_t limit)
{
	uint8_t a[KEY_USER_MAX], b[KEY_USER_MAX];
	struct table_props p = { .file_bytes = 100,
		.entries = 10,
		.group_deletes = 1,
		.min_seq = number,
		.max_seq = number };
	struct segment_use use = { .segment = 3, .bytes = 30 };
	struct table_file *f = table_file_create(number, &p, user_of(a, from),
	    user_of(b, limit), &use, 1, 77);

	ck_assert_ptr_nonnull(f);
	return f;
}

static void
edit_add(struct version_edit *e, int level, uint64_t number, uint64_t from,
    uint64_t limit)
{
	ck_assert_int_eq(version_edit_add(e, level,
			     file_of(number, from, limit)),
	    0);
}

static int
apply(struct version_edit *e)
{
	struct version *next;
	int rc = version_apply(current, e, &next);

	version_edit_fini(e);
	if (rc == 0) {
		version_unref(current);
		current = next;
		version_check(current);
	} else {
		ck_assert_ptr_null(next);
	}
	return rc;
}

START_TEST(a_table_keeps_copies_of_its_keys_and_uses)
{
	struct table_file *f = file_of(9, 10, 20);
	uint8_t a[KEY_USER_MAX];

	ck_assert(slice_eq(f->smallest, user_of(a, 10)));
	ck_assert(slice_eq(f->limit, user_of(a, 20)));
	ck_assert_uint_eq(f->use_count, 1);
	ck_assert_uint_eq(f->uses[0].segment, 3);
	ck_assert_uint_eq(f->uses[0].bytes, 30);
	ck_assert_uint_eq(f->reclaim_bytes, 77);
	ck_assert_uint_eq(f->props.entries, 10);
	table_file_free(f);
	table_file_free(NULL);
}
END_TEST

START_TEST(level_0_has_the_newest_first_and_may_overlap)
{
	struct version_edit e = { 0 };
	const struct level *l;

	edit_add(&e, 0, 5, 0, 100);
	edit_add(&e, 0, 7, 50, 200);
	edit_add(&e, 0, 6, 0, 1000);
	ck_assert_int_eq(apply(&e), 0);
	l = &current->levels[0];
	ck_assert_uint_eq(l->count, 3);
	for (size_t i = 0; i < l->count; i++)
		ck_assert_uint_eq(l->files[i]->number, 7 - i);
	ck_assert_uint_eq(l->bytes, 300);
	ck_assert_uint_eq(l->group_deletes, 3);
}
END_TEST

START_TEST(other_levels_are_sorted_and_disjoint)
{
	struct version_edit e = { 0 };
	const struct level *l = NULL;

	edit_add(&e, 2, 5, 20, 30);
	edit_add(&e, 2, 6, 0, 10);
	ck_assert_int_eq(apply(&e), 0);
	edit_add(&e, 2, 7, 10, 20);
	ck_assert_int_eq(apply(&e), 0);
	l = &current->levels[2];
	ck_assert_uint_eq(l->count, 3);
	for (size_t i = 1; i < l->count; i++)
		ck_assert_int_le(slice_cmp(l->files[i - 1]->limit,
				     l->files[i]->smallest),
		    0);
	edit_add(&e, 2, 8, 29, 40);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	edit_add(&e, 2, 8, 30, 30);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	ck_assert_uint_eq(current->levels[2].count, 3);
}
END_TEST

START_TEST(an_edit_that_does_not_fit_changes_nothing)
{
	struct version_edit e = { 0 };

	edit_add(&e, 0, 5, 0, 10);
	edit_add(&e, 1, 6, 0, 10);
	ck_assert_int_eq(apply(&e), 0);
	/* Not there; there, but in another level; twice. */
	version_edit_remove(&e, 0, 99);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	version_edit_remove(&e, 1, 5);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	version_edit_remove(&e, 0, 5);
	version_edit_remove(&e, 0, 5);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	/* What is there already cannot be added. */
	edit_add(&e, 0, 5, 0, 10);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	edit_add(&e, 0, 8, 0, 10);
	edit_add(&e, 0, 8, 0, 10);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	edit_add(&e, 3, 6, 0, 10);
	ck_assert_int_eq(apply(&e), -KVFS_ECORRUPT);
	ck_assert_uint_eq(current->levels[0].count, 1);
	ck_assert_uint_eq(current->levels[1].count, 1);
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(a_table_moves_down_in_one_edit)
{
	struct version_edit e = { 0 };
	struct table_file *f;

	edit_add(&e, 1, 5, 0, 10);
	ck_assert_int_eq(apply(&e), 0);
	f = current->levels[1].files[0];
	table_file_ref(f);
	version_edit_remove(&e, 1, 5);
	ck_assert_int_eq(version_edit_add(&e, 2, f), 0);
	ck_assert_int_eq(apply(&e), 0);
	ck_assert_uint_eq(current->levels[1].count, 0);
	ck_assert_ptr_eq(current->levels[2].files[0], f);
	ck_assert_uint_eq(dropped, 0);
}
END_TEST

START_TEST(a_file_is_dropped_with_the_last_version_that_has_it)
{
	struct version_edit e = { 0 };
	struct version *old;

	edit_add(&e, 0, 5, 0, 10);
	edit_add(&e, 0, 6, 0, 10);
	ck_assert_int_eq(apply(&e), 0);
	old = current;
	version_ref(old);
	version_edit_remove(&e, 0, 5);
	ck_assert_int_eq(apply(&e), 0);
	ck_assert_uint_eq(dropped, 0);
	version_unref(old);
	ck_assert_uint_eq(dropped, 1);
	version_edit_remove(&e, 0, 6);
	ck_assert_int_eq(apply(&e), 0);
	ck_assert_uint_eq(dropped, 2);
}
END_TEST

START_TEST(lookups_agree_with_a_search_of_all_tables)
{
	struct version_edit e = { 0 };
	struct rng r = { test_seed() };
	uint64_t at = 0;
	const struct level *l;

	for (uint64_t n = 1; n <= 40; n++) {
		uint64_t from = at + rng_below(&r, 3);

		at = from + 1 + rng_below(&r, 5);
		edit_add(&e, 3, n, from, at);
		edit_add(&e, 0, 100 + n, from, at + rng_below(&r, 9));
	}
	ck_assert_int_eq(apply(&e), 0);
	l = &current->levels[3];
	for (uint64_t n = 0; n < at + 3; n++) {
		uint8_t a[KEY_USER_MAX], b[KEY_USER_MAX];
		struct slice user = user_of(a, n);
		struct table_file *want = NULL;
		size_t bound = 0;

		for (size_t i = 0; i < l->count; i++) {
			if (slice_cmp(l->files[i]->limit, user) <= 0)
				bound = i + 1;
			else if (slice_cmp(l->files[i]->smallest, user) <= 0)
				want = l->files[i];
		}
		ck_assert_ptr_eq(level_find(l, user), want);
		ck_assert_uint_eq(level_lower_bound(l, user), bound);
		for (uint64_t to = n + 1; to < n + 12; to++)
			for (int level = 0; level <= 3; level += 3) {
				const struct level *any =
				    &current->levels[level];
				struct slice limit = user_of(b, to);
				bool touches = false;

				for (size_t i = 0; i < any->count; i++)
					touches |=
					    slice_cmp(any->files[i]->smallest,
						limit) < 0 &&
					    slice_cmp(user,
						any->files[i]->limit) < 0;
				ck_assert_int_eq(level_overlaps(any, level,
						     user, limit),
				    touches);
			}
	}
	ck_assert_ptr_null(
	    level_find(&current->levels[5], slice_make("012345678", 9)));
}
END_TEST

START_TEST(the_end_of_a_group_is_the_next_group)
{
	uint8_t user[KEY_USER_MAX], end[KEY_PREFIX_LEN], next[KEY_USER_MAX];
	static const struct kv_key cases[][2] = {
		{ { 1, 5, { "name", 4 } }, { 1, 6, { "", 0 } } },
		{ { 1, 0xff, { "", 0 } }, { 1, 0x100, { "", 0 } } },
		{ { 1, UINT64_MAX, { "\xff", 1 } }, { 2, 0, { "", 0 } } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = key_encode(user, &cases[i][0]);

		ck_assert_uint_eq(key_group_end(end, slice_make(user, len)),
		    KEY_PREFIX_LEN);
		key_encode(next, &cases[i][1]);
		ck_assert_int_eq(memcmp(end, next, KEY_PREFIX_LEN), 0);
	}
	memset(user, 0xff, KEY_PREFIX_LEN);
	key_group_end(end, slice_make(user, KEY_PREFIX_LEN));
	ck_assert_int_eq(memcmp(end, user, KEY_PREFIX_LEN), 0);
}
END_TEST

static void
check_current(void *arg)
{
	(void)arg;
	version_check(current);
}

START_TEST(a_broken_version_is_told)
{
	struct version_edit e = { 0 };
	struct level *l;
	struct table_file *first;

	edit_add(&e, 2, 5, 10, 20);
	edit_add(&e, 2, 6, 20, 30);
	ck_assert_int_eq(apply(&e), 0);
	l = &current->levels[2];
	first = l->files[0];
	l->files[0] = l->files[1];
	l->files[1] = first;
	ck_assert(aborts_with("version: level 2: tables 6 and 5 overlap",
	    check_current, NULL));
	l->files[1] = l->files[0];
	l->files[0] = first;
	l->bytes--;
	ck_assert(
	    aborts_with("version: level 2: tables have 200 bytes, not 199",
		check_current, NULL));
	l->bytes++;
	version_check(current);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_table_keeps_copies_of_its_keys_and_uses);
	tcase_add_test(tc, level_0_has_the_newest_first_and_may_overlap);
	tcase_add_test(tc, other_levels_are_sorted_and_disjoint);
	tcase_add_test(tc, an_edit_that_does_not_fit_changes_nothing);
	tcase_add_test(tc, a_table_moves_down_in_one_edit);
	tcase_add_test(tc, a_file_is_dropped_with_the_last_version_that_has_it);
	tcase_add_test(tc, lookups_agree_with_a_search_of_all_tables);
	tcase_add_test(tc, the_end_of_a_group_is_the_next_group);
	tcase_add_test(tc, a_broken_version_is_told);
	return run_case("version", tc);
}
