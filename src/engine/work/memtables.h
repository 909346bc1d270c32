/* SPDX-License-Identifier: ISC */
/*
 * The row of memtables: one that takes changes, and those that wait for their
 * flush. All waiting for a place in it is done here.
 */
#ifndef KVFS_ENGINE_WORK_MEMTABLES_H
#define KVFS_ENGINE_WORK_MEMTABLES_H

#include "engine/state/db_state.h"

/* memtable_create() that lets go of segments, and of its memory's count,
 * when it is freed. */
struct memtable *db_memtable_create(struct db *db, uint64_t first_log);
bool db_memtable_is_full(struct db *db, const struct memtable *m);
/* What the memtable that is written to may let go of when it is flushed, if
 * each of its entries hides one as large. */
uint64_t db_memtable_hides_locked(struct db *db) REQUIRES(&db->mu);
/* Put an empty memtable in front, whose first log is first_log; there must be
 * a place for the one before. -ENOMEM. */
int db_memtable_next(struct db *db, uint64_t first_log)
    REQUIRES(&db->commit_mu);
/* Have a memtable in front that is not full; drops commit_mu while it waits
 * for a flush. -ENOSPC when there is no room for one, or another error. */
int db_memtable_make_room(struct db *db) REQUIRES(&db->commit_mu);
/* Start a new memtable and log; what was written waits for its flush.
 * Waits while too many wait already. */
int db_rotate(struct db *db);
/* Wait for progress of a flush: 0 after some, -ENOSPC when one that ran since
 * tries (db.flush.tries at the start) found no room, -EIO. */
int db_await_flush_locked(struct db *db, uint64_t tries) REQUIRES(&db->mu);

#endif
