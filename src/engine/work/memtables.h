/* SPDX-License-Identifier: ISC */
/*
 * The current memtable and the immutable ones, which wait for their flush. All
 * waiting for a free place is done here.
 */
#ifndef KVFS_ENGINE_WORK_MEMTABLES_H
#define KVFS_ENGINE_WORK_MEMTABLES_H

#include "engine/state/db_state.h"

/* As memtable_create(). When the memtable is freed it releases its segments,
 * and its bytes are no longer counted. */
struct memtable *db_memtable_create(struct db *db, uint64_t first_log);
bool db_memtable_is_full(struct db *db, const struct memtable *m);
/* Estimate of the bytes that flushing the current memtable frees, if each
 * deletion supersedes an average entry. */
uint64_t db_memtable_superseded_locked(struct db *db) REQUIRES(&db->mu);
/* Make the current memtable immutable and put an empty one in its place, whose
 * oldest log is first_log. There has to be a free place. -ENOMEM. */
int db_memtable_next(struct db *db, uint64_t first_log)
    REQUIRES(&db->commits.mu);
/* Make sure that the current memtable is not full. Drops the lock while it
 * waits for a flush. -ENOSPC if the flush found no space, or another error. */
int db_memtable_make_room(struct db *db) REQUIRES(&db->commits.mu);
/* Start a new memtable and log; the old memtable will be flushed. Waits while
 * too many are immutable. */
int db_rotate(struct db *db);
/* Wait for progress of a flush. tries is db.work.flush.tries from before the first
 * call. Returns 0 after some progress, -ENOSPC if a flush since then found no
 * space, -EIO if the store has failed. */
int db_await_flush_locked(struct db *db, uint64_t tries) REQUIRES(&db->mu);

#endif
