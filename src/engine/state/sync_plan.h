/* SPDX-License-Identifier: ISC */
/*
 * One disk sync of everything that is committed: segments, then file names,
 * then logs, oldest first.
 */
#ifndef KVFS_ENGINE_STATE_SYNC_PLAN_H
#define KVFS_ENGINE_STATE_SYNC_PLAN_H

#include <stdint.h>

struct db;
struct durability;

/* Record that all changes up to seq, and the first commits commits since
 * opening, are durable. */
void db_now_durable(struct durability *dur, uint64_t seq, uint64_t commits);
/*
 * Make everything durable that is committed when it begins. The caller has the
 * role of syncing (durability.c), one thread at a time, and holds no lock.
 * -ENOSPC: the buffered commits stay in memory. Any other failure is a fault.
 */
int db_sync_once(struct db *db);

#endif
