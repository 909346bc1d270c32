/* SPDX-License-Identifier: ISC */
/* What the calls of a store (kvfs/kv.h) take and give, but for keys and
 * batches. */
#ifndef KVFS_KV_TYPES_H
#define KVFS_KV_TYPES_H

#include <stdint.h>

enum kv_scope {
	KV_SCOPE_GROUP, /* stop at the end of from's group */
	KV_SCOPE_SPACE, /* stop at the end of from's space */
	KV_SCOPE_ALL,
};

/* Who makes commits durable. */
enum kv_sync_mode {
	KV_SYNC_FULL, /* every commit, before it returns */
	KV_SYNC_EVERY, /* each sync_commits-th commit */
	KV_SYNC_INTERVAL, /* a background thread, every sync_ms */
	KV_SYNC_HYBRID, /* whichever of the two comes first */
	KV_SYNC_CHECKPOINT, /* only the flush of a memtable */
	KV_SYNC_OFF, /* nobody; kv_sync() returns at once */
};

enum kv_check_depth {
	KV_CHECK_TABLES, /* but for values in segments: for who reads them */
	KV_CHECK_ALL,
};

enum {
	/* Any keys may change in one batch, not only those of one group. */
	KV_CAP_ATOMIC_STORE = 1 << 0,
	/* fdatasync is real: kv_sync() means durable. */
	KV_CAP_DURABLE = 1 << 1,
	KV_CAP_READ_ONLY = 1 << 2,
};

struct kv_usage {
	uint64_t disk_bytes; /* what the store's files take on disk */
	uint64_t free_bytes; /* what commits may still add */
	uint64_t total_bytes; /* of the file system below, or max_bytes */
};

/* What the store has in memory, by who uses it, in bytes. */
struct kv_memory {
	uint64_t block_bytes; /* the cache's blocks */
	uint64_t index_bytes; /* indexes and filters of open tables */
	uint64_t memtable_bytes; /* those that wait or are read still, too */
	uint64_t work_bytes; /* of flushes, compactions and commits */
};

/* What room is asked for: what adds to the store, or what replaces as much,
 * which may use half of what is kept free, since that comes back. */
enum kv_room {
	KV_ROOM_ADD,
	KV_ROOM_REPLACE,
};

#endif
