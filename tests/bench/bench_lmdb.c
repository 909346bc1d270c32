/* SPDX-License-Identifier: ISC */
/*
 * LMDB: a copy-on-write B+tree in a memory map, neither log nor
 * compression. Unsynced modes use MDB_NOSYNC, which may lose the whole
 * store at a power cut, where the others lose their last writes only. Its
 * cache is the kernel's, whatever the others are given, and counts as
 * resident memory as far as it is mapped.
 */
#include "bench/bench_store.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES (64ull << 30)

struct lm {
	MDB_env *env;
	MDB_dbi dbi;
};

static void
check(const char *what, int rc)
{
	if (rc != 0)
		bench_die(what, mdb_strerror(rc));
}

static void *
store_open(const char *dir, const struct bench_config *cfg)
{
	struct lm *l = calloc(1, sizeof(*l));
	MDB_txn *txn;

	if (l == NULL)
		bench_die("lmdb", "no memory");
	check("mdb_env_create", mdb_env_create(&l->env));
	check("mdb_env_set_mapsize", mdb_env_set_mapsize(l->env, MAP_BYTES));
	check("mdb_env_open",
	    mdb_env_open(l->env, dir,
		MDB_NOTLS | (cfg->sync == BENCH_SYNC_FULL ? 0 : MDB_NOSYNC) |
		    (cfg->is_larger_than_cache ? MDB_NORDAHEAD : 0),
		0600));
	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, 0, &txn));
	check("mdb_dbi_open", mdb_dbi_open(txn, NULL, 0, &l->dbi));
	check("mdb_txn_commit", mdb_txn_commit(txn));
	return l;
}

static MDB_val
val(const void *data, size_t len)
{
	return (MDB_val){ .mv_size = len, .mv_data = (void *)data };
}

static void
put_in(struct lm *l, MDB_txn *txn, const struct bench_key *key,
    const void *value, size_t len)
{
	MDB_val k = val(key->bytes, BENCH_KEY_LEN), v = val(value, len);

	check("mdb_put", mdb_put(txn, l->dbi, &k, &v, 0));
}

static void
put(void *store, const struct bench_key *key, const void *value, size_t len)
{
	struct lm *l = store;
	MDB_txn *txn;

	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, 0, &txn));
	put_in(l, txn, key, value, len);
	check("mdb_txn_commit", mdb_txn_commit(txn));
}

static void
batch(void *store, const struct bench_pair *pairs, size_t count)
{
	struct lm *l = store;
	MDB_txn *txn;

	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, 0, &txn));
	for (size_t i = 0; i < count; i++)
		put_in(l, txn, &pairs[i].key, pairs[i].value, pairs[i].len);
	check("mdb_txn_commit", mdb_txn_commit(txn));
}

static bool
get(void *store, const struct bench_key *key, void *buf, size_t cap,
    size_t *lenp)
{
	struct lm *l = store;
	MDB_val k = val(key->bytes, BENCH_KEY_LEN), v;
	MDB_txn *txn;
	int rc;

	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn));
	rc = mdb_get(txn, l->dbi, &k, &v);
	if (rc == 0) {
		*lenp = v.mv_size;
		memcpy(buf, v.mv_data, v.mv_size < cap ? v.mv_size : cap);
	} else if (rc != MDB_NOTFOUND) {
		check("mdb_get", rc);
	}
	mdb_txn_abort(txn);
	return rc == 0;
}

static uint64_t
scan(void *store, const struct bench_key *from, uint64_t limit,
    uint64_t *bytesp)
{
	struct lm *l = store;
	MDB_val k = val(from->bytes, BENCH_KEY_LEN), v;
	MDB_cursor *cursor;
	MDB_txn *txn;
	uint64_t n = 0;
	int rc;

	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, MDB_RDONLY, &txn));
	check("mdb_cursor_open", mdb_cursor_open(txn, l->dbi, &cursor));
	rc = mdb_cursor_get(cursor, &k, &v, MDB_SET_RANGE);
	while (rc == 0) {
		*bytesp += v.mv_size;
		if (++n == limit)
			break;
		rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT);
	}
	if (rc != 0 && rc != MDB_NOTFOUND)
		check("mdb_cursor_get", rc);
	mdb_cursor_close(cursor);
	mdb_txn_abort(txn);
	return n;
}

static void
del(void *store, const struct bench_key *key)
{
	struct lm *l = store;
	MDB_val k = val(key->bytes, BENCH_KEY_LEN);
	MDB_txn *txn;
	int rc;

	check("mdb_txn_begin", mdb_txn_begin(l->env, NULL, 0, &txn));
	rc = mdb_del(txn, l->dbi, &k, NULL);
	if (rc != MDB_NOTFOUND)
		check("mdb_del", rc);
	check("mdb_txn_commit", mdb_txn_commit(txn));
}

static void
sync_all(void *store)
{
	struct lm *l = store;

	check("mdb_env_sync", mdb_env_sync(l->env, 1));
}

static void
store_close(void *store)
{
	struct lm *l = store;

	mdb_env_close(l->env);
	free(l);
}

const struct bench_ops bench_lmdb = {
	.name = "lmdb",
	.open = store_open,
	.put = put,
	.batch = batch,
	.get = get,
	.scan = scan,
	.del = del,
	.sync = sync_all,
	.close = store_close,
};
