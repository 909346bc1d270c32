/* SPDX-License-Identifier: ISC */
/*
 * The embedded store as a whole, in memory: basic promises, and random
 * operations under random options against the model, with reopenings,
 * kills, snapshots and compactions between them.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/store/db.h"
#include "engine/tree/version.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"
#include "util/clock.h"
#include "util/stats.h"

static struct env *env;
static struct kv *kv;
static struct kv_options opts;

static void
setup(void)
{
	env = env_mem_create(1);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
}

static void
open_store(void)
{
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
}

static void
close_store(void)
{
	ck_assert_int_eq(kv_close(kv), 0);
	kv = NULL;
}

static void
teardown(void)
{
	kv_close(kv);
	kv = NULL;
	env_mem_destroy(env);
}

static struct kv_key
key_of(const char *name)
{
	return (struct kv_key){ 1, 7, slice_str(name) };
}

static void
put(const char *name, const char *value)
{
	struct kv_key key = key_of(name);
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_put(&b, &key, slice_str(value));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

static void
del(const char *name)
{
	struct kv_key key = key_of(name);
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_delete(&b, &key);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

static void
expect(const char *name, const char *value)
{
	struct kv_key key = key_of(name);
	struct kv_value v;

	ck_assert_int_eq(kv_get(kv, &key, NULL, &v), 0);
	ck_assert(slice_eq(v.data, slice_str(value)));
	kv_value_release(&v);
}

static void
expect_absent(const char *name)
{
	struct kv_key key = key_of(name);
	struct kv_value v;

	ck_assert_int_eq(kv_get(kv, &key, NULL, &v), -ENOENT);
}

START_TEST(what_was_put_is_there_after_reopening)
{
	open_store();
	put("a", "1");
	put("b", "2");
	close_store();
	open_store();
	expect("a", "1");
	expect("b", "2");
	expect_absent("c");
}
END_TEST

START_TEST(what_was_put_is_there_after_a_kill)
{
	open_store();
	put("a", "1");
	env_mem_crash(env, ENV_MEM_KILL);
	kv_close(kv);
	open_store();
	expect("a", "1");
	put("a", "2");
	env_mem_crash(env, ENV_MEM_KILL);
	kv_close(kv);
	open_store();
	expect("a", "2");
}
END_TEST

/* Records wait for each other on their way to the memtable, as copies: short
 * ones, and such as fit with no other or not at all. */
START_TEST(values_of_all_sizes_are_there_after_a_kill)
{
	static const size_t sizes[] = { 0, 1, 100, 900, 3000, 8190, 40000 };
	static char value[40000 + 1];
	char name[32];

	open_store();
	for (int again = 0; again < 2; again++) {
		for (size_t i = 0; i < 400; i++) {
			size_t len = sizes[i * i % 7];

			memset(value, 'a' + (int)(i % 26), len);
			value[len] = '\0';
			snprintf(name, sizeof(name), "name-%zu", i % 300);
			if (again == 0)
				put(name, value);
			else if (i >= 100)
				expect(name, value);
		}
		env_mem_crash(env, ENV_MEM_KILL);
		kv_close(kv);
		open_store();
	}
}
END_TEST

START_TEST(a_group_is_deleted_by_one_record)
{
	struct kv_batch b;

	open_store();
	put("a", "1");
	put("", "empty");
	ck_assert_int_eq(kv_flush(kv), 0);
	kv_batch_init(&b);
	kv_batch_delete_group(&b, 1, 7);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	expect_absent("a");
	expect_absent("");
	put("a", "2");
	expect("a", "2");
	ck_assert_int_eq(kv_compact(kv), 0);
	expect("a", "2");
	expect_absent("");
}
END_TEST

static uint64_t
deletions_in_tables(void)
{
	struct db *db = db_of(kv);
	uint64_t n = 0;

	mutex_lock(&db->mu);
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &db->views.current->version->levels[i];

		for (size_t j = 0; j < l->count; j++)
			n += l->files[j]->props.deletes;
	}
	mutex_unlock(&db->mu);
	return n;
}

/* Also while others go on writing, which keeps the store from resting. */
START_TEST(a_scan_over_deleted_keys_has_them_removed)
{
	/* More deletions than a memtable keeps for a rest: IDLE_FLUSH_BYTES. */
	const unsigned count = 40000;
	uint64_t end, flushes;
	struct kv_key first = key_of("k");
	struct kv_iter *it;
	char name[16];

	open_store();
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "k%07u", i);
		put(name, "value");
	}
	ck_assert_int_eq(kv_compact(kv), 0);
	for (unsigned i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "k%07u", i);
		del(name);
	}
	flushes = counter_read(&db_of(kv)->stats.flushes);
	end = clock_now_ns() + 60000000000u;
	while (counter_read(&db_of(kv)->stats.flushes) == flushes ||
	    deletions_in_tables() != 0) {
		ck_assert_uint_lt(clock_now_ns(), end);
		ck_assert_int_eq(kv_iter_open(kv, &first, KV_SCOPE_SPACE, NULL,
				     &it),
		    0);
		ck_assert_int_ge(kv_iter_next(it), 0);
		kv_iter_close(it);
		put("z", "other");
	}
	expect_absent("k0000000");
	expect("z", "other");
}
END_TEST

START_TEST(a_store_in_use_is_refused)
{
	struct kv *second;

	open_store();
	ck_assert_int_eq(db_open(env, "/store", &opts, &second), -EBUSY);
}
END_TEST

START_TEST(a_read_only_store_reads_the_log_and_writes_nothing)
{
	struct kv_batch b;
	uint64_t written;

	open_store();
	put("a", "1");
	env_mem_crash(env, ENV_MEM_KILL);
	kv_close(kv);
	written = env_mem_bytes_written(env);
	opts.read_only = true;
	open_store();
	expect("a", "1");
	kv_batch_init(&b);
	kv_batch_delete_group(&b, 1, 7);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), -EROFS);
	kv_batch_fini(&b);
	close_store();
	ck_assert_uint_eq(env_mem_bytes_written(env), written);
	opts.read_only = false;
	open_store();
	expect("a", "1");
}
END_TEST

static uint64_t
memory_of_store(void)
{
	struct kv_memory m;

	kv_memory(kv, &m);
	return m.block_bytes + m.index_bytes + m.memtable_bytes + m.work_bytes;
}

/* The cache is full of what was read, then nothing is read any more: the
 * blocks make room for memtables that wait and for what merges them. */
START_TEST(memtables_that_wait_take_from_the_cache)
{
	enum { CACHE = 8 << 20, MEMTABLE = 1 << 20, KEYS = 20000 };
	struct kv_memory m;
	char name[32], value[400];
	uint64_t most = 0, most_memtables = 0, full;

	opts.cache_bytes = CACHE;
	opts.memtable_bytes = MEMTABLE;
	open_store();
	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (int i = 0; i < KEYS; i++) {
		snprintf(name, sizeof(name), "read%d", i);
		put(name, value);
	}
	ck_assert_int_eq(kv_compact(kv), 0);
	for (int i = 0; i < KEYS; i++) {
		snprintf(name, sizeof(name), "read%d", i);
		expect(name, value);
	}
	kv_memory(kv, &m);
	full = m.block_bytes;
	ck_assert_uint_gt(full, CACHE / 2);
	for (int i = 0; i < 5 * KEYS; i++) {
		uint64_t now;

		snprintf(name, sizeof(name), "key%d", i * 7919 % KEYS);
		put(name, value);
		now = memory_of_store();
		most = now > most ? now : most;
		kv_memory(kv, &m);
		if (m.memtable_bytes > most_memtables)
			most_memtables = m.memtable_bytes;
	}
	/* More than one at a time, or nothing was seen. */
	ck_assert_uint_gt(most_memtables, MEMTABLE);
	/* The figures are of slightly different times: a memtable that is
	 * just freed, a flush that just ends. */
	ck_assert_msg(most <= CACHE + 2 * MEMTABLE + (2 << 20),
	    "%llu bytes at most", (unsigned long long)most);
	/* The cache is bounded anew while the store runs. */
	ck_assert_int_eq(kv_set_cache(kv, 1048576), 0);
	kv_memory(kv, &m);
	ck_assert_uint_le(m.block_bytes, 1 << 20);
	ck_assert_int_eq(kv_set_cache(kv, 0), -EINVAL);
}
END_TEST

static uint64_t
figure(const char *title)
{
	char text[16384] = "";
	FILE *f = fmemopen(text, sizeof(text), "w");
	const char *p;

	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(kv_report(kv, REPORT_TEXT, f), 0);
	fclose(f);
	p = strstr(text, title);
	ck_assert_msg(p != NULL, "no %s", title);
	return strtoull(p + strlen(title) + 2, NULL, 10);
}

/* Chunks of one file: random ones, or ones that get smaller. */
static void
put_chunks(uint64_t group, unsigned count, bool random, struct rng *r)
{
	enum { CHUNK = 32 << 10, PER_BATCH = 8 };
	static uint8_t data[PER_BATCH][CHUNK];
	struct kv_batch b;

	kv_batch_init(&b);
	for (unsigned i = 0; i < count; i++) {
		uint64_t index = i;
		struct kv_key key = { 3, group, slice_make(&index, 8) };
		uint8_t *p = data[i % PER_BATCH];

		memset(p, (int)i, CHUNK);
		for (size_t k = 0; random && k < CHUNK; k += 8) {
			uint64_t x = rng_next(r);

			memcpy(p + k, &x, 8);
		}
		kv_batch_put(&b, &key, slice_make(p, CHUNK));
		if (i % PER_BATCH == PER_BATCH - 1) {
			ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
			kv_batch_clear(&b);
		}
	}
	kv_batch_fini(&b);
}

START_TEST(compression_backs_off_where_nothing_gets_smaller)
{
	struct rng r = { test_seed() };
	uint64_t tries, skips, saved;

	open_store();
	put_chunks(1, 800, true, &r);
	tries = figure("Compressions tried");
	skips = figure("Compressions skipped");
	ck_assert_uint_gt(skips, 700);
	/* Beside the log's 100 small bodies. */
	ck_assert_uint_lt(tries, 200);
	saved = figure("Bytes saved by compression");
	ck_assert_uint_lt(saved, 100 << 10);
	/* Another file is tried at once, and this one soon. */
	put_chunks(2, 800, false, &r);
	ck_assert_uint_eq(figure("Compressions skipped"), skips);
	ck_assert_uint_gt(figure("Bytes saved by compression"), 780u * 31000);
	put_chunks(1, 800, false, &r);
	ck_assert_uint_le(figure("Compressions skipped"),
	    skips + BACKOFF_SKIP_MAX);
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
}
END_TEST

static void
random_options(struct rng *r)
{
	kv_options_init(&opts);
	opts.sync = (enum kv_sync_mode)rng_below(r, KV_SYNC_OFF + 1);
	opts.sync_commits = 1 + (uint32_t)rng_below(r, 20);
	opts.sync_ms = 1 + (uint32_t)rng_below(r, 20);
	opts.memtable_bytes = 4096u << rng_below(r, 8);
	opts.cache_bytes = 1u << (10 + rng_below(r, 12));
	opts.wal_buffer_bytes = rng_below(r, 3) == 0 ? 64 << 10 : 0;
	opts.compaction_threads = 1 + (unsigned)rng_below(r, 4);
	opts.compress = rng_below(r, 4) != 0;
}

START_TEST(random_operations_agree_with_a_model)
{
	struct rng r = { test_seed() + (uint64_t)_i };
	unsigned steps = (unsigned)test_number("KVFS_STEPS", 1500);
	struct model *m = calloc(1, sizeof(*m));
	struct model *at_snapshot = calloc(1, sizeof(*m));
	struct kv_snapshot *snap = NULL;
	struct model_batch b;

	random_options(&r);
	open_store();
	for (unsigned step = 0; step < steps; step++) {
		uint64_t dice = rng_below(&r, 1000);

		if (dice < 940) {
			model_batch_make(&b, &r);
			ck_assert_int_eq(model_commit(kv, &b, NULL), 0);
			model_apply(m, &b);
		} else if (dice < 950) {
			model_expect_equal(m, kv, NULL, "running");
		} else if (dice < 960) {
			if (snap != NULL)
				model_expect_equal(at_snapshot, kv, snap,
				    "snapshot");
			kv_snapshot_release(kv, snap);
			ck_assert_int_eq(kv_snapshot(kv, &snap), 0);
			*at_snapshot = *m;
		} else if (dice < 970) {
			ck_assert_int_eq(kv_flush(kv), 0);
		} else if (dice < 980) {
			ck_assert_int_eq(kv_compact(kv), 0);
		} else if (dice < 990) {
			ck_assert_int_eq(kv_sync(kv, UINT64_MAX), 0);
		} else {
			bool kill = opts.wal_buffer_bytes == 0 &&
			    rng_below(&r, 2) == 0;

			kv_snapshot_release(kv, snap);
			snap = NULL;
			if (kill) {
				env_mem_crash(env, ENV_MEM_KILL);
				kv_close(kv);
			} else {
				close_store();
			}
			random_options(&r);
			open_store();
			model_expect_equal(m, kv, NULL, "reopened");
		}
	}
	if (snap != NULL)
		model_expect_equal(at_snapshot, kv, snap, "snapshot");
	kv_snapshot_release(kv, snap);
	model_expect_equal(m, kv, NULL, "end");
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
	close_store();
	open_store();
	model_expect_equal(m, kv, NULL, "end, reopened");
	free(m);
	free(at_snapshot);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("db");
	TCase *t = tcase_create("promises");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, what_was_put_is_there_after_reopening);
	tcase_add_test(t, what_was_put_is_there_after_a_kill);
	tcase_add_test(t, values_of_all_sizes_are_there_after_a_kill);
	tcase_add_test(t, a_group_is_deleted_by_one_record);
	tcase_add_test(t, a_scan_over_deleted_keys_has_them_removed);
	tcase_add_test(t, a_store_in_use_is_refused);
	tcase_add_test(t, a_read_only_store_reads_the_log_and_writes_nothing);
	tcase_add_test(t, memtables_that_wait_take_from_the_cache);
	tcase_add_test(t, compression_backs_off_where_nothing_gets_smaller);
	suite_add_tcase(s, t);
	t = tcase_create("model");
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, random_operations_agree_with_a_model, 0,
	    (int)test_number("KVFS_ROUNDS", 8));
	suite_add_tcase(s, t);
	return run_suite(s);
}
