/* SPDX-License-Identifier: ISC */
/*
 * The index of a table in memory: which data block may hold a key, and where it
 * is in the file. Decoded when the table is opened, from the bytes that
 * table_format.h describes under "Index".
 * Threading: it does not change afterwards; any thread.
 *
 * The common prefix of all separators is stored once. The next eight bytes of
 * each one form an array of numbers, which fits into the processor's caches and
 * is searched without branches. Full keys are compared only where these numbers
 * are equal.
 */
#ifndef KVFS_ENGINE_TABLE_TABLE_INDEX_H
#define KVFS_ENGINE_TABLE_TABLE_INDEX_H

#include <stdint.h>

#include "engine/key/key.h"
#include "util/buf.h"

/* ---- Writing ---- */

struct table_index_builder {
	struct buf entries;
	uint64_t count;
	size_t last_len;
	uint8_t last[KEY_USER_MAX];
};

void table_index_builder_init(struct table_index_builder *b);
void table_index_builder_fini(struct table_index_builder *b);
/* Add the next block. last is its last key; first is the first key of the block
 * after it, or empty. */
int table_index_builder_add(struct table_index_builder *b, struct slice last,
    struct slice first, uint64_t sealed_len);
int table_index_builder_finish(const struct table_index_builder *b,
    struct buf *out);

/* ---- Reading ---- */

struct table_index {
	uint32_t count; /* number of blocks */
	uint32_t common_len;
	uint8_t common[KEY_USER_MAX];
	uint64_t *heads; /* count: the 8 bytes behind the common prefix */
	uint64_t *trailers; /* count */
	uint64_t *offs; /* count + 1: offsets of the blocks */
	uint32_t *ends; /* count: where the rest of each separator ends in
	                   keys */
	uint8_t *keys; /* without the common prefix */
	size_t memory;
};

/* Decode untrusted bytes. data_end is where the last block has to end. -ENOMEM
 * or -KVFS_ECORRUPT. */
int table_index_open(struct slice raw, uint64_t data_end,
    struct table_index *x);
/* Accepts one that is all zero. */
void table_index_close(struct table_index *x);

/* Find the block that may have the first entry at or after (user, trailer);
 * x->count if all entries sort before it. The entry may also be the first one
 * of the next block. */
uint32_t table_index_find(const struct table_index *x, struct slice user,
    uint64_t trailer);
/* Compare block i's separator with an internal key: <0, 0 or >0. */
int table_index_cmp(const struct table_index *x, uint32_t i, struct slice ikey);

static inline uint64_t
table_index_off(const struct table_index *x, uint32_t i)
{
	return x->offs[i];
}
static inline size_t
table_index_len(const struct table_index *x, uint32_t i)
{
	return (size_t)(x->offs[i + 1] - x->offs[i]);
}

#endif
