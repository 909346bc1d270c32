/* SPDX-License-Identifier: ISC */
/*
 * Power cuts: a store under random commits on an env that forgets what was
 * not synced. Whatever a cut leaves must open to a prefix of the history
 * that holds at least what was acknowledged as durable, and go on from
 * there. The history is known: after commit n the model has one state.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/memtable/memtable.h"
#include "engine/store/db.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"

/* Each commit also writes its number here, outside of the model's spaces. */
static const struct kv_key counter_key = { .space = 200, .group = 1 };

struct history {
	struct model_batch *batches;
	size_t count, cap;
};

static void
history_add(struct history *h, const struct model_batch *b)
{
	if (h->count == h->cap) {
		h->cap = h->cap != 0 ? h->cap * 2 : 256;
		h->batches = realloc(h->batches, h->cap * sizeof(*h->batches));
		ck_assert_ptr_nonnull(h->batches);
	}
	h->batches[h->count++] = *b;
}

/* Number of the last commit that the store holds. */
static uint64_t
counter_read_back(struct kv *kv)
{
	struct kv_value v;
	uint64_t n = 0;
	int rc = kv_get(kv, &counter_key, NULL, &v);

	ck_assert(rc == 0 || rc == -ENOENT);
	if (rc == 0) {
		ck_assert_uint_eq(v.data.len, sizeof(n));
		memcpy(&n, v.data.data, sizeof(n));
	}
	kv_value_release(&v);
	return n;
}

static void
random_options(struct kv_options *o, struct rng *r)
{
	kv_options_init(o);
	o->sync = (enum kv_sync_mode)rng_below(r, KV_SYNC_OFF + 1);
	o->sync_commits = 1 + (uint32_t)rng_below(r, 10);
	o->sync_ms = 1 + (uint32_t)rng_below(r, 5);
	o->memtable_bytes = 2048u << rng_below(r, 8);
	o->cache_bytes = 64 << 10;
	o->wal_buffer_bytes = rng_below(r, 4) == 0 ? 32 << 10 : 0;
	o->compress = rng_below(r, 3) != 0;
}

/* The model as of commit n. */
static void
model_at(struct model *m, const struct history *h, uint64_t n)
{
	memset(m, 0, sizeof(*m));
	for (uint64_t i = 0; i < n; i++)
		model_apply(m, &h->batches[i]);
}

/* What a cut left must be some state of the history, not before durable. */
static uint64_t
check_image(struct env *image, const struct kv_options *o,
    const struct history *h, uint64_t durable, struct model *scratch)
{
	struct kv *kv;
	uint64_t n;

	ck_assert_int_eq(db_open(image, "/store", o, &kv), 0);
	n = counter_read_back(kv);
	ck_assert_msg(n >= durable, "commit %llu was durable, %llu is the last",
	    (unsigned long long)durable, (unsigned long long)n);
	ck_assert_uint_le(n, h->count);
	model_at(scratch, h, n);
	model_expect_equal(scratch, kv, NULL, "after the cut");
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	return n;
}

static const enum env_mem_crash_mode modes[] = { ENV_MEM_KILL, ENV_MEM_DROP,
	ENV_MEM_ORDERED, ENV_MEM_HOSTILE };

/* One life of a store: commits with cuts taken as copies beside it, then a
 * cut of the original, from which the next life goes on. */
static void
live(struct env *env, struct history *h, struct rng *r, unsigned steps,
    unsigned *cutsp)
{
	struct model *scratch = calloc(1, sizeof(*scratch));
	struct kv_options o, reader;
	struct model_batch b;
	uint64_t durable = 0, seq;
	struct kv *kv;

	random_options(&o, r);
	ck_assert_int_eq(db_open(env, "/store", &o, &kv), 0);
	h->count = counter_read_back(kv);
	durable = h->count;
	for (unsigned step = 0; step < steps; step++) {
		model_batch_make(&b, r);
		/* In the history first: a cut during the commit may keep it. */
		history_add(h, &b);
		ck_assert_int_eq(model_commit_with(kv, &b, &counter_key,
				     h->count, &seq),
		    0);
		if (o.sync == KV_SYNC_FULL)
			durable = h->count;
		if (o.sync != KV_SYNC_OFF && rng_below(r, 20) == 0) {
			ck_assert_int_eq(kv_sync(kv, seq), 0);
			durable = h->count;
		}
		if (rng_below(r, 60) == 0)
			ck_assert_int_eq(kv_flush(kv), 0);
		if (rng_below(r, 8) == 0) {
			enum env_mem_crash_mode mode =
			    modes[1 + rng_below(r, 3)];
			struct env *image = env_mem_crash_copy(env, mode,
			    rng_next(r));

			random_options(&reader, r);
			check_image(image, &reader, h, durable, scratch);
			env_mem_destroy(image);
			(*cutsp)++;
		}
	}
	env_mem_crash(env, modes[rng_below(r, 4)]);
	kv_close(kv);
	random_options(&reader, r);
	h->count = check_image(env, &reader, h, durable, scratch);
	(*cutsp)++;
	free(scratch);
}

START_TEST(every_power_cut_leaves_a_prefix_with_all_that_was_durable)
{
	struct rng r = { test_seed() + (uint64_t)_i * 7919 };
	struct env *env = env_mem_create(rng_next(&r));
	struct history h = { 0 };
	unsigned cuts = 0;

	for (unsigned life = 0; life < 6; life++)
		live(env, &h, &r, 20 + (unsigned)rng_below(&r, 80), &cuts);
	printf("%u cuts\n", cuts);
	free(h.batches);
	env_mem_destroy(env);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("cuts");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t,
	    every_power_cut_leaves_a_prefix_with_all_that_was_durable, 0,
	    (int)test_number("KVFS_CRASH_ROUNDS", 12));
	return run_case("db_crash", t);
}
