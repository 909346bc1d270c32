/* SPDX-License-Identifier: ISC */
/* Works that wear a store: deletions, and overwrites for long. */
#include "bench/bench_load.h"

#include "bench/bench_proc.h"

static void
op_delete_in_order(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = bench_key_of(i);

	(void)w;
	r->ops->del(r->store, &k);
}

/* Of the upper half. */
static void
op_delete_random(struct run *r, struct worker *w, uint64_t i)
{
	uint64_t half = r->keys / 2;
	struct bench_key k = bench_key_of(half + bench_permute(i, half));

	(void)w;
	r->ops->del(r->store, &k);
}

/* From the front, over everything that was deleted, to the first 50 that
 * are left. */
static void
op_scan_deleted(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = bench_key_of(0);
	uint64_t bytes = 0;

	(void)w;
	(void)i;
	if (r->ops->scan(r->store, &k, SCAN_KEYS, &bytes) != SCAN_KEYS)
		bench_die(r->ops->name, "a scan missed keys");
}

/* Half of twice the keys in order, half of the rest at random. */
void
load_delete(const struct bench_job *job)
{
	uint64_t n = job->keys, start;
	struct step s = { .writes = false };
	struct worker none = { 0 };
	struct run r;

	run_open(&r, job, "delete", n * 2, SMALL_BYTES, &job->cfg);
	run_load(&r);
	run_settle(&r);
	s.name = "delete in order";
	s.op = op_delete_in_order;
	s.count = n;
	s.seconds = run_write_seconds(&r);
	run_step(&r, &s);
	start = clock_now_ns();
	op_scan_deleted(&r, &none, 0);
	run_figure(&r, "first scan after deletions", "ms",
	    (double)(clock_now_ns() - start) / 1e6);
	run_step(&r,
	    &(struct step){ .name = "scan 50 after deletions, scans",
		.op = op_scan_deleted,
		.seconds = job->timed_seconds / 2,
		.time_all = true });
	s.name = "delete random";
	s.op = op_delete_random;
	s.count = n / 2;
	run_step(&r, &s);
	run_close(&r);
}

/*
 * From one quiet state to the next, and a rest of three seconds in it: what
 * is put off to later is counted.
 * Space is compared with what snappy makes of the live keys and values.
 */
void
load_long(const struct bench_job *job)
{
	uint64_t n = job->large_keys, written, put;
	struct run r;

	run_open(&r, job, "long", n, SMALL_BYTES, &job->cfg);
	run_load(&r);
	r.ops->sync(r.store);
	run_settle(&r);
	written = proc_written_bytes();
	put = run_step(&r,
	    &(struct step){ .name = "overwrite for long",
		.op = op_overwrite,
		.seconds = job->long_seconds,
		.time_all = true });
	r.ops->sync(r.store);
	run_rest(&r);
	run_figure(&r, "write amplification", "x",
	    (double)(proc_written_bytes() - written) / (double)put);
	run_figure(&r, "space by live compressed data", "x",
	    (double)dir_disk_bytes(r.dir) /
		((double)n * (BENCH_KEY_LEN + SMALL_BYTES) *
		    bench_compressed_part(SMALL_BYTES, r.pool)));
	run_close(&r);
}
