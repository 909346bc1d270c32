/* SPDX-License-Identifier: ISC */
/* Compaction jobs in parts: where they are cut, and that nothing is lost. */
#include <check.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/store/db.h"
#include "engine/table/table_builder.h"
#include "engine/tree/version.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "util/stats.h"

#define MEMTABLE_BYTES (64u << 10)
#define THREADS 4
#define GROUPS 64
#define NAMES 200
#define VALUE_BYTES 300

static struct compact_job job;
static struct table_file *files[2][32];

static void
add_input(int i, uint64_t group, uint64_t bytes)
{
	struct kv_key key = { 1, group, slice_str("name") };
	uint8_t user[KEY_USER_MAX], limit[KEY_PREFIX_LEN];
	struct table_props props = { .file_bytes = bytes };
	size_t len = key_encode(user, &key);

	key_group_end(limit, slice_make(user, len));
	files[i][job.input_count[i]] = table_file_create(1, &props,
	    slice_make(user, len), slice_make(limit, sizeof(limit)), NULL, 0,
	    0);
	ck_assert_ptr_nonnull(files[i][job.input_count[i]]);
	job.input_count[i]++;
}

static void
setup(void)
{
	job = (struct compact_job){ .inputs = { files[0], files[1] } };
}

static void
teardown(void)
{
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job.input_count[i]; j++)
			table_file_free(files[i][j]);
	free(job.parts);
}

static void
expect_parts(size_t count)
{
	ck_assert_int_eq(compact_split(&job, MEMTABLE_BYTES, THREADS), 0);
	ck_assert_uint_eq(job.part_count, count);
	ck_assert_uint_eq(job.parts[0].from_len, 0);
	ck_assert_uint_eq(job.parts[count - 1].to_len, 0);
	for (size_t i = 1; i < count; i++) {
		ck_assert_uint_eq(job.parts[i].from_len, KEY_PREFIX_LEN);
		ck_assert_uint_eq(job.parts[i - 1].to_len, KEY_PREFIX_LEN);
		ck_assert_mem_eq(job.parts[i].from, job.parts[i - 1].to,
		    KEY_PREFIX_LEN);
		ck_assert_int_gt(memcmp(job.parts[i].from,
				     job.parts[i - 1].from, KEY_PREFIX_LEN),
		    0);
	}
}

START_TEST(a_large_job_has_a_part_for_each_thread)
{
	for (uint64_t i = 0; i < 8; i++) {
		add_input(0, 3 * i, 4 * MEMTABLE_BYTES);
		add_input(1, 3 * i + 1, 4 * MEMTABLE_BYTES);
	}
	expect_parts(4);
}
END_TEST

START_TEST(a_small_job_is_not_shared)
{
	add_input(0, 1, MEMTABLE_BYTES);
	add_input(1, 2, MEMTABLE_BYTES);
	add_input(1, 3, MEMTABLE_BYTES);
	expect_parts(1);
}
END_TEST

START_TEST(a_group_is_in_one_part)
{
	for (int i = 0; i < 8; i++)
		add_input(1, 7, 4 * MEMTABLE_BYTES);
	expect_parts(1);
}
END_TEST

START_TEST(what_keeps_its_place_is_not_shared)
{
	job.in_place = true;
	add_input(0, 1, 64 * MEMTABLE_BYTES);
	add_input(0, 2, 64 * MEMTABLE_BYTES);
	expect_parts(1);
}
END_TEST

/* ---- With threads ---- */

/* One commit for all groups' name n. */
static void
fill_name(struct kv *kv, unsigned round, unsigned n)
{
	uint8_t value[VALUE_BYTES];
	struct kv_batch b;

	kv_batch_init(&b);
	for (uint64_t group = 0; group < GROUPS; group++) {
		struct kv_key key = { 1, group, slice_make(&n, sizeof(n)) };

		/* Hidden in each round, and only in its own group. */
		if (n == round && group % 8 == round % 8)
			kv_batch_delete_group(&b, 1, group);
		for (size_t i = 0; i < sizeof(value); i++)
			value[i] = (uint8_t)(rand() >> 8);
		value[0] = (uint8_t)round;
		kv_batch_put(&b, &key, slice_make(value, sizeof(value)));
	}
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

/* What fill() has left of name n after so many rounds: the last round that
 * wrote it, unless its group was deleted later. */
static bool
is_there(uint64_t group, unsigned n, unsigned rounds, uint8_t *roundp)
{
	bool there = false;

	for (unsigned r = 0; r < rounds; r++) {
		if (group % 8 == r % 8)
			there = false;
		if (n >= r) {
			there = true;
			*roundp = (uint8_t)r;
		}
	}
	return there;
}

START_TEST(parts_make_what_one_job_would)
{
	struct env *env = env_mem_create(1);
	struct kv_options opts;
	struct kv_iter *it;
	struct kv_key first = { 1, 0, slice_make(NULL, 0) };
	struct kv *kv;
	const unsigned rounds = 6;
	struct slice value;
	uint8_t round = 0;

	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	opts.memtable_bytes = MEMTABLE_BYTES;
	opts.compaction_threads = 4;
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
	for (unsigned r = 0; r < rounds; r++)
		for (unsigned n = r; n < NAMES; n++)
			fill_name(kv, r, n);
	ck_assert_int_eq(kv_compact(kv), 0);
	ck_assert_uint_gt(counter_read(&db_of(kv)->stats.shared_parts), 0);
	ck_assert_int_eq(kv_iter_open(kv, &first, KV_SCOPE_SPACE, NULL, &it),
	    0);
	for (uint64_t group = 0; group < GROUPS; group++) {
		for (unsigned n = 0; n < NAMES; n++) {
			if (!is_there(group, n, rounds, &round))
				continue;
			ck_assert_int_eq(kv_iter_next(it), 1);
			ck_assert_uint_eq(kv_iter_key(it).group, group);
			ck_assert_int_eq(kv_iter_value(it, &value), 0);
			ck_assert_uint_eq(value.len, VALUE_BYTES);
			ck_assert_uint_eq(*(const uint8_t *)value.data, round);
		}
	}
	ck_assert_int_eq(kv_iter_next(it), 0);
	kv_iter_close(it);
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	env_mem_destroy(env);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("compact_split");
	TCase *tc = tcase_create("borders"), *run = tcase_create("threads");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_large_job_has_a_part_for_each_thread);
	tcase_add_test(tc, a_small_job_is_not_shared);
	tcase_add_test(tc, a_group_is_in_one_part);
	tcase_add_test(tc, what_keeps_its_place_is_not_shared);
	suite_add_tcase(s, tc);
	tcase_set_timeout(run, 60);
	tcase_add_test(run, parts_make_what_one_job_would);
	suite_add_tcase(s, run);
	return run_suite(s);
}
