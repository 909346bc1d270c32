/* SPDX-License-Identifier: ISC */
/*
 * Views: what readers see, without a lock. A view never changes. Installing a
 * new one does not affect those who use the old one.
 */
#ifndef KVFS_ENGINE_STATE_VIEW_H
#define KVFS_ENGINE_STATE_VIEW_H

#include <stdatomic.h>
#include <stdint.h>

#include "engine/memtable/memtable.h"
#include "engine/tree/version.h"
#include "util/mutex.h"

/* Limit of immutable memtables. */
#define IMM_MAX 3
#define VIEW_SLOTS 64

/* What a reader sees: a constant set of sources. */
struct view {
	_Atomic unsigned refs;
	struct memtable *mem;
	struct memtable *imm[IMM_MAX + 1]; /* newest first */
	unsigned imm_count;
	struct version *version;
};

struct view_slot {
	/* NULL, the mark of a thread (odd), or a view with a reference that
	 * belongs to the slot. */
	_Alignas(64) _Atomic uintptr_t value;
};

struct views {
	struct mutex *mu; /* the state lock; it guards current */
	struct view *current;
	struct view_slot slots[VIEW_SLOTS];
};

void views_init(struct views *vs, struct mutex *mu);
/* Get the current view, valid until view_release(): two atomic operations on a
 * cache line of this thread (RocksDB's thread-local SuperVersion). Any thread,
 * without the state lock. */
struct view *view_acquire(struct views *vs);
void view_release(struct views *vs, struct view *v);
/* Get the current view, valid until view_unref(). The state lock is held. */
struct view *view_current_locked(struct views *vs);
void view_unref(struct view *v);
/* Make a view of these parts the current one; it takes its own references. imm:
 * newest first. The state lock is held. On -ENOMEM the old view stays. */
int view_install_locked(struct views *vs, struct memtable *mem,
    struct memtable *const *imm, unsigned imm_count, struct version *version);
/* Drop the views in the slots; for closing. */
void view_clear_slots(struct views *vs);

#endif
