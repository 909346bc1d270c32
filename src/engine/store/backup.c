/* SPDX-License-Identifier: ISC */
/*
 * Makes a consistent copy of a running store, as the bytes of a tar archive:
 * the tables of one version, the segments that they point to, and a new
 * manifest that needs no log. For a store that is opened read-only and has
 * commits in its log, the logs are added.
 *
 * Tables and segments do not change once they are written, so the archive is
 * laid out once, and contents are read on request. The backup has a reference
 * to the version, so that compaction removes no file of it. The manifest is the
 * last member: a directory without one is not a store.
 *
 * This code does not know where the copy goes, so no lock or thread waits for
 * the destination.
 */
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/memtable/memtable.h"
#include "engine/state/log_set.h"
#include "engine/state/segment_set.h"
#include "engine/state/store_dir.h"
#include "engine/store/backup.h"
#include "engine/env/store_files.h"
#include "engine/tree/manifest.h"
#include "engine/tree/version.h"
#include "engine/work/flush.h"
#include "util/log.h"
#include "util/mutex.h"
#include "util/tar.h"

/* ---- Contents of the archive ---- */

static int
add_member(struct backup *b, enum file_kind kind, uint64_t number,
    uint64_t size)
{
	if (b->count == b->cap) {
		size_t cap = b->cap != 0 ? b->cap * 2 : 64;
		struct member *p = realloc(b->members, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		b->members = p;
		b->cap = cap;
	}
	b->members[b->count++] = (struct member){ kind, number, size,
		b->base.size };
	b->base.size += TAR_BLOCK + tar_padded(size);
	return 0;
}

static int
add_file(struct backup *b, enum file_kind kind, uint64_t number)
{
	struct env_file *file;
	uint64_t size = 0;
	int rc = backup_open_file(b, kind, number, &file);

	if (rc == 0)
		rc = env_size(file, &size);
	env_close(file);
	return rc == 0 ? add_member(b, kind, number, size) : rc;
}

static int
cmp_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* List the segments that the version points to, each one once. */
static int
list_segments(const struct version *v, struct number_list *l)
{
	size_t n = 0;
	int rc = 0;

	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < v->levels[i].count; j++) {
			const struct table_file *f = v->levels[i].files[j];

			for (size_t k = 0; k < f->use_count && rc == 0; k++)
				rc = number_list_add(l, f->uses[k].segment);
		}
	if (rc < 0 || l->count == 0)
		return rc;
	qsort(l->v, l->count, sizeof(*l->v), cmp_number);
	for (size_t i = 0; i < l->count; i++)
		if (i == 0 || l->v[i] != l->v[n - 1])
			l->v[n++] = l->v[i];
	l->count = n;
	return 0;
}

/* Seal the segments in the list, so that none of them gets appends except those
 * that are running. Then hard links to them are safe. */
static void
seal_named(struct db *db, const struct number_list *l)
{
	bool named;

	mutex_lock(&db->segs.mu);
	named = db->segs.active != NULL &&
	    number_list_has(l, db->segs.active->number);
	mutex_unlock(&db->segs.mu);
	if (named)
		segment_seal_active(db);
}

static int
add_tables(struct backup *b)
{
	int rc = 0;

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &b->version->levels[i];

		for (size_t j = 0; j < l->count && rc == 0; j++)
			rc = add_file(b, FILE_TABLE, l->files[j]->number);
	}
	return rc;
}

static int
add_numbers(struct backup *b, enum file_kind kind, const struct number_list *l,
    uint64_t from)
{
	int rc = 0;

	for (size_t i = 0; i < l->count && rc == 0; i++)
		if (l->v[i] >= from)
			rc = add_file(b, kind, l->v[i]);
	return rc;
}

/* For a read-only store: add its logs, which nobody writes, and all segments,
 * since the logs may point to any. */
static int
add_logs(struct backup *b)
{
	struct store_files files = { 0 };
	int rc = store_files_list(b->db->store.dir, &files);

	if (rc == 0)
		rc = add_numbers(b, FILE_SEGMENT, &files.kinds[FILE_SEGMENT],
		    0);
	if (rc == 0)
		rc = add_numbers(b, FILE_WAL, &files.kinds[FILE_WAL],
		    b->log_number);
	store_files_fini(&files);
	return rc;
}

static int
add_segments(struct backup *b)
{
	struct number_list l = { 0 };
	int rc = list_segments(b->version, &l);

	if (rc == 0) {
		seal_named(b->db, &l);
		rc = add_numbers(b, FILE_SEGMENT, &l, 0);
	}
	number_list_fini(&l);
	return rc;
}

/* Make a manifest with the version's tables as its only edit. */
static int
add_manifest(struct backup *b)
{
	struct version_edit e = { .log_number = b->log_number,
		.last_seq = b->last_seq };
	uint64_t number = store_new_file_number(&b->db->store);
	int rc = 0;

	e.next_file = number + 1;
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &b->version->levels[i];

		for (size_t j = 0; j < l->count && rc == 0; j++) {
			rc = version_edit_add(&e, i, l->files[j]);
			if (rc == 0)
				table_file_ref(l->files[j]);
		}
	}
	if (rc == 0)
		rc = manifest_encode(number, &e, &b->manifest);
	if (rc == 0)
		rc = add_member(b, FILE_MANIFEST, number, b->manifest.len);
	/* These are not the last references: the version has one for each
	 * table. */
	for (size_t i = 0; i < e.add_count; i++)
		table_file_unref(b->version, e.adds[i].file);
	e.add_count = 0;
	version_edit_fini(&e);
	return rc;
}

/* ---- Opening ---- */

static bool
has_memtables(struct db *db)
{
	bool has;

	mutex_lock(&db->mu);
	has = !memtable_is_empty(db->commits.mem) ||
	    db->views.current->imm_count != 0;
	mutex_unlock(&db->mu);
	return has;
}

/* Get a version with everything that is committed now. */
static int
take_version(struct backup *b)
{
	struct db *db = b->db;
	int rc = db->read_only ? 0 : db_flush_all(db);

	if (rc < 0) {
		log_error("%s: cannot write out what is in memory for a "
			  "backup: %s",
		    db->store.path, strerror(-rc));
		return rc;
	}
	b->log_number = LOG_NONE;
	mutex_lock(&db->mu);
	b->version = db->views.current->version;
	version_ref(b->version);
	b->last_seq = db->tree.flushed_seq;
	mutex_unlock(&db->mu);
	if (db->read_only && has_memtables(db))
		b->log_number = db->tree.first_log;
	return 0;
}

static void
backup_close(struct kv_backup *base) UNSHARED
{
	struct backup *b = backup_of(base);

	env_close(b->file);
	version_unref(b->version);
	buf_fini(&b->manifest);
	free(b->members);
	mutex_fini(&b->mu);
	free(b);
}

static const struct kv_backup_ops backup_ops = {
	.read = backup_read,
	.close = backup_close,
};

int
db_backup_open(struct kv *kv, struct kv_backup **backupp)
{
	struct db *db = db_of(kv);
	struct backup *b = calloc(1, sizeof(*b));
	int rc;

	if (b == NULL)
		return -ENOMEM;
	mutex_init(&b->mu);
	b->base.ops = &backup_ops;
	b->db = db;
	b->made = time(NULL);
	rc = take_version(b);
	if (rc == 0)
		rc = add_tables(b);
	if (rc == 0)
		rc = b->log_number == LOG_NONE ? add_segments(b) : add_logs(b);
	if (rc == 0)
		rc = add_manifest(b);
	if (rc < 0) {
		backup_close(&b->base);
		return rc;
	}
	b->base.size += TAR_END_BYTES;
	*backupp = &b->base;
	return 0;
}
