/* SPDX-License-Identifier: ISC */
/* Works that read: in cache, larger than it, after a kill, beside writers. */
#include "bench/bench_load.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/bench_proc.h"
#include "util/clock.h"

#define ROW_BYTES (BENCH_KEY_LEN + SMALL_BYTES)
#define VERIFIED_GETS 1000
/* The cache of the work larger than it has one of so many bytes. */
#define CACHE_ONE_OF 8
/* Files are made cold again after so few gets that what the kernel reads
 * ahead for one is hardly found by another. */
#define COLD_GETS 20
#define COLD_GETS_ALL 4000

void
load_read(const struct bench_job *job)
{
	struct bench_config cfg = job->cfg;
	uint64_t n = job->keys, warm = n / 2;
	double seconds = job->timed_seconds;
	struct run r;

	/* Blocks with their filters and indexes, and to spare. */
	cfg.cache_bytes = n * ROW_BYTES * 2 + (32u << 20);
	run_open(&r, job, "read", n, SMALL_BYTES, &cfg);
	run_load(&r);
	run_settle(&r);
	run_step(&r,
	    &(struct step){ .name = "get in cache",
		.op = op_get,
		.seconds = seconds,
		.warm = n });
	run_step(&r,
	    &(struct step){ .name = "get in cache, 4 threads",
		.op = op_get,
		.threads = 4,
		.seconds = seconds,
		.warm = warm });
	run_step(&r,
	    &(struct step){ .name = "get of hot keys",
		.op = op_get_hot,
		.seconds = seconds,
		.warm = warm });
	run_step(&r,
	    &(struct step){ .name = "get of hot keys, 4 threads",
		.op = op_get_hot,
		.threads = 4,
		.seconds = seconds,
		.warm = warm });
	run_step(&r,
	    &(struct step){ .name = "get of missing keys",
		.op = op_get_missing,
		.seconds = seconds,
		.warm = warm });
	run_step(&r,
	    &(struct step){ .name = "scan all, keys",
		.op = op_scan_all,
		.seconds = seconds,
		.warm = 1,
		.per = n,
		.time_all = true });
	run_step(&r,
	    &(struct step){ .name = "seek and scan 50, scans",
		.op = op_scan_short,
		.seconds = seconds,
		.warm = n / 20 });
	run_close(&r);
}

void
load_mixed(const struct bench_job *job)
{
	uint64_t n = job->keys;
	double seconds = job->timed_seconds * 2;
	struct bench_config cfg = job->cfg;
	struct run r;

	cfg.is_mixed = true;
	run_open(&r, job, "mixed", n, SMALL_BYTES, &cfg);
	run_load(&r);
	run_settle(&r);
	run_step(&r,
	    &(struct step){ .name = "half get half put, 2 threads",
		.op = op_mixed,
		.threads = 2,
		.seconds = seconds,
		.warm = n / 20 });
	run_settle(&r);
	run_step(&r,
	    &(struct step){ .name = "get while one thread puts",
		.op = op_get,
		.seconds = seconds,
		.warm = n / 4,
		.beside = op_overwrite,
		.beside_name = "put while one thread gets" });
	run_close(&r);
}

/* Fill a store in a process that dies like one that was killed: nothing is
 * closed, and the log has all that was not flushed. */
static void
fill_and_die(const struct bench_job *job, const struct bench_config *cfg)
{
	struct run r;
	int status;
	pid_t pid = fork();

	if (pid < 0)
		bench_die("fork", "failed");
	if (pid == 0) {
		run_open(&r, job, "large", job->large_keys, SMALL_BYTES, cfg);
		run_load(&r);
		kill(getpid(), SIGKILL);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status) ||
	    WTERMSIG(status) != SIGKILL)
		bench_die(job->ops->name, "filling the store failed");
}

/* Open, and one get, so that nothing is put off to the first use. */
static void
timed_open(struct run *r, const struct bench_job *job,
    const struct bench_config *cfg, const char *name)
{
	const struct step one = { .name = "first get",
		.op = op_get,
		.count = 1,
		.time_all = true };
	uint64_t start;

	proc_reset_peak();
	start = clock_now_ns();
	run_open(r, job, "large", job->large_keys, SMALL_BYTES, cfg);
	run_quietly(r, &one);
	run_figure(r, name, "ms", (double)(clock_now_ns() - start) / 1e6);
	run_memory(r, name);
}

static void
make_cold(struct run *r)
{
	dir_drop_cache(r->dir);
}

void
load_large(const struct bench_job *job)
{
	struct bench_config cfg = job->cfg;
	uint64_t n = job->large_keys;
	struct run r;

	cfg.cache_bytes = n * ROW_BYTES / CACHE_ONE_OF;
	cfg.is_larger_than_cache = true;
	fill_and_die(job, &cfg);
	timed_open(&r, job, &cfg, "open after a kill");
	run_quietly(&r,
	    &(struct step){ .name = "verify",
		.op = op_get,
		.count = VERIFIED_GETS });
	run_settle(&r);
	run_step(&r,
	    &(struct step){ .name = "get, larger than cache",
		.op = op_get,
		.seconds = job->timed_seconds * 4,
		.warm = n / 10 });
	run_close(&r);
	dir_drop_cache(r.dir);
	timed_open(&r, job, &cfg, "open, cold files");
	run_step(&r,
	    &(struct step){ .name = "get, cold files",
		.op = op_get,
		.count = COLD_GETS_ALL,
		.seconds = job->timed_seconds * 8,
		.time_all = true,
		.between = make_cold,
		.between_every = COLD_GETS });
	run_close(&r);
}
