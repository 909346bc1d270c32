/* SPDX-License-Identifier: ISC */
/*
 * The disk's space, or that within max_bytes, and how large things may become
 * in it. Bytes throughout. Any thread; takes the state lock and the segments'
 * for a short time.
 */
#ifndef KVFS_ENGINE_STATE_DISK_SPACE_H
#define KVFS_ENGINE_STATE_DISK_SPACE_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/env/env.h"

struct db;

/* Of a table, where there is plenty of space. */
#define TABLE_FILE_BYTES (32u << 20)
/* Bounds what recovery must verify in segments. */
#define MEMTABLE_SEGMENT_BYTES (256u << 20)

/*
 * How large things may become, by the space that there is: the disk's, or
 * max_bytes. What is dead comes back in pieces of these, and some of each
 * are only half used.
 */
struct room_sizes {
	_Atomic uint64_t segment_bytes; /* at which a segment is full */
	_Atomic uint64_t memtable_segment_bytes; /* in segments, by one */
	_Atomic uint64_t table_bytes; /* below level 0: what a merge writes */
	_Atomic uint64_t log_min_bytes, log_max_bytes;
};

struct disk_space {
	bool may_fill; /* what was made ahead may find no room; constant */
	_Atomic uint64_t max_bytes; /* live; 0: no bound */
	struct room_sizes sizes;
	_Atomic uint64_t settled_bytes; /* of those written: it shows them */
};

/* Choose sizes by the space that there is; at opening. */
void db_space_init(struct db *db);
/* Another bound of all files, 0 for none. */
void db_space_set_max(struct db *db, uint64_t max_bytes);
/* The disk's space, within max_bytes. May write back what waits in the page
 * cache, where the figure is not true otherwise. */
int db_space(struct db *db, struct env_space *spacep);
/* What the store's files take. */
uint64_t db_disk_bytes(struct db *db);
/* What is kept free of such a space, for the store itself. */
uint64_t space_margin(const struct env_space *space);
/* The share-th part of a space of so many bytes, within bounds. */
uint64_t space_part(uint64_t total, uint64_t share, uint64_t least,
    uint64_t most);

#endif
