/* SPDX-License-Identifier: ISC */
/*
 * A store that is measured, as a table of functions, and what the works
 * that measure it share. Keys and values are the same bytes for every
 * store. A driver ends the program when its store fails: a figure from a
 * store that failed is none.
 */
#ifndef KVFS_BENCH_STORE_H
#define KVFS_BENCH_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_KEY_LEN 16

/* The order of kvfs's own keys: space, group (big-endian), name. */
struct bench_key {
	unsigned char bytes[BENCH_KEY_LEN];
};

enum bench_sync {
	BENCH_SYNC_OFF, /* the log is written, never synced */
	BENCH_SYNC_INTERVAL, /* synced once a second, in the background */
	BENCH_SYNC_FULL, /* every put is durable when it returns */
	/* Of kvfs alone: */
	BENCH_SYNC_EVERY, /* each hundredth put */
	BENCH_SYNC_HYBRID, /* likewise, and in 50 milliseconds at the latest */
	BENCH_SYNC_CHECKPOINT, /* when a memtable is flushed */
};

struct bench_config {
	enum bench_sync sync;
	uint64_t cache_bytes;
	uint64_t memtable_bytes;
	/* Reads are beside writes: a store whose cache also pays for full
	 * memtables, of which the others have one beside it, gets that. */
	bool is_mixed;
	/* Reads will be random and seldom in memory: read no more than asked. */
	bool is_larger_than_cache;
};

struct bench_pair {
	struct bench_key key;
	const void *value;
	size_t len;
};

struct bench_ops {
	const char *name;
	/* The store syncs itself; others get a thread that calls sync(). */
	bool has_interval;
	bool has_all_modes; /* of enum bench_sync */
	/* It differs from another store in these alone. */
	bool is_for_large_values;
	void *(*open)(const char *dir, const struct bench_config *cfg);
	void (*put)(void *store, const struct bench_key *key, const void *value,
	    size_t len);
	/* All in one atomic step. */
	void (
	    *batch)(void *store, const struct bench_pair *pairs, size_t count);
	/* Copies at most cap bytes of the value; false when absent. */
	bool (*get)(void *store, const struct bench_key *key, void *buf,
	    size_t cap, size_t *lenp);
	/* Walk up to limit entries from key on; returns how many there were
	 * and adds the bytes of their values to *bytesp. */
	uint64_t (*scan)(void *store, const struct bench_key *from,
	    uint64_t limit, uint64_t *bytesp);
	void (*del)(void *store, const struct bench_key *key);
	/* Make all that was put durable. */
	void (*sync)(void *store);
	void (*close)(void *store);
};

extern const struct bench_ops bench_kvfs, bench_rocksdb, bench_rocksdb_blob,
    bench_leveldb, bench_lmdb;

/* End the program: "bench_engine: what: reason". */
void bench_die(const char *what, const char *reason) __attribute__((noreturn));

#endif
