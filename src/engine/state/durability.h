/* SPDX-License-Identifier: ISC */
/*
 * Durability: whoever needs it syncs everything that is committed, for all
 * who wait. Any thread, without locks of the store; these calls wait for the
 * disk.
 */
#ifndef KVFS_ENGINE_STATE_DURABILITY_H
#define KVFS_ENGINE_STATE_DURABILITY_H

#include <stdint.h>

#include "kvfs/kv.h"

struct db;
struct db_log;

/* Commits up to seq, the commits-th since opening, are durable now. */
void db_now_durable(struct db *db, uint64_t seq, uint64_t commits);

int db_sync(struct kv *kv, uint64_t seq);
int db_settle(struct kv *kv, uint64_t seq);
/* One disk sync of everything that is committed. */
int db_sync_all(struct db *db);
/* Make a log file's name and what it holds so far durable. */
int db_sync_log(struct db *db, struct db_log *log);
/*
 * For background work between two pieces of its own: let the disk sync that is
 * under way end first, unless writers are slowed down because that work lags
 * behind.
 */
void db_yield_to_sync(struct db *db);
/* After a commit that nobody waits for: have it synced in time, if the sync
 * mode asks for that. */
void db_sync_in_time(struct db *db, enum kv_sync_mode mode);
/* After the commit-th commit since opening, whose last change is seq: wait for
 * whatever the sync mode asks of it. */
int db_sync_after_commit(struct db *db, enum kv_sync_mode mode, uint64_t seq,
    uint64_t commit);

#endif
