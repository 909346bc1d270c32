/* SPDX-License-Identifier: ISC */
/*
 * Room: on the disk, and within max_bytes, which is treated as a smaller
 * disk. Commits that add something end with -ENOSPC while there still is
 * what the store needs for itself: the flush of all that is in memory, the
 * next log, a manifest, a compaction. So a store that has filled its space
 * takes deletions, frees what they free, closes, and opens again (the slop
 * space of ZFS). Before a commit hears -ENOSPC, what is dead makes room:
 * reclaim.c.
 */
#include <errno.h>

#include "engine/state/db_state.h"

/* Kept free: a part of the space, within bounds; enough to move what lives
 * in half of a segment. */
#define MARGIN_SHARE 16
#define MARGIN_MIN (2u << 20)
#define MARGIN_MAX (SEGMENT_FILE_MAX / 2 + (32u << 20))
/* What commits may take until the disk is asked again. */
#define GRANT_MAX (16u << 20)
/* With less than so many margins left, what waits in the page cache is
 * written back for a look, when it is this part of one. */
#define SETTLE_MARGINS 4
#define SETTLE_PART 4
/* A deletion may carry so much, of rows that tell of it. */
#define DELETION_BYTES_MAX 4096

/* Parts of the space, and the least of each. */
#define SEGMENT_PART 64
#define SEGMENT_MIN (256u << 10)
#define MEMTABLE_PART 64
#define MEMTABLE_MIN (256u << 10)
#define TABLE_PART 256
#define TABLE_MIN (64u << 10)
#define MEMTABLE_SEGMENT_PART 8
#define LOG_PART 64

uint64_t
db_room_part(uint64_t total, uint64_t share, uint64_t least, uint64_t most)
{
	uint64_t n = total / share;

	if (n < least)
		return least;
	return n < most ? n : most;
}

static void
choose_sizes(struct db *db, uint64_t total)
{
	struct room_sizes *s = &db->sizes;

	atomic_store(&s->segment_bytes,
	    db_room_part(total, SEGMENT_PART, SEGMENT_MIN, SEGMENT_FILE_MAX));
	atomic_store(&s->memtable_segment_bytes,
	    db_room_part(total, MEMTABLE_SEGMENT_PART, SEGMENT_MIN,
		MEMTABLE_SEGMENT_BYTES));
	atomic_store(&s->table_bytes,
	    db_room_part(total, TABLE_PART, TABLE_MIN, TABLE_FILE_BYTES));
	atomic_store(&s->log_max_bytes,
	    db_room_part(total, LOG_PART, LOG_LEAST_BYTES, LOG_MAX_BYTES));
	atomic_store(&s->log_min_bytes,
	    db_room_part(total, LOG_PART, LOG_LEAST_BYTES, LOG_MIN_BYTES));
}

void
db_room_init(struct db *db)
{
	struct env_space space;
	uint64_t memtable;

	atomic_store(&db->max_bytes, db->opts.max_bytes);
	db->log_may_fill = !env_dir_keeps_blocks(db->store);
	if (db_space(db, &space) < 0)
		space.total_bytes = UINT64_MAX;
	choose_sizes(db, space.total_bytes);
	memtable = db_room_part(space.total_bytes, MEMTABLE_PART, MEMTABLE_MIN,
	    UINT64_MAX);
	if (db->opts.memtable_bytes > memtable)
		db->opts.memtable_bytes = memtable;
	db->log_bytes_next = atomic_load(&db->sizes.log_min_bytes);
}

void
db_room_set_max(struct db *db, uint64_t max_bytes)
{
	struct env_space space;

	atomic_store(&db->max_bytes, max_bytes);
	if (db_space(db, &space) == 0)
		choose_sizes(db, space.total_bytes);
	db_room_forget(db);
}

uint64_t
db_disk_bytes(struct db *db)
{
	struct db_log *ahead[2];
	struct segment_ref *s;
	uint64_t n = 0;

	mutex_lock(&db->mu);
	for (int i = 0; db->view != NULL && i < LEVELS; i++)
		n += db->view->version->levels[i].bytes;
	for (size_t i = 0; i < db->log_count; i++)
		n += db->logs[i]->size;
	ahead[0] = db->spare_log;
	ahead[1] = db->recycled_log;
	for (int i = 0; i < 2; i++)
		n += ahead[i] != NULL ? ahead[i]->size : 0;
	mutex_unlock(&db->mu);
	mutex_lock(&db->segment_mu);
	RB_FOREACH (s, segment_tree, &db->segments)
		n += s->size;
	mutex_unlock(&db->segment_mu);
	return n;
}

static uint64_t
margin(const struct env_space *space)
{
	return db_room_part(space->total_bytes, MARGIN_SHARE, MARGIN_MIN,
	    MARGIN_MAX);
}

/* All that was written since opening. */
static uint64_t
written_bytes(struct db *db)
{
	return counter_read(&db->stats.segment_bytes) +
	    counter_read(&db->stats.flush_bytes) +
	    counter_read(&db->stats.compact_write_bytes) +
	    counter_read(&db->stats.log_bytes);
}

/*
 * The disk's space. Where blocks are chosen only when pages are written back
 * (btrfs), what is in the page cache does not count as used yet: when little
 * is left, it is written back for the figure to be true.
 */
static int
disk_space(struct db *db, struct env_space *spacep)
{
	uint64_t written, waiting;
	int rc = env_dir_space(db->store, spacep);

	if (rc < 0 || !db->log_may_fill)
		return rc;
	written = written_bytes(db);
	waiting = written - atomic_load(&db->settled_bytes);
	if (spacep->free_bytes < waiting + SETTLE_MARGINS * margin(spacep) &&
	    waiting > margin(spacep) / SETTLE_PART) {
		env_dir_settle(db->store);
		atomic_store(&db->settled_bytes, written);
		waiting = 0;
		rc = env_dir_space(db->store, spacep);
	}
	spacep->free_bytes -= waiting < spacep->free_bytes ? waiting :
							     spacep->free_bytes;
	return rc;
}

int
db_space(struct db *db, struct env_space *spacep)
{
	uint64_t max = atomic_load(&db->max_bytes), used, left;
	int rc = disk_space(db, spacep);

	if (rc < 0 || max == 0)
		return rc;
	used = db_disk_bytes(db);
	left = max > used ? max - used : 0;
	if (spacep->free_bytes > left)
		spacep->free_bytes = left;
	if (spacep->total_bytes > max)
		spacep->total_bytes = max;
	return 0;
}

uint64_t
db_memory_to_flush(struct db *db)
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
next_log_bytes(struct db *db)
{
	uint64_t n;

	mutex_lock(&db->mu);
	n = db->spare_log != NULL ? 0 : db->log_bytes_next;
	mutex_unlock(&db->mu);
	return n;
}

/* The room that is left above so much that is kept free. */
static uint64_t
room_above(struct db *db, const struct env_space *space, uint64_t kept)
{
	uint64_t need = kept + db_memory_to_flush(db) + next_log_bytes(db);

	return space->free_bytes > need ? space->free_bytes - need : 0;
}

uint64_t
db_room(struct db *db, const struct env_space *space)
{
	return room_above(db, space, margin(space));
}

/* Have compaction free what it can, before somebody has to wait for it. */
static void
press(struct db *db)
{
	if (atomic_exchange(&db->pressed, true))
		return;
	mutex_lock(&db->mu);
	cond_broadcast(&db->work);
	mutex_unlock(&db->mu);
}

int
db_room_look(struct db *db, enum kv_room kind, uint64_t *roomp)
{
	struct env_space space;
	int rc = db_space(db, &space);
	uint64_t kept = margin(&space);

	*roomp = 0;
	if (rc < 0)
		return rc;
	if (db_room(db, &space) < kept)
		press(db);
	else
		atomic_store(&db->pressed, false);
	*roomp = room_above(db, &space,
	    kind == KV_ROOM_REPLACE ? kept / 2 : kept);
	return 0;
}

static int
find_room(struct db *db, enum kv_room kind, uint64_t bytes, uint64_t *roomp)
{
	int rc = db_room_look(db, kind, roomp);

	if (rc < 0 || *roomp >= bytes)
		return rc;
	return db_reclaim(db, kind, bytes, roomp);
}

int
db_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes)
{
	struct db *db = db_of(kv);
	uint64_t room;

	return db->read_only ? -EROFS : find_room(db, kind, bytes, &room);
}

bool
db_room_may_pass(const struct kv_batch *batch)
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
	if (db_room_may_pass(batch))
		return 0;
	rc = find_room(db, KV_ROOM_ADD, batch->bytes, &room);
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
