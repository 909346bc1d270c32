/* SPDX-License-Identifier: ISC */
/* Room for commits: who waits for dead data to make some, and who does not. */
#include <check.h>
#include <stdlib.h>

#include "engine/store/db.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"

#define MAX_BYTES (64u << 20)
#define VALUE_BYTES (256u << 10)
#define KEYS 16

static struct env *env;
static struct kv *kv;
static uint8_t *value;
static struct rng rng;

static void
setup(void)
{
	struct kv_options opts;

	env = env_mem_create(1);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	opts.max_bytes = MAX_BYTES;
	opts.memtable_bytes = 1u << 20;
	ck_assert_int_eq(db_open(env, "/store", &opts, &kv), 0);
	value = malloc(VALUE_BYTES);
	ck_assert_ptr_nonnull(value);
	rng = (struct rng){ test_seed() };
	for (size_t i = 0; i < VALUE_BYTES; i++)
		value[i] = (uint8_t)rng_next(&rng);
}

static void
teardown(void)
{
	ck_assert_int_eq(kv_close(kv), 0);
	env_mem_destroy(env);
	free(value);
}

/* Replace one of the keys. */
static int
overwrite(unsigned i, bool no_reclaim)
{
	struct kv_key key = { 1, 7, slice_make(&(char){ (char)i }, 1) };
	struct kv_batch b;
	int rc;

	value[rng_below(&rng, VALUE_BYTES)] ^= 1;
	kv_batch_init(&b);
	b.no_reclaim = no_reclaim;
	kv_batch_put(&b, &key, slice_make(value, VALUE_BYTES));
	rc = kv_commit(kv, &b, NULL);
	kv_batch_fini(&b);
	return rc;
}

/* Fill the store with values that are overwritten and held, so that nothing
 * of them can go, and then let go of all. */
static void
fill_with_dead_data(void)
{
	struct kv_snapshot *held[MAX_BYTES / VALUE_BYTES];
	unsigned n = 0;
	int rc = 0;

	while (rc == 0) {
		ck_assert_uint_lt(n, MAX_BYTES / VALUE_BYTES);
		ck_assert_int_eq(kv_snapshot(kv, &held[n]), 0);
		rc = overwrite(n++ % KEYS, true);
	}
	ck_assert_int_eq(rc, -ENOSPC);
	while (n > 0)
		kv_snapshot_release(kv, held[--n]);
}

/* A thread that compacts may make room at the same moment: some tries. */
START_TEST(a_commit_under_locks_hears_at_once_that_it_must_wait)
{
	int rc = 0;

	for (int i = 0; i < 20 && rc == 0; i++) {
		fill_with_dead_data();
		rc = overwrite(0, true);
	}
	ck_assert_int_eq(rc, -ENOSPC);
	/* Without locks it waits for what is dead, and then there is room. */
	ck_assert_int_eq(kv_reserve(kv, KV_ROOM_ADD, VALUE_BYTES), 0);
	ck_assert_int_eq(overwrite(0, true), 0);
}
END_TEST

/* Many times as much as fits, all of it dead: who may wait never hears of it.
 */
START_TEST(a_commit_without_locks_waits_for_dead_data)
{
	for (unsigned i = 0; i < 4 * MAX_BYTES / VALUE_BYTES; i++)
		ck_assert_int_eq(overwrite(i % KEYS, false), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc,
	    a_commit_under_locks_hears_at_once_that_it_must_wait);
	tcase_add_test(tc, a_commit_without_locks_waits_for_dead_data);
	return run_case("reserve", tc);
}
