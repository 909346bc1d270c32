/* SPDX-License-Identifier: ISC */
/*
 * How long operations took: a histogram of one thread's own, with buckets
 * of 3 percent, so that stores a little apart do not land in one (those of
 * util/stats.h are of 25, and shared by threads).
 */
#ifndef KVFS_BENCH_LATENCY_H
#define KVFS_BENCH_LATENCY_H

#include <stdint.h>

#define LATENCY_BUCKETS (60 * 32)

/* Zero-initialised it is empty. Nanoseconds. */
struct latency {
	uint64_t bucket[LATENCY_BUCKETS];
	uint64_t count, max;
};

void latency_add(struct latency *l, uint64_t ns);
void latency_merge(struct latency *l, const struct latency *other);
/* Upper bound of the bucket that holds the p-th part (0..1) of all. */
uint64_t latency_percentile(const struct latency *l, double p);

#endif
