/* SPDX-License-Identifier: ISC */
/*
 * Frees space that dead data takes. A writer that finds too little space waits
 * here while
 *   obsolete files and spare logs are removed;
 *   memtables are flushed, which frees their logs, and segments whose values
 *   were overwritten;
 *   compaction merges deletions and newer versions down, and moves live values
 *   out of segments that are mostly dead (compact_pick.c goes further with
 *   both while db.room.relocate_percent is set).
 * It gets -ENOSPC when nothing is left to free, or after RECLAIM_NS.
 *
 * Threading: one writer at a time does this; the others wait for it, and then
 * check first whether it has freed enough.
 */
#include "engine/work/reclaim.h"

#include <errno.h>

#include "engine/env/env.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"
#include "engine/state/obsolete.h"
#include "engine/state/fault.h"
#include "engine/state/log_make.h"
#include "engine/state/log_set.h"
#include "engine/work/flush.h"
#include "engine/work/memtables.h"
#include "engine/work/room.h"
#include "engine/work/slack.h"
#include "util/clock.h"

#define RECLAIM_NS (8 * 1000000000ULL)
/* A flush that frees less than this does not pay for its table, unless no more
 * is missing. */
#define FLUSH_WORTH (256u << 10)
#define FLUSH_WORTH_LEAST (32u << 10)
/* With so many logs a flush frees enough: they are replaced by one. */
#define LOGS_WORTH 3
/*
 * Segments with a smaller live part, in percent, are emptied. A writer that
 * only replaces data should not fail because of dead data of others: at this
 * limit the rest of it is less than half of the margin (room.c).
 */
#define EMPTY_PERCENT_ADD 90
#define EMPTY_PERCENT_REPLACE 98

/* Unlink obsolete files, and check whether there is enough space. 0, -ENOSPC or
 * another error. */
static int
room_check(struct db *db, enum kv_room kind, uint64_t bytes, uint64_t *roomp)
{
	int rc;

	obsolete_files_remove(db);
	rc = db_room_look(db, kind, roomp);
	if (rc == 0 && *roomp < bytes) {
		env_dir_settle(db->store.dir);
		rc = db_room_look(db, kind, roomp);
	}
	if (rc == 0 && *roomp < bytes)
		rc = -ENOSPC;
	return rc;
}

/* Whether a flush may free more than it takes, or as much as is missing. */
static bool
flush_frees(struct db *db, uint64_t missing)
{
	uint64_t worth = atomic_load_explicit(&db->space.sizes.table_bytes,
	    memory_order_relaxed);
	const struct memtable *m;
	bool is_worth;

	if (worth > FLUSH_WORTH)
		worth = FLUSH_WORTH;
	if (worth > missing)
		worth = missing > FLUSH_WORTH_LEAST ? missing :
						      FLUSH_WORTH_LEAST;
	mutex_lock(&db->mu);
	m = db->views.current->mem;
	is_worth = db->views.current->imm_count != 0 ||
	    (!memtable_is_empty(m) &&
		(db_memtable_superseded_locked(db) + memtable_bytes(m) >=
			worth ||
		    db->logs.count >= LOGS_WORTH));
	mutex_unlock(&db->mu);
	return is_worth;
}

/* Wait until compaction has installed something. Returns 1; 0 if compaction has
 * nothing left to do; or an error. */
static int
await_compaction(struct db *db, uint64_t deadline)
{
	uint64_t idle_count, done;
	int rc = 1;

	mutex_lock(&db->mu);
	idle_count = db->work.compact.idle_count;
	done = db->tree.installs;
	db->work.compact.error = 0;
	cond_broadcast(&db->work.wanted);
	while (rc == 1 && done == db->tree.installs) {
		if (fault_error(&db->fault) < 0)
			rc = -EIO;
		else if (db->work.compact.idle_count != idle_count)
			rc = 0;
		else if (db->work.compact.error < 0)
			rc = db->work.compact.error;
		else if (clock_now_ns() >= deadline)
			rc = -ETIMEDOUT;
		else
			cond_wait_until(&db->work.progress, &db->mu, deadline);
	}
	mutex_unlock(&db->mu);
	return rc;
}

/* Compact until the space is free. Goes on for a little more, so that the next
 * writer need not wait again at once. */
static int
compact_until_room(struct db *db, enum kv_room kind, uint64_t bytes,
    uint64_t *roomp)
{
	uint64_t deadline = clock_now_ns() + RECLAIM_NS;
	uint64_t more_bytes = room_segment_bytes(&db->space.sizes) / 2;
	int rc, more;

	atomic_store_explicit(&db->room.relocate_percent,
	    kind == KV_ROOM_REPLACE ? EMPTY_PERCENT_REPLACE : EMPTY_PERCENT_ADD,
	    memory_order_relaxed);
	do {
		more = await_compaction(db, deadline);
		rc = room_check(db, kind, bytes, roomp);
		if (rc == -ENOSPC && more == -ENOSPC && db_slack_spend(db))
			more = 1;
		/* The memtable may supersede what is missing. */
		if (rc == -ENOSPC && more == 0 &&
		    flush_frees(db, bytes - *roomp) && db_flush_all(db) == 0)
			more = 1;
	} while (more == 1 &&
	    (rc == -ENOSPC || (rc == 0 && *roomp - bytes < more_bytes)));
	atomic_store_explicit(&db->room.relocate_percent, 0,
	    memory_order_relaxed);
	if (rc == -ENOSPC && more == -ETIMEDOUT)
		db->room.reclaim_late_ns = clock_now_ns();
	return more == -EIO ? more : rc;
}

static int
reclaim_for(struct db *db, enum kv_room kind, uint64_t bytes, uint64_t *roomp)
{
	int rc = room_check(db, kind, bytes, roomp);

	if (rc != -ENOSPC)
		return rc;
	/* Make small logs until larger ones are needed. */
	mutex_lock(&db->mu);
	db_log_drop_spares_locked(db);
	if (db->logs.next_bytes > LOG_LEAST_BYTES)
		db->logs.next_bytes = LOG_LEAST_BYTES;
	mutex_unlock(&db->mu);
	rc = room_check(db, kind, bytes, roomp);
	if (rc == -ENOSPC && flush_frees(db, bytes - *roomp)) {
		/* A flush without enough space may fail; compaction may still
		 * free some. */
		rc = db_flush_all(db);
		if (rc == 0 || rc == -ENOSPC)
			rc = room_check(db, kind, bytes, roomp);
	}
	if (rc == -ENOSPC)
		rc = compact_until_room(db, kind, bytes, roomp);
	return rc;
}

int
db_reclaim(struct db *db, enum kv_room kind, uint64_t bytes, uint64_t *roomp)
{
	uint64_t began = clock_now_ns();
	struct env_space space;
	int rc = db_space(db, &space);

	if (rc < 0 || bytes > space.total_bytes)
		return rc < 0 ? rc : -ENOSPC;
	rc = -ENOSPC;
	mutex_lock(&db->room.reclaim_mu);
	/* Another writer's attempt has timed out while this one waited: do not
	 * try again. */
	if (db->room.reclaim_late_ns < began)
		rc = reclaim_for(db, kind, bytes, roomp);
	mutex_unlock(&db->room.reclaim_mu);
	return rc;
}
