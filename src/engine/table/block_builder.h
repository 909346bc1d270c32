/* SPDX-License-Identifier: ISC */
/*
 * Builds the raw data blocks of a table, one after the other. Layout:
 * table_format.h, "Data block".
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_TABLE_BLOCK_BUILDER_H
#define KVFS_ENGINE_TABLE_BLOCK_BUILDER_H

#include <stdint.h>

#include "engine/key/key.h"
#include "util/buf.h"

struct block_builder {
	struct buf restarts, keys, values;
	struct buf raw; /* the finished block */
	uint32_t interval; /* a restart after so many entries */
	uint32_t since_restart;
	uint32_t count; /* entries in this block */
	/* The last key added; kept for the next block. */
	size_t last_len;
	uint8_t last[KEY_INTERNAL_MAX];
};

void block_builder_init(struct block_builder *b, uint32_t interval);
void block_builder_fini(struct block_builder *b);
/* Add an entry. Keys have to be in order, across blocks too: -EINVAL for a key
 * that does not sort behind the last one, or is not an internal key. */
int block_builder_add(struct block_builder *b, struct slice ikey,
    struct slice value);
/* Size of the block if it ended here. Does not fail. */
size_t block_builder_size(const struct block_builder *b);
/* End the block. *rawp is valid until the next call. */
int block_builder_finish(struct block_builder *b, struct slice *rawp);
/* Begin the next block. */
void block_builder_reset(struct block_builder *b);

static inline struct slice
block_builder_last(const struct block_builder *b)
{
	return slice_make(b->last, b->last_len);
}

#endif
