/* SPDX-License-Identifier: ISC */
/* The operations that steps consist of. Every read is verified. */
#include "bench/bench_run.h"

#include <string.h>

/* Of which a hot set has so many. */
#define HOT_ONE_OF 100

static void
put(struct run *r, struct worker *w, uint64_t n)
{
	struct bench_key k = bench_key_of(n);

	bench_fill_value(w->value, r->value_bytes, n, r->pool, &w->rng);
	r->ops->put(r->store, &k, w->value, r->value_bytes);
}

void
op_put(struct run *r, struct worker *w, uint64_t i)
{
	put(r, w, bench_permute(i, r->keys));
}

void
op_overwrite(struct run *r, struct worker *w, uint64_t i)
{
	(void)i;
	put(r, w, bench_random(&w->rng) % r->keys);
}

/* One thread does batches: they are too large for stacks. */
void
op_batch(struct run *r, struct worker *w, uint64_t i)
{
	static struct bench_pair pairs[BATCH_KEYS];
	static char values[BATCH_KEYS][SMALL_BYTES];
	size_t count = 0;

	for (i *= BATCH_KEYS; count < BATCH_KEYS && i < r->keys; i++) {
		uint64_t n = bench_permute(i, r->keys);

		bench_fill_value(values[count], SMALL_BYTES, n, r->pool,
		    &w->rng);
		pairs[count].key = bench_key_of(n);
		pairs[count].value = values[count];
		pairs[count++].len = SMALL_BYTES;
	}
	r->ops->batch(r->store, pairs, count);
}

static void
get(struct run *r, struct worker *w, uint64_t n)
{
	struct bench_key k = bench_key_of(n);
	size_t len;

	if (!r->ops->get(r->store, &k, w->value, r->value_bytes, &len))
		bench_die(r->ops->name, "a key that was put is missing");
	if (len != r->value_bytes || !bench_value_is_of(w->value, n))
		bench_die(r->ops->name, "a read gave another value");
}

void
op_get(struct run *r, struct worker *w, uint64_t i)
{
	(void)i;
	get(r, w, bench_random(&w->rng) % r->keys);
}

/* The hot keys lie all over the store. */
void
op_get_hot(struct run *r, struct worker *w, uint64_t i)
{
	(void)i;
	get(r, w,
	    bench_permute(bench_random(&w->rng) % (r->keys / HOT_ONE_OF),
		r->keys));
}

/* In the middle of existing keys: 'z' is in no name. */
void
op_get_missing(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = bench_key_of(bench_random(&w->rng) % r->keys);
	size_t len;

	(void)i;
	k.bytes[BENCH_KEY_LEN - 1] = 'z';
	if (r->ops->get(r->store, &k, w->value, r->value_bytes, &len))
		bench_die(r->ops->name, "a key that was not put is there");
}

void
op_scan_all(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = bench_key_of(0);
	uint64_t bytes = 0;
	uint64_t n = r->ops->scan(r->store, &k, UINT64_MAX, &bytes);

	(void)w;
	(void)i;
	if (n != r->keys || bytes != n * r->value_bytes)
		bench_die(r->ops->name, "a scan missed keys");
}

void
op_scan_short(struct run *r, struct worker *w, uint64_t i)
{
	uint64_t n = bench_random(&w->rng) % (r->keys - SCAN_KEYS), bytes = 0;
	struct bench_key k = bench_key_of(n);

	(void)i;
	if (r->ops->scan(r->store, &k, SCAN_KEYS, &bytes) != SCAN_KEYS)
		bench_die(r->ops->name, "a scan missed keys");
}

void
op_mixed(struct run *r, struct worker *w, uint64_t i)
{
	if ((bench_random(&w->rng) & 1) != 0)
		op_get(r, w, i);
	else
		op_overwrite(r, w, i);
}
