/* SPDX-License-Identifier: ISC */
/*
 * Views: what readers see, without a lock. A view never changes; installing
 * another one takes nothing from those who hold the old.
 */
#ifndef KVFS_ENGINE_STATE_VIEW_H
#define KVFS_ENGINE_STATE_VIEW_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/memtable/memtable.h"
#include "engine/tree/version.h"
#include "util/mutex.h"

/* Immutable memtables that may wait for their flush. */
#define IMM_MAX 3
#define VIEW_SLOTS 64

/* What a reader sees: constant sets of sources. */
struct view {
	_Atomic unsigned refs;
	struct memtable *mem;
	struct memtable *imm[IMM_MAX + 1]; /* newest first */
	unsigned imm_count;
	struct version *version;
};

struct view_slot {
	/* NULL, a busy mark (odd), or a view with a reference of the slot. */
	_Alignas(64) _Atomic uintptr_t value;
};

struct views {
	struct mutex *mu; /* the state lock, which guards current */
	struct view *current;
	struct view_slot slots[VIEW_SLOTS];
};

void views_init(struct views *vs, struct mutex *mu);
/* The current view, held until view_release(): two atomic operations on a
 * cache line of this thread's (RocksDB's thread-local SuperVersion). Any
 * thread, without the state lock. */
struct view *view_acquire(struct views *vs);
void view_release(struct views *vs, struct view *v);
/* The current view, held until view_unref(). The state lock is held. */
struct view *view_current_locked(struct views *vs);
void view_unref(struct view *v);
/* Make the current view of these parts (borrowed); imm newest first. The
 * state lock is held. -ENOMEM leaves the old one. */
int view_install_locked(struct views *vs, struct memtable *mem,
    struct memtable *const *imm, unsigned imm_count, struct version *version);
/* Drop what the slots cache; for closing. */
void view_clear_slots(struct views *vs);

#endif
