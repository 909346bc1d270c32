/* SPDX-License-Identifier: ISC */
/*
 * Who may use a store: one process that writes, or any number of those that
 * only read. kvfs-format(5), "LOCK".
 *
 * The lock lies on the store's directory itself, which cannot be removed or
 * replaced unseen while it is open. Versions of kvfs before that locked the
 * file LOCK; they are kept out, and keep us out, by a second lock on it. The
 * file also says who the writer is. Those that read change neither.
 */
#ifndef KVFS_ENGINE_STATE_STORE_LOCK_H
#define KVFS_ENGINE_STATE_STORE_LOCK_H

#include "engine/env/env.h"
#include "kvfs/store.h"

struct store_lock {
	struct env_dir *dir; /* borrowed; NULL: no lock */
	struct env_file *file; /* LOCK; NULL where there is none */
	enum env_lock_mode mode;
	char *text; /* of LOCK, owned */
};

/*
 * Lock dir, which must outlive the lock, for one that reads (shared) or
 * writes (exclusive), who is told of as owner (may be NULL). A writer waits
 * some seconds for readers to end, and wait_ms for another writer; a reader
 * waits wait_ms for a writer. -EBUSY after that, logged with who has it, as
 * all errors are.
 */
int store_lock_take(struct store_lock *l, struct env_dir *dir,
    enum env_lock_mode mode, const char *owner, uint32_t wait_ms);
/* A lock that was never taken is accepted. */
void store_lock_drop(struct store_lock *l);
/*
 * Whether a writer's LOCK is still there. 0 when it is; 1 when it was gone,
 * and has been written anew; -EBUSY when another program has locked a file
 * of that name meanwhile, -ENOENT when the directory itself was removed, and
 * other errors. Logs nothing.
 */
int store_lock_check(struct store_lock *l);
/* As kv_owner(). */
int store_lock_owner(struct env_dir *dir, struct kv_owner *ownerp);

#endif
