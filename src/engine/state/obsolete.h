/* SPDX-License-Identifier: ISC */
/*
 * Obsolete files: files that nobody uses any more. They are collected here and
 * unlinked by a background thread, so that whoever drops the last reference to
 * a file never waits for an unlink.
 * Threading: any thread. obsolete_file_add() may be called under any lock but
 * mu, obsolete_files_remove() under none.
 */
#ifndef KVFS_ENGINE_STATE_OBSOLETE_H
#define KVFS_ENGINE_STATE_OBSOLETE_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/env/filename.h"
#include "util/mutex.h"

struct db;

struct obsolete_file {
	struct obsolete_file *next;
	enum file_kind kind;
	uint64_t number;
};

struct obsolete_files {
	/* Whoever takes it sees that all files added before are gone. */
	struct mutex remove_mu;
	struct mutex mu; /* taken after remove_mu */
	struct obsolete_file *list GUARDED_BY(mu);
	/* Space was freed since the last look. Relaxed where it is set: a hint
	 * to ask the disk again. */
	_Atomic bool has_removed;
};

/* Have a file unlinked soon. It stays until the next opening if there is no
 * memory, or if the store has failed or is read-only. */
void obsolete_file_add(struct db *db, enum file_kind kind, uint64_t number);
/* Unlink all obsolete files. On return, all those added before the call are
 * gone. A failure to unlink is logged. */
void obsolete_files_remove(struct db *db);

#endif
