/* SPDX-License-Identifier: ISC */
/*
 * Memory that shrinks the cache while it is used: memtables that wait for
 * their flush, and flushes and compactions while they run. Any thread.
 */
#ifndef KVFS_ENGINE_STATE_MEMORY_USE_H
#define KVFS_ENGINE_STATE_MEMORY_USE_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/memtable/memtable.h"
#include "util/page_pool.h"

struct db;

/* Counted against the cache's bound; relaxed, statistics. */
struct memory_use {
	_Atomic uint64_t waiting_bytes; /* memtables that are full */
	_Atomic uint64_t work_bytes; /* of flushes and compactions */
	struct page_pool pages; /* for memtables */
};

/* A memtable became immutable: until it is freed it counts. */
void db_memory_count(struct db *db, struct memtable *m);
void db_memory_uncount(struct db *db, struct memtable *m);
/* Memory to merge so many sources of keys in all, of bytes in all (tables
 * of it): what it will take, until db_memory_end_work(). */
uint64_t db_memory_begin_work(struct db *db, size_t sources, uint64_t keys,
    uint64_t bytes);
void db_memory_end_work(struct db *db, uint64_t taken);

#endif
