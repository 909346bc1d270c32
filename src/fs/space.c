/* SPDX-License-Identifier: ISC */
/*
 * Room in the store: contents are refused at the write when they would not
 * fit, since a cache that took them could not say so later.
 */
#include <inttypes.h>

#include "fs/fs_internal.h"

/* The figure is believed for so long, or until little is left of it. */
#define SPACE_STALE_NS 500000000ULL
/* Left to deletions, and to the store's own needs. */
#define SPACE_MARGIN (2u << 20)

static bool
fits(struct writeback *wb, uint64_t need)
{
	/* Relaxed: estimates. */
	uint64_t used = atomic_load_explicit(&wb->space_used,
	    memory_order_relaxed);
	uint64_t left = atomic_load_explicit(&wb->space_free,
	    memory_order_relaxed);

	return left > used && left - used >= need;
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
	mutex_lock(&wb->space_mu);
	rc = kv_usage(fs->kv, &usage);
	if (rc == 0) {
		atomic_store_explicit(&wb->space_used, 0, memory_order_relaxed);
		atomic_store_explicit(&wb->space_free, usage.free_bytes,
		    memory_order_relaxed);
		atomic_store_explicit(&wb->space_ns, now, memory_order_relaxed);
	}
	mutex_unlock(&wb->space_mu);
	if (rc < 0)
		return rc;
	return fits(wb, need) ? 0 : -ENOSPC;
}
