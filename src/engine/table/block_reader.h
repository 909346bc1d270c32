/* SPDX-License-Identifier: ISC */
/*
 * Reads raw data blocks in place. Layout: table_format.h, "Data block".
 * block_check() goes once over untrusted bytes when they come from disk;
 * everything else relies on it and checks nothing again. Immutable: any
 * number of threads may read a block; a cursor belongs to one.
 */
#ifndef KVFS_ENGINE_TABLE_BLOCK_READER_H
#define KVFS_ENGINE_TABLE_BLOCK_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/key/key.h"

/* Whether raw is a block that the functions below can read without ever
 * leaving it: 0 or -KVFS_ECORRUPT. Does not look at the order of keys. */
int block_check(struct slice raw);

/* raw has passed block_check(), wherever a parameter is called that. */

struct block_entry {
	uint64_t trailer;
	struct slice value; /* in the block */
};

/* The first entry of user key user at or after trailer (that is, not
 * newer): true and *ep, or false. */
bool block_find(struct slice raw, struct slice user, uint64_t trailer,
    struct block_entry *ep);

/* A place in a block. key and value are valid until it moves. */
struct block_cursor {
	const uint8_t *next; /* entry after this one */
	const uint8_t *end; /* of the entries */
	const uint8_t *next_value;
	bool valid;
	struct slice value;
	size_t key_len;
	uint8_t key[KEY_INTERNAL_MAX];
};

void block_cursor_first(struct block_cursor *c, struct slice raw);
/* To the first entry at or after ikey. */
void block_cursor_seek(struct block_cursor *c, struct slice raw,
    struct slice ikey);
/* REQUIRES: c->valid. */
void block_cursor_next(struct block_cursor *c);

#endif
