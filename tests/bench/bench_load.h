/* SPDX-License-Identifier: ISC */
/*
 * The works: each opens a store of its own, brings it to a state and runs
 * steps on it. A work runs in a process of its own for each store and round.
 */
#ifndef KVFS_BENCH_LOAD_H
#define KVFS_BENCH_LOAD_H

#include "bench/bench_run.h"

enum {
	PROFILE_THROUGHPUT = 1 << 0,
	PROFILE_BALANCED = 1 << 1,
	PROFILE_DURABLE = 1 << 2,
};

struct bench_load {
	const char *name;
	const char *what;
	unsigned profiles; /* in which it runs unless asked for by name */
	bool large_values; /* also for stores that differ in these alone */
	void (*run)(const struct bench_job *job);
};

extern const struct bench_load bench_loads[];
extern const size_t bench_load_count;

/* bench_load_write.c */
void load_put(const struct bench_job *job);
void load_batch(const struct bench_job *job);
void load_4k(const struct bench_job *job);
void load_64k(const struct bench_job *job);
void load_durable(const struct bench_job *job);
void load_modes(const struct bench_job *job);
/* bench_load_read.c */
void load_read(const struct bench_job *job);
void load_mixed(const struct bench_job *job);
void load_large(const struct bench_job *job);
/* bench_load_age.c */
void load_delete(const struct bench_job *job);
void load_long(const struct bench_job *job);

#endif
