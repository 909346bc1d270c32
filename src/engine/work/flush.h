/* SPDX-License-Identifier: ISC */
/* Flushes: memtables become tables of level 0. */
#ifndef KVFS_ENGINE_WORK_FLUSH_H
#define KVFS_ENGINE_WORK_FLUSH_H

#include "engine/state/db_state.h"

/* Flush the oldest immutable memtable; there has to be one. Drops mu meanwhile.
 * Errors as from db_install_locked(), -ENOSPC included; then the memtable
 * stays. */
int db_flush_oldest_locked(struct db *db) REQUIRES(&db->mu);
/* Flush everything that is committed at the time of the call, and wait. -ENOSPC
 * if the last flush found no space: then the logs keep the data. */
int db_flush_all(struct db *db);

#endif
