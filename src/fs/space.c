/* SPDX-License-Identifier: ISC */
/*
 * Checks for room before contents go to the write-back cache. write(2) fails
 * with ENOSPC if they would not fit, since no error could be reported later;
 * and the store frees space here, while no lock is held.
 */
#include "fs/space.h"

#include "fs/fs_state.h"
#include "util/clock.h"
#include "util/mutex.h"

/* The estimate is used for so long, or until this part of it is consumed; the
 * store needs room for logs, too. */
#define SPACE_STALE_NS 500000000ULL
#define SPACE_STALE_PART 8
/* For the rows that are written with contents. */
#define SPACE_MARGIN (256u << 10)

static bool
space_fits(struct space_left *s, uint64_t need)
{
	/* Relaxed: estimates. */
	uint64_t used = atomic_load_explicit(&s->used_bytes,
	    memory_order_relaxed);
	uint64_t left = atomic_load_explicit(&s->free_bytes,
	    memory_order_relaxed);

	return used <= left / SPACE_STALE_PART && left - used >= need;
}

/* Have the store make room, without locks, and note how much there is. */
static int
space_make(struct fs *fs, enum kv_room kind, uint64_t need)
{
	struct space_left *s = &fs->space;
	uint64_t now = clock_now_ns();
	struct kv_usage usage;
	int rc;

	/* Removed files may have rows that are not deleted yet. */
	orphan_reap(fs);
	rc = kv_reserve(fs->kv, kind, need);
	if (rc == 0)
		rc = kv_usage(fs->kv, &usage);
	if (rc < 0)
		return rc;
	atomic_store_explicit(&s->used_bytes, 0, memory_order_relaxed);
	atomic_store_explicit(&s->free_bytes, usage.free_bytes,
	    memory_order_relaxed);
	atomic_store_explicit(&s->looked_ns, now, memory_order_relaxed);
	return 0;
}

static int
space_look(struct fs *fs, enum kv_room kind, size_t len)
{
	struct space_left *s = &fs->space;
	uint64_t need = SPACE_MARGIN + len +
	    atomic_load_explicit(&fs->dirty.data_bytes, memory_order_relaxed);

	if (space_fits(s, need) &&
	    clock_now_ns() -
		    atomic_load_explicit(&s->looked_ns, memory_order_relaxed) <
		SPACE_STALE_NS)
		return 0;
	return space_make(fs, kind, need);
}

int
space_ask(struct fs *fs, enum kv_room kind, size_t len)
{
	int rc = space_look(fs, kind, len);

	/* Dirty contents may take less once committed, or replace older ones,
	 * whose space is then freed. */
	if (rc == -ENOSPC &&
	    atomic_load_explicit(&fs->dirty.data_bytes, memory_order_relaxed) !=
		0 &&
	    writeback_all(fs) == 0)
		rc = space_look(fs, kind, len);
	return txn_settle(fs, rc);
}

bool
space_retry(struct fs *fs, int rc, unsigned *triesp)
{
	if (rc != -ENOSPC || (*triesp)++ != 0)
		return false;
	rc = txn_settle(fs, space_make(fs, KV_ROOM_ADD, SPACE_MARGIN));
	return rc == 0;
}
