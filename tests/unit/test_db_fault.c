/* SPDX-License-Identifier: ISC */
/*
 * A disk that fails: for every n that a workload of all operations reaches,
 * its n-th call fails, once or from then on, with EIO or ENOSPC. Nothing
 * that was acknowledged as durable is lost, nothing that was refused comes
 * back half, and a store that ran out of room works again when there is
 * some.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/memtable/memtable.h"
#include "engine/store/db.h"
#include "support/env_fault.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"
#include "util/log.h"

static const struct kv_key counter_key = { .space = 200, .group = 1 };

static void
no_log(enum log_level level, const char *line)
{
	(void)level;
	(void)line;
}

static void
small_options(struct kv_options *o)
{
	kv_options_init(o);
	o->sync = KV_SYNC_INTERVAL;
	o->sync_ms = 3600000;
	o->memtable_bytes = 16 << 10;
	o->cache_bytes = 32 << 10;
}

struct run {
	struct model_batch batches[64];
	uint64_t committed; /* acknowledged */
	uint64_t tried; /* the last may or may not have happened */
	uint64_t durable;
	int error;
};

/* Commits, syncs, flushes, a compaction, reads; until something fails. */
static void
work(struct kv *kv, struct run *run, struct rng *r)
{
	uint64_t seq = 0;

	for (uint64_t i = 0; i < 40; i++) {
		model_batch_make(&run->batches[i], r);
		run->tried = i + 1;
		run->error = model_commit_with(kv, &run->batches[i],
		    &counter_key, i + 1, &seq);
		if (run->error < 0)
			return;
		run->committed = i + 1;
		if (i % 7 == 3) {
			run->error = kv_sync(kv, seq);
			if (run->error < 0)
				return;
			run->durable = run->committed;
		}
		if (i == 15 || i == 30) {
			run->error = kv_flush(kv);
			if (run->error < 0)
				return;
			run->durable = run->committed;
		}
		if (i == 35) {
			run->error = kv_compact(kv);
			if (run->error < 0)
				return;
		}
	}
}

static uint64_t
counter_of(struct kv *kv)
{
	struct kv_value v;
	uint64_t n = 0;
	int rc = kv_get(kv, &counter_key, NULL, &v);

	ck_assert(rc == 0 || rc == -ENOENT);
	if (rc == 0)
		memcpy(&n, v.data.data, sizeof(n));
	kv_value_release(&v);
	return n;
}

/* Open the store on the healthy disk and compare with the history. */
static void
check_history(struct env *disk, const struct run *run, uint64_t at_least,
    uint64_t nth)
{
	struct model *m = calloc(1, sizeof(*m));
	struct kv_options o;
	struct kv *kv;
	uint64_t n;

	small_options(&o);
	log_set_sink(NULL);
	ck_assert_msg(db_open(disk, "/store", &o, &kv) == 0,
	    "call %llu failed, and the store cannot be opened",
	    (unsigned long long)nth);
	n = counter_of(kv);
	ck_assert_msg(n >= at_least && n <= run->tried,
	    "call %llu failed: %llu of %llu commits, %llu durable",
	    (unsigned long long)nth, (unsigned long long)n,
	    (unsigned long long)run->tried, (unsigned long long)at_least);
	for (uint64_t i = 0; i < n; i++)
		model_apply(m, &run->batches[i]);
	model_expect_equal(m, kv, NULL, "after the fault");
	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	free(m);
}

static const struct {
	int error;
	bool lasts, half;
} faults[] = {
	{ EIO, false, false },
	{ EIO, true, true },
	{ ENOSPC, false, true },
	{ ENOSPC, true, false },
};

START_TEST(no_failing_call_loses_what_was_acknowledged)
{
	uint64_t seed = test_seed(), nth, stride;
	bool is_reached = true;
	struct run *run = calloc(1, sizeof(*run));

	log_set_sink(no_log);
	stride = test_number("KVFS_FAULT_STRIDE", 3);
	/* A different start each time covers all n in the long run. */
	for (nth = 1 + seed % stride; is_reached; nth += stride) {
		struct env *disk = env_mem_create(seed);
		struct env *env = env_fault_create(disk);
		struct env_fault_rule rule = { .nth = nth,
			.error = faults[_i].error,
			.lasts = faults[_i].lasts,
			.writes_half = faults[_i].half };
		struct rng r = { seed };
		struct kv_options o;
		struct kv *kv = NULL;

		small_options(&o);
		log_set_sink(no_log);
		memset(run, 0, sizeof(*run));
		env_fault_arm(env, &rule);
		run->error = db_open(env, "/store", &o, &kv);
		if (run->error == 0)
			work(kv, run, &r);
		/* The process dies; the disk keeps what it was given. */
		if (run->error < 0 && rng_below(&r, 2) == 0) {
			env_mem_crash(disk, ENV_MEM_KILL);
			kv_close(kv);
			env_fault_disarm(env);
			check_history(disk, run, run->committed, nth);
		} else {
			int rc = kv_close(kv);

			env_fault_disarm(env);
			env_mem_crash(disk, ENV_MEM_DROP);
			check_history(disk, run,
			    run->error == 0 && rc == 0 ? run->committed :
							 run->durable,
			    nth);
		}
		is_reached = env_fault_matched(env) >= nth;
		env_fault_destroy(env);
		env_mem_destroy(disk);
	}
	ck_assert_uint_gt(nth, 100);
	printf("%llu calls\n", (unsigned long long)nth);
	free(run);
}
END_TEST

START_TEST(a_full_disk_takes_deletions_and_works_again_with_room)
{
	struct env *disk = env_mem_create(1);
	struct rng r = { test_seed() };
	struct model *m = calloc(1, sizeof(*m));
	struct model_batch b;
	struct kv_options o;
	struct kv *kv;
	unsigned done = 0;
	int rc = 0;

	log_set_sink(no_log);
	small_options(&o);
	env_mem_set_total(disk, 24 << 20);
	ck_assert_int_eq(db_open(disk, "/store", &o, &kv), 0);
	while (done < 100000) {
		model_batch_make(&b, &r);
		if (done == 20)
			env_mem_set_free(disk, 0);
		rc = model_commit(kv, &b, NULL);
		if (rc < 0)
			break;
		model_apply(m, &b);
		done++;
	}
	ck_assert_int_eq(rc, -ENOSPC);
	model_expect_equal(m, kv, NULL, "full");
	env_mem_set_free(disk, 16 << 20);
	/* The next flush finds room within its second. */
	for (unsigned i = 0; i < 50; i++) {
		model_batch_make(&b, &r);
		rc = model_commit(kv, &b, NULL);
		ck_assert_int_eq(rc, 0);
		model_apply(m, &b);
	}
	model_expect_equal(m, kv, NULL, "with room");
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_int_eq(db_open(disk, "/store", &o, &kv), 0);
	model_expect_equal(m, kv, NULL, "reopened");
	ck_assert_int_eq(kv_close(kv), 0);
	env_mem_destroy(disk);
	free(m);
}
END_TEST

int
main(void)
{
	TCase *t = tcase_create("faults");

	tcase_set_timeout(t, 300);
	tcase_add_loop_test(t, no_failing_call_loses_what_was_acknowledged, 0,
	    (int)(sizeof(faults) / sizeof(faults[0])));
	tcase_add_test(t,
	    a_full_disk_takes_deletions_and_works_again_with_room);
	return run_case("db_fault", t);
}
