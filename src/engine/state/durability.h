/* SPDX-License-Identifier: ISC */
/*
 * Durability by group commit: one of the waiting threads syncs everything that
 * is committed, for all of them.
 * Threading: any thread, without locks of the store; the functions wait for the
 * disk.
 */
#ifndef KVFS_ENGINE_STATE_DURABILITY_H
#define KVFS_ENGINE_STATE_DURABILITY_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/state/sync_group.h"
#include "engine/state/sync_timer.h"
#include "kvfs/kv.h"
#include "util/event.h"

struct db;
struct db_log;

/*
 * The state of group commit; see durability.c.
 *
 * Sequentially consistent: role, since who releases it and then wakes, and who
 * finds it taken and then waits for done, must not miss each other; seq and
 * commits, which waiters test between taking event_seen() and waiting.
 * Relaxed: the options, each of which is read alone, and the two times, which
 * are figures.
 */
struct durability {
	_Atomic int mode; /* may change, as may the next two */
	_Atomic uint32_t every_commits, every_ms;
	_Atomic uint64_t seq; /* all changes up to it are durable */
	_Atomic uint64_t commits; /* how many commits since opening are
	                             durable */
	_Atomic uint64_t at_ns; /* when that was reached */
	_Atomic uintptr_t role; /* the thread that syncs, or waits for the
	                           group */
	_Atomic uint64_t took_ns; /* duration of the last sync */
	struct sync_group group;
	struct event done; /* the role was released, or the store failed */
	struct sync_timer timer;
};

int db_sync(struct kv *kv, uint64_t seq);
int db_settle(struct kv *kv, uint64_t seq);
/* Make everything durable that is committed at the time of the call. */
int db_sync_all(struct db *db);
/* Make the name and the contents of a log file durable. */
int db_sync_log(struct db *db, struct db_log *log);
/*
 * Called by background work between two pieces: wait until the running disk
 * sync has ended, unless writers are slowed down because the work lags behind.
 */
void db_yield_to_sync(struct db *db);
/* After a commit that nobody waits for: have the timer sync it, if the sync
 * mode says so. */
void db_sync_in_time(struct db *db, enum kv_sync_mode mode);
/* After the commit-th commit since opening, whose last change is seq: wait as
 * the sync mode requires. */
int db_sync_after_commit(struct db *db, enum kv_sync_mode mode, uint64_t seq,
    uint64_t commit);

#endif
