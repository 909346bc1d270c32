/* SPDX-License-Identifier: ISC */
/*
 * Durability: whoever needs it syncs everything that is committed, for all
 * who wait (group commit; Pebble's flusher without its thread). The timer
 * thread does it for those who do not wait.
 *
 * Invariant: all commits up to durable_seq survive a power cut.
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

#include "engine/db_internal.h"

#define NS_PER_MS 1000000ULL
#define CROWD_WAIT_NS 200000
/* Without a commit for so long after a sync, the log says how far it is
 * durable. */
#define MARK_AFTER_NS 10000000

/* What one disk sync has to cover. */
struct sync_plan {
	uint64_t seq, commits;
	struct db_log **logs; /* held, oldest first */
	size_t log_count;
	bool *was_retired;
};

static void
raise_to(_Atomic uint64_t *p, uint64_t value)
{
	uint64_t old = atomic_load(p);

	while (old < value && !atomic_compare_exchange_weak(p, &old, value))
		;
}

void
db_now_durable(struct db *db, uint64_t seq, uint64_t commits)
{
	raise_to(&db->durable_seq, seq);
	raise_to(&db->durable_commits, commits);
	atomic_store(&db->durable_at_ns, clock_now_ns());
}

int
db_sync_names(struct db *db)
{
	uint64_t made = atomic_load(&db->names_made);
	int rc;

	if (atomic_load(&db->names_synced) >= made)
		return 0;
	rc = env_dir_sync(db->store);
	if (rc == 0)
		raise_to(&db->names_synced, made);
	return rc;
}

static int
plan_make(struct db *db, struct sync_plan *plan)
{
	size_t n = 0;
	int rc;

	*plan = (struct sync_plan){ 0 };
	mutex_lock(&db->commit_mu);
	plan->seq = atomic_load(&db->last_seq);
	plan->commits = atomic_load(&db->commit_count);
	rc = wal_writer_flush(db->log->writer);
	mutex_lock(&db->mu);
	plan->logs = calloc(db->log_count + 1, sizeof(*plan->logs));
	plan->was_retired = calloc(db->log_count + 1, sizeof(bool));
	if (plan->logs == NULL || plan->was_retired == NULL) {
		if (rc == 0)
			rc = -ENOMEM;
	} else {
		for (size_t i = 0; i < db->log_count; i++) {
			struct db_log *log = db->logs[i];

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
	if (db->log_count > 1)
		before = db->logs[db->log_count - 2];
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
	db_log_put(db, before);
	return rc;
}

/*
 * When nothing was committed since, say in the log itself how far it is
 * durable: the next frame may be long in coming, and damage to what was
 * synced should be seen as such (wal.h).
 */
static void
leave_mark(struct db *db)
{
	struct wal_body none = { 0 };
	uint64_t seq;

	mutex_lock(&db->commit_mu);
	seq = atomic_load(&db->durable_seq);
	if (db_error(db) == 0 && seq != db->marked_seq &&
	    seq == atomic_load(&db->last_seq) &&
	    wal_writer_has_room(db->log->writer, &none)) {
		if (wal_writer_append(db->log->writer, NULL, seq + 1, 0, seq) <
		    0)
			db_poison(db, -EIO, "cannot write %s", db->log->path);
		db->marked_seq = seq;
	}
	mutex_unlock(&db->commit_mu);
}

/* Have the timer leave a mark, unless a commit comes first: to write one
 * after each sync costs one thread's durable puts a twentieth. */
static void
owe_mark(struct db *db)
{
	if (atomic_load_explicit(&db->mark_owed, memory_order_relaxed) ||
	    atomic_exchange(&db->mark_owed, true))
		return;
	mutex_lock(&db->sync_mu);
	db->mark_due_ns = clock_now_ns() + MARK_AFTER_NS;
	cond_signal(&db->sync_wanted);
	mutex_unlock(&db->sync_mu);
}

static bool
role_try(struct db *db)
{
	return !atomic_load_explicit(&db->syncing, memory_order_relaxed) &&
	    !atomic_exchange(&db->syncing, true);
}

static void
role_give(struct db *db)
{
	atomic_store(&db->syncing, false);
	event_wake(&db->sync_done);
}

static uint64_t
not_durable(struct db *db)
{
	return atomic_load(&db->commit_count) -
	    atomic_load(&db->durable_commits);
}

/*
 * Those whom the last sync served come back at once when they do nothing
 * else: waiting for them, a fraction of what a sync takes, lets one sync
 * serve all and not half of them (the commit_delay of PostgreSQL, but only
 * where it is known to pay).
 */
static void
await_crowd(struct db *db)
{
	uint64_t limit = db->sync_took_ns / 2, start = 0;

	if (limit > CROWD_WAIT_NS)
		limit = CROWD_WAIT_NS;
	/* Waiters cannot be counted here: those who were served have yet to
	 * wake up and go. What they commit next can. */
	while (not_durable(db) < db->sync_crowd) {
		if (start == 0) {
			start = clock_now_ns();
		} else if (clock_now_ns() - start > limit) {
			db->sync_crowd = (uint32_t)not_durable(db);
			break;
		}
		sched_yield();
	}
}

static void
note_crowd(struct db *db, uint64_t took_ns)
{
	uint32_t waiters = atomic_load(&db->sync_waiters);

	if (waiters > db->sync_crowd)
		db->sync_crowd = waiters;
	db->sync_took_ns = took_ns;
}

/* Only the holder of the syncing role calls it. */
static int
sync_once(struct db *db)
{
	struct sync_plan plan;
	uint64_t start, took, durable;
	int rc = db_error(db);

	if (rc < 0)
		return -EIO;
	await_crowd(db);
	start = clock_now_ns();
	atomic_store(&db->sync_pending, false);
	rc = plan_make(db, &plan);
	if (rc == 0 && plan.seq > atomic_load(&db->durable_seq)) {
		rc = plan_run(db, &plan);
		durable = atomic_load(&db->durable_commits);
		if (rc == 0) {
			if (plan.commits > durable)
				histogram_add(&db->stats.sync_commits,
				    plan.commits - durable);
			db_now_durable(db, plan.seq, plan.commits);
			owe_mark(db);
			rc = promise(db, plan.seq);
		}
		took = clock_now_ns() - start;
		note_crowd(db, took);
		counter_add(&db->stats.syncs, 1);
		histogram_add(&db->stats.sync_ns, took);
	}
	plan_free(db, &plan);
	if (rc < 0 && rc != -ENOMEM)
		rc = db_poison(db, rc, "cannot make commits durable in %s",
		    db->dir);
	return rc;
}

/* All commits up to seq, or else the first so many of them. */
struct sync_goal {
	uint64_t seq, commits;
};

static bool
is_reached(struct db *db, struct sync_goal goal)
{
	return atomic_load(&db->durable_seq) >= goal.seq ||
	    atomic_load(&db->durable_commits) >= goal.commits;
}

/* Wait until the goal is durable, syncing for all if nobody does. */
static int
wait_durable(struct db *db, struct sync_goal goal)
{
	int rc = 0;

	if (is_reached(db, goal))
		return 0;
	atomic_fetch_add(&db->sync_waiters, 1);
	while (rc == 0) {
		uint32_t seen = event_seen(&db->sync_done);

		if (is_reached(db, goal))
			break;
		if (db_error(db) < 0)
			rc = -EIO;
		else if (role_try(db)) {
			if (!is_reached(db, goal))
				rc = sync_once(db);
			role_give(db);
		} else {
			counter_add(&db->stats.sync_waits, 1);
			event_wait(&db->sync_done, seen);
		}
	}
	atomic_fetch_sub(&db->sync_waiters, 1);
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
	uint32_t seen = event_seen(&db->sync_done);

	if (atomic_load(&db->syncing) && !db_is_slowed(db))
		event_wait(&db->sync_done, seen);
}

int
db_sync_log(struct db *db, struct db_log *log)
{
	uint32_t seen = event_seen(&db->sync_done);
	int rc;

	while (!role_try(db)) {
		event_wait(&db->sync_done, seen);
		seen = event_seen(&db->sync_done);
	}
	rc = db_error(db) < 0 ? -EIO : 0;
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

	if (db_error(db) < 0)
		return -EIO;
	if (db->read_only || atomic_load(&db->sync_mode) == KV_SYNC_OFF)
		return 0;
	if (seq > last)
		seq = last;
	if (atomic_load_explicit(&db->durable_seq, memory_order_acquire) >= seq)
		return 0;
	atomic_fetch_add(&db->user_syncs, 1);
	return wait_durable_seq(db, seq);
}

/* Let the timer know of the first commit that nothing has made durable. */
static void
arm_timer(struct db *db)
{
	bool idle;

	if (atomic_load_explicit(&db->sync_pending, memory_order_relaxed) ||
	    atomic_exchange(&db->sync_pending, true))
		return;
	mutex_lock(&db->sync_mu);
	idle = db->first_unsynced_ns == 0;
	if (idle)
		db->first_unsynced_ns = clock_now_ns();
	mutex_unlock(&db->sync_mu);
	/* A timer that runs already ends soon enough; waking its thread for
	 * each commit after an fsync would cost a file made and synced a
	 * tenth of its time. */
	if (idle)
		cond_signal(&db->sync_wanted);
}

/* Of the commits that have returned, fewer than sync_commits are not durable:
 * also while a sync is under way nobody runs further ahead. */
static int
keep_close(struct db *db, uint64_t seq, uint64_t commit)
{
	uint64_t ahead = atomic_load(&db->sync_commits);

	if (commit < ahead)
		return 0;
	return wait_durable(db, (struct sync_goal){ seq, commit - ahead + 1 });
}

int
db_sync_after_commit(struct db *db, uint64_t seq, uint64_t commit)
{
	switch (atomic_load_explicit(&db->sync_mode, memory_order_relaxed)) {
	case KV_SYNC_FULL:
		return wait_durable_seq(db, seq);
	case KV_SYNC_HYBRID:
		arm_timer(db);
		/* fall through */
	case KV_SYNC_EVERY:
		return keep_close(db, seq, commit);
	case KV_SYNC_INTERVAL:
		arm_timer(db);
		return 0;
	default:
		return 0;
	}
}

/* What the timer waits for next. */
static uint64_t
next_due_locked(struct db *db) REQUIRES(&db->sync_mu)
{
	uint64_t due = UINT64_MAX;

	if (db->first_unsynced_ns != 0)
		due = db->first_unsynced_ns +
		    atomic_load(&db->sync_ms) * NS_PER_MS;
	return db->mark_due_ns != 0 && db->mark_due_ns < due ? db->mark_due_ns :
							       due;
}

/* The one or the other that is due; without the lock meanwhile. */
static void
do_due_locked(struct db *db, uint64_t now) REQUIRES(&db->sync_mu)
{
	bool mark = db->mark_due_ns != 0 && db->mark_due_ns <= now;

	if (mark)
		db->mark_due_ns = 0;
	else
		db->first_unsynced_ns = 0;
	mutex_unlock(&db->sync_mu);
	if (mark) {
		atomic_store(&db->mark_owed, false);
		leave_mark(db);
	} else {
		/* From here on a commit arms the timer anew, also when the
		 * sync below finds that another has covered everything. */
		atomic_store(&db->sync_pending, false);
		/* A failure has poisoned the store; nobody waits here. */
		(void)db_sync_all(db);
	}
	mutex_lock(&db->sync_mu);
}

void *
db_sync_thread(void *arg)
{
	struct db *db = arg;
	uint64_t due, now;

	mutex_lock(&db->sync_mu);
	while (!db->timer_stop) {
		due = next_due_locked(db);
		now = clock_now_ns();
		if (due == UINT64_MAX)
			cond_wait(&db->sync_wanted, &db->sync_mu);
		else if (now < due)
			cond_wait_until(&db->sync_wanted, &db->sync_mu, due);
		else
			do_due_locked(db, now);
	}
	mutex_unlock(&db->sync_mu);
	if (atomic_load(&db->mark_owed))
		leave_mark(db);
	return NULL;
}
