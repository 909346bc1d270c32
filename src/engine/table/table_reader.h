/* SPDX-License-Identifier: ISC */
/*
 * Reads one sorted table: lookups and iterators, by pread, never by mmap. Every
 * block is verified when it is read from disk. A failure is logged with file
 * and offset, and returned as -KVFS_ECHECKSUM or -KVFS_ECORRUPT. A damaged
 * filter is reported once and not used: slower, but correct.
 * Threading: any thread; a reader does not change after opening.
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

/* Open a table. Takes file, also on failure; borrows cache until it is closed.
 * Footer, properties, index and filter stay in memory. path is for messages; it
 * is copied. */
int table_reader_open(struct env_file *file, const char *path,
    uint64_t file_number, struct block_cache *cache,
    struct table_reader **readerp);
/* Accepts NULL. */
void table_reader_close(struct table_reader *t);

const struct table_props *table_reader_props(const struct table_reader *t);
/* The first and the last internal key; empty for a table without entries. Valid
 * until the table is closed. */
struct slice table_reader_smallest(const struct table_reader *t);
struct slice table_reader_largest(const struct table_reader *t);
/* Bytes of memory that index and filter use. */
size_t table_reader_memory(const struct table_reader *t);

/*
 * Find the newest entry of user that is not newer than seq. hash is user's
 * key_hash(). Returns 1 with sequence number, type and value (pinned; the
 * caller releases it), 0 if there is none, or an error. A KEY_DELETE_GROUP
 * entry is found only under its own user key.
 */
int table_reader_get(struct table_reader *t, struct slice user, uint64_t hash,
    uint64_t seq, uint64_t *found_seqp, int *typep, struct kv_value *valuep);

/* An iterator, which the table has to outlive. With fill_cache false, for
 * compaction, it reads ahead and does not use the cache. NULL without
 * memory. */
struct iter *table_reader_iter(struct table_reader *t, bool fill_cache);

/* The result of table_reader_warm(). */
struct table_warm {
	size_t seen; /* how many of the places it has handled */
	size_t stale; /* how many of these are not the start of a block */
	size_t read; /* how many blocks it has read for the cache */
};
/*
 * Read blocks into the cache as BLOCK_AHEAD. places are in this table, in order
 * of offsets. Handles as many of the first ones as lie close together, by one
 * read; at least one. Blocks that are cached already are skipped. Logs
 * failures.
 */
int table_reader_warm(struct table_reader *t, const struct block_place *places,
    size_t count, struct table_warm *donep);

/* Read the whole table from disk, past the cache, and verify it. Each problem
 * is one line of found, "PATH: what". */
void table_reader_verify(struct table_reader *t, struct line_list *found);

#endif
