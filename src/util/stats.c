/* SPDX-License-Identifier: ISC */
/* See stats.h. */
#include "util/stats.h"

unsigned
stats_stripe(void)
{
	static _Atomic unsigned next;
	static _Thread_local unsigned mine = UINT32_MAX;

	if (mine == UINT32_MAX)
		mine = atomic_fetch_add_explicit(&next, 1,
			   memory_order_relaxed) %
		    STATS_STRIPES;
	return mine;
}

uint64_t
counter_read(const struct counter *c)
{
	uint64_t sum = 0;

	for (int i = 0; i < STATS_STRIPES; i++)
		sum += atomic_load_explicit(&c->stripe[i].v,
		    memory_order_relaxed);
	return sum;
}

/* Values below 4 have a bucket each. Above that, the highest bit and the two
 * after it select the bucket. */
static unsigned
bucket_of(uint64_t v)
{
	unsigned top;

	if (v < 4)
		return (unsigned)v;
	top = 63 - (unsigned)__builtin_clzll(v);
	return (top - 1) * 4 + (unsigned)(v >> (top - 2) & 3);
}

static uint64_t
bucket_limit(unsigned b)
{
	unsigned top = b / 4 + 1;

	if (b < 4)
		return b;
	return (((uint64_t)(b & 3) + 5) << (top - 2)) - 1;
}

void
histogram_add(struct histogram *h, uint64_t v)
{
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);

	atomic_fetch_add_explicit(&h->bucket[bucket_of(v)], 1,
	    memory_order_relaxed);
	atomic_fetch_add_explicit(&h->sum, v, memory_order_relaxed);
	while (v > max &&
	    !atomic_compare_exchange_weak_explicit(&h->max, &max, v,
		memory_order_relaxed, memory_order_relaxed))
		;
}

uint64_t
histogram_count(const struct histogram *h)
{
	uint64_t n = 0;

	for (int i = 0; i < HISTOGRAM_BUCKETS; i++)
		n += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
	return n;
}

uint64_t
histogram_count_below(const struct histogram *h, unsigned power)
{
	unsigned end = power < 64 ? bucket_of((uint64_t)1 << power) :
				    HISTOGRAM_BUCKETS;
	uint64_t n = 0;

	for (unsigned i = 0; i < end; i++)
		n += atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
	return n;
}

uint64_t
histogram_sum(const struct histogram *h)
{
	return atomic_load_explicit(&h->sum, memory_order_relaxed);
}

uint64_t
histogram_percentile(const struct histogram *h, double p)
{
	uint64_t want = (uint64_t)(p * (double)histogram_count(h));
	uint64_t max = atomic_load_explicit(&h->max, memory_order_relaxed);
	uint64_t seen = 0;

	for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += atomic_load_explicit(&h->bucket[i],
		    memory_order_relaxed);
		if (seen > want)
			return bucket_limit(i) < max ? bucket_limit(i) : max;
	}
	return max;
}
