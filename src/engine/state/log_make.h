/* SPDX-License-Identifier: ISC */
/* Log files, made ahead of their use, and the change from one to the next. */
#ifndef KVFS_ENGINE_STATE_LOG_MAKE_H
#define KVFS_ENGINE_STATE_LOG_MAKE_H

#include "engine/state/db_state.h"

/* Is each commit synced, or nearly? Then writing a log ahead of use is worth
 * its own writing. */
bool db_is_synced_often(struct db *db);
/* Make the next log ahead of its use; drops mu while it works. */
void db_log_prepare_locked(struct db *db) REQUIRES(&db->mu);
/* Retire the current log and begin one that holds at least need bytes.
 * -ENOSPC leaves the current one in use. */
int db_log_switch(struct db *db, uint64_t need) REQUIRES(&db->commit_mu);
/* Recycle or remove logs that no memtable needs any more. */
void db_log_release_locked(struct db *db, uint64_t first_needed)
    REQUIRES(&db->mu);
/* Remove the logs that were made ahead of use. */
void db_log_drop_spares_locked(struct db *db) REQUIRES(&db->mu);

#endif
