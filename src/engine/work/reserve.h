/* SPDX-License-Identifier: ISC */
/*
 * Who is about to write asks here for room. Any thread, without locks of the
 * store: it may flush, compact and wait, but for batches that say no_reclaim.
 */
#ifndef KVFS_ENGINE_WORK_RESERVE_H
#define KVFS_ENGINE_WORK_RESERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "kvfs/kv.h"

struct db;

/* -ENOSPC when the batch would take what the store needs for itself, or
 * another error; batches that delete always pass. */
int db_room_take(struct db *db, const struct kv_batch *batch);
/* Whether a batch may use what is kept free: it deletes, or was asked for. */
bool db_room_may_pass(const struct kv_batch *batch);
/* Function of kv.h. */
int db_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes);

#endif
