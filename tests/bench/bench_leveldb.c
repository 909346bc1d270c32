/* SPDX-License-Identifier: ISC */
/*
 * LevelDB through its C API: Bloom filters of 10 bits, snappy. Its indexes
 * and filters are in memory beside the cache and not counted there, and it
 * maps tables: resident memory shows both.
 */
#include "bench/bench_store.h"

#include <leveldb/c.h>
#include <stdlib.h>
#include <string.h>

struct level {
	leveldb_t *db;
	leveldb_options_t *options;
	leveldb_cache_t *cache;
	leveldb_filterpolicy_t *filter;
	leveldb_writeoptions_t *write, *write_sync;
	leveldb_readoptions_t *read;
};

static void
check(const char *what, char *error)
{
	if (error != NULL)
		bench_die(what, error);
}

static void *
store_open(const char *dir, const struct bench_config *cfg)
{
	struct level *l = calloc(1, sizeof(*l));
	char *error = NULL;

	if (l == NULL)
		bench_die("leveldb", "no memory");
	l->options = leveldb_options_create();
	leveldb_options_set_create_if_missing(l->options, 1);
	leveldb_options_set_write_buffer_size(l->options, cfg->memtable_bytes);
	leveldb_options_set_compression(l->options, leveldb_snappy_compression);
	l->cache = leveldb_cache_create_lru(cfg->cache_bytes);
	leveldb_options_set_cache(l->options, l->cache);
	l->filter = leveldb_filterpolicy_create_bloom(10);
	leveldb_options_set_filter_policy(l->options, l->filter);
	l->write = leveldb_writeoptions_create();
	leveldb_writeoptions_set_sync(l->write, cfg->sync == BENCH_SYNC_FULL);
	l->write_sync = leveldb_writeoptions_create();
	leveldb_writeoptions_set_sync(l->write_sync, 1);
	l->read = leveldb_readoptions_create();
	/* As kvfs and RocksDB do unasked. */
	leveldb_readoptions_set_verify_checksums(l->read, 1);
	l->db = leveldb_open(l->options, dir, &error);
	check("leveldb_open", error);
	return l;
}

static void
put(void *store, const struct bench_key *key, const void *value, size_t len)
{
	struct level *l = store;
	char *error = NULL;

	leveldb_put(l->db, l->write, (const char *)key->bytes, BENCH_KEY_LEN,
	    value, len, &error);
	check("leveldb_put", error);
}

static void
batch(void *store, const struct bench_pair *pairs, size_t count)
{
	struct level *l = store;
	leveldb_writebatch_t *b = leveldb_writebatch_create();
	char *error = NULL;

	for (size_t i = 0; i < count; i++)
		leveldb_writebatch_put(b, (const char *)pairs[i].key.bytes,
		    BENCH_KEY_LEN, pairs[i].value, pairs[i].len);
	leveldb_write(l->db, l->write, b, &error);
	check("leveldb_write", error);
	leveldb_writebatch_destroy(b);
}

static bool
get(void *store, const struct bench_key *key, void *buf, size_t cap,
    size_t *lenp)
{
	struct level *l = store;
	char *error = NULL;
	char *v = leveldb_get(l->db, l->read, (const char *)key->bytes,
	    BENCH_KEY_LEN, lenp, &error);

	check("leveldb_get", error);
	if (v == NULL)
		return false;
	memcpy(buf, v, *lenp < cap ? *lenp : cap);
	leveldb_free(v);
	return true;
}

static uint64_t
scan(void *store, const struct bench_key *from, uint64_t limit,
    uint64_t *bytesp)
{
	struct level *l = store;
	leveldb_iterator_t *it = leveldb_create_iterator(l->db, l->read);
	char *error = NULL;
	uint64_t n = 0;
	size_t len;

	leveldb_iter_seek(it, (const char *)from->bytes, BENCH_KEY_LEN);
	for (; n < limit && leveldb_iter_valid(it); n++) {
		leveldb_iter_value(it, &len);
		*bytesp += len;
		leveldb_iter_next(it);
	}
	leveldb_iter_get_error(it, &error);
	check("leveldb_iter", error);
	leveldb_iter_destroy(it);
	return n;
}

static void
del(void *store, const struct bench_key *key)
{
	struct level *l = store;
	char *error = NULL;

	leveldb_delete(l->db, l->write, (const char *)key->bytes, BENCH_KEY_LEN,
	    &error);
	check("leveldb_delete", error);
}

/* LevelDB has no call for it: a write that changes nothing, synced. */
static void
sync_all(void *store)
{
	struct level *l = store;
	leveldb_writebatch_t *b = leveldb_writebatch_create();
	char *error = NULL;

	leveldb_write(l->db, l->write_sync, b, &error);
	check("leveldb_write", error);
	leveldb_writebatch_destroy(b);
}

static void
store_close(void *store)
{
	struct level *l = store;

	leveldb_close(l->db);
	leveldb_options_destroy(l->options);
	leveldb_cache_destroy(l->cache);
	leveldb_filterpolicy_destroy(l->filter);
	leveldb_writeoptions_destroy(l->write);
	leveldb_writeoptions_destroy(l->write_sync);
	leveldb_readoptions_destroy(l->read);
	free(l);
}

const struct bench_ops bench_leveldb = {
	.name = "leveldb",
	.open = store_open,
	.put = put,
	.batch = batch,
	.get = get,
	.scan = scan,
	.del = del,
	.sync = sync_all,
	.close = store_close,
};
