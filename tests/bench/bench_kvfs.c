/* SPDX-License-Identifier: ISC */
/* kvfs's own engine, through kvfs/kv.h as src/fs uses it. */
#include "bench/bench_store.h"

#include <string.h>

#include "kvfs/store.h"
#include "util/coding.h"

static void
check(const char *what, int rc)
{
	if (rc < 0)
		bench_die(what, strerror(-rc));
}

static struct kv_key
key_of(const struct bench_key *k)
{
	return (struct kv_key){
		.space = k->bytes[0],
		.group = get_be64(k->bytes + 1),
		.name = slice_make(k->bytes + 9, BENCH_KEY_LEN - 9),
	};
}

static enum kv_sync_mode
mode_of(enum bench_sync sync)
{
	switch (sync) {
	case BENCH_SYNC_OFF:
		return KV_SYNC_OFF;
	case BENCH_SYNC_FULL:
		return KV_SYNC_FULL;
	case BENCH_SYNC_EVERY:
		return KV_SYNC_EVERY;
	case BENCH_SYNC_HYBRID:
		return KV_SYNC_HYBRID;
	case BENCH_SYNC_CHECKPOINT:
		return KV_SYNC_CHECKPOINT;
	case BENCH_SYNC_INTERVAL:
		break;
	}
	return KV_SYNC_INTERVAL;
}

static void *
store_open(const char *dir, const struct bench_config *cfg)
{
	struct kv_options opts;
	struct kv *kv;

	kv_options_init(&opts);
	opts.sync = mode_of(cfg->sync);
	opts.sync_commits = 100;
	opts.sync_ms = opts.sync == KV_SYNC_HYBRID ? 50 : 1000;
	opts.cache_bytes = cfg->cache_bytes;
	if (cfg->is_mixed)
		opts.cache_bytes += cfg->memtable_bytes;
	opts.memtable_bytes = cfg->memtable_bytes;
	opts.compress = true;
	check("kv_open", kv_open(dir, &opts, &kv));
	return kv;
}

/* A batch of each thread's own, so that its memory is used again. */
static struct kv_batch *
my_batch(void)
{
	static _Thread_local struct kv_batch batch;

	kv_batch_clear(&batch);
	return &batch;
}

static void
put(void *store, const struct bench_key *key, const void *value, size_t len)
{
	struct kv_batch *b = my_batch();
	struct kv_key k = key_of(key);

	kv_batch_put(b, &k, slice_make(value, len));
	check("kv_commit", kv_commit(store, b, NULL));
}

static void
batch(void *store, const struct bench_pair *pairs, size_t count)
{
	struct kv_batch *b = my_batch();

	for (size_t i = 0; i < count; i++) {
		struct kv_key k = key_of(&pairs[i].key);

		kv_batch_put(b, &k, slice_make(pairs[i].value, pairs[i].len));
	}
	check("kv_commit", kv_commit(store, b, NULL));
}

static bool
get(void *store, const struct bench_key *key, void *buf, size_t cap,
    size_t *lenp)
{
	struct kv_key k = key_of(key);
	struct kv_value v;
	int rc = kv_get(store, &k, NULL, &v);

	if (rc == -ENOENT)
		return false;
	check("kv_get", rc);
	*lenp = v.data.len;
	memcpy(buf, v.data.data, v.data.len < cap ? v.data.len : cap);
	kv_value_release(&v);
	return true;
}

static uint64_t
scan(void *store, const struct bench_key *from, uint64_t limit,
    uint64_t *bytesp)
{
	struct kv_key k = key_of(from);
	struct kv_iter *it;
	struct slice value;
	uint64_t n = 0;
	int rc = 1;

	check("kv_iter_open",
	    kv_iter_open(store, &k, KV_SCOPE_SPACE, NULL, &it));
	while (n < limit && (rc = kv_iter_next(it)) > 0) {
		check("kv_iter_value", kv_iter_value(it, &value));
		*bytesp += value.len;
		n++;
	}
	check("kv_iter_next", rc);
	kv_iter_close(it);
	return n;
}

static void
del(void *store, const struct bench_key *key)
{
	struct kv_batch *b = my_batch();
	struct kv_key k = key_of(key);

	kv_batch_delete(b, &k);
	check("kv_commit", kv_commit(store, b, NULL));
}

static void
sync_all(void *store)
{
	check("kv_sync", kv_sync(store, UINT64_MAX));
}

static void
store_close(void *store)
{
	check("kv_close", kv_close(store));
}

const struct bench_ops bench_kvfs = {
	.name = "kvfs",
	.has_interval = true,
	.has_all_modes = true,
	.open = store_open,
	.put = put,
	.batch = batch,
	.get = get,
	.scan = scan,
	.del = del,
	.sync = sync_all,
	.close = store_close,
};
