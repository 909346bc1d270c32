/* SPDX-License-Identifier: ISC */
/*
 * The store's log files: the current one, older ones whose memtables are not
 * yet flushed, and spare ones.
 */
#include "engine/state/log_set.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/state/db_state.h"

void
db_log_put(struct db *db, struct db_log *log)
{
	(void)db;
	if (log == NULL ||
	    atomic_fetch_sub_explicit(&log->refs, 1, memory_order_acq_rel) != 1)
		return;
	wal_writer_close(log->writer);
	env_close(log->file);
	free(log);
}

struct db_log *
db_log_create(struct db *db, uint64_t number, uint64_t size)
{
	struct db_log *log = calloc(1, sizeof(*log));

	if (log == NULL)
		return NULL;
	atomic_init(&log->refs, 1);
	log->number = number;
	log->size = size;
	filename_path(log->path, db->store.path, FILE_WAL, number);
	return log;
}

int
db_log_add_locked(struct db *db, struct db_log *log)
{
	mutex_assert_held(&db->mu);
	if (db->logs.count == db->logs.cap) {
		size_t cap = db->logs.cap != 0 ? db->logs.cap * 2 : 8;
		struct db_log **p = realloc(db->logs.all, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		db->logs.all = p;
		db->logs.cap = cap;
	}
	db->logs.all[db->logs.count++] = log;
	return 0;
}

int
db_log_keep(struct db *db, uint64_t number, uint64_t size)
{
	struct db_log *log = db_log_create(db, number, size);
	int rc;

	if (log == NULL)
		return -ENOMEM;
	log->retired = log->synced = true;
	mutex_lock(&db->mu);
	rc = db_log_add_locked(db, log);
	mutex_unlock(&db->mu);
	if (rc < 0)
		db_log_put(db, log);
	return rc;
}
