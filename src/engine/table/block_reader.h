/* SPDX-License-Identifier: ISC */
/*
 * Reads raw data blocks in place. Layout: table_format.h, "Data block".
 * block_check() verifies untrusted bytes once, after they were read from disk;
 * the other functions rely on it.
 * Threading: a block does not change, so that any thread may read it; a cursor
 * belongs to one thread.
 */
#ifndef KVFS_ENGINE_TABLE_BLOCK_READER_H
#define KVFS_ENGINE_TABLE_BLOCK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/key/key.h"

/* Check that the functions below can read raw without leaving it: 0 or
 * -KVFS_ECORRUPT. Does not check the order of keys. */
int block_check(struct slice raw);

/* Below, raw is a block that block_check() has accepted. */

struct block_entry {
	uint64_t trailer;
	struct slice value; /* points into the block */
};

/* Find the first entry of user at or behind trailer, that is, not newer. True
 * and *ep, or false. */
bool block_find(struct slice raw, struct slice user, uint64_t trailer,
    struct block_entry *ep);

/* A position in a block. key and value are valid until it moves. */
struct block_cursor {
	const uint8_t *next; /* the next entry */
	const uint8_t *end; /* of the entries */
	const uint8_t *next_value;
	bool valid;
	struct slice value;
	size_t key_len;
	uint8_t key[KEY_INTERNAL_MAX];
};

void block_cursor_first(struct block_cursor *c, struct slice raw);
/* Move to the first entry at or after ikey. */
void block_cursor_seek(struct block_cursor *c, struct slice raw,
    struct slice ikey);
/* REQUIRES: c->valid. */
void block_cursor_next(struct block_cursor *c);

#endif
