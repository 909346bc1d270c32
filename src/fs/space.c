/* SPDX-License-Identifier: ISC */
/*
 * Room in the store: contents are refused at the write when they would not
 * fit, since a cache that took them could not say so later.
 */
#include <inttypes.h>

#include "fs/fs_internal.h"

/* The figure is believed for so long, or until this part of it is used: the
 * store takes room for logs meanwhile. */
#define SPACE_STALE_NS 500000000ULL
#define SPACE_STALE_PART 8
/* For the rows that come with contents. */
#define SPACE_MARGIN (256u << 10)

/* Between two attempts to make room, and of the time that the last took. */
#define ROOM_PAUSE_NS 500000000ULL
#define ROOM_PAUSE_RATIO 4u

static bool
fits(struct writeback *wb, uint64_t need)
{
	/* Relaxed: estimates. */
	uint64_t used = atomic_load_explicit(&wb->space_used,
	    memory_order_relaxed);
	uint64_t left = atomic_load_explicit(&wb->space_free,
	    memory_order_relaxed);

	return used <= left / SPACE_STALE_PART && left - used >= need;
}

int
space_usage(struct fs *fs, struct kv_usage *usagep)
{
	uint64_t max = atomic_load_explicit(&fs->max_bytes,
	    memory_order_relaxed);
	uint64_t left;
	int rc;

	rc = kv_usage(fs->kv, usagep);
	if (rc < 0 || max == 0)
		return rc;
	left = max > usagep->disk_bytes ? max - usagep->disk_bytes : 0;
	if (usagep->free_bytes > left)
		usagep->free_bytes = left;
	if (usagep->total_bytes > max)
		usagep->total_bytes = max;
	return 0;
}

/*
 * The store does not know of max_bytes, and learns what deletions have left
 * behind only when it merges them down: have it do so when there are new
 * ones. Its space comes back soon after.
 */
static int
make_room(struct fs *fs) REQUIRES(&fs->wb.space_mu)
{
	struct writeback *wb = &fs->wb;
	uint64_t seq = atomic_load(&fs->last_seq);
	uint64_t begin = clock_now_ns(), end;
	int rc;

	if (seq == wb->room_seq || begin < wb->room_ns)
		return 0;
	rc = kv_control(fs->kv, "compact", NULL);
	if (rc == -ENOTSUP)
		rc = 0;
	if (rc == 0)
		wb->room_seq = seq;
	end = clock_now_ns();
	wb->room_ns = end + ROOM_PAUSE_NS + ROOM_PAUSE_RATIO * (end - begin);
	return rc;
}

/* What max_bytes leaves, or -ENOSPC. */
static int
look(struct fs *fs, uint64_t need, struct kv_usage *usagep)
    REQUIRES(&fs->wb.space_mu)
{
	int rc = space_usage(fs, usagep);

	if (rc < 0 || usagep->free_bytes >= need ||
	    atomic_load(&fs->max_bytes) == 0)
		return rc;
	rc = make_room(fs);
	if (rc == 0)
		rc = space_usage(fs, usagep);
	if (rc == 0 && usagep->free_bytes < need)
		rc = -ENOSPC;
	return rc;
}

int
space_for_row(struct fs *fs, size_t len)
{
	if (atomic_load_explicit(&fs->max_bytes, memory_order_relaxed) == 0)
		return 0;
	return writeback_reserve(fs, len);
}

int
writeback_reserve(struct fs *fs, size_t len)
{
	struct writeback *wb = &fs->wb;
	uint64_t now = clock_now_ns();
	uint64_t need = SPACE_MARGIN + len +
	    atomic_load_explicit(&wb->data_bytes, memory_order_relaxed);
	struct kv_usage usage;
	int rc = 0;

	if (fits(wb, need) &&
	    now - atomic_load_explicit(&wb->space_ns, memory_order_relaxed) <
		SPACE_STALE_NS)
		return 0;
	/* What was removed is to make room first. */
	if (orphan_due_ns(fs) != UINT64_MAX)
		orphan_reap(fs);
	mutex_lock(&fs->wb.space_mu);
	rc = kv_reserve(fs->kv, need);
	if (rc == 0)
		rc = look(fs, need, &usage);
	if (rc == 0) {
		atomic_store_explicit(&wb->space_used, 0, memory_order_relaxed);
		atomic_store_explicit(&wb->space_free, usage.free_bytes,
		    memory_order_relaxed);
		atomic_store_explicit(&wb->space_ns, now, memory_order_relaxed);
	}
	mutex_unlock(&fs->wb.space_mu);
	return rc;
}
