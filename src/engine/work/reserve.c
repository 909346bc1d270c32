/* SPDX-License-Identifier: ISC */
/*
 * Space for what is about to be written. It comes from a grant, for which the
 * disk is asked once; if that is used up, dead data is freed (reclaim.c).
 */
#include "engine/work/reserve.h"

#include <errno.h>

#include "engine/state/db_state.h"
#include "engine/work/reclaim.h"
#include "engine/work/room.h"

/* How much commits may write until the disk is asked again. */
#define GRANT_MAX (16u << 20)
/* A deletion may come with so many bytes of other rows. */
#define DELETION_BYTES_MAX 4096

/* What there is, or, if it may take its time for that, what dead data gives. */
static int
find_room(struct db *db, enum kv_room kind, bool reclaims, uint64_t bytes,
    uint64_t *roomp)
{
	int rc = db_room_look(db, kind, roomp);

	if (rc < 0 || *roomp >= bytes)
		return rc;
	return reclaims ? db_reclaim(db, kind, bytes, roomp) : -ENOSPC;
}

int
db_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes)
{
	struct db *db = db_of(kv);
	uint64_t room;

	return db->read_only ? -EROFS : find_room(db, kind, true, bytes, &room);
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

	/* Relaxed: an estimate. Whoever uses it up asks the disk again. */
	if (atomic_fetch_sub_explicit(&db->room.left, bytes,
		memory_order_relaxed) >= bytes)
		return 0;
	if (db_room_may_pass(batch))
		return 0;
	rc = find_room(db, KV_ROOM_ADD, !batch->no_reclaim, batch->bytes,
	    &room);
	room = rc == 0 ? room - batch->bytes : 0;
	if (room > GRANT_MAX)
		room = GRANT_MAX;
	atomic_store_explicit(&db->room.left, (int64_t)room,
	    memory_order_seq_cst);
	return rc;
}
