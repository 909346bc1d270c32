/* SPDX-License-Identifier: ISC */
/*
 * Durability: whoever needs it syncs everything that is committed, for all
 * who wait (group commit; Pebble's flusher without its thread). The timer
 * thread (sync_timer.c) does it for those who do not wait.
 *
 * Invariant: all commits up to durable_seq survive a power cut.
 */
#include "engine/state/durability.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "engine/log/wal.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/store_dir.h"
#include "engine/state/sync_timer.h"
#include "engine/state/write_delay.h"
#include "util/atomic_max.h"
#include "util/clock.h"
#include "util/stats.h"

/* The first of a crowd waits for the others half of what a sync takes, and no
 * longer than this. */
#define CROWD_WAIT_NS 200000
/*
 * For so long the first of them looks, then he sleeps as the others do. Puts a
 * second of 4, 8 and 32 threads, on a disk that was simulated: 10,400, 19,200
 * and 46,700 without it, 12,100, 21,600 and 49,000 with it.
 */
#define SPIN_NS 50000

/* All commits up to seq, or else the first so many of them. */
struct sync_goal {
	uint64_t seq, commits;
};

/* What one disk sync has to cover. */
struct sync_plan {
	uint64_t seq, commits;
	struct db_log **logs; /* held, oldest first */
	size_t log_count;
	bool *was_retired;
};

void
db_now_durable(struct db *db, uint64_t seq, uint64_t commits)
{
	atomic_max(&db->dur.seq, seq);
	atomic_max(&db->dur.commits, commits);
	atomic_store(&db->dur.at_ns, clock_now_ns());
}

/* ---- The crowd: who wants the same sync ---- */

/* Count him among those whom the sync under way serves, or the next. */
static void
crowd_join(struct db *db, struct sync_goal goal)
{
	/* If the plan is made just now, he may count for the sync after it:
	 * that one then begins one commit early. */
	if (goal.seq <= atomic_load(&db->dur.planned_seq) ||
	    goal.commits <= atomic_load(&db->dur.planned_commits))
		atomic_fetch_add(&db->dur.crowd_served, 1);
	else
		atomic_fetch_add(&db->dur.crowd_next, 1);
}

/* As many as wanted the last sync, or came while it ran. */
static bool
crowd_is_here(struct db *db)
{
	return atomic_load(&db->dur.crowd_next) >=
	    atomic_load(&db->dur.crowd_size);
}

static void
crowd_plan(struct db *db, const struct sync_plan *plan)
{
	/* In this order: who sees the plan counts among those it serves. */
	atomic_store(&db->dur.crowd_served,
	    atomic_exchange(&db->dur.crowd_next, 0));
	atomic_store(&db->dur.planned_seq, plan->seq);
	atomic_store(&db->dur.planned_commits, plan->commits);
}

static void
crowd_note(struct db *db)
{
	atomic_store(&db->dur.crowd_size,
	    atomic_load(&db->dur.crowd_served) +
		atomic_load(&db->dur.crowd_next));
}

/* ---- One disk sync for all ---- */

static int
plan_make(struct db *db, struct sync_plan *plan)
{
	size_t n = 0;
	int rc;

	*plan = (struct sync_plan){ 0 };
	mutex_lock(&db->commit_mu);
	plan->seq = atomic_load(&db->last_seq);
	plan->commits = atomic_load(&db->commit_count);
	crowd_plan(db, plan);
	rc = wal_writer_flush(db->logs.current->writer);
	mutex_lock(&db->mu);
	plan->logs = calloc(db->logs.count + 1, sizeof(*plan->logs));
	plan->was_retired = calloc(db->logs.count + 1, sizeof(bool));
	if (plan->logs == NULL || plan->was_retired == NULL) {
		if (rc == 0)
			rc = -ENOMEM;
	} else {
		for (size_t i = 0; i < db->logs.count; i++) {
			struct db_log *log = db->logs.all[i];

			if (log->synced)
				continue;
			atomic_fetch_add_explicit(&log->refs, 1,
			    memory_order_relaxed);
			plan->was_retired[n] = log->retired;
			plan->logs[n++] = log;
		}
		plan->log_count = n;
	}
	mutex_unlock(&db->mu);
	mutex_unlock(&db->commit_mu);
	return rc;
}

/* One caller at a time. */
static int
plan_run(struct db *db, struct sync_plan *plan)
{
	int rc = db_segment_sync(db);

	if (rc == 0)
		rc = db_sync_names(db);
	for (size_t i = 0; i < plan->log_count && rc == 0; i++) {
		rc = wal_writer_sync(plan->logs[i]->writer);
		if (rc < 0)
			return db_poison(db, rc, "cannot sync %s",
			    plan->logs[i]->path);
		if (rc == 0 && plan->was_retired[i])
			plan->logs[i]->synced = true;
	}
	return rc;
}

static void
plan_free(struct db *db, struct sync_plan *plan)
{
	for (size_t i = 0; i < plan->log_count; i++)
		db_log_put(db, plan->logs[i]);
	free(plan->logs);
	free(plan->was_retired);
}

/*
 * The log before the one that is written says that this one is durable now:
 * nothing else would tell, if it got lost, that there was one.
 */
static int
promise(struct db *db, uint64_t seq)
{
	struct db_log *before = NULL;
	int rc;

	mutex_lock(&db->mu);
	if (db->logs.count > 1)
		before = db->logs.all[db->logs.count - 2];
	if (before != NULL && before->synced && !before->promised &&
	    before->writer != NULL)
		atomic_fetch_add(&before->refs, 1);
	else
		before = NULL;
	mutex_unlock(&db->mu);
	if (before == NULL)
		return 0;
	before->promised = true;
	rc = wal_writer_promise(before->writer, seq);
	if (rc == -ENOSPC) /* a part of it tells nothing */
		rc = 0;
	db_log_put(db, before);
	return rc;
}

/* ---- Roles: one waits for the others to come, one syncs for all ---- */

/* What sync_role is, but for the waiter that gathers (its sync_wait). */
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
role_give(struct db *db)
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
	uint64_t patience = atomic_load(&db->dur.took_ns) / 2;
	uintptr_t role = ROLE_FREE;

	if (!atomic_compare_exchange_strong(&db->dur.role, &role, (uintptr_t)w))
		return false;
	if (patience > CROWD_WAIT_NS)
		patience = CROWD_WAIT_NS;
	w->deadline_ns = clock_now_ns() + patience;
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

/* Only the holder of the syncing role calls it. */
static int
sync_once(struct db *db)
{
	struct sync_plan plan;
	uint64_t start, took, durable;
	int rc = fault_error(&db->fault);

	if (rc < 0)
		return -EIO;
	start = clock_now_ns();
	atomic_store(&db->timer.is_pending, false);
	rc = plan_make(db, &plan);
	if (rc == -ENOSPC) { /* what waits in memory still does */
		plan_free(db, &plan);
		return rc;
	}
	if (rc == 0 && plan.seq > atomic_load(&db->dur.seq)) {
		rc = plan_run(db, &plan);
		durable = atomic_load(&db->dur.commits);
		if (rc == 0) {
			if (plan.commits > durable)
				histogram_add(&db->stats.sync_commits,
				    plan.commits - durable);
			db_now_durable(db, plan.seq, plan.commits);
			db_timer_owe_mark(db);
			rc = promise(db, plan.seq);
		}
		took = clock_now_ns() - start;
		crowd_note(db);
		atomic_store(&db->dur.took_ns, took);
		counter_add(&db->stats.syncs, 1);
		histogram_add(&db->stats.sync_ns, took);
	}
	plan_free(db, &plan);
	if (rc < 0 && rc != -ENOMEM)
		rc = db_poison(db, rc, "cannot make commits durable in %s",
		    db->store.path);
	return rc;
}

static bool
is_reached(struct db *db, struct sync_goal goal)
{
	return atomic_load(&db->dur.seq) >= goal.seq ||
	    atomic_load(&db->dur.commits) >= goal.commits;
}

/* A few come back within microseconds: sleeping would cost more. */
static void
spin(struct db *db, const struct sync_wait *w)
{
	uint64_t end = clock_now_ns() + SPIN_NS;

	while (!crowd_is_here(db) &&
	    atomic_load(&db->dur.role) == (uintptr_t)w && clock_now_ns() < end)
		sched_yield();
}

/* Until there is something to look at, or to do. To look for longer would take
 * the processors from those who are to come. */
static void
sleep_on(struct db *db, struct sync_wait *w, uint32_t seen)
{
	counter_add(&db->stats.sync_waits, 1);
	if (!w->is_late && w->deadline_ns == 0 && role_gather(db, w)) {
		spin(db, w);
		if (crowd_is_here(db))
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
	crowd_join(db, goal);
	while (rc == 0) {
		uint32_t seen = event_seen(&db->dur.done);

		if (is_reached(db, goal))
			break;
		if (fault_error(&db->fault) < 0) {
			rc = -EIO;
		} else if ((w.is_late || crowd_is_here(db)) && role_sync(db)) {
			if (!is_reached(db, goal))
				rc = sync_once(db);
			role_give(db);
		} else {
			sleep_on(db, &w, seen);
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
	role_give(db);
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

/* Of the commits that have returned, fewer than sync_commits are not durable:
 * also while a sync is under way nobody runs further ahead. */
static int
keep_close(struct db *db, uint64_t seq, uint64_t commit)
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
		rc = keep_close(db, seq, commit);
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
