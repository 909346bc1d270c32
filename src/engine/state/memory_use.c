/* SPDX-License-Identifier: ISC */
/*
 * What is counted against the bound of the cache besides what tables keep:
 * memtables that wait for their flush, and flushes and compactions while
 * they run. Blocks make room at once, also where nothing is read meanwhile.
 * Any thread.
 */
#include "engine/state/memory_use.h"

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"

/* Of a merge: a source reads ahead 256 KiB and has blocks open; the output
 * has a buffer of 256 KiB for writing and one for a value. For each key of
 * the table that is written a hash for its filter is kept, in an array that
 * doubles. */
#define SOURCE_BYTES (320u << 10)
#define OUTPUT_BYTES (1u << 20)
#define KEY_BYTES (2 * sizeof(uint64_t))

static void
reserve_bytes(struct db *db, _Atomic uint64_t *counter, uint64_t bytes)
{
	atomic_fetch_add_explicit(counter, bytes, memory_order_relaxed);
	block_cache_reserve(db->cache, bytes);
	block_cache_trim(db->cache);
}

static void
unreserve_bytes(struct db *db, _Atomic uint64_t *counter, uint64_t bytes)
{
	atomic_fetch_sub_explicit(counter, bytes, memory_order_relaxed);
	block_cache_unreserve(db->cache, bytes);
}

void
db_memory_count(struct db *db, struct memtable *m)
{
	m->counted_bytes = memtable_bytes(m);
	reserve_bytes(db, &db->memory.waiting_bytes, m->counted_bytes);
}

void
db_memory_uncount(struct db *db, struct memtable *m)
{
	if (m->counted_bytes != 0)
		unreserve_bytes(db, &db->memory.waiting_bytes,
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
	reserve_bytes(db, &db->memory.work_bytes, taken);
	return taken;
}

void
db_memory_end_work(struct db *db, uint64_t taken)
{
	unreserve_bytes(db, &db->memory.work_bytes, taken);
}
