/* SPDX-License-Identifier: ISC */
/* Open tables and segments: bounded, opened once, given back. */
#include <check.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/env/filename.h"
#include "engine/tree/table_handle.h"
#include "support/aborts.h"
#include "support/entries.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/log.h"

#define DIR "store"
#define TABLES 20

static struct env *mem, *env;
static struct block_cache *blocks;
static struct env_dir *home;
static struct table_cache *tc;

static struct slice
user_key(uint64_t number, uint8_t *dst)
{
	struct kv_key k = { 1, number, slice_str("name") };

	return slice_make(dst, key_encode(dst, &k));
}

static void
make_table(uint64_t number)
{
	struct table_options opts;
	struct table_builder *b;
	struct table_props props;
	struct env_file *f;
	uint8_t key[KEY_INTERNAL_MAX];
	char path[PATH_MAX];
	size_t len;

	table_options_init(&opts);
	filename_path(path, DIR, FILE_TABLE, number);
	ck_assert_int_eq(env_path_open(mem, path, ENV_WRITE | ENV_CREATE, &f),
	    0);
	b = table_builder_create(f, number, &opts);
	len = key_append_trailer(key, user_key(number, key).len, 5, KEY_VALUE);
	ck_assert_int_eq(table_builder_add(b, slice_make(key, len),
			     slice_make(&number, sizeof(number))),
	    0);
	ck_assert_int_eq(table_builder_finish(b, &props), 0);
	table_builder_destroy(b);
	env_close(f);
}

static void
quiet(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void
setup(void)
{
	log_set_sink(quiet);
	mem = env_mem_create(1);
	env = env_fault_create(mem);
	ck_assert_int_eq(env_path_mkdir(mem, DIR), 0);
	for (uint64_t i = 1; i <= TABLES; i++)
		make_table(i);
	blocks = block_cache_create(1 << 20);
	home = env_path_dir(env, DIR);
	tc = table_cache_create(home, blocks, 5, UINT64_MAX);
	ck_assert_ptr_nonnull(tc);
}

static void
teardown(void)
{
	table_cache_check(tc);
	table_cache_destroy(tc);
	block_cache_destroy(blocks);
	env_dir_close(home);
	env_fault_destroy(env);
	env_mem_destroy(mem);
	log_set_sink(NULL);
}

static uint64_t
opens(void)
{
	return env_fault_calls(env, ENV_CALL_BIT(ENV_CALL_OPEN));
}

static void
expect_right(struct table_reader *t, uint64_t number)
{
	uint8_t key[KEY_USER_MAX];
	struct kv_value v;
	uint64_t seq;
	int type;

	struct slice user = user_key(number, key);

	if (table_reader_get(t, user, key_hash(user), SEQ_MAX, &seq, &type,
		&v) != 1 ||
	    !slice_eq(v.data, slice_make(&number, sizeof(number))))
		abort();
	kv_value_release(&v);
}

static void
use(uint64_t number)
{
	struct table_handle *h;
	struct table_reader *t;

	ck_assert_int_eq(table_cache_table(tc, number, &h, &t), 0);
	expect_right(t, number);
	table_handle_release(h);
}

/* Bounded by what indexes and filters take, tables close too. */
START_TEST(memory_of_indexes_is_bounded)
{
	struct table_handle *handle;
	struct table_reader *t;
	uint64_t one;

	ck_assert_int_eq(table_cache_table(tc, 1, &handle, &t), 0);
	one = table_cache_memory(tc);
	ck_assert_uint_gt(one, 0);
	table_handle_release(handle);
	table_cache_destroy(tc);
	tc = table_cache_create(home, blocks, 1000, 3 * one);
	ck_assert_ptr_nonnull(tc);
	for (uint64_t i = 1; i <= TABLES; i++) {
		ck_assert_int_eq(table_cache_table(tc, i, &handle, &t), 0);
		expect_right(t, i);
		table_handle_release(handle);
		ck_assert_uint_le(table_cache_memory(tc), 3 * one);
	}
	ck_assert_uint_eq(table_cache_memory(tc), 3 * one);
}
END_TEST

START_TEST(a_table_is_opened_once_and_one_not_used_again_closed)
{
	for (uint64_t i = 1; i <= 5; i++)
		use(i);
	use(1);
	use(1);
	ck_assert_uint_eq(opens(), 5);
	ck_assert_uint_gt(table_cache_memory(tc), 0);
	use(6); /* 2 goes, since 1 was used again */
	use(1);
	ck_assert_uint_eq(opens(), 6);
	use(2);
	ck_assert_uint_eq(opens(), 7);
}
END_TEST

START_TEST(pinned_tables_come_on_top_of_the_bound)
{
	struct table_handle *h[TABLES];
	struct table_reader *t[TABLES];

	for (uint64_t i = 0; i < TABLES; i++)
		ck_assert_int_eq(table_cache_table(tc, i + 1, &h[i], &t[i]), 0);
	for (uint64_t i = 0; i < TABLES; i++) {
		expect_right(t[i], i + 1);
		table_handle_release(h[i]);
	}
	ck_assert_uint_eq(opens(), TABLES);
	table_cache_evict(tc, 20);
	use(20); /* brings the rest down to the bound */
	ck_assert_uint_eq(opens(), TABLES + 1);
	use(1);
	ck_assert_uint_eq(opens(), TABLES + 2);
}
END_TEST

START_TEST(an_evicted_table_serves_those_who_hold_it)
{
	struct table_handle *h;
	struct table_reader *t;

	ck_assert_int_eq(table_cache_table(tc, 3, &h, &t), 0);
	table_cache_evict(tc, 3);
	ck_assert_int_eq(env_path_unlink(mem, DIR "/000003.sst"), 0);
	expect_right(t, 3);
	ck_assert_uint_gt(table_cache_memory(tc), 0);
	table_handle_release(h);
	ck_assert_uint_eq(table_cache_memory(tc), 0);
	table_cache_evict(tc, 3);
	table_cache_evict(tc, 99);
	ck_assert_int_eq(table_cache_table(tc, 3, &h, &t), -KVFS_ECORRUPT);
	ck_assert_ptr_null(h);
	ck_assert_ptr_null(t);
}
END_TEST

START_TEST(a_failed_open_is_tried_again)
{
	struct env_fault_rule rule = {
		.calls = ENV_CALL_BIT(ENV_CALL_OPEN),
		.nth = 1,
		.error = EMFILE,
	};
	struct table_handle *h;
	struct table_reader *t;

	env_fault_arm(env, &rule);
	ck_assert_int_eq(table_cache_table(tc, 3, &h, &t), -EMFILE);
	use(3);
	rule.calls = ENV_CALL_BIT(ENV_CALL_READ);
	rule.error = EIO;
	env_fault_arm(env, &rule);
	ck_assert_int_eq(table_cache_table(tc, 4, &h, &t), -EIO);
	use(4);
}
END_TEST

START_TEST(segments_are_kept_beside_tables)
{
	struct segment_value v;
	struct segment_writer *w;
	struct segment_reader *r;
	struct segment_pointer p;
	struct table_handle *h;
	struct kv_value value;
	struct env_file *f;
	uint8_t key[KEY_USER_MAX];

	ck_assert_int_eq(env_path_open(mem, DIR "/000077.seg",
			     ENV_WRITE | ENV_CREATE, &f),
	    0);
	ck_assert_int_eq(segment_writer_open(f, DIR "/000077.seg", 77, &w), 0);
	segment_value_init(&v);
	ck_assert_int_eq(segment_value_encode(&v, user_key(77, key),
			     slice_str("large"), true),
	    0);
	ck_assert_int_eq(segment_append(w, &v, 1, &p), 0);
	segment_value_fini(&v);
	segment_writer_close(w);
	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(table_cache_segment(tc, 77, &h, &r), 0);
		ck_assert_int_eq(segment_read(r, &p, user_key(77, key), &value),
		    0);
		ck_assert(slice_eq(value.data, slice_str("large")));
		kv_value_release(&value);
		table_handle_release(h);
	}
	ck_assert_uint_eq(opens(), 1);
}
END_TEST

/* ---- Threads ---- */

#define THREADS 4

static pthread_barrier_t start;

static void *
open_one(void *arg)
{
	(void)arg;
	for (uint64_t i = 1; i <= 5; i++) {
		pthread_barrier_wait(&start);
		use(i);
	}
	return NULL;
}

static void *
open_many(void *arg)
{
	uint64_t x = (uint64_t)(uintptr_t)arg + 1;

	for (int i = 0; i < 3000; i++) {
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		if (i % 50 == 0)
			table_cache_evict(tc, (x >> 50) % TABLES + 1);
		use((x >> 33) % TABLES + 1);
	}
	return NULL;
}

static void
run(void *(*fn)(void *))
{
	pthread_t t[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&t[i], NULL, fn, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
}

START_TEST(threads_that_want_one_table_open_it_once)
{
	pthread_barrier_init(&start, NULL, THREADS);
	run(open_one);
	pthread_barrier_destroy(&start);
	ck_assert_uint_eq(opens(), 5);
}
END_TEST

START_TEST(threads_open_use_and_evict)
{
	run(open_many);
}
END_TEST

static void
check_cache(void *arg)
{
	table_cache_check(arg);
}

START_TEST(a_broken_cache_is_told)
{
	struct table_handle *h;
	struct table_reader *t;

	ck_assert_int_eq(table_cache_table(tc, 3, &h, &t), 0);
	table_cache_check(tc);
	tc->count++;
	ck_assert(aborts_with("table cache: 1 files in the queue, 2 counted",
	    check_cache, tc));
	tc->count--;
	h->is_listed = false;
	ck_assert(aborts_with("file 3 is in the queue and not listed",
	    check_cache, tc));
	h->is_listed = true;
	table_handle_release(h);
}
END_TEST

int
main(void)
{
	TCase *tcase = tcase_create("all");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, memory_of_indexes_is_bounded);
	tcase_add_test(tcase,
	    a_table_is_opened_once_and_one_not_used_again_closed);
	tcase_add_test(tcase, pinned_tables_come_on_top_of_the_bound);
	tcase_add_test(tcase, an_evicted_table_serves_those_who_hold_it);
	tcase_add_test(tcase, a_failed_open_is_tried_again);
	tcase_add_test(tcase, segments_are_kept_beside_tables);
	tcase_add_test(tcase, threads_that_want_one_table_open_it_once);
	tcase_add_test(tcase, threads_open_use_and_evict);
	tcase_add_test(tcase, a_broken_cache_is_told);
	return run_case("table_cache", tcase);
}
