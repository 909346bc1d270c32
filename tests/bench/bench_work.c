/* SPDX-License-Identifier: ISC */
/*
 * The works of bench_engine. Keys are a permutation of 0..keys-1, so that
 * fills touch each once and in random order, and every value begins with
 * its key's number, which reads verify.
 */
#include "bench/bench_work.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/coding.h"
#include "util/mutex.h"

#define SMALL_BYTES 100
#define BATCH_KEYS 1000
#define SCAN_KEYS 50
#define VALUE_POOL (1u << 20)
#define THREADS_MAX 32

struct worker;

struct run {
	const struct bench_ops *ops;
	const struct bench_params *p;
	bench_report_fn report;
	void *store;
	size_t value_bytes;
	char *pool;

	/* Of the step that runs. */
	uint64_t count; /* operations of each thread */
	uint64_t deadline_ns; /* or until then, when not 0 */
	void (*op)(struct run *r, struct worker *w, uint64_t i);
	atomic_uint_fast64_t done;

	pthread_t syncer;
	bool has_syncer;
	struct mutex mu;
	struct cond wake;
	bool stop;
};

struct worker {
	struct run *r;
	unsigned id;
	uint64_t rng;
	char *value; /* one value's bytes, to change and to read into */
	pthread_t thread;
};

static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15u);

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* A permutation of 0..n-1: odd multiplier modulo a power of two, walking
 * until the result is in range. */
static uint64_t
permute(uint64_t i, uint64_t n)
{
	uint64_t mask = 1;

	while (mask < n)
		mask = mask << 1 | 1;
	do {
		i = (i * 0x9e3779b97f4a7c15u + 0x7f4a7c15u) & mask;
		i ^= i >> 7;
		i = (i * 0xd1342543de82ef95u) & mask;
	} while (i >= n);
	return i;
}

/* Groups of 256 names, as a directory's entries have one group. */
static struct bench_key
key_of(uint64_t n)
{
	struct bench_key k;
	char name[9];

	k.bytes[0] = 1;
	put_be64(k.bytes + 1, n >> 8);
	snprintf(name, sizeof(name), "%07x", (unsigned)(n & 0xfffffff));
	memcpy(k.bytes + 9, name, BENCH_KEY_LEN - 9);
	return k;
}

/* Half of every 64 bytes is random, half a text: snappy halves it. */
static char *
make_pool(void)
{
	static const char text[] = "the quick brown fox jumps over the dog; ";
	uint64_t rng = 42;
	char *pool = malloc(VALUE_POOL);

	if (pool == NULL)
		bench_die("values", "no memory");
	for (size_t i = 0; i < VALUE_POOL; i++)
		pool[i] = i / 32 % 2 != 0 ? text[i % 32] :
					    (char)next_random(&rng);
	return pool;
}

static const void *
value_of(struct worker *w, uint64_t n)
{
	struct run *r = w->r;
	size_t off = next_random(&w->rng) % (VALUE_POOL - r->value_bytes);

	memcpy(w->value, r->pool + (off & ~(size_t)63), r->value_bytes);
	put_le64(w->value, n);
	return w->value;
}

static void
expect(struct worker *w, uint64_t n, size_t len)
{
	if (len != w->r->value_bytes || get_le64(w->value) != n)
		bench_die(w->r->ops->name, "a read gave another value");
}

/* ---- Running one step ---- */

static void *
work(void *arg)
{
	struct worker *w = arg;
	struct run *r = w->r;
	uint64_t i = 0;

	while (r->deadline_ns != 0 ? clock_now_ns() < r->deadline_ns :
				     i < r->count)
		r->op(r, w, i++);
	atomic_fetch_add(&r->done, i);
	return NULL;
}

/* Run op from threads, count times each or for seconds; per says how many
 * things one call of it does. */
static void
step(struct run *r, const char *name, unsigned threads, uint64_t count,
    double seconds, uint64_t per,
    void (*op)(struct run *r, struct worker *w, uint64_t i))
{
	struct worker w[THREADS_MAX];
	uint64_t start;

	r->op = op;
	r->count = count;
	atomic_store(&r->done, 0);
	for (unsigned t = 0; t < threads; t++) {
		w[t] = (struct worker){ .r = r, .id = t };
		w[t].rng = r->p->seed * 1000 + t;
		w[t].value = malloc(r->value_bytes + sizeof(uint64_t));
		if (w[t].value == NULL)
			bench_die("values", "no memory");
	}
	start = clock_now_ns();
	r->deadline_ns = seconds > 0 ? start + (uint64_t)(seconds * 1e9) : 0;
	for (unsigned t = 1; t < threads; t++)
		if (pthread_create(&w[t].thread, NULL, work, &w[t]) != 0)
			bench_die("pthread_create", "failed");
	work(&w[0]);
	for (unsigned t = 1; t < threads; t++)
		pthread_join(w[t].thread, NULL);
	r->report(name,
	    (double)(atomic_load(&r->done) * per) * 1e9 /
		(double)(clock_now_ns() - start));
	for (unsigned t = 0; t < threads; t++)
		free(w[t].value);
}

static void *
sync_each_second(void *arg)
{
	struct run *r = arg;
	uint64_t deadline;

	mutex_lock(&r->mu);
	while (!r->stop) {
		deadline = clock_now_ns() + 1000000000u;
		while (!r->stop && cond_wait_until(&r->wake, &r->mu, deadline))
			;
		mutex_unlock(&r->mu);
		r->ops->sync(r->store);
		mutex_lock(&r->mu);
	}
	mutex_unlock(&r->mu);
	return NULL;
}

static void
begin(struct run *r, const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report, size_t value_bytes,
    enum bench_sync sync)
{
	struct bench_config cfg = p->cfg;

	*r = (struct run){ .ops = ops, .p = p, .report = report };
	cfg.sync = sync;
	r->value_bytes = value_bytes;
	r->pool = make_pool();
	r->store = ops->open(dir, &cfg);
	mutex_init(&r->mu);
	cond_init(&r->wake);
	if (sync != BENCH_SYNC_INTERVAL || ops->has_interval)
		return;
	if (pthread_create(&r->syncer, NULL, sync_each_second, r) != 0)
		bench_die("pthread_create", "failed");
	r->has_syncer = true;
}

static void
end(struct run *r)
{
	mutex_lock(&r->mu);
	r->stop = true;
	cond_broadcast(&r->wake);
	mutex_unlock(&r->mu);
	if (r->has_syncer)
		pthread_join(r->syncer, NULL);
	r->ops->close(r->store);
	cond_fini(&r->wake);
	mutex_fini(&r->mu);
	free(r->pool);
}

/* ---- Operations ---- */

static void
op_fill(struct run *r, struct worker *w, uint64_t i)
{
	uint64_t n = permute(i, r->p->keys);
	struct bench_key k = key_of(n);

	r->ops->put(r->store, &k, value_of(w, n), r->value_bytes);
}

static void
op_overwrite(struct run *r, struct worker *w, uint64_t i)
{
	uint64_t n = next_random(&w->rng) % r->p->keys;
	struct bench_key k = key_of(n);

	(void)i;
	r->ops->put(r->store, &k, value_of(w, n), r->value_bytes);
}

static void
op_get(struct run *r, struct worker *w, uint64_t i)
{
	uint64_t n = next_random(&w->rng) % r->count;
	struct bench_key k;
	size_t len;

	(void)i;
	/* The first count keys of the permutation have been filled. */
	n = permute(n, r->p->keys);
	k = key_of(n);
	if (!r->ops->get(r->store, &k, w->value, r->value_bytes, &len))
		bench_die(r->ops->name, "a key that was put is missing");
	expect(w, n, len);
}

/* In the middle of existing keys: 'z' is in no name. */
static void
op_get_missing(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = key_of(next_random(&w->rng) % r->p->keys);
	size_t len;

	(void)i;
	k.bytes[BENCH_KEY_LEN - 1] = 'z';
	if (r->ops->get(r->store, &k, w->value, r->value_bytes, &len))
		bench_die(r->ops->name, "a key that was not put is there");
}

static void
op_scan_all(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = key_of(0);
	uint64_t bytes = 0;
	uint64_t n = r->ops->scan(r->store, &k, UINT64_MAX, &bytes);

	(void)w;
	(void)i;
	if (n != r->p->keys || bytes != n * r->value_bytes)
		bench_die(r->ops->name, "a scan missed keys");
}

static void
op_scan_short(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = key_of(next_random(&w->rng) % r->p->keys);
	uint64_t bytes = 0;

	(void)i;
	r->ops->scan(r->store, &k, SCAN_KEYS, &bytes);
}

static void
op_mixed(struct run *r, struct worker *w, uint64_t i)
{
	if ((next_random(&w->rng) & 1) != 0)
		op_get(r, w, i);
	else
		op_overwrite(r, w, i);
}

static void
op_delete(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = key_of(i);

	(void)w;
	r->ops->del(r->store, &k);
}

/* From the front, over everything that was deleted, to the first 50 that
 * are left. */
static void
op_scan_deleted(struct run *r, struct worker *w, uint64_t i)
{
	struct bench_key k = key_of(0);
	uint64_t bytes = 0;

	(void)w;
	(void)i;
	if (r->ops->scan(r->store, &k, SCAN_KEYS, &bytes) != SCAN_KEYS)
		bench_die(r->ops->name, "a scan missed keys");
}

static void
op_batch(struct run *r, struct worker *w, uint64_t i)
{
	static struct bench_pair pairs[BATCH_KEYS];
	static char values[BATCH_KEYS][SMALL_BYTES];

	for (uint64_t j = 0; j < BATCH_KEYS; j++) {
		uint64_t n = permute(i * BATCH_KEYS + j, r->p->keys);

		memcpy(values[j], value_of(w, n), SMALL_BYTES);
		pairs[j].key = key_of(n);
		pairs[j].value = values[j];
		pairs[j].len = SMALL_BYTES;
	}
	r->ops->batch(r->store, pairs, BATCH_KEYS);
}

/* ---- Works ---- */

static void
work_small(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
{
	uint64_t n = p->keys;
	struct run r;

	begin(&r, ops, dir, p, report, SMALL_BYTES, p->cfg.sync);
	step(&r, "fill random", 1, n, 0, 1, op_fill);
	step(&r, "overwrite", 1, n / 2, 0, 1, op_overwrite);
	step(&r, "get random", 1, n, 0, 1, op_get);
	step(&r, "get missing", 1, n, 0, 1, op_get_missing);
	step(&r, "scan all (keys)", 1, 2, 0, n, op_scan_all);
	step(&r, "scan 50 (scans)", 1, n / 10, 0, 1, op_scan_short);
	step(&r, "half get half put, 2 threads", 2, n / 2, 0, 1, op_mixed);
	step(&r, "delete", 1, n / 2, 0, 1, op_delete);
	step(&r, "scan over deleted (scans)", 1, 0, 0.25, 1, op_scan_deleted);
	end(&r);
}

static void
work_batch(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
{
	struct run r;

	begin(&r, ops, dir, p, report, SMALL_BYTES, p->cfg.sync);
	step(&r, "batches of 1,000 (keys)", 1, p->keys / BATCH_KEYS, 0,
	    BATCH_KEYS, op_batch);
	end(&r);
}

static void
work_durable(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
{
	struct run r;

	begin(&r, ops, dir, p, report, SMALL_BYTES, BENCH_SYNC_FULL);
	step(&r, "durable put, 1 thread", 1, 0, p->durable_seconds, 1,
	    op_overwrite);
	step(&r, "durable put, 8 threads", 8, 0, p->durable_seconds, 1,
	    op_overwrite);
	step(&r, "durable put, 32 threads", 32, 0, p->durable_seconds, 1,
	    op_overwrite);
	end(&r);
}

static void
work_modes(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
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
	struct run r;

	if (!ops->has_all_modes)
		return;
	/* One store: the next mode goes on where the last one ended. */
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		begin(&r, ops, dir, p, report, SMALL_BYTES, modes[i].sync);
		step(&r, modes[i].name, 1, 0, p->durable_seconds, 1,
		    op_overwrite);
		end(&r);
	}
}

static void
values(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report, size_t bytes,
    const char *put_name, const char *get_name)
{
	/* As many bytes as the small values are, and half as much again. */
	uint64_t n = p->keys * (SMALL_BYTES + BENCH_KEY_LEN) * 3 / 2 / bytes;
	struct run r;

	begin(&r, ops, dir, p, report, bytes, p->cfg.sync);
	step(&r, put_name, 1, n, 0, 1, op_fill);
	step(&r, get_name, 1, n, 0, 1, op_get);
	end(&r);
}

static void
work_4k(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
{
	values(ops, dir, p, report, 4096, "put 4 KiB", "get 4 KiB");
}

static void
work_64k(const struct bench_ops *ops, const char *dir,
    const struct bench_params *p, bench_report_fn report)
{
	values(ops, dir, p, report, 65536, "put 64 KiB", "get 64 KiB");
}

const struct bench_work bench_works[] = {
	{ "small", "100-byte values: fill, read, scan, delete", work_small },
	{ "batch", "atomic batches", work_batch },
	{ "durable", "every put synced, 1, 8 and 32 threads", work_durable },
	{ "modes", "puts in each sync mode of kvfs", work_modes },
	{ "4k", "4 KiB values", work_4k },
	{ "64k", "64 KiB values", work_64k },
};
const size_t bench_work_count = sizeof(bench_works) / sizeof(bench_works[0]);
