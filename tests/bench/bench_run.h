/* SPDX-License-Identifier: ISC */
/*
 * Running steps on an open store: threads that do one operation again and
 * again, their rate, how long single operations took, the memory and the
 * bytes written meanwhile.
 */
#ifndef KVFS_BENCH_RUN_H
#define KVFS_BENCH_RUN_H

#include <pthread.h>
#include <stdatomic.h>

#include "bench/bench_data.h"
#include "bench/bench_latency.h"
#include "util/mutex.h"

/* Values of the works that are about something else. */
#define SMALL_BYTES 100

/* What is measured of one step, or FIGURE for anything else. */
enum bench_metric {
	METRIC_RATE,
	METRIC_FIGURE,
	METRIC_P50,
	METRIC_P99,
	METRIC_P999,
	METRIC_MAX,
	METRIC_RSS,
	METRIC_ANON,
	METRIC_WRITTEN,
	METRICS,
};

struct bench_record {
	char step[56];
	char unit[8];
	enum bench_metric metric;
	double value;
};

/* One work on one store, as a work is given it. */
struct bench_job {
	const struct bench_ops *ops;
	struct bench_config cfg; /* sync mode of the profile, cache, memtable */
	const char *dir; /* empty, for this work alone */
	uint64_t keys; /* of most works */
	uint64_t large_keys; /* of those larger than the cache */
	double timed_seconds; /* of steps that are not counted in operations */
	double long_seconds; /* of the long load */
	uint64_t seed;
	/* The same for all works; copies the record. */
	void (*report)(const struct bench_record *rec);
};

struct worker;

struct run {
	const struct bench_job *job;
	const struct bench_ops *ops;
	void *store;
	char dir[4300];
	uint64_t keys;
	size_t value_bytes;
	char *pool;

	/* Calls sync() each second for a store that does not do so itself. */
	pthread_t syncer;
	bool has_syncer;
	struct mutex mu;
	struct cond wake;
	bool stop;
};

typedef void (*run_op)(struct run *r, struct worker *w, uint64_t i);

struct worker {
	struct run *r;
	const struct step *step;
	run_op op;
	uint64_t first, stride; /* its operations are first + k * stride */
	uint64_t deadline_ns; /* 0: none */
	const atomic_bool *stop; /* NULL: none */
	uint64_t rng;
	char *value; /* one value's bytes, to fill and to read into */
	uint64_t done, between_ns;
	struct latency latency;
	pthread_t thread;
};

struct step {
	const char *name;
	run_op op;
	unsigned threads; /* 0: 1 */
	/* It ends after so many operations of all threads or so many seconds,
	 * whichever comes first; 0: no such end. */
	uint64_t count;
	double seconds;
	uint64_t warm; /* operations before it that are not measured */
	uint64_t per; /* things that one operation does; 0: 1 */
	bool writes; /* also tell bytes written for each byte put */
	/* Every operation is timed, else one of 17: timing costs. */
	bool time_all;
	/* Done before each so many operations of the only thread; not timed. */
	void (*between)(struct run *r);
	uint64_t between_every;
	/* One more thread does this meanwhile, and is reported too. */
	run_op beside;
	const char *beside_name;
};

/* Open a store in the folder name below the job's; made when missing. */
void run_open(struct run *r, const struct bench_job *job, const char *name,
    uint64_t keys, size_t value_bytes, const struct bench_config *cfg);
void run_close(struct run *r);

/* Returns the bytes of keys and values that its operations put, if all of
 * them did. */
uint64_t run_step(struct run *r, const struct step *s);
/* In this thread, by count alone, not measured. */
void run_quietly(struct run *r, const struct step *s);
/* All keys once, in random order and in batches of 1,000; not measured. */
void run_load(struct run *r);
/* Wait until the store has nothing left to do in the background; and then
 * what it does when it is left alone for three seconds; after that nobody
 * syncs any more. */
void run_settle(struct run *r);
void run_rest(struct run *r);
/* One figure of a name and unit of its own; less of it is better. */
void run_figure(struct run *r, const char *name, const char *unit,
    double value);
/* The memory at its most since the last reset (proc_reset_peak()). */
void run_memory(struct run *r, const char *step);

/* Seconds after which a step that writes ends; 0 unless each put is synced,
 * which takes too long to be counted in keys. */
double run_write_seconds(const struct run *r);

/* Operations. w->value is theirs to use. */
void op_put(struct run *r, struct worker *w, uint64_t i); /* each key once */
void op_overwrite(struct run *r, struct worker *w, uint64_t i); /* random */
void op_batch(struct run *r, struct worker *w, uint64_t i); /* BATCH_KEYS */
void op_get(struct run *r, struct worker *w, uint64_t i);
void op_get_hot(struct run *r, struct worker *w, uint64_t i); /* 1 percent */
void op_get_missing(struct run *r, struct worker *w, uint64_t i);
void op_scan_all(struct run *r, struct worker *w, uint64_t i);
void op_scan_short(struct run *r, struct worker *w, uint64_t i);
void op_mixed(struct run *r, struct worker *w, uint64_t i);

#define BATCH_KEYS 1000
#define SCAN_KEYS 50

#endif
