/* SPDX-License-Identifier: ISC */
/*
 * Durability: whoever needs it syncs everything that is committed, for all
 * who wait. Any thread, without locks of the store; these calls wait for the
 * disk.
 */
#ifndef KVFS_ENGINE_STATE_DURABILITY_H
#define KVFS_ENGINE_STATE_DURABILITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/state/sync_group.h"
#include "kvfs/kv.h"
#include "util/event.h"

struct db;
struct db_log;

/*
 * Group commit; see durability.c. The role is taken and given up with
 * sequential consistency, against done; the rest are hints on when a sync is
 * worth most, in any order.
 */
struct durability {
	_Atomic int mode; /* live, as the next two */
	_Atomic uint32_t every_commits, every_ms;
	_Atomic uint64_t seq; /* durable up to it */
	_Atomic uint64_t commits; /* so many of them since opening */
	_Atomic uint64_t at_ns; /* when that was reached */
	_Atomic uintptr_t role; /* of syncing for all: who has it */
	_Atomic uint64_t took_ns; /* the last sync */
	struct sync_group group;
	struct event done; /* the role was given up, or the store failed */
};

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
