/* SPDX-License-Identifier: ISC */
/*
 * Space and memory of a store (kvfs/kv.h), and its maintenance: statistics,
 * checks, and changes of options. Any thread.
 */
#ifndef KVFS_KV_CONTROL_H
#define KVFS_KV_CONTROL_H

#include <errno.h>

#include "kvfs/kv_ops.h"

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
 * May commits add this many bytes now? 0, -ENOSPC or another error. The store
 * keeps some space for its own needs, so that deletions work on a full disk; a
 * commit that only adds then fails with -ENOSPC, unless its batch has
 * is_reserved. Before it returns -ENOSPC it frees the space of deleted data
 * (by flushes, compactions and moves of values), and waits for that, for some
 * seconds: call it without locks that others need. It reserves nothing for the
 * caller.
 */
static inline int
kv_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes)
{
	return kv->ops->reserve(kv, kind, bytes);
}

/* ---- Maintenance. -ENOTSUP: the store has no such function. ---- */

/* Does the store have this maintenance function? */
#define kv_can(kv, what)                                                       \
	((kv)->ops->control != NULL && (kv)->ops->control->what != NULL)

/* Print statistics of the store: sizes, levels, ratios, cache, durability. */
static inline int
kv_report(struct kv *kv, enum report_format format, FILE *out)
{
	return kv_can(kv, report) ? kv->ops->control->report(kv, format, out) :
				    -ENOTSUP;
}

/* Read everything and verify every checksum; other calls go on meanwhile. Each
 * problem is a line "damage: FILE: what". Returns the number of problems. */
static inline int
kv_check(struct kv *kv, enum kv_check_depth depth, FILE *out)
{
	return kv_can(kv, check) ? kv->ops->control->check(kv, depth, out) :
				   -ENOTSUP;
}

/* Write what is in memory to tables, and wait for that. -EROFS. */
static inline int
kv_flush(struct kv *kv)
{
	return kv_can(kv, flush) ? kv->ops->control->flush(kv) : -ENOTSUP;
}

/* Merge all tables to the last level, and wait for that. -EROFS. */
static inline int
kv_compact(struct kv *kv)
{
	return kv_can(kv, compact) ? kv->ops->control->compact(kv) : -ENOTSUP;
}

/* Set the sync mode, with commits and ms if the mode has them. Earlier commits
 * are made durable first, unless the new mode is KV_SYNC_OFF. -EROFS. */
static inline int
kv_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms)
{
	return kv_can(kv, set_sync) ?
	    kv->ops->control->set_sync(kv, mode, commits, ms) :
	    -ENOTSUP;
}

/* Set other options (struct kv_options) of an open store. The size of the cache
 * must not be 0 (-EINVAL), and can be set in a read-only store, too; the others
 * return -EROFS there. */
static inline int
kv_set_wal_buffer(struct kv *kv, uint64_t bytes)
{
	return kv_can(kv, set_wal_buffer) ?
	    kv->ops->control->set_wal_buffer(kv, bytes) :
	    -ENOTSUP;
}
static inline int
kv_set_cache(struct kv *kv, uint64_t bytes)
{
	return kv_can(kv, set_cache) ? kv->ops->control->set_cache(kv, bytes) :
				       -ENOTSUP;
}
static inline int
kv_set_max_size(struct kv *kv, uint64_t bytes)
{
	return kv_can(kv, set_max_size) ?
	    kv->ops->control->set_max_size(kv, bytes) :
	    -ENOTSUP;
}

#endif
