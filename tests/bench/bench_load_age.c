/* SPDX-License-Identifier: ISC */
/* Works that wear a store: deletions, and overwrites for long. */
#include "bench/bench_load.h"

#include <time.h>

#include "bench/bench_proc.h"
#include "util/clock.h"

/* Less than 200,000 operations a second: 5 ms of rest after each thousand. */
#define PAUSE_EVERY 1000
#define PAUSE_NS 5000000

/* The keys in three parts, whose deletions differ. */
static uint64_t
part(const struct run *r)
{
	return r->keys / 3;
}

static void
remove_key(struct run *r, uint64_t i)
{
	struct bench_key k = bench_key_of(i);

	r->ops->del(r->store, &k);
}

static void
op_delete_first(struct run *r, struct worker *w, uint64_t i)
{
	(void)w;
	remove_key(r, i);
}

static void
op_delete_second(struct run *r, struct worker *w, uint64_t i)
{
	(void)w;
	remove_key(r, part(r) + i);
}

static void
op_delete_random(struct run *r, struct worker *w, uint64_t i)
{
	(void)w;
	remove_key(r, 2 * part(r) + bench_permute(i, part(r)));
}

/* From key i over everything that was deleted to the first 50 that are
 * left. */
static void
scan_deleted(struct run *r, uint64_t i)
{
	struct bench_key k = bench_key_of(i);
	uint64_t bytes = 0;

	if (r->ops->scan(r->store, &k, SCAN_KEYS, &bytes) != SCAN_KEYS)
		bench_die(r->ops->name, "a scan missed keys");
}

static void
op_scan_deleted(struct run *r, struct worker *w, uint64_t i)
{
	(void)w;
	(void)i;
	scan_deleted(r, 0);
}

static void
scan_first(struct run *r, uint64_t i, const char *name)
{
	uint64_t start = clock_now_ns();

	scan_deleted(r, i);
	run_figure(r, name, "ms", (double)(clock_now_ns() - start) / 1e6);
}

static void
pause_a_little(struct run *r)
{
	(void)r;
	nanosleep(&(struct timespec){ 0, PAUSE_NS }, NULL);
}

/* As fast as can be, which some stores' background work cannot follow; with
 * pauses; and half of the rest at random. */
void
load_delete(const struct bench_job *job)
{
	uint64_t n = job->keys;
	struct step s = { .writes = false };
	struct run r;

	run_open(&r, job, "delete", n * 3, SMALL_BYTES, &job->cfg);
	run_load(&r);
	run_settle(&r);
	s.name = "delete in order";
	s.op = op_delete_first;
	s.count = n;
	s.seconds = run_write_seconds(&r);
	run_step(&r, &s);
	scan_first(&r, 0, "first scan after deletions");
	run_step(&r,
	    &(struct step){ .name = "scan 50 after deletions, scans",
		.op = op_scan_deleted,
		.seconds = job->timed_seconds / 2,
		.time_all = true });
	run_settle(&r);
	s.name = "delete in order, with pauses";
	s.op = op_delete_second;
	s.between = pause_a_little;
	s.between_every = PAUSE_EVERY;
	run_step(&r, &s);
	scan_first(&r, n, "first scan after deletions with pauses");
	s = (struct step){ .name = "delete random",
		.op = op_delete_random,
		.count = n / 2,
		.seconds = run_write_seconds(&r) };
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
