/* SPDX-License-Identifier: ISC */
/*
 * Files that may go. Whoever lets go of a file last dooms it, under whatever
 * locks he has; a background thread unlinks it later.
 */
#include "engine/state/doomed.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "util/log.h"

void
db_doom(struct db *db, enum file_kind kind, uint64_t number)
{
	struct doomed_file *d;

	/* After a failure the manifest on disk may name what memory no longer
	 * does: nothing is removed until the store was opened again. */
	if (db->read_only || fault_error(&db->fault) < 0)
		return;
	d = malloc(sizeof(*d));
	if (d == NULL)
		return; /* the next opening removes it */
	d->kind = kind;
	d->number = number;
	mutex_lock(&db->doomed.mu);
	d->next = db->doomed.list;
	db->doomed.list = d;
	mutex_unlock(&db->doomed.mu);
}

void
db_remove_doomed(struct db *db)
{
	struct doomed_file *d, *next;
	int rc;

	mutex_lock(&db->doomed.remove_mu);
	mutex_lock(&db->doomed.mu);
	d = db->doomed.list;
	db->doomed.list = NULL;
	mutex_unlock(&db->doomed.mu);
	for (; d != NULL; d = next) {
		next = d->next;
		if (fault_error(&db->fault) < 0) {
			free(d);
			continue;
		}
		if (d->kind == FILE_TABLE || d->kind == FILE_SEGMENT)
			table_cache_evict(db->tables, d->number);
		rc = store_file_unlink(db->store.dir, d->kind, d->number);
		atomic_store_explicit(&db->doomed.has_removed, true,
		    memory_order_relaxed);
		if (rc < 0 && rc != -ENOENT) {
			char path[PATH_MAX];

			filename_path(path, db->store.path, d->kind, d->number);
			log_warn("%s: cannot remove: %s", path, strerror(-rc));
		}
		free(d);
	}
	mutex_unlock(&db->doomed.remove_mu);
}
