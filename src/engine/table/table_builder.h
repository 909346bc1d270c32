/* SPDX-License-Identifier: ISC */
/*
 * Writes one sorted table. Format: kvfs-format(5), "Table". Data blocks
 * (prefix-compressed keys with restart points; snappy if it pays; codec, and a
 * checksum seeded with file number and offset), a blocked Bloom filter over
 * user keys, an index block, properties, footer.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_BUILDER_H
#define KVFS_ENGINE_TABLE_TABLE_BUILDER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/slice.h"

struct table_builder;

struct table_options {
	uint32_t block_bytes; /* goal for a data block, uncompressed */
	uint32_t restart_interval;
	uint32_t filter_bits; /* per user key */
	bool compress;
};

/* Set defaults, which were found by measurements. */
void table_options_init(struct table_options *opts);

/* Properties of a finished table; they are also stored in it. */
struct table_props {
	uint64_t file_bytes;
	uint64_t entries;
	uint64_t deletes; /* KEY_DELETE */
	uint64_t group_deletes; /* KEY_DELETE_GROUP */
	uint64_t raw_bytes; /* keys and values, uncompressed */
	uint64_t min_seq, max_seq;
	uint64_t pointer_bytes; /* stored bytes that KEY_POINTER entries
	                           point to */
};

static inline bool
table_is_mostly_deletes(const struct table_props *p)
{
	return p->deletes > p->entries / 2;
}

/* Borrows env and opts. file is written from offset 0; the caller owns it and
 * syncs it. NULL without memory. */
struct table_builder *table_builder_create(struct env_file *file,
    uint64_t file_number, const struct table_options *opts);
/* Add an entry. Keys have to be in the order of key_cmp(). */
int table_builder_add(struct table_builder *b, struct slice ikey,
    struct slice value);
/* Bytes written and buffered so far; callers use it to decide where to cut. */
uint64_t table_builder_size(const struct table_builder *b);
/* Properties of what was added so far; file_bytes and raw_bytes are not
 * final. */
const struct table_props *table_builder_props(const struct table_builder *b);
/* Write the rest. The table is then complete, but not synced. */
int table_builder_finish(struct table_builder *b, struct table_props *propsp);
void table_builder_destroy(struct table_builder *b);

#endif
