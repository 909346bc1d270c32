/* SPDX-License-Identifier: ISC */
/*
 * The store's log files: the one that is written, those that wait for their
 * memtables' flushes, and those that are kept for later.
 */
#include "engine/state/log_set.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/state/db_state.h"
#include "engine/state/doomed.h"

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
	filename_path(log->path, db->dir, FILE_WAL, number);
	return log;
}

int
db_log_add_locked(struct db *db, struct db_log *log)
{
	if (db->log_count == db->log_cap) {
		size_t cap = db->log_cap != 0 ? db->log_cap * 2 : 8;
		struct db_log **p = realloc(db->logs, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		db->logs = p;
		db->log_cap = cap;
	}
	db->logs[db->log_count++] = log;
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

void
db_log_drop_spares_locked(struct db *db)
{
	struct db_log **spares[] = { &db->spare_log, &db->recycled_log };

	for (size_t i = 0; i < 2; i++) {
		struct db_log *log = *spares[i];

		if (log == NULL)
			continue;
		*spares[i] = NULL;
		db_doom(db, FILE_WAL, log->number);
		db_log_put(db, log);
	}
	db->spare_wanted = false;
}

void
db_log_release_locked(struct db *db, uint64_t first_needed)
{
	size_t n = 0;

	while (n < db->log_count && db->logs[n]->number < first_needed) {
		struct db_log *log = db->logs[n++];

		if (db->recycled_log == NULL &&
		    log->size == db->log_bytes_next) {
			/* A handle of its own: a sync may still use the old. */
			db->recycled_log = db_log_create(db, log->number,
			    log->size);
			if (db->recycled_log == NULL)
				db_doom(db, FILE_WAL, log->number);
			else
				db->spare_wanted = true;
		} else {
			db_doom(db, FILE_WAL, log->number);
		}
		db_log_put(db, log);
	}
	memmove(db->logs, db->logs + n,
	    (db->log_count - n) * sizeof(*db->logs));
	db->log_count -= n;
	cond_broadcast(&db->work);
}
