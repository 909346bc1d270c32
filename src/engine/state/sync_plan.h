/* SPDX-License-Identifier: ISC */
/*
 * One disk sync of everything that is committed: segments, then names, then
 * logs, oldest first.
 */
#ifndef KVFS_ENGINE_STATE_SYNC_PLAN_H
#define KVFS_ENGINE_STATE_SYNC_PLAN_H

#include <stdint.h>

struct db;

/* Commits up to seq, the commits-th since opening, are durable now. */
void db_now_durable(struct db *db, uint64_t seq, uint64_t commits);
/*
 * Make durable what is committed when it begins. One caller at a time, who
 * holds the role of syncing (durability.c), and no lock. -ENOSPC: what waits
 * in memory still does; any other failure ends the store's writing.
 */
int db_sync_once(struct db *db);

#endif
