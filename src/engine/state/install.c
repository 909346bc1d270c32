/* SPDX-License-Identifier: ISC */
/*
 * Installs a new version of the tree: an edit is written to the manifest, then
 * applied in memory. One thread at a time (tree.is_busy). mu is dropped during
 * file calls. A file becomes obsolete when no version names it; it is unlinked
 * after its last reader is gone.
 */
#include "engine/state/install.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/state/db_state.h"
#include "engine/state/obsolete.h"
#include "engine/state/fault.h"
#include "engine/state/segment_set.h"
#include "engine/state/state_check.h"
#include "engine/state/store_dir.h"
#include "engine/state/view.h"
#include "engine/tree/version.h"
#include "util/invariant.h"
#include "util/log.h"

/* The manifest is rewritten when it is this many times as long as its state. */
#define MANIFEST_SLACK 8
#define MANIFEST_MIN_BYTES (256u << 10)

void
db_table_dropped(void *arg, struct table_file *f)
{
	struct db *db = arg;

	segment_drop_uses(db, f);
	if (atomic_load_explicit(&f->obsolete, memory_order_seq_cst) &&
	    !atomic_load_explicit(&db->work.closing, memory_order_seq_cst))
		obsolete_file_add(db, FILE_TABLE, f->number);
	table_file_free(f);
}

void
db_edit_abandon(struct db *db, struct version_edit *e)
{
	for (size_t i = 0; i < e->add_count; i++) {
		struct table_file *f = e->adds[i].file;

		if (atomic_load_explicit(&f->refs, memory_order_acquire) > 1)
			continue; /* the table was moved: another version has
			             it */
		segment_drop_uses(db, f);
		f->use_count = 0;
		obsolete_file_add(db, FILE_TABLE, f->number);
	}
	version_edit_fini(e);
}

static bool
is_added(const struct version_edit *e, uint64_t number)
{
	for (size_t i = 0; i < e->add_count; i++)
		if (e->adds[i].file->number == number)
			return true;
	return false;
}

/* Count live bytes of segments and mark obsolete tables for an edit; base is
 * the version before it. */
static int
account_edit(struct db *db, const struct version *base,
    const struct version_edit *e)
{
	for (size_t i = 0; i < e->add_count; i++) {
		int rc = segment_hold_uses(db, e->adds[i].file);

		if (rc < 0)
			return rc;
		segment_count_uses(&db->segs, e->adds[i].file, true);
	}
	for (size_t i = 0; i < e->remove_count; i++) {
		struct table_file *f =
		    level_find_number(&base->levels[e->removes[i].level],
			e->removes[i].number);

		if (f == NULL)
			return -KVFS_ECORRUPT;
		segment_count_uses(&db->segs, f, false);
		if (!is_added(e, f->number))
			atomic_store_explicit(&f->obsolete, true,
			    memory_order_seq_cst);
	}
	return 0;
}

/* Apply e to the current version, which may be newer than the one e was made
 * for. */
static int
apply_locked(struct db *db, struct version_edit *e, struct memtable *flushed)
    REQUIRES(&db->mu)
{
	struct memtable *imm[IMM_MAX + 1];
	struct version *v = NULL;
	unsigned n = 0;
	int rc = account_edit(db, db->views.current->version, e);

	mutex_assert_held(&db->mu);
	if (rc == 0)
		rc = version_apply(db->views.current->version, e, &v);
	if (rc < 0)
		return rc;
	for (unsigned i = 0; i < db->views.current->imm_count; i++)
		if (db->views.current->imm[i] != flushed)
			imm[n++] = db->views.current->imm[i];
	rc = view_install_locked(&db->views, db->views.current->mem, imm, n, v);
	version_unref(v);
	return rc;
}

/* Make an edit of the whole state. It has a reference to each table. */
static int
state_edit_locked(struct db *db, struct version_edit *e) REQUIRES(&db->mu)
{
	const struct version *v = db->views.current->version;
	int rc = 0;

	mutex_assert_held(&db->mu);
	*e = (struct version_edit){
		.log_number = db->tree.first_log,
		.next_file = atomic_load_explicit(&db->store.next_file,
		    memory_order_relaxed),
		.last_seq = db->tree.flushed_seq,
	};
	for (int i = 0; i < LEVELS; i++) {
		for (size_t j = 0; j < v->levels[i].count && rc == 0; j++) {
			table_file_ref(v->levels[i].files[j]);
			rc = version_edit_add(e, i, v->levels[i].files[j]);
			if (rc < 0)
				atomic_fetch_sub_explicit(&v->levels[i]
							       .files[j]
							       ->refs,
				    1, memory_order_acq_rel);
		}
	}
	return rc;
}

int
db_manifest_renew(struct db *db)
{
	struct version_edit e = { 0 };
	struct manifest *m = NULL, *old;
	int rc;

	mutex_lock(&db->mu);
	rc = state_edit_locked(db, &e);
	old = db->tree.manifest;
	mutex_unlock(&db->mu);
	if (rc == 0)
		rc = manifest_create(db->store.dir,
		    store_new_file_number(&db->store), &e, &m);
	/* The view has references to these tables, unless one was dropped just
	 * now: then this is the last one. */
	mutex_lock(&db->mu);
	for (size_t i = 0; i < e.add_count; i++)
		table_file_unref(db->views.current->version, e.adds[i].file);
	e.add_count = 0;
	if (rc == 0)
		db->tree.manifest = m;
	mutex_unlock(&db->mu);
	version_edit_fini(&e);
	if (rc == 0 && old != NULL) {
		obsolete_file_add(db, FILE_MANIFEST, manifest_number(old));
		manifest_close(old);
	}
	return rc;
}

static bool
manifest_is_long(struct db *db) REQUIRES(&db->mu)
{
	uint64_t tables = 0;

	for (int i = 0; i < LEVELS; i++)
		tables += db->views.current->version->levels[i].count;
	return manifest_bytes(db->tree.manifest) >
	    MANIFEST_MIN_BYTES + MANIFEST_SLACK * 128 * tables;
}

int
db_install_locked(struct db *db, struct version_edit *e,
    struct memtable *flushed)
{
	bool renew;
	int rc;

	mutex_assert_held(&db->mu);
	while (db->tree.is_busy)
		cond_wait(&db->work.progress, &db->mu);
	db->tree.is_busy = true;
	e->next_file = atomic_load_explicit(&db->store.next_file,
	    memory_order_relaxed);
	if (flushed != NULL && flushed->max_seq != 0)
		e->last_seq = flushed->max_seq;
	mutex_unlock(&db->mu);
	rc = fault_error(&db->fault) < 0 ? -EIO : 0;
	if (rc == 0) {
		/* The edit names new tables: their names have to be durable
		 * before it. */
		rc = env_dir_sync(db->store.dir);
		if (rc < 0)
			db_poison(db, rc, "cannot sync the directory %s",
			    db->store.path);
	}
	if (rc == 0) {
		rc = manifest_append(db->tree.manifest, e);
		if (rc < 0 && rc != -ENOSPC && rc != -ENOMEM)
			db_poison(db, rc, "cannot write %s/MANIFEST-%06llu",
			    db->store.path,
			    (unsigned long long)manifest_number(
				db->tree.manifest));
	}
	mutex_lock(&db->mu);
	if (rc == 0) {
		if (e->log_number != 0)
			db->tree.first_log = e->log_number;
		if (e->last_seq != 0)
			db->tree.flushed_seq = e->last_seq;
		rc = apply_locked(db, e, flushed);
		db->tree.installs++;
		if (HAVE_CHECKS)
			db_state_check_locked(db);
		if (rc < 0)
			db_poison(db, rc, "cannot apply a manifest edit");
	}
	renew = rc == 0 && manifest_is_long(db);
	mutex_unlock(&db->mu);
	if (rc < 0)
		db_edit_abandon(db, e);
	else
		version_edit_fini(e);
	if (renew && db_manifest_renew(db) < 0)
		log_warn("%s: the old manifest stays in use", db->store.path);
	mutex_lock(&db->mu);
	db->tree.is_busy = false;
	cond_broadcast(&db->work.progress);
	cond_broadcast(&db->work.wanted);
	return rc;
}
