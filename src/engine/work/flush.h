/* SPDX-License-Identifier: ISC */
/* Flushes: memtables become tables of level 0. */
#ifndef KVFS_ENGINE_WORK_FLUSH_H
#define KVFS_ENGINE_WORK_FLUSH_H

#include "engine/state/db_state.h"

/* Flush the oldest immutable memtable, of which there is one; drops mu
 * meanwhile. */
int db_flush_oldest_locked(struct db *db) REQUIRES(&db->mu);
/* All that is committed now to tables. -ENOSPC when the last try of a flush
 * found no room; the logs keep it. Waits. */
int db_flush_all(struct db *db);

#endif
