/* SPDX-License-Identifier: ISC */
/* One disk sync of everything that is committed; see sync_plan.h. */
#include "engine/state/sync_plan.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/log/wal_writer.h"
#include "engine/state/sync_group.h"
#include "engine/state/db_state.h"
#include "engine/state/segment_set.h"
#include "util/atomic_max.h"
#include "util/clock.h"
#include "util/stats.h"

void
db_now_durable(struct durability *dur, uint64_t seq, uint64_t commits)
{
	atomic_max(&dur->seq, seq);
	atomic_max(&dur->commits, commits);
	atomic_store_explicit(&dur->at_ns, clock_now_ns(),
	    memory_order_relaxed);
}

/* What one disk sync has to cover. */
struct sync_plan {
	uint64_t seq, commits;
	struct db_log **logs; /* referenced, oldest first */
	size_t log_count;
	bool *was_retired;
};

static int
plan_make(struct db *db, struct sync_plan *plan)
{
	size_t n = 0;
	int rc;

	*plan = (struct sync_plan){ 0 };
	mutex_lock(&db->commits.mu);
	plan->seq = atomic_load_explicit(&db->commits.last_seq,
	    memory_order_seq_cst);
	plan->commits = atomic_load_explicit(&db->commits.count,
	    memory_order_seq_cst);
	sync_group_begin(&db->dur.group,
	    (struct sync_goal){ plan->seq, plan->commits });
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
	mutex_unlock(&db->commits.mu);
	return rc;
}

/* One caller at a time. */
static int
plan_run(struct db *db, struct sync_plan *plan)
{
	int rc = db_segment_sync(db);

	if (rc == 0)
		rc = store_sync_names(&db->store);
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
 * Append a durable mark for the current log to the log before it. If the
 * current log is lost, the mark is the only evidence that it existed and was
 * durable.
 */
static int
append_durable_mark(struct db *db, uint64_t seq)
{
	struct db_log *before = NULL;
	int rc;

	mutex_lock(&db->mu);
	if (db->logs.count > 1)
		before = db->logs.all[db->logs.count - 2];
	if (before != NULL && before->synced && !before->has_mark &&
	    before->writer != NULL)
		atomic_fetch_add_explicit(&before->refs, 1,
		    memory_order_relaxed);
	else
		before = NULL;
	mutex_unlock(&db->mu);
	if (before == NULL)
		return 0;
	before->has_mark = true;
	rc = wal_writer_append_mark(before->writer, seq);
	if (rc == -ENOSPC) /* an incomplete mark does no harm */
		rc = 0;
	db_log_put(db, before);
	return rc;
}

int
db_sync_once(struct db *db)
{
	struct sync_plan plan;
	uint64_t start, took, durable;
	int rc = fault_error(&db->fault);

	if (rc < 0)
		return -EIO;
	start = clock_now_ns();
	atomic_store_explicit(&db->dur.timer.is_pending, false,
	    memory_order_seq_cst);
	rc = plan_make(db, &plan);
	if (rc == -ENOSPC) { /* the buffered commits stay in memory */
		plan_free(db, &plan);
		return rc;
	}
	if (rc == 0 &&
	    plan.seq >
		atomic_load_explicit(&db->dur.seq, memory_order_seq_cst)) {
		rc = plan_run(db, &plan);
		durable = atomic_load_explicit(&db->dur.commits,
		    memory_order_seq_cst);
		if (rc == 0) {
			if (plan.commits > durable)
				histogram_add(&db->stats.sync_commits,
				    plan.commits - durable);
			db_now_durable(&db->dur, plan.seq, plan.commits);
			db_timer_want_mark(&db->dur);
			rc = append_durable_mark(db, plan.seq);
		}
		took = clock_now_ns() - start;
		sync_group_end(&db->dur.group);
		atomic_store_explicit(&db->dur.took_ns, took,
		    memory_order_relaxed);
		counter_add(&db->stats.syncs, 1);
		histogram_add(&db->stats.sync_ns, took);
	}
	plan_free(db, &plan);
	if (rc < 0 && rc != -ENOMEM)
		rc = db_poison(db, rc, "cannot make commits durable in %s",
		    db->store.path);
	return rc;
}
