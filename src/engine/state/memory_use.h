/* SPDX-License-Identifier: ISC */
/*
 * Memory that counts against the bound of the cache: immutable memtables, and
 * running flushes and compactions.
 * Threading: any thread.
 */
#ifndef KVFS_ENGINE_STATE_MEMORY_USE_H
#define KVFS_ENGINE_STATE_MEMORY_USE_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/memtable/memtable.h"
#include "util/page_pool.h"

struct db;

/* Counted against the cache's bound; relaxed statistics. */
struct memory_use {
	_Atomic uint64_t waiting_bytes; /* immutable memtables */
	_Atomic uint64_t work_bytes; /* of flushes and compactions */
	struct page_pool pages; /* for memtables */
};

/* Count a memtable that became immutable, until it is freed. */
void db_memory_count(struct db *db, struct memtable *m);
void db_memory_uncount(struct db *db, struct memtable *m);
/* Count the memory of a merge with so many sources, keys and bytes (into tables
 * of the given size), until db_memory_end_work() gets the returned bytes. */
uint64_t db_memory_begin_work(struct db *db, size_t sources, uint64_t keys,
    uint64_t bytes);
void db_memory_end_work(struct db *db, uint64_t taken);

#endif
