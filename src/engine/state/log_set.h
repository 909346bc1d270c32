/* SPDX-License-Identifier: ISC */
/*
 * The store's log files, from the one that is written to those that are kept
 * to be used again.
 */
#ifndef KVFS_ENGINE_STATE_LOG_SET_H
#define KVFS_ENGINE_STATE_LOG_SET_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/env/env.h"
#include "engine/log/wal_writer.h"

#define LOG_MIN_BYTES (1u << 20)
#define LOG_LEAST_BYTES (64u << 10) /* where there is no room for more */
#define LOG_MAX_BYTES (16u << 20)
/* version_edit.log_number of a store that was closed: no log is needed. */
#define LOG_NONE UINT64_MAX

/* A log file that is written, or waits for its memtable's flush. */
struct db_log {
	struct wal_writer *writer; /* NULL for one that recovery read */
	uint64_t number;
	uint64_t size;
	_Atomic unsigned refs;
	bool retired; /* no more appends; guarded by commit_mu */
	bool synced; /* retired and durable; guarded by sync (one at a time) */
	bool promised; /* that a later one is durable; guarded like synced */
	struct env_file *file; /* of a spare, until it is opened */
	char path[PATH_MAX];
};

/* What is not said to be guarded otherwise is guarded by the state lock. */
struct log_set {
	struct db_log *current; /* guarded by commit_mu */
	uint32_t recovered_chain; /* where the first log goes on; so, too */
	struct db_log **all; /* oldest first, the last is the current */
	size_t count, cap;
	struct db_log *spare; /* made ahead of use */
	struct db_log *recycled; /* to become the next spare */
	bool spare_wanted;
	uint64_t next_bytes; /* size of the next log */
	/* own synchronisation */
	_Atomic uint32_t user_syncs; /* since the last log was made */
	_Atomic uint64_t buffer_bytes; /* live, from the next log on */
};

struct db;

/* A log that is not opened yet, held by the caller; NULL without memory. */
struct db_log *db_log_create(struct db *db, uint64_t number, uint64_t size);
/* Let go of a log, which may be NULL. */
void db_log_put(struct db *db, struct db_log *log);
/* Make it the last of the logs, which take the reference; the state lock is
 * held. -ENOMEM. */
int db_log_add_locked(struct db *db, struct db_log *log);
/* Register a log that recovery has read and that must stay. */
int db_log_keep(struct db *db, uint64_t number, uint64_t size);

#endif
