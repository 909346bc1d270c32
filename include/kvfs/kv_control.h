/* SPDX-License-Identifier: ISC */
/*
 * What a store (kvfs/kv.h) takes and has left, and its maintenance: figures,
 * checks, and changes of how it runs. Any thread.
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

/* Whether the store has that function of its maintenance. */
#define kv_can(kv, what)                                                       \
	((kv)->ops->control != NULL && (kv)->ops->control->what != NULL)

/* Sizes, levels, ratios, cache, durability: what the store tells of itself. */
static inline int
kv_report(struct kv *kv, enum report_format format, FILE *out)
{
	return kv_can(kv, report) ? kv->ops->control->report(kv, format, out) :
				    -ENOTSUP;
}

/* Read everything and verify every checksum, beside all other work. Each
 * problem is a line "damage: FILE: what"; returns how many there are. */
static inline int
kv_check(struct kv *kv, enum kv_check_depth depth, FILE *out)
{
	return kv_can(kv, check) ? kv->ops->control->check(kv, depth, out) :
				   -ENOTSUP;
}

/* Have what is in memory in tables, and wait for it. -EROFS. */
static inline int
kv_flush(struct kv *kv)
{
	return kv_can(kv, flush) ? kv->ops->control->flush(kv) : -ENOTSUP;
}

/* Merge everything down, and wait for it. -EROFS. */
static inline int
kv_compact(struct kv *kv)
{
	return kv_can(kv, compact) ? kv->ops->control->compact(kv) : -ENOTSUP;
}

/* From now on, commits are made durable so; commits and ms where the mode has
 * them. What was committed before is made durable first, unless the new mode
 * is KV_SYNC_OFF. -EROFS. */
static inline int
kv_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms)
{
	return kv_can(kv, set_sync) ?
	    kv->ops->control->set_sync(kv, mode, commits, ms) :
	    -ENOTSUP;
}

/* Other values of kv_options in the running store. The cache's must not be
 * 0 (-EINVAL) and may be set in a store that is open read-only; the others
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
