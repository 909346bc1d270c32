/* SPDX-License-Identifier: ISC */
/*
 * Durability by group commit: one of the waiting threads syncs everything that
 * is committed, for all of them (as Pebble does, but without a thread of its
 * own). The timer thread (work/sync_thread.c) syncs commits that nobody waits
 * for.
 *
 * Invariant: all commits up to durability.seq survive a power cut.
 */
#include "engine/state/durability.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "engine/log/wal_writer.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "engine/state/store_dir.h"
#include "engine/state/sync_plan.h"
#include "engine/state/sync_timer.h"
#include "engine/state/write_delay.h"
#include "util/clock.h"
#include "util/stats.h"

/* The first waiter of a group waits for the others half of the time of a sync,
 * and at most this long. */
#define GROUP_WAIT_NS 200000
/*
 * How long the first waiter spins before it sleeps. Measured on a simulated
 * disk, puts a second of 4, 8 and 32 threads: 10,400, 19,200 and 46,700 without
 * it, 12,100, 21,600 and 49,000 with it.
 */
#define SPIN_NS 50000

/* ---- Roles: one thread waits for the group, one syncs for all ---- */

/* Values of durability.role; any other one is the sync_wait of the thread that
 * waits for the group. */
#define ROLE_FREE ((uintptr_t)0)
#define ROLE_SYNC ((uintptr_t)1)

/* Take the role of syncing. It may be taken from the thread that waits for the
 * group, which notices when it wakes. */
static bool
role_sync(struct durability *dur)
{
	uintptr_t role = atomic_load_explicit(&dur->role, memory_order_seq_cst);

	while (role != ROLE_SYNC)
		/* Acquire: what the last thread in this role has written. */
		if (atomic_compare_exchange_weak_explicit(&dur->role, &role,
			ROLE_SYNC, memory_order_seq_cst, memory_order_seq_cst))
			return true;
	return false;
}

static void
role_release(struct durability *dur)
{
	/* Release, and before the wake-up, so that a waiter that checks again
	 * can take it. */
	atomic_store_explicit(&dur->role, ROLE_FREE, memory_order_seq_cst);
	event_wake(&dur->done);
}

/* A thread that waits until a goal is durable. */
struct sync_wait {
	struct sync_goal goal;
	uint64_t deadline_ns; /* of the one that waits for the group; else 0 */
	bool is_late; /* the deadline has passed */
};

/*
 * Become the thread that waits for the group. The waiters of the last sync
 * often commit again at once. Waiting for them, for a fraction of a sync's
 * time, lets one sync serve all of them, not half (PostgreSQL's commit_delay,
 * but only where it is known to pay).
 */
static bool
role_gather(struct durability *dur, struct sync_wait *w)
{
	uint64_t wait_ns =
	    atomic_load_explicit(&dur->took_ns, memory_order_relaxed) / 2;
	uintptr_t role = ROLE_FREE;

	if (!atomic_compare_exchange_strong_explicit(&dur->role, &role,
		(uintptr_t)w, memory_order_seq_cst, memory_order_seq_cst))
		return false;
	if (wait_ns > GROUP_WAIT_NS)
		wait_ns = GROUP_WAIT_NS;
	w->deadline_ns = clock_now_ns() + wait_ns;
	return true;
}

/* If the thread that waits for the group has reached its goal (by a flush,
 * say), it gives the role to another one. */
static void
role_leave(struct durability *dur, struct sync_wait *w)
{
	uintptr_t role = (uintptr_t)w;

	if (w->deadline_ns != 0 &&
	    atomic_compare_exchange_strong_explicit(&dur->role, &role,
		ROLE_FREE, memory_order_seq_cst, memory_order_seq_cst))
		event_wake(&dur->done);
}

static bool
is_reached(struct durability *dur, struct sync_goal goal)
{
	return atomic_load_explicit(&dur->seq, memory_order_seq_cst) >=
	    goal.seq ||
	    atomic_load_explicit(&dur->commits, memory_order_seq_cst) >=
	    goal.commits;
}

/* Few waiters come back within microseconds; sleeping would take longer. */
static void
spin_briefly(struct durability *dur, const struct sync_wait *w)
{
	uint64_t end = clock_now_ns() + SPIN_NS;

	while (!sync_group_is_complete(&dur->group) &&
	    atomic_load_explicit(&dur->role, memory_order_seq_cst) ==
		(uintptr_t)w &&
	    clock_now_ns() < end)
		sched_yield();
}

/* Sleep until a sync has ended, or the group is complete or late. Spinning
 * longer would take the processors from the threads to wait for. */
static void
wait_for_sync(struct db *db, struct sync_wait *w, uint32_t seen)
{
	counter_add(&db->stats.sync_waits, 1);
	if (!w->is_late && w->deadline_ns == 0 && role_gather(&db->dur, w)) {
		spin_briefly(&db->dur, w);
		if (sync_group_is_complete(&db->dur.group))
			return;
	}
	if (!w->is_late && w->deadline_ns != 0)
		w->is_late = !event_wait_until(&db->dur.done, seen,
		    w->deadline_ns);
	else
		event_wait(&db->dur.done, seen);
}

/*
 * Wait until the goal is durable. The thread that completes the group syncs for
 * all. Until then the first one waits, and syncs at its deadline if the others
 * do not come.
 */
static int
wait_durable(struct db *db, struct sync_goal goal)
{
	struct sync_wait w = { .goal = goal };
	int rc = 0;

	if (is_reached(&db->dur, goal))
		return 0;
	sync_group_join(&db->dur.group, goal);
	while (rc == 0) {
		uint32_t seen = event_seen(&db->dur.done);

		if (is_reached(&db->dur, goal))
			break;
		if (fault_error(&db->fault) < 0) {
			rc = -EIO;
		} else if ((w.is_late ||
			       sync_group_is_complete(&db->dur.group)) &&
		    role_sync(&db->dur)) {
			if (!is_reached(&db->dur, goal))
				rc = db_sync_once(db);
			role_release(&db->dur);
		} else {
			wait_for_sync(db, &w, seen);
		}
	}
	role_leave(&db->dur, &w);
	return rc;
}

/*
 * Measured with durable puts of one thread beside a compaction of 400 MB, in
 * microseconds, three runs: p99 4,200 to 7,700 without it, 2,600 to 3,600 with
 * it; p99.9 14,000 to 16,000 and 7,000 to 10,000. While there are syncs, the
 * compaction takes up to twice as long.
 */
void
db_yield_to_sync(struct db *db)
{
	uint32_t seen = event_seen(&db->dur.done);

	if (atomic_load_explicit(&db->dur.role, memory_order_seq_cst) ==
		ROLE_SYNC &&
	    !write_delay_is_slowed(&db->delay))
		event_wait(&db->dur.done, seen);
}

int
db_sync_log(struct db *db, struct db_log *log)
{
	uint32_t seen = event_seen(&db->dur.done);
	int rc;

	while (!role_sync(&db->dur)) {
		event_wait(&db->dur.done, seen);
		seen = event_seen(&db->dur.done);
	}
	rc = fault_error(&db->fault) < 0 ? -EIO : 0;
	if (rc == 0)
		rc = store_sync_names(&db->store);
	if (rc == 0 && log->writer != NULL)
		rc = wal_writer_sync(log->writer);
	if (rc < 0)
		rc = db_poison(db, rc, "cannot sync %s", log->path);
	role_release(&db->dur);
	return rc;
}

static int
wait_durable_seq(struct db *db, uint64_t seq)
{
	return wait_durable(db, (struct sync_goal){ seq, UINT64_MAX });
}

int
db_sync_all(struct db *db)
{
	return wait_durable_seq(db,
	    atomic_load_explicit(&db->commits.last_seq, memory_order_seq_cst));
}

int
db_sync(struct kv *kv, uint64_t seq)
{
	struct db *db = db_of(kv);
	uint64_t last = atomic_load_explicit(&db->commits.last_seq,
	    memory_order_seq_cst);

	if (fault_error(&db->fault) < 0)
		return -EIO;
	if (db->read_only ||
	    atomic_load_explicit(&db->dur.mode, memory_order_relaxed) ==
		KV_SYNC_OFF)
		return 0;
	if (seq > last)
		seq = last;
	if (atomic_load_explicit(&db->dur.seq, memory_order_acquire) >= seq)
		return 0;
	atomic_fetch_add_explicit(&db->logs.user_syncs, 1,
	    memory_order_relaxed);
	return wait_durable_seq(db, seq);
}

/* Make sure that fewer than every_commits of the commits that have returned are
 * not durable. So commits cannot run ahead of a slow sync. */
static int
limit_lag(struct db *db, uint64_t seq, uint64_t commit)
{
	uint64_t ahead = atomic_load_explicit(&db->dur.every_commits,
	    memory_order_relaxed);

	if (commit < ahead)
		return 0;
	return wait_durable(db, (struct sync_goal){ seq, commit - ahead + 1 });
}

void
db_sync_in_time(struct db *db, enum kv_sync_mode mode)
{
	if (mode == KV_SYNC_HYBRID || mode == KV_SYNC_INTERVAL)
		db_timer_arm(&db->dur);
}

int
db_sync_after_commit(struct db *db, enum kv_sync_mode mode, uint64_t seq,
    uint64_t commit)
{
	int rc = 0;

	switch (mode) {
	case KV_SYNC_FULL:
		rc = wait_durable_seq(db, seq);
		break;
	case KV_SYNC_HYBRID:
	case KV_SYNC_EVERY:
		rc = limit_lag(db, seq, commit);
		break;
	default:
		break;
	}
	if (rc == -ENOSPC) /* readers may have seen the commit: it cannot be
	                      undone */
		rc = db_poison(db, rc, "cannot write %s", db->store.path);
	return rc;
}

int
db_settle(struct kv *kv, uint64_t seq)
{
	struct db *db = db_of(kv);
	/* Relaxed: during a change of the mode either one is right. */
	enum kv_sync_mode mode = (enum kv_sync_mode)
	    atomic_load_explicit(&db->dur.mode, memory_order_relaxed);
	uint64_t last = atomic_load_explicit(&db->commits.last_seq,
	    memory_order_seq_cst);

	if (db->read_only)
		return 0;
	/* commit_count is the number of the commit of seq, or of a later
	 * one. */
	return db_sync_after_commit(db, mode, seq < last ? seq : last,
	    atomic_load_explicit(&db->commits.count, memory_order_seq_cst));
}
