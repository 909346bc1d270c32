/* SPDX-License-Identifier: ISC */
/* The compaction threads: they merge a job's inputs into its output level. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact_internal.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/state/db_state.h"
#include "engine/state/obsolete.h"
#include "engine/state/durability.h"
#include "engine/state/fault.h"
#include "engine/state/install.h"
#include "engine/state/memory_use.h"
#include "engine/state/segment_set.h"
#include "engine/state/snapshot.h"
#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/tree/level_iter.h"
#include "engine/key/merge_iter.h"
#include "engine/compact/output.h"
#include "engine/tree/version.h"
#include "util/clock.h"
#include "util/log.h"
#include "util/stats.h"

static struct iter *
open_inputs(struct caches *caches, const struct compact_job *job)
{
	size_t n = 0;
	struct merge_source *src = calloc(job->input_count[0] + 1,
	    sizeof(*src));
	struct iter *it = NULL;
	bool failed = src == NULL;

	/* Tables of level 0 overlap; those of any other level follow each
	 * other. */
	for (size_t i = 0; i < job->input_count[0] && !failed; i++) {
		src[n].it = level_iter_create(caches->tables,
		    &job->inputs[0][i], 1, false);
		src[n].max_seq = SEQ_MAX;
		failed = src[n++].it == NULL;
	}
	if (!failed && job->input_count[1] != 0) {
		src[n].it = level_iter_create(caches->tables, job->inputs[1],
		    job->input_count[1], false);
		src[n].max_seq = SEQ_MAX;
		failed = src[n++].it == NULL;
	}
	if (!failed) {
		it = merge_iter_create(src, n);
	} else {
		for (size_t i = 0; i < n; i++)
			iter_close(src[i].it);
	}
	free(src);
	return it;
}

static int
edit_remove_inputs(const struct compact_job *job, struct version_edit *e)
{
	int rc = 0;

	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i] && rc == 0; j++)
			rc = version_edit_remove(e,
			    i == 0 ? job->level : job->output_level,
			    job->inputs[i][j]->number);
	return rc;
}

/* Move a table to the next level without reading it. */
static int
run_move(const struct compact_job *job, struct version_edit *e)
{
	struct table_file *f = job->inputs[0][0];
	int rc;

	table_file_ref(f);
	rc = version_edit_add(e, job->output_level, f);
	if (rc < 0)
		table_file_unref(job->version, f);
	return rc;
}

/* The first level that may hold older entries than the outputs. */
static int
below_level(const struct compact_job *job)
{
	/* A table that is rewritten in level 0 may have older ones in the same
	 * level. */
	if (job->in_place && job->level == 0)
		return 0;
	return job->output_level + 1;
}

struct piece_arg {
	struct db *db;
	struct compact_pace *pace;
};

/* Called between two pieces: wait for the pace, and let a disk sync go
 * first. */
static void
pause_after_piece(void *arg, uint64_t bytes)
{
	const struct piece_arg *p = arg;

	compact_pace(p->pace, bytes);
	db_yield_to_sync(p->db);
}

/* One part's share of n, when all parts get the same. */
static uint64_t
part_share(const struct compact_job *job, uint64_t n)
{
	assert(job->part_count != 0);
	return n / job->part_count;
}

static void
run_part(struct db *db, struct compact_job *job, struct compact_part *part)
{
	struct piece_arg piece = { db, &job->pace };
	struct output out = {
		.db = db,
		.edit = &part->edit,
		.from = slice_make(part->from, part->from_len),
		.to = slice_make(part->to, part->to_len),
		.level = job->output_level,
		.snapshots = job->snapshots,
		.snapshot_count = job->snapshot_count,
		.below = job->version,
		.below_level = below_level(job),
		.relocate = job->relocate,
		.relocate_count = job->relocate_count,
		.one_table = job->in_place,
		.abandon = &db->work.compact.abandon,
		.pause = pause_after_piece,
		.pause_arg = &piece,
		.reclaim_bytes = part_share(job, job->reclaim_bytes),
	};
	/* The tables of level 0 are all read at the same time. */
	uint64_t taken = db_memory_begin_work(db, job->input_count[0] + 1,
	    part_share(job, job->input_entries),
	    part_share(job, job->input_bytes));

	part->rc = output_merge(&out, open_inputs(&db->caches, job));
	part->bytes_written = out.bytes_written;
	db_memory_end_work(db, taken);
}

/* Run parts of a job until all are taken. Drops mu meanwhile. */
static void run_parts_locked(struct db *db, struct compact_job *job)
    REQUIRES(&db->mu);

static void
run_parts_locked(struct db *db, struct compact_job *job)
{
	mutex_assert_held(&db->mu);
	while (job->parts_taken < job->part_count) {
		struct compact_part *part = &job->parts[job->parts_taken++];

		if (job->parts_taken == job->part_count &&
		    db->work.compact.shared_job == job)
			db->work.compact.shared_job = NULL;
		mutex_unlock(&db->mu);
		run_part(db, job, part);
		mutex_lock(&db->mu);
		job->parts_done++;
	}
	cond_broadcast(&db->work.progress);
}

static void
begin_pace_locked(struct db *db, struct compact_job *job) REQUIRES(&db->mu)
{
	const struct pace_state state = {
		.compact = &db->work.compact,
		.delay = &db->delay,
		.room = &db->room,
		.slept_ns = &db->stats.pace_ns,
	};
	uint64_t total = 0;

	mutex_assert_held(&db->mu);
	for (int i = 0; i < 2; i++)
		for (size_t j = 0; j < job->input_count[i]; j++)
			total += job->inputs[i][j]->props.raw_bytes;
	job->pace.is_off |= db->work.compact.all_wanted ||
	    db->work.tidy.is_under_way;
	compact_pace_begin(&job->pace, &state, total);
}

/* Run the parts of a job, by this thread and by idle compaction threads. */
static int
run_all_parts(struct db *db, struct compact_job *job)
{
	int rc = compact_split(job, db->opts.memtable_bytes,
	    db->opts.compaction_threads);

	if (rc < 0)
		return rc;
	mutex_lock(&db->mu);
	begin_pace_locked(db, job);
	rc = snapshots_list_locked(&db->snapshots, &job->snapshots,
	    &job->snapshot_count);
	if (rc == 0) {
		if (job->part_count > 1 &&
		    db->work.compact.shared_job == NULL) {
			db->work.compact.shared_job = job;
			cond_broadcast(&db->work.wanted);
		}
		run_parts_locked(db, job);
		while (job->parts_done < job->part_count)
			cond_wait(&db->work.progress, &db->mu);
	}
	mutex_unlock(&db->mu);
	return rc;
}

/* Move the tables of a part's edit to the job's edit. */
static int
take_tables(struct version_edit *e, struct version_edit *part)
{
	int rc = 0;

	while (part->add_count > 0 && rc == 0) {
		size_t last = part->add_count - 1;

		rc = version_edit_add(e, part->adds[last].level,
		    part->adds[last].file);
		if (rc == 0)
			part->add_count = last;
	}
	return rc;
}

static int
run_merge(struct db *db, struct compact_job *job, struct version_edit *e)
{
	uint64_t written = 0;
	int rc;

	for (int i = 0; i < 2; i++) {
		for (size_t j = 0; j < job->input_count[i]; j++) {
			const struct table_props *p = &job->inputs[i][j]->props;

			job->input_bytes += p->file_bytes;
			job->input_entries += p->entries;
			job->reclaim_bytes += job->inputs[i][j]->reclaim_bytes;
		}
	}
	rc = run_all_parts(db, job);
	for (size_t i = 0; i < job->part_count; i++) {
		struct compact_part *part = &job->parts[i];

		if (rc == 0)
			rc = part->rc;
		if (rc == 0)
			rc = take_tables(e, &part->edit);
		db_edit_abandon(db, &part->edit);
		written += part->bytes_written;
	}
	if (rc == 0 && job->relocate_count != 0)
		rc = db_segment_sync(db);
	counter_add(&db->stats.compact_read_bytes, job->input_bytes);
	counter_add(&db->stats.compact_write_bytes, written);
	return rc;
}

static int
run_job(struct db *db, struct compact_job *job)
{
	struct version_edit e = { 0 };
	uint64_t start = clock_now_ns();
	int rc = job->move ? run_move(job, &e) : run_merge(db, job, &e);

	if (rc == 0)
		rc = edit_remove_inputs(job, &e);
	if (rc < 0) {
		db_edit_abandon(db, &e);
		if (job->relocate_count != 0)
			segment_seal_active(db);
		if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM) {
			log_error("%s: damaged tables stay as they are; run "
				  "kvfsctl check",
			    db->store.path);
			compact_job_set_damaged(job);
		}
		return rc;
	}
	mutex_lock(&db->mu);
	rc = db_install_locked(db, &e, NULL);
	mutex_unlock(&db->mu);
	counter_add(job->relocate_count != 0 ? &db->stats.relocations :
		job->move                    ? &db->stats.moves :
					       &db->stats.compactions,
	    1);
	if (!job->move)
		histogram_add(&db->stats.compact_ns, clock_now_ns() - start);
	return rc;
}

/* Returns the most urgent job, with its inputs marked as compacting; or
 * NULL. */
static struct compact_job *
pick_job_locked(struct db *db) REQUIRES(&db->mu)
{
	struct version *v = db->views.current->version;
	struct compact_job *job;
	struct pick p = {
		.compact = &db->work.compact,
		.segs = &db->segs,
		.dir = db->store.dir,
		.memtable_bytes = db->opts.memtable_bytes,
		.segment_bytes = room_segment_bytes(&db->space.sizes),
		.relocate_percent = room_relocate_percent(&db->room),
		/* While writers are slowed down, they wait for what is due. */
		.is_slowed = write_delay_is_slowed(&db->delay),
	};

	mutex_assert_held(&db->mu);
	p.idle = p.relocate_percent != 0 || db->work.compact.all_wanted ||
	    db->work.tidy.is_under_way ||
	    atomic_load_explicit(&db->room.is_short, memory_order_seq_cst) ||
	    write_delay_is_idle(&db->delay);
	job = compact_pick(&p, v);
	if (p.seal_first) {
		segment_seal_active(db);
		p.has_sealed = true;
		job = compact_pick(&p, v);
	}
	return job;
}

void *
db_compact_thread(void *arg)
{
	struct db *db = arg;

	mutex_lock(&db->mu);
	while (!db->work.stop) {
		struct compact_job *job;
		int rc;

		if (db->work.compact.shared_job != NULL) {
			counter_add(&db->stats.shared_parts, 1);
			run_parts_locked(db, db->work.compact.shared_job);
			continue;
		}
		job = fault_error(&db->fault) == 0 ? pick_job_locked(db) : NULL;
		if (job == NULL) {
			if (db->work.compact.running == 0) {
				db->work.compact.all_wanted = false;
				db->work.tidy.is_under_way = false;
				atomic_store_explicit(&db->room.is_short, false,
				    memory_order_seq_cst);
				db->work.compact.idle_count++;
			}
			cond_broadcast(&db->work.progress);
			cond_wait_until(&db->work.wanted, &db->mu,
			    clock_now_ns() + WORK_TICK_NS);
			continue;
		}
		mutex_unlock(&db->mu);
		rc = run_job(db, job);
		if (rc == 0)
			obsolete_files_remove(db);
		mutex_lock(&db->mu);
		compact_job_finish(&db->work.compact, job);
		db_update_delay_locked(db);
		cond_broadcast(&db->work.progress);
		cond_broadcast(&db->work.wanted);
		if (rc < 0)
			db->work.compact.error = rc;
		if (rc < 0 && !db->work.stop) {
			if (rc == -ENOSPC)
				log_warn("%s: no room to compact; free some "
					 "space",
				    db->store.path);
			/* Wait before the next try. */
			cond_wait_until(&db->work.wanted, &db->mu,
			    clock_now_ns() + WORK_TICK_NS);
		}
	}
	mutex_unlock(&db->mu);
	return NULL;
}
