/* SPDX-License-Identifier: ISC */
/* Flushes: memtables become tables of level 0. */
#include "engine/work/flush.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/compact/output.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/install.h"
#include "engine/state/log_make.h"
#include "engine/state/log_set.h"
#include "engine/state/memory_use.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/sync_plan.h"
#include "engine/state/write_delay.h"
#include "engine/tree/version.h"
#include "engine/work/memtables.h"
#include "engine/work/slack.h"
#include "util/clock.h"
#include "util/invariant.h"
#include "util/log.h"
#include "util/stats.h"

/* Write the memtable to a table of level 0 (none, if nothing of it is left) and
 * add it to e. */
static int
write_memtable(struct db *db, struct memtable *m, struct version_edit *e)
{
	struct output out = { .db = db,
		.edit = e,
		.separate = true,
		.one_table = true };
	struct version *below;
	uint64_t *snapshots, taken;
	int rc;

	mutex_lock(&db->mu);
	rc = snapshots_list_locked(&db->snapshots, &snapshots,
	    &out.snapshot_count);
	below = db->views.current->version;
	version_ref(below);
	mutex_unlock(&db->mu);
	if (rc == 0) {
		out.snapshots = snapshots;
		out.below = below;
		taken = db_memory_begin_work(db, 0,
		    atomic_load_explicit(&m->entries, memory_order_relaxed), 0);
		rc = output_merge(&out, memtable_iter(m));
		db_memory_end_work(db, taken);
	}
	/* Until now only the log has the pointers to segments. The values have
	 * to be as durable as the table. */
	if (rc == 0 && out.entries_out != 0)
		rc = db_segment_sync(db);
	counter_add(&db->stats.flush_bytes, out.bytes_written);
	free(snapshots);
	version_unref(below);
	return rc;
}

int
db_flush_oldest_locked(struct db *db)
{
	unsigned n = db->views.current->imm_count;
	struct memtable *m = db->views.current->imm[n - 1];
	struct memtable *next = n > 1 ? db->views.current->imm[n - 2] :
					db->views.current->mem;
	struct version_edit e = { 0 };
	struct db_log *log = NULL;
	uint64_t start = clock_now_ns();
	int rc;

	mutex_assert_held(&db->mu);
	memtable_ref(m);
	db->work.flush.began_ns = start;
	e.log_number = next->first_log;
	for (size_t i = 0; i < db->logs.count; i++)
		if (db->logs.all[i]->number == e.log_number)
			log = db->logs.all[i];
	if (log != NULL)
		atomic_fetch_add_explicit(&log->refs, 1, memory_order_relaxed);
	mutex_unlock(&db->mu);
	if (HAVE_CHECKS)
		memtable_check(m);
	rc = write_memtable(db, m, &e);
	if (rc == -ENOSPC && db_slack_spend(db)) {
		uint64_t log_number = e.log_number;

		db_edit_abandon(db, &e);
		e = (struct version_edit){ .log_number = log_number };
		rc = write_memtable(db, m, &e);
	}
	/* The manifest will name this log as the oldest one: it has to be on
	 * disk before. */
	if (rc == 0 && log != NULL)
		rc = db_sync_log(db, log);
	db_log_put(db, log);
	if (rc < 0) {
		db_edit_abandon(db, &e);
		segment_seal_active(db);
	}
	mutex_lock(&db->mu);
	if (rc == 0)
		rc = db_install_locked(db, &e, m);
	db->work.flush.began_ns = 0;
	db->work.flush.took_ns = clock_now_ns() - start;
	if (rc == 0) {
		db_log_release_locked(db, db->tree.first_log);
		db_now_durable(&db->dur, m->max_seq, m->last_commit);
		compact_pace_flushed(&db->work.flush, &db->work.compact,
		    &db->views.current->version->levels[0]);
		counter_add(&db->stats.flushes, 1);
		histogram_add(&db->stats.flush_ns, db->work.flush.took_ns);
		db_update_delay_locked(db);
	} else if (rc == -ENOSPC) {
		log_warn("%s: no room to flush; free some space",
		    db->store.path);
	} else if (rc != -ENOMEM) {
		db_poison(db, rc, "cannot flush a memtable");
	}
	db->work.flush.error = rc;
	db->work.flush.tries++;
	memtable_unref(m);
	cond_broadcast(&db->work.progress);
	cond_broadcast(&db->work.wanted);
	return rc;
}

int
db_flush_all(struct db *db)
{
	uint64_t seq = atomic_load_explicit(&db->commits.last_seq,
		     memory_order_seq_cst),
		 tries;
	int rc = db_rotate(db);

	mutex_lock(&db->mu);
	tries = db->work.flush.tries;
	while (rc == 0 && db->views.current->imm_count > 0 &&
	    db->tree.flushed_seq < seq)
		rc = db_await_flush_locked(db, tries);
	mutex_unlock(&db->mu);
	return rc;
}
