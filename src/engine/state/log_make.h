/* SPDX-License-Identifier: ISC */
/* Makes log files ahead of their use, and switches from one to the next. */
#ifndef KVFS_ENGINE_STATE_LOG_MAKE_H
#define KVFS_ENGINE_STATE_LOG_MAKE_H

#include "engine/state/db_state.h"

/* Whether nearly each commit is synced. Then it pays to write zeros to a log
 * ahead of its use. */
bool db_is_synced_often(struct db *db);
/* Make the next log ahead of its use. Drops mu meanwhile. */
void db_log_prepare_locked(struct db *db) REQUIRES(&db->mu);
/* Retire the current log and begin one with at least need bytes. -ENOSPC: the
 * current one stays in use. */
int db_log_switch(struct db *db, uint64_t need) REQUIRES(&db->commits.mu);
/* Recycle or remove the logs below first_needed, which no memtable needs any
 * more. */
void db_log_release_locked(struct db *db, uint64_t first_needed)
    REQUIRES(&db->mu);
/* Remove the logs that were made ahead of use. */
void db_log_drop_spares_locked(struct db *db) REQUIRES(&db->mu);

#endif
