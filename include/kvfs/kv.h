/* SPDX-License-Identifier: ISC */
/*
 * The seam between a file system and a store: an ordered map from
 * (space, group, name) to bytes, changed by atomic batches, as a table of
 * functions. The embedded engine (kvfs/store.h) stands behind it; another
 * store can.
 *
 * Keys sort by space, then by group as an unsigned number, then by name as
 * bytes. A group is what a distributed store would keep in one place.
 *
 * Errors: 0 or more is success, else a negative errno. -ENOENT means that
 * the key is absent and nothing else; damage is -KVFS_ECORRUPT (impossible
 * contents) or -KVFS_ECHECKSUM (contents that do not match their checksum)
 * and never turns into -ENOENT. -EIO: the disk failed. -EROFS: read-only by
 * request. After a failed log write or sync the store is read-only and
 * every commit and sync returns -EIO until it is opened again; -ENOSPC
 * passes by itself once there is room.
 *
 * Threads: every function may be called from any thread at any time,
 * except that an iterator, a batch and a pinned value each belong to one
 * thread at a time, and kv_close() must be the last call.
 */
#ifndef KVFS_KV_H
#define KVFS_KV_H

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "kvfs/slice.h"

#define KVFS_ECORRUPT EUCLEAN
#define KVFS_ECHECKSUM EBADMSG

/* Longest name within a group, in bytes; commit refuses more (-EINVAL). */
#define KV_NAME_MAX 512
/* Largest single value and largest batch in bytes (-E2BIG). */
#define KV_VALUE_MAX (16u << 20)
#define KV_BATCH_MAX (64u << 20)

struct kv_key {
	uint8_t space;
	uint64_t group;
	struct slice name;
};

/*
 * A value held in place: data stays valid until kv_value_release().
 * Zero-initialised it is empty and may be released.
 */
struct kv_value {
	struct slice data;
	void (*release)(void *pin);
	void *pin;
};

static inline void
kv_value_release(struct kv_value *v)
{
	if (v->release != NULL)
		v->release(v->pin);
	*v = (struct kv_value){ 0 };
}

/* ---- Batches: a list of changes that happen together or not at all ---- */

enum kv_op_type {
	KV_OP_PUT,
	KV_OP_DELETE,
	KV_OP_DELETE_GROUP, /* every key of (space, group), in one record */
};

struct kv_op {
	enum kv_op_type type;
	uint8_t space;
	uint64_t group;
	size_t name_off; /* into kv_batch.names */
	size_t name_len;
	struct slice value; /* borrowed until the commit returns */
	uint64_t bytes_hint; /* of a group deletion */
};

/* Owned by the caller; ops and names grow as needed and are kept by
 * kv_batch_clear() for reuse. */
struct kv_batch {
	struct kv_op *ops;
	size_t count, cap;
	char *names;
	size_t names_len, names_cap;
	int error; /* first -ENOMEM/-EINVAL/-E2BIG; commit returns it */
	size_t bytes; /* keys and values, for limits */
	/* It passes on a disk that is full but for what the store keeps free:
	 * see kv_reserve(). A batch with a deletion passes anyway. */
	bool is_reserved;
	/* The commit does not wait for the disk: the caller calls kv_settle()
	 * once it has let go of the locks that others wait for. */
	bool settles_later;
};

void kv_batch_init(struct kv_batch *b);
void kv_batch_clear(struct kv_batch *b);
void kv_batch_fini(struct kv_batch *b);

/*
 * Add one change. Later changes of a batch win over earlier ones. Copies
 * the key, borrows the value until the commit has returned. Errors are
 * remembered in the batch and returned by kv_commit().
 */
void kv_batch_put(struct kv_batch *b, const struct kv_key *key,
    struct slice value);
void kv_batch_delete(struct kv_batch *b, const struct kv_key *key);
/*
 * Delete all keys of a group that exist before this change; costs one
 * record whatever their number (a range tombstone restricted to a prefix;
 * cf. Pebble's range keys and RocksDB's DeleteRange).
 */
void kv_batch_delete_group(struct kv_batch *b, uint8_t space, uint64_t group);
/* The same, with about how many bytes that gives back: the store cleans up
 * large deletions first. */
void kv_batch_delete_group_hint(struct kv_batch *b, uint8_t space,
    uint64_t group, uint64_t bytes);

/* ---- The store ---- */

struct kv;
struct kv_iter;
struct kv_snapshot;
struct kv_backup;

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

enum kv_report_format {
	KV_REPORT_TEXT, /* lines "Name: figure" */
	KV_REPORT_METRICS, /* Prometheus' text format */
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

struct kv_ops {
	int (*get)(struct kv *kv, const struct kv_key *key,
	    struct kv_snapshot *snap, struct kv_value *valuep);
	int (*commit)(struct kv *kv, struct kv_batch *batch, uint64_t *seqp);
	int (*settle)(struct kv *kv, uint64_t seq);
	int (*sync)(struct kv *kv, uint64_t seq);
	int (*iter_open)(struct kv *kv, const struct kv_key *from,
	    enum kv_scope scope, struct kv_snapshot *snap,
	    struct kv_iter **iterp);
	int (*iter_next)(struct kv_iter *it);
	struct kv_key (*iter_key)(const struct kv_iter *it);
	int (*iter_value)(struct kv_iter *it, struct slice *valuep);
	void (*iter_close)(struct kv_iter *it);
	int (*snapshot)(struct kv *kv, struct kv_snapshot **snapp);
	void (*snapshot_release)(struct kv *kv, struct kv_snapshot *snap);
	int (*usage)(struct kv *kv, struct kv_usage *usagep);
	void (*memory)(struct kv *kv, struct kv_memory *memoryp);
	int (*reserve)(struct kv *kv, enum kv_room kind, uint64_t bytes);
	int (*report)(struct kv *kv, enum kv_report_format format, FILE *out);
	int (*check)(struct kv *kv, enum kv_check_depth depth, FILE *out);
	int (*flush)(struct kv *kv);
	int (*compact)(struct kv *kv);
	int (*set_sync)(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
	    uint32_t ms);
	int (*set_wal_buffer)(struct kv *kv, uint64_t bytes);
	int (*set_cache)(struct kv *kv, uint64_t bytes);
	int (*set_max_size)(struct kv *kv, uint64_t bytes);
	int (*backup_open)(struct kv *kv, struct kv_backup **backupp);
	ssize_t (*backup_read)(struct kv_backup *b, void *buf, size_t len,
	    uint64_t off);
	void (*backup_close)(struct kv_backup *b);
	int (*close)(struct kv *kv);
};

/* An implementation embeds these as its first member. What it cannot do of
 * maintenance and backup it leaves NULL. */
struct kv {
	const struct kv_ops *ops;
	uint32_t caps;
};
struct kv_iter {
	const struct kv_ops *ops;
};
struct kv_backup {
	const struct kv_ops *ops;
	uint64_t size; /* of the archive */
};

/*
 * Newest value of key, or as of snap when it is not NULL. The value is
 * pinned: release it soon, it may hold cache memory. -ENOENT: absent.
 */
static inline int
kv_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep)
{
	*valuep = (struct kv_value){ 0 };
	return kv->ops->get(kv, key, snap, valuep);
}

/*
 * Apply a batch atomically. On return it is visible to every later read,
 * and as durable as the store's sync mode says, unless the batch says
 * settles_later. *seqp (may be NULL) is the position to hand to kv_sync() and
 * kv_settle(). Borrows the batch and its values. On
 * error nothing of it is visible or will be after a recovery, except that
 * after -EIO a recovery may find it.
 */
static inline int
kv_commit(struct kv *kv, struct kv_batch *batch, uint64_t *seqp)
{
	return kv->ops->commit(kv, batch, seqp);
}

/*
 * Wait until the commits up to seq are as durable as the sync mode says:
 * durable (full), or no further ahead of what is durable than its number of
 * commits (every, hybrid); the other modes have nothing to wait for.
 * Concurrent callers share one disk sync, as those of kv_sync() do. On error
 * the commits are visible all the same.
 */
static inline int
kv_settle(struct kv *kv, uint64_t seq)
{
	return kv->ops->settle(kv, seq);
}

/* Make everything up to seq durable (UINT64_MAX: all that is committed);
 * returns at once when it already is. Concurrent callers share one disk
 * sync (group commit; Pebble's LSN wait). With sync=off a no-op. */
static inline int
kv_sync(struct kv *kv, uint64_t seq)
{
	return kv->ops->sync(kv, seq);
}

/*
 * Ordered scan over keys >= from, within scope: a consistent view as of
 * now, or of snap, while writes go on. The caller closes it. It stands
 * before its first entry: call kv_iter_next() first, which returns 1 on an
 * entry, 0 at the end, or an error. Key and value are valid until the next
 * call on the iterator.
 */
static inline int
kv_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp)
{
	*iterp = NULL;
	return kv->ops->iter_open(kv, from, scope, snap, iterp);
}
static inline int
kv_iter_next(struct kv_iter *it)
{
	return it->ops->iter_next(it);
}
static inline struct kv_key
kv_iter_key(const struct kv_iter *it)
{
	return it->ops->iter_key(it);
}
static inline int
kv_iter_value(struct kv_iter *it, struct slice *valuep)
{
	*valuep = (struct slice){ 0 };
	return it->ops->iter_value(it, valuep);
}
static inline void
kv_iter_close(struct kv_iter *it)
{
	if (it != NULL)
		it->ops->iter_close(it);
}

/* A view of the store that later commits do not change. Holds back the
 * reuse of space, so release it. */
static inline int
kv_snapshot(struct kv *kv, struct kv_snapshot **snapp)
{
	*snapp = NULL;
	return kv->ops->snapshot(kv, snapp);
}
static inline void
kv_snapshot_release(struct kv *kv, struct kv_snapshot *snap)
{
	if (snap != NULL)
		kv->ops->snapshot_release(kv, snap);
}

static inline int
kv_usage(struct kv *kv, struct kv_usage *usagep)
{
	return kv->ops->usage(kv, usagep);
}

static inline void
kv_memory(struct kv *kv, struct kv_memory *memoryp)
{
	kv->ops->memory(kv, memoryp);
}

/*
 * Whether commits may add so many bytes now: 0, -ENOSPC or another error.
 * The store keeps some of the disk for its own needs, so that deleting works
 * when it is full; a commit that only adds ends with -ENOSPC then, unless its
 * batch says is_reserved. Before it says -ENOSPC it has what is dead make
 * room (flushes, compactions, moves of what lives beside what is dead), and
 * waits for that, for some seconds: call it without locks that others need.
 * Holds nothing back for the caller.
 */
static inline int
kv_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes)
{
	return kv->ops->reserve(kv, kind, bytes);
}

/* ---- Maintenance. -ENOTSUP: the store cannot. ---- */

/* Sizes, levels, ratios, cache, durability: what the store tells of itself. */
static inline int
kv_report(struct kv *kv, enum kv_report_format format, FILE *out)
{
	return kv->ops->report != NULL ? kv->ops->report(kv, format, out) :
					 -ENOTSUP;
}

/* Read everything and verify every checksum, beside all other work. Each
 * problem is a line "damage: FILE: what"; returns how many there are. */
static inline int
kv_check(struct kv *kv, enum kv_check_depth depth, FILE *out)
{
	return kv->ops->check != NULL ? kv->ops->check(kv, depth, out) :
					-ENOTSUP;
}

/* Have what is in memory in tables, and wait for it. -EROFS. */
static inline int
kv_flush(struct kv *kv)
{
	return kv->ops->flush != NULL ? kv->ops->flush(kv) : -ENOTSUP;
}

/* Merge everything down, and wait for it. -EROFS. */
static inline int
kv_compact(struct kv *kv)
{
	return kv->ops->compact != NULL ? kv->ops->compact(kv) : -ENOTSUP;
}

/* From now on, commits are made durable so; commits and ms where the mode has
 * them. What was committed before is made durable first, unless the new mode
 * is KV_SYNC_OFF. -EROFS. */
static inline int
kv_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms)
{
	return kv->ops->set_sync != NULL ?
	    kv->ops->set_sync(kv, mode, commits, ms) :
	    -ENOTSUP;
}

/* Other values of kv_options in the running store. The cache's must not be
 * 0 (-EINVAL) and may be set in a store that is open read-only; the others
 * return -EROFS there. */
static inline int
kv_set_wal_buffer(struct kv *kv, uint64_t bytes)
{
	return kv->ops->set_wal_buffer != NULL ?
	    kv->ops->set_wal_buffer(kv, bytes) :
	    -ENOTSUP;
}
static inline int
kv_set_cache(struct kv *kv, uint64_t bytes)
{
	return kv->ops->set_cache != NULL ? kv->ops->set_cache(kv, bytes) :
					    -ENOTSUP;
}
static inline int
kv_set_max_size(struct kv *kv, uint64_t bytes)
{
	return kv->ops->set_max_size != NULL ?
	    kv->ops->set_max_size(kv, bytes) :
	    -ENOTSUP;
}

/*
 * The store as it is now, everything that is committed, as the bytes of a
 * tar archive that can be read from any place, by several threads: the
 * files of a store, the last of them one without which the others are none.
 * Commits go on meanwhile, and what they free takes space on the disk until
 * the caller closes it. -ENOTSUP: the store cannot. What fails is logged.
 */
static inline int
kv_backup_open(struct kv *kv, struct kv_backup **backupp)
{
	*backupp = NULL;
	if (kv->ops->backup_open == NULL)
		return -ENOTSUP;
	return kv->ops->backup_open(kv, backupp);
}
/* Bytes read; less than len only at the end of the archive. */
static inline ssize_t
kv_backup_read(struct kv_backup *b, void *buf, size_t len, uint64_t off)
{
	return b->ops->backup_read(b, buf, len, off);
}
static inline void
kv_backup_close(struct kv_backup *b)
{
	if (b != NULL)
		b->ops->backup_close(b);
}

/* Finish background work, make everything durable, free the handle. NULL
 * is accepted. Returns the first error of the final writes; the handle is
 * gone all the same. */
static inline int
kv_close(struct kv *kv)
{
	return kv != NULL ? kv->ops->close(kv) : 0;
}

#endif
