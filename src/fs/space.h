/* SPDX-License-Identifier: ISC */
/* Room in the store, asked for before anything is taken; see space.c. */
#ifndef KVFS_FS_SPACE_H
#define KVFS_FS_SPACE_H

#include <stdatomic.h>

#include "kvfs/kv.h"

struct fs;

/* What the store has left, looked at now and then; relaxed. */
struct space_left {
	_Atomic uint64_t free_bytes;
	_Atomic uint64_t used_bytes; /* committed since */
	_Atomic uint64_t looked_ns; /* when */
};

/* Contents were committed: an estimate, made good at the next look. */
static inline void
space_use(struct space_left *s, uint64_t bytes)
{
	atomic_fetch_add_explicit(&s->used_bytes, bytes, memory_order_relaxed);
}

/* -ENOSPC when the store has no room for len more bytes, of contents or of a
 * row, also after what is dead has made some, which it waits for: no lock is
 * held. */
int space_ask(struct fs *fs, enum kv_room kind, size_t len);
/* An operation that was let in has ended with rc: true when that is -ENOSPC,
 * since others were faster, and the store has made room now, so that another
 * try is worth it; once for a *triesp that begins at 0. No lock is held. */
bool space_retry(struct fs *fs, int rc, unsigned *triesp);

#endif
