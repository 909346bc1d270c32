/* SPDX-License-Identifier: ISC */
/*
 * Free space: on the disk, and within max_bytes, which acts as a smaller disk.
 * Commits that add data fail with -ENOSPC while there still is space for what
 * the store itself needs: the flush of all memtables, the next log, a manifest,
 * a compaction. So a full store accepts deletions, frees space by them, closes,
 * and opens again (the slop space of ZFS). Before a commit fails with -ENOSPC,
 * dead data is freed: reclaim.c.
 */
#include "engine/work/room.h"

#include <errno.h>

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"

void
db_room_set_max(struct db *db, uint64_t max_bytes)
{
	db_space_set_max(db, max_bytes);
	db_room_forget(db);
}

/* Bytes of memtables that flushes will write. */
static uint64_t
memory_to_flush(struct db *db)
{
	const struct view *v;
	uint64_t n;

	mutex_lock(&db->mu);
	v = db->views.current;
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
	n = db->logs.spare != NULL ? 0 : db->logs.next_bytes;
	mutex_unlock(&db->mu);
	return n;
}

/* Free space beyond kept bytes and the needs of flushes and logs. */
static uint64_t
room_above(struct db *db, const struct env_space *space, uint64_t kept)
{
	uint64_t need = kept + memory_to_flush(db) + next_log_bytes(db);

	return space->free_bytes > need ? space->free_bytes - need : 0;
}

uint64_t
db_room(struct db *db, const struct env_space *space)
{
	return room_above(db, space, space_margin(space));
}

/* Start compaction before a writer has to wait for space. */
static void
wake_compaction(struct db *db)
{
	if (atomic_exchange_explicit(&db->room.is_short, true,
		memory_order_seq_cst))
		return;
	mutex_lock(&db->mu);
	cond_broadcast(&db->work.wanted);
	mutex_unlock(&db->mu);
}

int
db_room_look(struct db *db, enum kv_room kind, uint64_t *roomp)
{
	struct env_space space;
	int rc = db_space(db, &space);
	uint64_t kept = space_margin(&space);

	*roomp = 0;
	if (rc < 0)
		return rc;
	if (db_room(db, &space) < kept)
		wake_compaction(db);
	else
		atomic_store_explicit(&db->room.is_short, false,
		    memory_order_seq_cst);
	*roomp = room_above(db, &space,
	    kind == KV_ROOM_REPLACE ? kept / 2 : kept);
	return 0;
}

void
db_room_forget(struct db *db)
{
	atomic_store_explicit(&db->room.left, 0, memory_order_relaxed);
}
