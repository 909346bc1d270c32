/* SPDX-License-Identifier: ISC */
/* Types of arguments and results of a store's calls (kvfs/kv.h), except keys
 * and batches. */
#ifndef KVFS_KV_TYPES_H
#define KVFS_KV_TYPES_H

#include <stdint.h>

enum kv_scope {
	KV_SCOPE_GROUP, /* stop at the end of from's group */
	KV_SCOPE_SPACE, /* stop at the end of from's space */
	KV_SCOPE_ALL,
};

/* When commits are made durable. */
enum kv_sync_mode {
	KV_SYNC_FULL, /* every commit, before it returns */
	KV_SYNC_EVERY, /* each sync_commits-th commit */
	KV_SYNC_INTERVAL, /* a background thread, every sync_ms */
	KV_SYNC_HYBRID, /* whichever of the two comes first */
	KV_SYNC_CHECKPOINT, /* only by the flush of a memtable */
	KV_SYNC_OFF, /* never; kv_sync() returns at once */
};

enum kv_check_depth {
	KV_CHECK_TABLES, /* not values in segments: the caller reads these */
	KV_CHECK_ALL,
};

enum {
	/* Any keys may change in one batch, not only those of one group. */
	KV_CAP_ATOMIC_STORE = 1 << 0,
	/* After kv_sync() commits are durable. */
	KV_CAP_DURABLE = 1 << 1,
	KV_CAP_READ_ONLY = 1 << 2,
};

struct kv_usage {
	uint64_t disk_bytes; /* disk space of the store's files */
	uint64_t free_bytes; /* bytes that commits may still add */
	uint64_t total_bytes; /* size of the disk, or max_bytes */
};

/* The store's memory by use, in bytes. */
struct kv_memory {
	uint64_t block_bytes; /* the cache's blocks */
	uint64_t index_bytes; /* indexes and filters of open tables */
	uint64_t memtable_bytes; /* all memtables, also those still read */
	uint64_t work_bytes; /* buffers of flushes, compactions, commits */
};

/* What kv_reserve() is asked for: data that is added, or data that replaces as
 * much, which may use half of the space that is kept free, since the old data's
 * space is freed later. */
enum kv_room {
	KV_ROOM_ADD,
	KV_ROOM_REPLACE,
};

#endif
