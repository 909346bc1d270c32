/* SPDX-License-Identifier: ISC */
/*
 * Room on the disk. Commits that add something end with -ENOSPC while there
 * still is what the store needs for itself: the flush of all that is in
 * memory, the next log, a manifest, a compaction. So a store that has filled
 * its disk takes deletions, frees what they free, closes, and opens again
 * (the slop space of ZFS).
 */
#include <errno.h>

#include "engine/db_internal.h"

/* Kept free: a part of the disk, within bounds; enough to move what lives
 * in half of a segment. */
#define MARGIN_SHARE 16
#define MARGIN_MIN (2u << 20)
#define MARGIN_MAX (SEGMENT_FILE_MAX / 2 + (32u << 20))
/* What commits may take until the disk is asked again. */
#define GRANT_MAX (16u << 20)
/* A writer waits so long for compaction to make room. */
#define PRESS_NS (2 * 1000000000ULL)
/* A flush of less would free too little to be worth its table. */
#define FLUSH_WORTH (256u << 10)
/* A deletion may carry so much, of rows that tell of it. */
#define DELETION_BYTES_MAX 4096

void
db_room_init(struct db *db)
{
	struct env_space space;

	db->segment_bytes = SEGMENT_FILE_MAX;
	if (env_dir_space(db->store, &space) < 0)
		return;
	if (db->segment_bytes > space.total_bytes / SEGMENT_FILE_PART)
		db->segment_bytes = space.total_bytes / SEGMENT_FILE_PART;
	if (db->segment_bytes < SEGMENT_FILE_MIN)
		db->segment_bytes = SEGMENT_FILE_MIN;
}

/* Bytes in memory that a flush will have to write. */
static uint64_t
memory_bytes(struct db *db)
{
	const struct view *v;
	uint64_t n;

	mutex_lock(&db->mu);
	v = db->view;
	n = memtable_bytes(v->mem);
	for (unsigned i = 0; i < v->imm_count; i++)
		n += memtable_bytes(v->imm[i]);
	mutex_unlock(&db->mu);
	return n;
}

static uint64_t
log_bytes(struct db *db)
{
	uint64_t n;

	mutex_lock(&db->mu);
	n = db->spare_log != NULL ? 0 : db->log_bytes_next;
	mutex_unlock(&db->mu);
	return n;
}

uint64_t
db_room(struct db *db, const struct env_space *space)
{
	uint64_t margin = space->total_bytes / MARGIN_SHARE;
	uint64_t need;

	if (margin < MARGIN_MIN)
		margin = MARGIN_MIN;
	if (margin > MARGIN_MAX)
		margin = MARGIN_MAX;
	need = margin + memory_bytes(db) + log_bytes(db);
	return space->free_bytes > need ? space->free_bytes - need : 0;
}

/* Whether a flush of what is in memory may free more than it takes. */
static bool
flush_frees(struct db *db)
{
	bool is_worth;

	mutex_lock(&db->mu);
	is_worth = atomic_load(&db->view->mem->reclaim_bytes) != 0;
	mutex_unlock(&db->mu);
	return is_worth || memory_bytes(db) >= FLUSH_WORTH;
}

/* Have compaction free what it can, and wait for that, within reason. */
static void
press(struct db *db)
{
	uint64_t deadline = clock_now_ns() + PRESS_NS, before;

	atomic_store(&db->pressed, true);
	mutex_lock(&db->mu);
	before = db->compact_rests;
	db->compact_error = 0;
	cond_broadcast(&db->work);
	while (db->compact_rests == before && db->compact_error == 0 &&
	    db_error(db) == 0 && clock_now_ns() < deadline)
		cond_wait_until(&db->progress, &db->mu, deadline);
	mutex_unlock(&db->mu);
	db_remove_doomed(db);
}

/* Ask the disk; where it has too little, free what can be freed. */
static int
find_room(struct db *db, uint64_t bytes, uint64_t *roomp)
{
	struct env_space space;
	int rc;

	for (int tries = 0;; tries++) {
		rc = env_dir_space(db->store, &space);
		if (rc < 0)
			return rc;
		*roomp = db_room(db, &space);
		if (*roomp >= bytes) {
			atomic_store(&db->pressed, false);
			return 0;
		}
		if (tries == 0 && flush_frees(db))
			rc = db_flush_all(db);
		else if (tries == 1)
			press(db);
		else if (tries > 1)
			rc = -ENOSPC;
		if (rc < 0)
			return rc;
	}
}

int
db_reserve(struct kv *kv, uint64_t bytes)
{
	struct db *db = db_of(kv);
	uint64_t room;

	return db->read_only ? -EROFS : find_room(db, bytes, &room);
}

static bool
may_pass(const struct kv_batch *batch)
{
	if (batch->is_reserved)
		return true;
	if (batch->bytes > DELETION_BYTES_MAX)
		return false;
	for (size_t i = 0; i < batch->count; i++)
		if (batch->ops[i].type != KV_OP_PUT)
			return true;
	return false;
}

int
db_room_take(struct db *db, const struct kv_batch *batch)
{
	int64_t bytes = (int64_t)batch->bytes;
	uint64_t room = 0;
	int rc;

	/* Relaxed: an estimate, corrected by whoever finds it used up. */
	if (atomic_fetch_sub_explicit(&db->room_left, bytes,
		memory_order_relaxed) >= bytes)
		return 0;
	if (may_pass(batch))
		return 0;
	rc = find_room(db, batch->bytes, &room);
	room = rc == 0 ? room - batch->bytes : 0;
	if (room > GRANT_MAX)
		room = GRANT_MAX;
	atomic_store(&db->room_left, (int64_t)room);
	return rc;
}

void
db_room_forget(struct db *db)
{
	atomic_store_explicit(&db->room_left, 0, memory_order_relaxed);
}
