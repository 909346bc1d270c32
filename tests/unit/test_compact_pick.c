/* SPDX-License-Identifier: ISC */
/* What is compacted next, of trees that exist in memory alone. */
#include <check.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/compact/compact_internal.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/table/table_builder.h"
#include "engine/tree/version.h"
#include "support/suite.h"
#include "support/tables.h"

#define MEMTABLE_BYTES (8u << 20)
#define BASE LEVEL_LAST

static struct compact_state state;
static struct segment_set segs;
static struct pick p;
static struct version *version;
static struct version_edit edit;
static uint64_t next_number;

static void
setup(void)
{
	state = (struct compact_state){ 0 };
	mutex_init(&segs.mu);
	RB_INIT(&segs.tree);
	p = (struct pick){ .compact = &state,
		.segs = &segs,
		.memtable_bytes = MEMTABLE_BYTES };
	edit = (struct version_edit){ 0 };
	next_number = 1;
}

static void
teardown(void)
{
	version_unref(version);
	version = NULL;
	mutex_fini(&segs.mu);
}

static size_t
user_of(uint8_t *dst, uint64_t group)
{
	struct kv_key key = { 1, group, slice_str("") };

	return key_encode(dst, &key);
}

/* A table of groups [from, to), whose entries take 100 bytes each. */
static void
add(int level, uint64_t from, uint64_t to, uint64_t entries, uint64_t deletes)
{
	uint8_t smallest[KEY_USER_MAX], limit[KEY_USER_MAX];
	struct table_props props = {
		.entries = entries,
		.deletes = deletes,
		.file_bytes = 100 * (entries - deletes) + 10 * deletes,
	};
	size_t slen = user_of(smallest, from), llen = user_of(limit, to);
	struct table_file *f = table_file_create(next_number++, &props,
	    slice_make(smallest, slen), slice_make(limit, llen), NULL, 0, 0);

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(version_edit_add(&edit, level, f), 0);
}

static struct compact_job *
pick(void)
{
	struct version *empty = version_create(drop_table, NULL);

	ck_assert_int_eq(version_apply(empty, &edit, &version), 0);
	version_unref(empty);
	version_edit_fini(&edit);
	return compact_pick(&p, version);
}

static void
expect_level0(struct compact_job *job, size_t inputs, size_t below)
{
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(job->level, 0);
	ck_assert_int_eq(job->output_level, BASE);
	ck_assert_uint_eq(job->input_count[0], inputs);
	ck_assert_uint_eq(job->input_count[1], below);
	compact_job_finish(&state, job);
	ck_assert(!state.l0_is_taken);
}

/* 1,000 groups of 100 entries each. */
static void
add_base(void)
{
	for (uint64_t i = 0; i < 10; i++)
		add(BASE, 100 * i, 100 * (i + 1), 10000, 0);
}

START_TEST(a_few_tables_wait_for_more)
{
	add_base();
	add(0, 0, 1000, 10000, 0);
	add(0, 0, 1000, 10000, 0);
	ck_assert_ptr_null(pick());
}
END_TEST

START_TEST(four_are_merged)
{
	add_base();
	for (int i = 0; i < L0_COMPACT_FILES; i++)
		add(0, 200, 400, 1000, 0);
	expect_level0(pick(), L0_COMPACT_FILES, 2);
}
END_TEST

START_TEST(deletions_that_free_much_are_merged_at_once)
{
	struct compact_job *job;

	add_base();
	add(0, 200, 300, 9000, 9000);
	/* Slowed down or not: nothing is due. */
	p.is_slowed = _i != 0;
	job = pick();
	ck_assert_ptr_nonnull(job);
	ck_assert(job->pace.is_off);
	expect_level0(job, 1, 1);
}
END_TEST

/* Also before what is due, but for writers that wait for that. */
START_TEST(deletions_that_free_much_go_first)
{
	struct compact_job *job;

	for (uint64_t i = 0; i < 10; i++)
		add(BASE, 100 * i, 100 * (i + 1), 100000, 0);
	for (uint64_t i = 0; i < 10; i++)
		add(BASE - 1, 100 * i, 100 * (i + 1), 100000,
		    i == 5 ? 90000 : 0);
	p.is_slowed = _i != 0;
	/* Cheapest of those that are due. */
	add(BASE - 1, 2000, 2100, 100000, 0);
	job = pick();
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(job->level, BASE - 1);
	ck_assert_uint_eq(job->input_count[1], _i == 0 ? 1 : 0);
	ck_assert_int_eq(job->pace.is_off, _i == 0);
	compact_job_finish(&state, job);
}
END_TEST

START_TEST(deletions_here_and_there_wait)
{
	add_base();
	add(0, 0, 1000, 9000, 9000);
	ck_assert_ptr_null(pick());
}
END_TEST

START_TEST(so_are_those_of_a_level_below)
{
	struct compact_job *job;

	/* So much that there is a level above. */
	for (uint64_t i = 0; i < 10; i++)
		add(BASE, 100 * i, 100 * (i + 1), 100000, 0);
	add(BASE - 1, 0, 200, 1000, 100);
	add(BASE - 1, 200, 300, 90000, 90000);
	add(BASE - 1, 300, 1000, 90000, 90000);
	job = pick();
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(job->level, BASE - 1);
	ck_assert_uint_eq(job->input_count[0], 1);
	ck_assert_uint_eq(job->inputs[0][0]->number, 12);
	ck_assert(job->pace.is_off);
	compact_job_finish(&state, job);
}
END_TEST

/* Nothing says what they free; but nothing below is in their way either. */
START_TEST(group_deletions_without_a_hint_are_merged_where_nothing_is_below)
{
	struct compact_job *job;

	for (uint64_t i = 0; i < 10; i++)
		add(BASE, 100 * i, 100 * (i + 1), 100000, 0);
	add(BASE - 1, 2000, 2100, 1, 0);
	edit.adds[edit.add_count - 1].file->props.group_deletes = 1;
	p.idle = true;
	job = pick();
	ck_assert_ptr_nonnull(job);
	ck_assert_int_eq(job->level, BASE - 1);
	ck_assert_uint_eq(job->input_count[1], 0);
	ck_assert(!job->move);
	compact_job_finish(&state, job);
}
END_TEST

START_TEST(what_is_being_merged_is_left_alone)
{
	add_base();
	add(0, 200, 300, 9000, 9000);
	state.l0_is_taken = true;
	ck_assert_ptr_null(pick());
}
END_TEST

/* compact_job_create() returns NULL without memory. */
START_TEST(without_memory_for_a_job_there_is_none)
{
	ck_assert_ptr_null(compact_job_complete(&state, NULL));
	ck_assert_uint_eq(state.running, 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_few_tables_wait_for_more);
	tcase_add_test(tc, four_are_merged);
	tcase_add_loop_test(tc, deletions_that_free_much_are_merged_at_once, 0,
	    2);
	tcase_add_loop_test(tc, deletions_that_free_much_go_first, 0, 2);
	tcase_add_test(tc, deletions_here_and_there_wait);
	tcase_add_test(tc, so_are_those_of_a_level_below);
	tcase_add_test(tc,
	    group_deletions_without_a_hint_are_merged_where_nothing_is_below);
	tcase_add_test(tc, what_is_being_merged_is_left_alone);
	tcase_add_test(tc, without_memory_for_a_job_there_is_none);
	return run_case("compact_pick", tc);
}
