/* SPDX-License-Identifier: ISC */
/* Latency histograms; see bench_latency.h. */
#include "bench/bench_latency.h"

/* Values below 64 have a bucket each; above, five bits follow the highest. */
static unsigned
bucket_of(uint64_t v)
{
	unsigned shift;

	if (v < 64)
		return (unsigned)v;
	shift = 58 - (unsigned)__builtin_clzll(v);
	return shift * 32 + (unsigned)(v >> shift);
}

static uint64_t
bucket_limit(unsigned b)
{
	unsigned shift = b / 32 - 1;

	if (b < 64)
		return b;
	return (((uint64_t)(b % 32) + 33) << shift) - 1;
}

void
latency_add(struct latency *l, uint64_t ns)
{
	l->bucket[bucket_of(ns)]++;
	l->count++;
	if (ns > l->max)
		l->max = ns;
}

void
latency_merge(struct latency *l, const struct latency *other)
{
	for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
		l->bucket[b] += other->bucket[b];
	l->count += other->count;
	if (other->max > l->max)
		l->max = other->max;
}

uint64_t
latency_percentile(const struct latency *l, double p)
{
	uint64_t want = (uint64_t)(p * (double)l->count), seen = 0;

	for (unsigned b = 0; b < LATENCY_BUCKETS; b++) {
		seen += l->bucket[b];
		if (seen > want)
			return bucket_limit(b) < l->max ? bucket_limit(b) :
							  l->max;
	}
	return l->max;
}
