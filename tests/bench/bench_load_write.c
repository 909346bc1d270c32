/* SPDX-License-Identifier: ISC */
/* Works that put: small values, batches, large values, each sync mode. */
#include "bench/bench_load.h"

/* Values of a size take so many bytes for each key of the small works. */
#define LARGE_BYTES_PER_KEY 480

static void
put_and_overwrite(const struct bench_job *job, const char *dir,
    unsigned threads, const char *put_name, const char *overwrite_name)
{
	struct step s = { .op = op_put, .threads = threads, .writes = true };
	struct run r;

	run_open(&r, job, dir, job->keys, SMALL_BYTES, &job->cfg);
	s.count = job->keys;
	s.seconds = run_write_seconds(&r);
	s.name = put_name;
	run_step(&r, &s);
	s.op = op_overwrite;
	s.name = overwrite_name;
	run_step(&r, &s);
	run_close(&r);
}

void
load_put(const struct bench_job *job)
{
	put_and_overwrite(job, "one", 1, "put random", "overwrite random");
	put_and_overwrite(job, "four", 4, "put random, 4 threads",
	    "overwrite random, 4 threads");
}

void
load_batch(const struct bench_job *job)
{
	struct run r;

	run_open(&r, job, "batch", job->keys, SMALL_BYTES, &job->cfg);
	run_step(&r,
	    &(struct step){ .name = "batches of 1,000, keys",
		.op = op_batch,
		.count = job->keys / BATCH_KEYS,
		.seconds = run_write_seconds(&r),
		.per = BATCH_KEYS,
		.time_all = true,
		.writes = true });
	run_close(&r);
}

static void
large_values(const struct bench_job *job, size_t bytes, const char *put_name,
    const char *overwrite_name, const char *get_name)
{
	uint64_t n = job->keys * LARGE_BYTES_PER_KEY / bytes + 1;
	struct step s = { .op = op_put, .count = n, .writes = true };
	struct run r;

	run_open(&r, job, "values", n, bytes, &job->cfg);
	s.time_all = true;
	s.seconds = run_write_seconds(&r);
	s.name = put_name;
	run_step(&r, &s);
	s.op = op_overwrite;
	s.name = overwrite_name;
	run_step(&r, &s);
	/* Synced puts may have ended before the last key. */
	if (s.seconds == 0) {
		run_settle(&r);
		run_step(&r,
		    &(struct step){ .name = get_name,
			.op = op_get,
			.seconds = job->timed_seconds,
			.warm = n / 4,
			.time_all = true });
	}
	run_close(&r);
}

void
load_4k(const struct bench_job *job)
{
	large_values(job, 4096, "put 4 KiB", "overwrite 4 KiB", "get 4 KiB");
}

void
load_64k(const struct bench_job *job)
{
	large_values(job, 65536, "put 64 KiB", "overwrite 64 KiB",
	    "get 64 KiB");
}

void
load_durable(const struct bench_job *job)
{
	static const struct {
		unsigned threads;
		const char *name;
	} steps[] = {
		{ 1, "put random" },
		{ 4, "put random, 4 threads" },
		{ 8, "put random, 8 threads" },
		{ 32, "put random, 32 threads" },
	};
	struct run r;

	run_open(&r, job, "durable", job->keys, SMALL_BYTES, &job->cfg);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		run_step(&r,
		    &(struct step){ .name = steps[i].name,
			.op = op_overwrite,
			.threads = steps[i].threads,
			.seconds = job->timed_seconds,
			.time_all = true });
	run_close(&r);
}

void
load_modes(const struct bench_job *job)
{
	static const struct {
		enum bench_sync sync;
		const char *name;
	} modes[] = {
		{ BENCH_SYNC_FULL, "put, sync=full" },
		{ BENCH_SYNC_EVERY, "put, sync=every:100" },
		{ BENCH_SYNC_HYBRID, "put, sync=hybrid:100:50" },
		{ BENCH_SYNC_INTERVAL, "put, sync=interval:1000" },
		{ BENCH_SYNC_CHECKPOINT, "put, sync=checkpoint" },
		{ BENCH_SYNC_OFF, "put, sync=off" },
	};
	struct bench_config cfg = job->cfg;
	struct run r;

	if (!job->ops->has_all_modes)
		return;
	/* One store: the next mode goes on where the last one ended. */
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		cfg.sync = modes[i].sync;
		run_open(&r, job, "modes", job->keys, SMALL_BYTES, &cfg);
		run_step(&r,
		    &(struct step){ .name = modes[i].name,
			.op = op_overwrite,
			.seconds = job->timed_seconds,
			.time_all = modes[i].sync == BENCH_SYNC_FULL });
		run_close(&r);
	}
}
