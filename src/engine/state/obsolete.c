/* SPDX-License-Identifier: ISC */
/* Obsolete files; see obsolete.h. */
#include "engine/state/obsolete.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "util/log.h"

void
obsolete_file_add(struct db *db, enum file_kind kind, uint64_t number)
{
	struct obsolete_file *d;

	/* After a failure the manifest on disk may still name the file: nothing
	 * is removed until the store is opened again. */
	if (db->read_only || fault_error(&db->fault) < 0)
		return;
	d = malloc(sizeof(*d));
	if (d == NULL)
		return; /* the next opening removes it */
	d->kind = kind;
	d->number = number;
	mutex_lock(&db->store.obsolete.mu);
	d->next = db->store.obsolete.list;
	db->store.obsolete.list = d;
	mutex_unlock(&db->store.obsolete.mu);
}

void
obsolete_files_remove(struct db *db)
{
	struct obsolete_file *d, *next;
	int rc;

	mutex_lock(&db->store.obsolete.remove_mu);
	mutex_lock(&db->store.obsolete.mu);
	d = db->store.obsolete.list;
	db->store.obsolete.list = NULL;
	mutex_unlock(&db->store.obsolete.mu);
	for (; d != NULL; d = next) {
		next = d->next;
		if (fault_error(&db->fault) < 0) {
			free(d);
			continue;
		}
		if (d->kind == FILE_TABLE || d->kind == FILE_SEGMENT)
			table_cache_evict(db->caches.tables, d->number);
		rc = store_file_unlink(db->store.dir, d->kind, d->number);
		atomic_store_explicit(&db->store.obsolete.has_removed, true,
		    memory_order_relaxed);
		if (rc < 0 && rc != -ENOENT) {
			char path[PATH_MAX];

			filename_path(path, db->store.path, d->kind, d->number);
			log_warn("%s: cannot remove: %s", path, strerror(-rc));
		}
		free(d);
	}
	mutex_unlock(&db->store.obsolete.remove_mu);
}
