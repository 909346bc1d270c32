/* SPDX-License-Identifier: ISC */
/*
 * Durability: whoever needs it syncs everything that is committed, for all
 * who wait (group commit; Pebble's flusher without its thread). The timer
 * thread (work/sync_thread.c) does it for those who do not wait.
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

/* The first of a crowd waits for the others half of what a sync takes, and no
 * longer than this. */
#define GROUP_WAIT_NS 200000
/*
 * For so long the first of them looks, then he sleeps as the others do. Puts a
 * second of 4, 8 and 32 threads, on a disk that was simulated: 10,400, 19,200
 * and 46,700 without it, 12,100, 21,600 and 49,000 with it.
 */
#define SPIN_NS 50000

/* ---- Roles: one waits for the others to come, one syncs for all ---- */

/* What durability.role is, but for the waiter that gathers (its sync_wait). */
#define ROLE_FREE ((uintptr_t)0)
#define ROLE_SYNC ((uintptr_t)1)

/* Also from who gathers, who finds out when he wakes. */
static bool
role_sync(struct db *db)
{
	uintptr_t role = atomic_load(&db->dur.role);

	while (role != ROLE_SYNC)
		/* Acquire: what the last holder left is ours now. */
		if (atomic_compare_exchange_weak(&db->dur.role, &role,
			ROLE_SYNC))
			return true;
	return false;
}

static void
role_release(struct db *db)
{
	/* Release, and before the wake-up, so that who looks again gets it. */
	atomic_store(&db->dur.role, ROLE_FREE);
	event_wake(&db->dur.done);
}

/* One who wants a goal to be durable. */
struct sync_wait {
	struct sync_goal goal;
	uint64_t deadline_ns; /* of who gathers; 0: does not */
	bool is_late; /* it has passed */
};

/*
 * Those whom the last sync served come back at once when they do nothing
 * else: waiting for them, a fraction of what a sync takes, lets one sync
 * serve all and not half of them (the commit_delay of PostgreSQL, but only
 * where it is known to pay).
 */
static bool
role_gather(struct db *db, struct sync_wait *w)
{
	uint64_t wait_ns = atomic_load(&db->dur.took_ns) / 2;
	uintptr_t role = ROLE_FREE;

	if (!atomic_compare_exchange_strong(&db->dur.role, &role, (uintptr_t)w))
		return false;
	if (wait_ns > GROUP_WAIT_NS)
		wait_ns = GROUP_WAIT_NS;
	w->deadline_ns = clock_now_ns() + wait_ns;
	return true;
}

/* Who gathered and has what he wanted (from a flush, say) must not leave the
 * others without one who keeps the time. */
static void
role_leave(struct db *db, struct sync_wait *w)
{
	uintptr_t role = (uintptr_t)w;

	if (w->deadline_ns != 0 &&
	    atomic_compare_exchange_strong(&db->dur.role, &role, ROLE_FREE))
		event_wake(&db->dur.done);
}

static bool
is_reached(struct db *db, struct sync_goal goal)
{
	return atomic_load(&db->dur.seq) >= goal.seq ||
	    atomic_load(&db->dur.commits) >= goal.commits;
}

/* A few come back within microseconds: sleeping would cost more. */
static void
spin_briefly(struct db *db, const struct sync_wait *w)
{
	uint64_t end = clock_now_ns() + SPIN_NS;

	while (!sync_group_is_complete(&db->dur.group) &&
	    atomic_load(&db->dur.role) == (uintptr_t)w && clock_now_ns() < end)
		sched_yield();
}

/* Until there is something to look at, or to do. To look for longer would take
 * the processors from those who are to come. */
static void
wait_for_sync(struct db *db, struct sync_wait *w, uint32_t seen)
{
	counter_add(&db->stats.sync_waits, 1);
	if (!w->is_late && w->deadline_ns == 0 && role_gather(db, w)) {
		spin_briefly(db, w);
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
 * Wait until the goal is durable. Who makes the crowd complete syncs for all;
 * until then the first who came keeps the time, and syncs when the others
 * stay away.
 */
static int
wait_durable(struct db *db, struct sync_goal goal)
{
	struct sync_wait w = { .goal = goal };
	int rc = 0;

	if (is_reached(db, goal))
		return 0;
	sync_group_join(&db->dur.group, goal);
	while (rc == 0) {
		uint32_t seen = event_seen(&db->dur.done);

		if (is_reached(db, goal))
			break;
		if (fault_error(&db->fault) < 0) {
			rc = -EIO;
		} else if ((w.is_late ||
			       sync_group_is_complete(&db->dur.group)) &&
		    role_sync(db)) {
			if (!is_reached(db, goal))
				rc = db_sync_once(db);
			role_release(db);
		} else {
			wait_for_sync(db, &w, seen);
		}
	}
	role_leave(db, &w);
	return rc;
}

/*
 * One thread's durable puts beside a compaction of 400 MB, microseconds, three
 * runs each: p99 4,200 to 7,700 without it, 2,600 to 3,600 with it; p99.9
 * 14,000 to 16,000, and 7,000 to 10,000. The compaction takes up to twice as
 * long, while there are syncs.
 */
void
db_yield_to_sync(struct db *db)
{
	uint32_t seen = event_seen(&db->dur.done);

	if (atomic_load(&db->dur.role) == ROLE_SYNC &&
	    !write_delay_is_slowed(&db->delay))
		event_wait(&db->dur.done, seen);
}

int
db_sync_log(struct db *db, struct db_log *log)
{
	uint32_t seen = event_seen(&db->dur.done);
	int rc;

	while (!role_sync(db)) {
		event_wait(&db->dur.done, seen);
		seen = event_seen(&db->dur.done);
	}
	rc = fault_error(&db->fault) < 0 ? -EIO : 0;
	if (rc == 0)
		rc = db_sync_names(db);
	if (rc == 0 && log->writer != NULL)
		rc = wal_writer_sync(log->writer);
	if (rc < 0)
		rc = db_poison(db, rc, "cannot sync %s", log->path);
	role_release(db);
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
	return wait_durable_seq(db, atomic_load(&db->last_seq));
}

int
db_sync(struct kv *kv, uint64_t seq)
{
	struct db *db = db_of(kv);
	uint64_t last = atomic_load(&db->last_seq);

	if (fault_error(&db->fault) < 0)
		return -EIO;
	if (db->read_only || atomic_load(&db->dur.mode) == KV_SYNC_OFF)
		return 0;
	if (seq > last)
		seq = last;
	if (atomic_load_explicit(&db->dur.seq, memory_order_acquire) >= seq)
		return 0;
	atomic_fetch_add(&db->logs.user_syncs, 1);
	return wait_durable_seq(db, seq);
}

/* Of the commits that have returned, fewer than every_commits are not durable:
 * also while a sync is under way nobody runs further ahead. */
static int
limit_lag(struct db *db, uint64_t seq, uint64_t commit)
{
	uint64_t ahead = atomic_load(&db->dur.every_commits);

	if (commit < ahead)
		return 0;
	return wait_durable(db, (struct sync_goal){ seq, commit - ahead + 1 });
}

void
db_sync_in_time(struct db *db, enum kv_sync_mode mode)
{
	if (mode == KV_SYNC_HYBRID || mode == KV_SYNC_INTERVAL)
		db_timer_arm(db);
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
	if (rc == -ENOSPC) /* others may have seen it: there is no way back */
		rc = db_poison(db, rc, "cannot write %s", db->store.path);
	return rc;
}

int
db_settle(struct kv *kv, uint64_t seq)
{
	struct db *db = db_of(kv);
	/* Relaxed: beside a change of the mode it may go by either. */
	enum kv_sync_mode mode = (enum kv_sync_mode)
	    atomic_load_explicit(&db->dur.mode, memory_order_relaxed);
	uint64_t last = atomic_load(&db->last_seq);

	if (db->read_only)
		return 0;
	/* Counted from the commits of all: it is seq's, or a later one. */
	return db_sync_after_commit(db, mode, seq < last ? seq : last,
	    atomic_load(&db->commit_count));
}
