/* SPDX-License-Identifier: ISC */
/*
 * The space of the disk, or within max_bytes, and the sizes of files that fit
 * into it. All figures are in bytes.
 * Threading: any thread; takes the state lock and the lock of the segments for
 * a short time.
 */
#ifndef KVFS_ENGINE_STATE_DISK_SPACE_H
#define KVFS_ENGINE_STATE_DISK_SPACE_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/env/env.h"

struct db;

/* Size of a table if there is plenty of space. */
#define TABLE_FILE_BYTES (32u << 20)
/* Bounds the values that recovery has to verify in segments. */
#define MEMTABLE_SEGMENT_BYTES (256u << 20)

/*
 * Sizes that depend on the space of the disk or max_bytes. Dead data is freed
 * in units of these, and some of each kind are only half full. Relaxed: each is
 * read alone, and decides for the next file.
 */
struct room_sizes {
	_Atomic uint64_t segment_bytes; /* at which a segment is sealed */
	/* In segments, for one memtable. */
	_Atomic uint64_t memtable_segment_bytes;
	_Atomic uint64_t table_bytes; /* size of a table below level 0 */
	_Atomic uint64_t log_min_bytes, log_max_bytes;
};

static inline uint64_t
room_segment_bytes(const struct room_sizes *sizes)
{
	return atomic_load_explicit(&sizes->segment_bytes,
	    memory_order_relaxed);
}

struct disk_space {
	bool may_fill; /* space made ahead may be missing later; constant */
	_Atomic uint64_t max_bytes; /* live, relaxed; 0: no bound */
	struct room_sizes sizes;
	/* Sequentially consistent, though only a correction of a figure. */
	_Atomic uint64_t settled_bytes; /* part of written bytes that the
	                                   disk's figure includes */
};

/* Choose the sizes, at opening. */
void db_space_init(struct db *db);
/* Change the bound on the size of all files; 0: no bound. */
void db_space_set_max(struct db *db, uint64_t max_bytes);
/* Read the space of the disk, within max_bytes. May write back dirty pages, if
 * the figure would be wrong without that. */
int db_space(struct db *db, struct env_space *spacep);
/* Bytes that the store's files use. */
uint64_t db_disk_bytes(struct db *db);
/* The margin: what the store keeps free of such a space for itself. */
uint64_t space_margin(const struct env_space *space);
/* total / share, within bounds. */
uint64_t space_part(uint64_t total, uint64_t share, uint64_t least,
    uint64_t most);

#endif
