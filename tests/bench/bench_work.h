/* SPDX-License-Identifier: ISC */
/*
 * The works: each opens a fresh store, does several things to it one after
 * the other and reports a rate for each.
 */
#ifndef KVFS_BENCH_WORK_H
#define KVFS_BENCH_WORK_H

#include "bench/bench_store.h"

struct bench_params {
	struct bench_config cfg;
	uint64_t keys;
	double durable_seconds; /* of each durable step */
	uint64_t seed;
};

/* Operations per second of one step. */
typedef void (*bench_report_fn)(const char *step, double rate);

struct bench_work {
	const char *name;
	const char *what;
	void (*run)(const struct bench_ops *ops, const char *dir,
	    const struct bench_params *p, bench_report_fn report);
};

extern const struct bench_work bench_works[];
extern const size_t bench_work_count;

#endif
