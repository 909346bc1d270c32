/* SPDX-License-Identifier: ISC */
/*
 * The inside of an open table, shared by table_reader.c (open and get),
 * table_iter.c (iterators) and table_verify.c.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_INTERNAL_H
#define KVFS_ENGINE_TABLE_TABLE_INTERNAL_H

#include "engine/table/bloom.h"
#include "engine/table/table_format.h"
#include "engine/table/table_index.h"
#include "engine/table/table_reader.h"

/* Constant once it is open. */
struct table_reader {
	struct env_file *file;
	char *path;
	uint64_t number;
	struct block_cache *cache;
	struct table_index index;
	struct bloom bloom; /* lets everything pass if there is no filter */
	void *filter; /* memory that bloom borrows */
	bool is_filter_damaged;
	struct table_props props;
	struct buf smallest, largest; /* internal keys */
	uint64_t blocks; /* number of data blocks, from the properties */
	size_t memory; /* bytes reserved in cache */
};

/* What is wrong, and where in the file. */
struct table_problem {
	const char *what;
	uint64_t off;
};

/*
 * Read filter, index and properties into t; file, path and number are set.
 * table_unload() frees what was built, also after a failure. *problemp is set
 * on failure, and if only the filter is damaged. Logs nothing.
 */
int table_load(struct table_reader *t, struct table_problem *problemp);
void table_unload(struct table_reader *t);

/* Read exactly len bytes at off. */
int table_pread(const struct table_reader *t, void *dst, size_t len,
    uint64_t off, struct table_problem *problemp);

/* Verify the sealed bytes of data block i. */
int table_unseal_block(const struct table_reader *t, uint32_t i,
    struct slice sealed, struct table_sealed *sp,
    struct table_problem *problemp);
/* Uncompress what table_unseal_block() has verified to dst, which has room for
 * s->raw_len bytes, and check it with block_check(). */
int table_decode_block(const struct table_sealed *s, void *dst,
    struct table_problem *problemp);
/* Both steps, into the cache. Returns a pinned block. */
int table_cache_block(struct table_reader *t, uint32_t i, struct slice sealed,
    enum block_priority priority, struct cached_block **blockp,
    struct table_problem *problemp);
/* Read data block i from disk into the cache. Returns it pinned. Logs
 * failures. */
int table_read_block(struct table_reader *t, uint32_t i,
    enum block_priority priority, struct cached_block **blockp);

/* Log what is wrong with the table. Returns rc. */
int table_log_problem(const struct table_reader *t,
    const struct table_problem *problem, int rc);

#endif
