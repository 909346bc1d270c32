/* SPDX-License-Identifier: ISC */
/*
 * The store's log files: the current one, older ones whose memtables are not
 * yet flushed, and spare ones.
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
#define LOG_LEAST_BYTES (64u << 10) /* size if there is no space for more */
#define LOG_MAX_BYTES (16u << 20)
/* version_edit.log_number of a closed store: it needs no log. */
#define LOG_NONE UINT64_MAX

/* A log file that is written, or whose memtable is not yet flushed. */
struct db_log {
	struct wal_writer *writer; /* NULL: recovery has read it */
	uint64_t number;
	uint64_t size;
	_Atomic unsigned refs; /* relaxed up, by a holder; acq_rel down */
	bool retired; /* no more appends; guarded by commit_state.mu */
	bool synced; /* retired and durable; guarded by the role of syncing */
	bool has_mark; /* of a later log being durable; guarded like synced */
	struct env_file *file; /* of a spare log, until it is opened */
	char path[PATH_MAX];
};

/* Guarded by the state lock, unless stated otherwise. */
struct log_set {
	struct db_log *current; /* guarded by commit_state.mu */
	uint32_t recovered_chain; /* the checksum chain that the first log
	                             continues; guarded by commit_state.mu */
	struct db_log **all; /* oldest first; the last one is current */
	size_t count, cap;
	struct db_log *spare; /* made ahead of use */
	struct db_log *recycled; /* will become the next spare */
	bool spare_wanted;
	uint64_t next_bytes; /* size of the next log */
	/* own synchronisation */
	/* Relaxed, as the next: they decide about the next log. */
	_Atomic uint32_t user_syncs; /* since the last log was made */
	_Atomic uint64_t buffer_bytes; /* may change; used for the next log */
};

struct db;

/* A log that is not opened yet, with one reference for the caller. NULL without
 * memory. */
struct db_log *db_log_create(struct db *db, uint64_t number, uint64_t size);
/* Drop a reference; accepts NULL. */
void db_log_put(struct db *db, struct db_log *log);
/* Add a log as the newest one. The set takes the reference. The state lock is
 * held. -ENOMEM. */
int db_log_add_locked(struct db *db, struct db_log *log);
/* Add a log that recovery has read and that is still needed. */
int db_log_keep(struct db *db, uint64_t number, uint64_t size);

#endif
