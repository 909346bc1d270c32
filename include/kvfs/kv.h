/* SPDX-License-Identifier: ISC */
/*
 * The interface between a file system and a store: an ordered map from
 * (space, group, name) to bytes, changed by atomic batches, as a table of
 * functions. The embedded engine (kvfs/store.h) implements it; another store
 * can.
 *
 * Keys sort by space, then by group as an unsigned number, then by name as
 * bytes. A distributed store would keep the keys of a group in one place.
 *
 * Errors are those of kvfs/kv_error.h.
 *
 * Threads: every function may be called from any thread at any time,
 * except that an iterator, a batch and a pinned value each belong to one
 * thread at a time, and kv_close() must be the last call.
 *
 * This header has reading and writing; it includes the other kv_*.h, so that a
 * caller needs only this one.
 */
#ifndef KVFS_KV_H
#define KVFS_KV_H

#include "kvfs/kv_backup.h"
#include "kvfs/kv_batch.h"
#include "kvfs/kv_control.h"
#include "kvfs/kv_error.h"
#include "kvfs/kv_iter.h"
#include "kvfs/kv_key.h"
#include "kvfs/kv_ops.h"
#include "kvfs/kv_types.h"

/*
 * The newest value of key, or that of snap if it is not NULL. *valuep is pinned
 * until kv_value_release(); release it soon, since it may hold cache memory.
 * -ENOENT: absent.
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

/* A view of the store that later commits do not change. As long as it exists,
 * space of overwritten data is not freed; end it by kv_snapshot_release(). */
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

/* Finish background work, make everything durable, and free kv, also after an
 * error. NULL is accepted. Returns the first error of the final writes. */
static inline int
kv_close(struct kv *kv)
{
	return kv != NULL ? kv->ops->close(kv) : 0;
}

#endif
