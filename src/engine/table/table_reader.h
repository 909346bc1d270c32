/* SPDX-License-Identifier: ISC */
/*
 * Reads one sorted table: point lookups and ordered walks, by pread, never
 * mmap. Every block that comes from disk is verified; a failure names file
 * and offset in the log and returns -KVFS_ECHECKSUM or -KVFS_ECORRUPT. A
 * damaged filter is reported once and then ignored: slower, still right.
 * Any thread; immutable after opening.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_READER_H
#define KVFS_ENGINE_TABLE_TABLE_READER_H

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/table/table_builder.h"
#include "kvfs/kv.h"
#include "util/line_list.h"

struct table_reader;

/* Takes file, also on failure; borrows cache for good. Reads footer,
 * properties, index and filter, which stay in memory. path is for
 * messages; copied. */
int table_reader_open(struct env_file *file, const char *path,
    uint64_t file_number, struct block_cache *cache,
    struct table_reader **readerp);
/* NULL is accepted. */
void table_reader_close(struct table_reader *t);

const struct table_props *table_reader_props(const struct table_reader *t);
/* First and last internal key; empty for a table without entries. Valid
 * until the table is closed. */
struct slice table_reader_smallest(const struct table_reader *t);
struct slice table_reader_largest(const struct table_reader *t);
/* Memory that index and filter take. */
size_t table_reader_memory(const struct table_reader *t);

/*
 * Newest entry of a user key, whose key_hash() is hash, not newer than
 * seq: 1 and its sequence number, type and value (pinned, released by the
 * caller), 0 when the table has none, or an error. KEY_DELETE_GROUP entries
 * are found only under their own user key.
 */
int table_reader_get(struct table_reader *t, struct slice user, uint64_t hash,
    uint64_t seq, uint64_t *found_seqp, int *typep, struct kv_value *valuep);

/* An ordered walk, which the table must outlive. fill_cache false: for
 * compaction, reads ahead and leaves the cache alone. NULL without memory. */
struct iter *table_reader_iter(struct table_reader *t, bool fill_cache);

/* What table_reader_warm() has done. */
struct table_warm {
	size_t seen; /* of the places, from the first on */
	size_t stale; /* of these, where no block begins */
	size_t read; /* and those offered to the cache */
};
/*
 * Read the blocks at places, which are of this table and in order of their
 * offsets, into the cache as BLOCK_AHEAD: as many of the first ones as lie
 * close together, in one piece; at least one. What is in the cache already
 * is left out. Logs a failure.
 */
int table_reader_warm(struct table_reader *t, const struct block_place *places,
    size_t count, struct table_warm *donep);

/* Read and verify everything past the cache; each problem is one line of
 * found, "PATH: what". */
void table_reader_verify(struct table_reader *t, struct line_list *found);

#endif
