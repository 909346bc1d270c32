/* SPDX-License-Identifier: ISC */
/*
 * RocksDB through its C API, set as its tuning guide advises for such a
 * store: one column family, Bloom filters of 10 bits, snappy, levels sized
 * from the last one up (its default since 8.4). Indexes and filters stay
 * beside the block cache, as is its default: counted in a cache this small,
 * as kvfs counts its own, they push each other out and gets become several
 * times slower. Once more with BlobDB, for large values: these lie outside
 * the tree, as in kvfs.
 */
#include "bench/bench_store.h"

#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

struct rocks {
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_writeoptions_t *write;
	rocksdb_readoptions_t *read;
};

static void
check(const char *what, char *error)
{
	if (error != NULL)
		bench_die(what, error);
}

/* kvfs's own threshold is of this order. */
#define BLOB_BYTES_MIN 1024

static void *
open_with(const char *dir, const struct bench_config *cfg, bool blobs)
{
	struct rocks *r = calloc(1, sizeof(*r));
	rocksdb_block_based_table_options_t *table;
	rocksdb_cache_t *cache;
	char *error = NULL;

	if (r == NULL)
		bench_die("rocksdb", "no memory");
	r->options = rocksdb_options_create();
	rocksdb_options_set_create_if_missing(r->options, 1);
	rocksdb_options_set_write_buffer_size(r->options, cfg->memtable_bytes);
	rocksdb_options_set_compression(r->options, rocksdb_snappy_compression);
	rocksdb_options_increase_parallelism(r->options, 2);
	rocksdb_options_set_level_compaction_dynamic_level_bytes(r->options, 1);
	if (blobs) {
		rocksdb_options_set_enable_blob_files(r->options, 1);
		rocksdb_options_set_min_blob_size(r->options, BLOB_BYTES_MIN);
		rocksdb_options_set_blob_compression_type(r->options,
		    rocksdb_snappy_compression);
		rocksdb_options_set_enable_blob_gc(r->options, 1);
	}
	table = rocksdb_block_based_options_create();
	cache = rocksdb_cache_create_lru(cfg->cache_bytes);
	rocksdb_block_based_options_set_block_cache(table, cache);
	/* Blobs have no cache unless they are given one. */
	if (blobs)
		rocksdb_options_set_blob_cache(r->options, cache);
	/* The options keep it alive. */
	rocksdb_cache_destroy(cache);
	rocksdb_block_based_options_set_filter_policy(table,
	    rocksdb_filterpolicy_create_bloom_full(10));
	rocksdb_options_set_block_based_table_factory(r->options, table);
	rocksdb_block_based_options_destroy(table);
	r->write = rocksdb_writeoptions_create();
	rocksdb_writeoptions_set_sync(r->write, cfg->sync == BENCH_SYNC_FULL);
	r->read = rocksdb_readoptions_create();
	r->db = rocksdb_open(r->options, dir, &error);
	check("rocksdb_open", error);
	return r;
}

static void *
store_open(const char *dir, const struct bench_config *cfg)
{
	return open_with(dir, cfg, false);
}

static void *
store_open_blob(const char *dir, const struct bench_config *cfg)
{
	return open_with(dir, cfg, true);
}

static void
put(void *store, const struct bench_key *key, const void *value, size_t len)
{
	struct rocks *r = store;
	char *error = NULL;

	rocksdb_put(r->db, r->write, (const char *)key->bytes, BENCH_KEY_LEN,
	    value, len, &error);
	check("rocksdb_put", error);
}

static void
batch(void *store, const struct bench_pair *pairs, size_t count)
{
	struct rocks *r = store;
	rocksdb_writebatch_t *b = rocksdb_writebatch_create();
	char *error = NULL;

	for (size_t i = 0; i < count; i++)
		rocksdb_writebatch_put(b, (const char *)pairs[i].key.bytes,
		    BENCH_KEY_LEN, pairs[i].value, pairs[i].len);
	rocksdb_write(r->db, r->write, b, &error);
	check("rocksdb_write", error);
	rocksdb_writebatch_destroy(b);
}

static bool
get(void *store, const struct bench_key *key, void *buf, size_t cap,
    size_t *lenp)
{
	struct rocks *r = store;
	char *error = NULL;
	const char *data;
	rocksdb_pinnableslice_t *v = rocksdb_get_pinned(r->db, r->read,
	    (const char *)key->bytes, BENCH_KEY_LEN, &error);

	check("rocksdb_get", error);
	if (v == NULL)
		return false;
	data = rocksdb_pinnableslice_value(v, lenp);
	memcpy(buf, data, *lenp < cap ? *lenp : cap);
	rocksdb_pinnableslice_destroy(v);
	return true;
}

static uint64_t
scan(void *store, const struct bench_key *from, uint64_t limit,
    uint64_t *bytesp)
{
	struct rocks *r = store;
	rocksdb_iterator_t *it = rocksdb_create_iterator(r->db, r->read);
	char *error = NULL;
	uint64_t n = 0;
	size_t len;

	rocksdb_iter_seek(it, (const char *)from->bytes, BENCH_KEY_LEN);
	for (; n < limit && rocksdb_iter_valid(it); n++) {
		rocksdb_iter_value(it, &len);
		*bytesp += len;
		rocksdb_iter_next(it);
	}
	rocksdb_iter_get_error(it, &error);
	check("rocksdb_iter", error);
	rocksdb_iter_destroy(it);
	return n;
}

static void
del(void *store, const struct bench_key *key)
{
	struct rocks *r = store;
	char *error = NULL;

	rocksdb_delete(r->db, r->write, (const char *)key->bytes, BENCH_KEY_LEN,
	    &error);
	check("rocksdb_delete", error);
}

static void
sync_all(void *store)
{
	struct rocks *r = store;
	char *error = NULL;

	rocksdb_flush_wal(r->db, 1, &error);
	check("rocksdb_flush_wal", error);
}

static void
store_close(void *store)
{
	struct rocks *r = store;

	rocksdb_close(r->db);
	rocksdb_options_destroy(r->options);
	rocksdb_writeoptions_destroy(r->write);
	rocksdb_readoptions_destroy(r->read);
	free(r);
}

const struct bench_ops bench_rocksdb = {
	.name = "rocksdb",
	.open = store_open,
	.put = put,
	.batch = batch,
	.get = get,
	.scan = scan,
	.del = del,
	.sync = sync_all,
	.close = store_close,
};

const struct bench_ops bench_rocksdb_blob = {
	.name = "rocksdb_blob",
	.is_for_large_values = true,
	.open = store_open_blob,
	.put = put,
	.batch = batch,
	.get = get,
	.scan = scan,
	.del = del,
	.sync = sync_all,
	.close = store_close,
};
