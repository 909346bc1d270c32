/* SPDX-License-Identifier: ISC */
/*
 * Makes log files in the background, ahead of their use, and switches to the
 * next one under the commit lock. The size of a log is fixed when it is made.
 * It grows from log to log under load, and is small again after the store was
 * idle.
 */
#include "engine/state/log_make.h"

#include <errno.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/log/wal_writer.h"
#include "engine/state/db_state.h"
#include "engine/state/disk_space.h"
#include "engine/state/obsolete.h"
#include "engine/state/fault.h"
#include "engine/state/log_set.h"
#include "engine/state/store_dir.h"
#include "util/log.h"

/* With sync=full, commits are collected in memory and written by one pwritev
 * before the sync that they wait for. Puts a second of 32 threads: 46,100, and
 * 39,400 with one call each; of 8 threads 18,500 and 16,600. */
#define LOG_GATHER_BYTES (64u << 10)

bool
db_is_synced_often(struct db *db)
{
	switch (atomic_load_explicit(&db->dur.mode, memory_order_relaxed)) {
	case KV_SYNC_FULL:
	case KV_SYNC_EVERY:
		return true;
	case KV_SYNC_OFF:
		return false;
	default:
		return atomic_load_explicit(&db->logs.user_syncs,
			   memory_order_relaxed) >= 16;
	}
}

/* Reduce the size of a log to a small part of the free space. */
static uint64_t
size_for_space(struct db *db, uint64_t size)
{
	struct env_space space;

	if (size <= LOG_MIN_BYTES || db_space(db, &space) < 0)
		return size;
	while (size > LOG_MIN_BYTES && size > space.free_bytes / 16)
		size /= 2;
	return size;
}

/*
 * Make a log file of size bytes, from recycled (takes it) if it fits. The
 * caller holds no lock. With zeros its blocks are written, so that a sync need
 * not write metadata to the journal. A log that is synced often is written by
 * system calls, not by a mapping: where Linux keeps files in large folios (ext4
 * since 6.16), a store to a mapping makes the whole folio dirty, and each sync
 * wrote half a megabyte (229 us; pwritev: 4 KiB and 140 us).
 */
static int
log_make(struct db *db, struct db_log *recycled, uint64_t size, bool zeros,
    bool often, struct db_log **logp)
{
	struct db_log *log = db_log_create(db,
	    store_new_file_number(&db->store), size);
	int rc = log != NULL ? 0 : -ENOMEM;
	bool reuse = recycled != NULL && recycled->size == size;

	*logp = NULL;
	if (rc == 0 && reuse) {
		rc = store_file_rename(db->store.dir, FILE_WAL,
		    recycled->number, FILE_WAL, log->number);
		reuse = rc == 0; /* on failure a new file is made */
		rc = 0;
	}
	if (rc == 0)
		rc = store_file_open(db->store.dir, FILE_WAL, log->number,
		    ENV_WRITE | (reuse ? 0 : ENV_CREATE), &log->file);
	if (recycled != NULL && !reuse)
		(void)store_file_unlink(db->store.dir, FILE_WAL,
		    recycled->number);
	if (rc == 0 && !reuse)
		rc = env_allocate(log->file, size, zeros);
	/* The log also works without a mapping. */
	if (rc == 0 && !often)
		(void)env_map(log->file, size);
	db_log_put(db, recycled);
	if (rc < 0) {
		if (log != NULL && log->file != NULL)
			store_file_unlink(db->store.dir, FILE_WAL, log->number);
		db_log_put(db, log);
		return rc;
	}
	atomic_fetch_add_explicit(&db->store.names_made, 1,
	    memory_order_seq_cst);
	*logp = log;
	return 0;
}

/* Logs are replayed in the order of their numbers. A spare that is older than a
 * log in use has to get a new number. */
static bool
is_stale_locked(struct db *db, const struct db_log *log) REQUIRES(&db->mu)
{
	mutex_assert_held(&db->mu);
	return db->logs.count != 0 &&
	    log->number < db->logs.all[db->logs.count - 1]->number;
}

void
db_log_prepare_locked(struct db *db)
{
	struct db_log *recycled = db->logs.recycled, *log;
	uint64_t size = db->logs.next_bytes;
	bool often = db_is_synced_often(db);
	int rc;

	mutex_assert_held(&db->mu);
	db->logs.spare_wanted = false;
	if (db->logs.spare != NULL)
		return;
	db->logs.recycled = NULL;
	mutex_unlock(&db->mu);
	rc = log_make(db, recycled, size_for_space(db, size), often, often,
	    &log);
	if (rc == 0 && often) {
		/* Do it now, in the background: the first sync of the log need
		 * not. */
		rc = store_sync_names(&db->store);
		if (rc < 0)
			db_poison(db, rc, "cannot sync the directory %s",
			    db->store.path);
	}
	atomic_store_explicit(&db->logs.user_syncs, 0, memory_order_relaxed);
	mutex_lock(&db->mu);
	if (log == NULL) {
		if (rc == -ENOSPC)
			log_warn("%s: no room for the next log; free some "
				 "space",
			    db->store.path);
		return;
	}
	if (is_stale_locked(db, log)) {
		db->logs.recycled = log;
		db->logs.spare_wanted = true;
		return;
	}
	db->logs.spare = log;
}

/* Take the spare log if it is large enough. If not, *needp becomes the size to
 * make. */
static struct db_log *
take_spare(struct db *db, uint64_t need, uint64_t *sizep)
{
	struct db_log *log = NULL;

	mutex_lock(&db->mu);
	*sizep = db->logs.next_bytes;
	while (*sizep < need)
		*sizep *= 2;
	if (db->logs.spare != NULL && is_stale_locked(db, db->logs.spare)) {
		obsolete_file_add(db, FILE_WAL, db->logs.spare->number);
		db_log_put(db, db->logs.spare);
		db->logs.spare = NULL;
	}
	if (db->logs.spare != NULL && db->logs.spare->size >= need) {
		log = db->logs.spare;
		db->logs.spare = NULL;
	}
	/* Under load logs are filled quickly: larger ones are switched less
	 * often. */
	if (db->logs.current != NULL &&
	    db->logs.next_bytes * 2 <=
		atomic_load_explicit(&db->space.sizes.log_max_bytes,
		    memory_order_relaxed) &&
	    wal_writer_used(db->logs.current->writer) >
		db->logs.current->size / 2)
		db->logs.next_bytes *= 2;
	db->logs.spare_wanted = true;
	cond_broadcast(&db->work.wanted);
	mutex_unlock(&db->mu);
	return log;
}

/* The size of the buffer for commits. Each commit decides whether to use it. */
static uint64_t
gather_bytes(struct db *db)
{
	uint64_t bytes = atomic_load_explicit(&db->logs.buffer_bytes,
	    memory_order_relaxed);

	if (atomic_load_explicit(&db->dur.mode, memory_order_relaxed) ==
		KV_SYNC_FULL &&
	    bytes < LOG_GATHER_BYTES)
		return LOG_GATHER_BYTES;
	return bytes;
}

int
db_log_switch(struct db *db, uint64_t need)
{
	struct db_log *old = db->logs.current, *log;
	uint64_t size;
	uint64_t next_seq = atomic_load_explicit(&db->commits.last_seq,
				memory_order_seq_cst) +
	    1;
	uint32_t chain = old != NULL ? wal_writer_chain(old->writer) :
				       db->logs.recovered_chain;
	struct env_file *file;
	/* Each sync of the first log writes to the journal. Later logs are made
	 * ahead with zeros, unless the disk is slow or full. */
	bool often = db_is_synced_often(db), zeros = often && old == NULL;
	int rc = 0;

	if (old != NULL) {
		rc = wal_writer_flush(old->writer);
		if (rc == -ENOSPC)
			return rc;
		if (rc < 0)
			return db_poison(db, rc, "cannot write %s", old->path);
	}
	log = take_spare(db, need, &size);
	if (log == NULL) {
		if (size > need)
			size = size_for_space(db, size);
		if (size < need)
			size = need;
		rc = log_make(db, NULL, size, zeros, often, &log);
	}
	/* On a full disk a small log is better than none. */
	while (
	    rc == -ENOSPC && size / 2 >= need && size / 2 >= LOG_LEAST_BYTES) {
		size /= 2;
		rc = log_make(db, NULL, size, zeros, often, &log);
	}
	if (rc < 0) {
		if (rc != -ENOSPC)
			log_error("%s: cannot make a log of %llu bytes: %s",
			    db->store.path, (unsigned long long)size,
			    strerror(-rc));
		return rc;
	}
	file = log->file;
	log->file = NULL;
	rc = wal_writer_open(file, log->path, log->number, log->size, chain,
	    next_seq, atomic_load_explicit(&db->dur.seq, memory_order_seq_cst),
	    gather_bytes(db), &log->writer);
	if (rc == 0) {
		mutex_lock(&db->mu);
		rc = db_log_add_locked(db, log);
		mutex_unlock(&db->mu);
	}
	if (rc < 0) {
		store_file_unlink(db->store.dir, FILE_WAL, log->number);
		db_log_put(db, log);
		return rc;
	}
	if (old != NULL)
		old->retired = true;
	db->logs.current = log;
	return 0;
}

void
db_log_drop_spares_locked(struct db *db)
{
	struct db_log **spares[] = { &db->logs.spare, &db->logs.recycled };

	mutex_assert_held(&db->mu);
	for (size_t i = 0; i < 2; i++) {
		struct db_log *log = *spares[i];

		if (log == NULL)
			continue;
		*spares[i] = NULL;
		obsolete_file_add(db, FILE_WAL, log->number);
		db_log_put(db, log);
	}
	db->logs.spare_wanted = false;
}

void
db_log_release_locked(struct db *db, uint64_t first_needed)
{
	size_t n = 0;

	mutex_assert_held(&db->mu);
	while (n < db->logs.count && db->logs.all[n]->number < first_needed) {
		struct db_log *log = db->logs.all[n++];

		if (db->logs.recycled == NULL &&
		    log->size == db->logs.next_bytes) {
			/* A new handle: a sync may still use the old one. */
			db->logs.recycled = db_log_create(db, log->number,
			    log->size);
			if (db->logs.recycled == NULL)
				obsolete_file_add(db, FILE_WAL, log->number);
			else
				db->logs.spare_wanted = true;
		} else {
			obsolete_file_add(db, FILE_WAL, log->number);
		}
		db_log_put(db, log);
	}
	memmove(db->logs.all, db->logs.all + n,
	    (db->logs.count - n) * sizeof(*db->logs.all));
	db->logs.count -= n;
	cond_broadcast(&db->work.wanted);
}
