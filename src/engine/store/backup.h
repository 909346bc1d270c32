/* SPDX-License-Identifier: ISC */
/* The archive of a backup: backup.c lays it out, backup_read.c reads it. */
#ifndef KVFS_ENGINE_STORE_BACKUP_H
#define KVFS_ENGINE_STORE_BACKUP_H

#include "engine/env/filename.h"
#include "kvfs/kv.h"
#include "util/buf.h"
#include "util/mutex.h"

struct db;

/* One file in the archive. */
struct member {
	enum file_kind kind;
	uint64_t number;
	uint64_t size;
	uint64_t off; /* of its header, in the archive */
};

struct backup {
	/* constant once it is open */
	struct kv_backup base;
	struct db *db;
	struct version *version; /* referenced */
	uint64_t last_seq;
	uint64_t log_number; /* the oldest log, or LOG_NONE */
	struct member *members;
	size_t count, cap;
	struct buf manifest;
	int64_t made; /* time of the backup, in seconds */

	struct mutex mu;
	/* The member that was read last. */
	const struct member *current GUARDED_BY(mu);
	struct env_file *file GUARDED_BY(mu);
};

static inline struct backup *
backup_of(struct kv_backup *b)
{
	return (struct backup *)b;
}

/* Open a file of the store to read it. Logs failures. */
int backup_open_file(struct backup *b, enum file_kind kind, uint64_t number,
    struct env_file **filep);

/* kv_backup_read() */
ssize_t backup_read(struct kv_backup *b, void *buf, size_t len, uint64_t off);

/* kv_backup_open() */
int db_backup_open(struct kv *kv, struct kv_backup **backupp);

#endif
