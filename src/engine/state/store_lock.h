/* SPDX-License-Identifier: ISC */
/*
 * The lock of a store: one process that writes, or any number of processes that
 * only read. See kvfs-format(5), "LOCK".
 *
 * The directory itself is locked, because it cannot be removed or replaced
 * unnoticed while it is open. Older versions of kvfs locked the file LOCK; a
 * second lock on that file keeps them out, and keeps us out. The file also says
 * who the writer is. Readers change neither.
 */
#ifndef KVFS_ENGINE_STATE_STORE_LOCK_H
#define KVFS_ENGINE_STATE_STORE_LOCK_H

#include "engine/env/env.h"
#include "kvfs/store.h"

struct store_lock {
	struct env_dir *dir; /* borrows; NULL: not locked */
	struct env_file *file; /* LOCK; NULL if there is none */
	enum env_lock_mode mode;
	char *text; /* contents of LOCK; owned */
};

/*
 * Lock dir, which has to outlive the lock; shared to read, or exclusive to
 * write. owner (may be NULL) describes the writer for others. A writer waits
 * some seconds for readers, and wait_ms for another writer; a reader waits
 * wait_ms for a writer. After that -EBUSY. All errors are logged, -EBUSY with
 * the owner of the lock.
 */
int store_lock_take(struct store_lock *l, struct env_dir *dir,
    enum env_lock_mode mode, const char *owner, uint32_t wait_ms);
/* Accepts a lock that was never taken. */
void store_lock_drop(struct store_lock *l);
/*
 * Check that a writer's LOCK is still there. Returns 0 if it is; 1 if it was
 * missing and was written again; -EBUSY if another program has locked a new
 * file with that name; -ENOENT if the directory was removed; or another error.
 * Logs nothing.
 */
int store_lock_check(struct store_lock *l);
/* As kv_owner(). */
int store_lock_owner(struct env_dir *dir, struct kv_owner *ownerp);

#endif
