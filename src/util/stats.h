/* SPDX-License-Identifier: ISC */
/*
 * Counters and histograms that any thread may add to. They are relaxed atomics;
 * a counter is spread over several cache lines by thread, to avoid contention.
 * A read adds these up, and may miss concurrent additions.
 */
#ifndef KVFS_UTIL_STATS_H
#define KVFS_UTIL_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#define STATS_STRIPES 8

struct counter {
	struct {
		_Alignas(64) _Atomic uint64_t v;
	} stripe[STATS_STRIPES];
};

/* The stripe of this thread. */
unsigned stats_stripe(void);

static inline void
counter_add(struct counter *c, uint64_t n)
{
	atomic_fetch_add_explicit(&c->stripe[stats_stripe()].v, n,
	    memory_order_relaxed);
}
uint64_t counter_read(const struct counter *c);

/* Log-linear buckets, four to each power of two (HdrHistogram's idea). */
#define HISTOGRAM_BUCKETS 256

struct histogram {
	_Atomic uint64_t bucket[HISTOGRAM_BUCKETS];
	_Atomic uint64_t sum, max;
};

void histogram_add(struct histogram *h, uint64_t v);
uint64_t histogram_count(const struct histogram *h);
/* The number of values below 2 to the power. */
uint64_t histogram_count_below(const struct histogram *h, unsigned power);
uint64_t histogram_sum(const struct histogram *h);
/* The upper bound of the bucket with the p-quantile, p from 0 to 1. */
uint64_t histogram_percentile(const struct histogram *h, double p);

#endif
