/* SPDX-License-Identifier: ISC */
/*
 * Asks for space before a write.
 * Threading: any thread, without locks of the store; it may flush, compact and
 * wait, except for a batch with no_reclaim.
 */
#ifndef KVFS_ENGINE_WORK_RESERVE_H
#define KVFS_ENGINE_WORK_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/kv.h"

struct db;

/* Take space for a batch. -ENOSPC if the batch would need space that the store
 * keeps for itself, or another error. Batches that delete always succeed. */
int db_room_take(struct db *db, const struct kv_batch *batch);
/* Whether a batch may use the margin: it deletes, or its space was reserved
 * before. */
bool db_room_may_pass(const struct kv_batch *batch);
/* Function of kv.h. */
int db_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes);

#endif
