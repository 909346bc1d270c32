/* SPDX-License-Identifier: ISC */
/* Checks for room in the store before contents are accepted; see space.c. */
#ifndef KVFS_FS_SPACE_H
#define KVFS_FS_SPACE_H

#include <stdatomic.h>

#include "kvfs/kv.h"

struct fs;

/* The room left in the store, an estimate that is renewed now and then.
 * Relaxed. */
struct space_left {
	_Atomic uint64_t free_bytes;
	_Atomic uint64_t used_bytes; /* committed since looked_ns */
	_Atomic uint64_t looked_ns; /* when free_bytes was read */
};

/* Contents were committed: correct the estimate. */
static inline void
space_use(struct space_left *s, uint64_t bytes)
{
	atomic_fetch_add_explicit(&s->used_bytes, bytes, memory_order_relaxed);
}

/* Is there room for len more bytes, of contents or of a row? May wait while
 * the store frees space of deleted data: call it without locks. 0, -ENOSPC, or
 * another negative errno. */
int space_ask(struct fs *fs, enum kv_room kind, size_t len);
/* An operation that was let in has ended with rc: true when that is -ENOSPC,
 * since others were faster, and the store has made room now, so that another
 * try is worth it; once for a *triesp that begins at 0. No lock is held. */
bool space_retry(struct fs *fs, int rc, unsigned *triesp);

#endif
