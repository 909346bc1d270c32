/* SPDX-License-Identifier: ISC */
/*
 * Files that nobody holds any more, on their way out. Any thread; to doom one
 * is allowed under any lock but doomed.mu, to remove them under none.
 */
#ifndef KVFS_ENGINE_STATE_DOOMED_H
#define KVFS_ENGINE_STATE_DOOMED_H

#include <stdbool.h>
#include <stdatomic.h>
#include <stdint.h>

#include "engine/env/filename.h"
#include "util/mutex.h"

struct db;

/* A file that a thread will unlink. */
struct doomed_file {
	struct doomed_file *next;
	enum file_kind kind;
	uint64_t number;
};

struct doomed {
	/* Who has it sees gone what was doomed before. */
	struct mutex remove_mu;
	struct mutex mu; /* taken after remove_mu */
	struct doomed_file *list GUARDED_BY(mu);
	_Atomic bool has_removed; /* the disk need not show it yet */
};

/* Have a file unlinked soon. Without memory, and of a store that has failed
 * or is read-only, it stays until the next opening. */
void db_doom(struct db *db, enum file_kind kind, uint64_t number);
/* Unlink all that is doomed; when it returns, what was doomed before is gone. */
void db_remove_doomed(struct db *db);

#endif
