/* SPDX-License-Identifier: ISC */
/*
 * The index of one table in memory: which data block may hold a key, and
 * where it lies. Decoded once at open from the bytes that table_format.h
 * describes under "Index". Immutable afterwards, any thread.
 *
 * The bytes that all separators begin with are kept once; the next eight of
 * each form an array of numbers, which fits the processor's caches and is
 * searched without a branch. Full keys are compared only where those agree.
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
/* Add the next block, whose last key is last; first is the first key of the
 * block after it, or empty when there is none. */
int table_index_builder_add(struct table_index_builder *b, struct slice last,
    struct slice first, uint64_t sealed_len);
int table_index_builder_finish(const struct table_index_builder *b,
    struct buf *out);

/* ---- Reading ---- */

struct table_index {
	uint32_t count; /* of blocks */
	uint32_t common_len;
	uint8_t common[KEY_USER_MAX];
	uint64_t *heads; /* count: the 8 bytes after the common ones */
	uint64_t *trailers; /* count */
	uint64_t *offs; /* count + 1: places of the blocks */
	uint32_t *ends; /* count: end of each separator's rest in keys */
	uint8_t *keys; /* without the common bytes */
	size_t memory;
};

/* Untrusted raw; data_end is where the last block must end. -ENOMEM or
 * -KVFS_ECORRUPT. */
int table_index_open(struct slice raw, uint64_t data_end,
    struct table_index *x);
/* A zeroed one is accepted. */
void table_index_close(struct table_index *x);

/* The one block that can hold the first entry at or after (user, trailer),
 * or x->count when all entries are before it. The entry may also be the
 * first of the block after the one returned. */
uint32_t table_index_find(const struct table_index *x, struct slice user,
    uint64_t trailer);
/* Order of block i's separator against an internal key: <0, 0 or >0. */
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
