/* SPDX-License-Identifier: ISC */
/*
 * Memory that counts against the bound of the cache, in addition to what open
 * tables use: immutable memtables, and running flushes and compactions. Blocks
 * are evicted at once, even if nothing is read meanwhile.
 * Threading: any thread.
 */
#include "engine/state/memory_use.h"

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"

/* The memory of a merge: for each source a read-ahead of 256 KiB and its open
 * blocks; for the output a write buffer of 256 KiB and a value; for each key of
 * the table a hash for its filter, in an array that doubles. */
#define SOURCE_BYTES (320u << 10)
#define OUTPUT_BYTES (1u << 20)
#define KEY_BYTES (2 * sizeof(uint64_t))

static void
reserve_bytes(struct caches *caches, _Atomic uint64_t *counter, uint64_t bytes)
{
	atomic_fetch_add_explicit(counter, bytes, memory_order_relaxed);
	block_cache_reserve(caches->blocks, bytes);
	block_cache_trim(caches->blocks);
}

static void
unreserve_bytes(struct caches *caches, _Atomic uint64_t *counter,
    uint64_t bytes)
{
	atomic_fetch_sub_explicit(counter, bytes, memory_order_relaxed);
	block_cache_unreserve(caches->blocks, bytes);
}

void
db_memory_count(struct db *db, struct memtable *m)
{
	m->counted_bytes = memtable_bytes(m);
	reserve_bytes(&db->caches, &db->caches.memory.waiting_bytes,
	    m->counted_bytes);
}

void
db_memory_uncount(struct db *db, struct memtable *m)
{
	if (m->counted_bytes != 0)
		unreserve_bytes(&db->caches, &db->caches.memory.waiting_bytes,
		    m->counted_bytes);
	m->counted_bytes = 0;
}

uint64_t
db_memory_begin_work(struct db *db, size_t sources, uint64_t keys,
    uint64_t bytes)
{
	uint64_t taken;

	if (bytes > TABLE_FILE_BYTES)
		keys = (uint64_t)((double)keys * TABLE_FILE_BYTES /
		    (double)bytes);
	taken = sources * SOURCE_BYTES + OUTPUT_BYTES + keys * KEY_BYTES;
	reserve_bytes(&db->caches, &db->caches.memory.work_bytes, taken);
	return taken;
}

void
db_memory_end_work(struct db *db, uint64_t taken)
{
	unreserve_bytes(&db->caches, &db->caches.memory.work_bytes, taken);
}
