/* SPDX-License-Identifier: ISC */
/*
 * Finds out which tables belong to a damaged store. If the manifest is readable
 * and all its files exist, it decides: a table that it does not name is
 * obsolete, and would bring deleted keys back. Otherwise all tables belong to
 * the store except those that it says were removed.
 */
#include "engine/repair/repair_manifest.h"

#include <errno.h>

#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/repair/repair_job.h"
#include "engine/state/log_set.h"
#include "engine/tree/manifest.h"
#include "engine/tree/version.h"
#include "util/log.h"

static void
drop_file(void *arg, struct table_file *f)
{
	(void)arg;
	table_file_free(f);
}

static int
apply_edit(void *arg, struct version_edit *e)
{
	struct repair *r = arg;
	struct version *v;
	int rc = 0;

	if (e->log_number != 0)
		r->manifest.log_number = e->log_number;
	if (e->last_seq > r->manifest.last_seq)
		r->manifest.last_seq = e->last_seq;
	if (e->next_file > r->manifest.next_file)
		r->manifest.next_file = e->next_file;
	for (size_t i = 0; i < e->remove_count && rc == 0; i++)
		rc = number_list_add(&r->manifest.removed,
		    e->removes[i].number);
	if (rc < 0)
		return rc;
	rc = version_apply(r->manifest.version, e, &v);
	if (rc < 0)
		return rc;
	version_unref(r->manifest.version);
	r->manifest.version = v;
	return 0;
}

int
repair_read_manifest(struct repair *r)
{
	const struct number_list *l = &r->files.kinds[FILE_MANIFEST];
	char path[PATH_MAX];
	uint64_t number;
	int rc;

	r->manifest.version = version_create(drop_file, NULL);
	if (r->manifest.version == NULL)
		return -ENOMEM;
	if (l->count == 0) {
		repair_lost(&r->report,
		    "%s: the manifest is missing: every table counts, and "
		    "keys that were deleted may be back",
		    r->dir);
		return 0;
	}
	number = l->v[l->count - 1];
	filename_path(path, r->dir, FILE_MANIFEST, number);
	rc = manifest_read(r->from, number, apply_edit, r);
	if (rc == -ENOMEM || rc == -EPROTO)
		return rc;
	r->manifest.is_whole = rc == 0;
	if (!r->manifest.is_whole)
		repair_lost(&r->report,
		    "%s: damaged: every table counts, and keys that were "
		    "deleted may be back",
		    path);
	return 0;
}

static bool
has_all_tables(struct repair *r)
{
	char path[PATH_MAX];
	bool all = true;

	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &r->manifest.version->levels[i];

		for (size_t j = 0; j < l->count; j++) {
			const struct table_file *f = l->files[j];

			if (number_list_has(&r->files.kinds[FILE_TABLE],
				f->number))
				continue;
			all = false;
			filename_path(path, r->dir, FILE_TABLE, f->number);
			repair_lost_range(&r->report, f->smallest, f->limit,
			    "%s: missing", path);
		}
	}
	return all;
}

/* Open the oldest log that the manifest says must exist. */
static bool
has_first_log(struct repair *r)
{
	char path[PATH_MAX];

	if (r->manifest.log_number == 0 || r->manifest.log_number == LOG_NONE ||
	    number_list_has(&r->files.kinds[FILE_WAL], r->manifest.log_number))
		return true;
	filename_path(path, r->dir, FILE_WAL, r->manifest.log_number);
	repair_lost(&r->report, "%s: missing: commits from %llu on", path,
	    (unsigned long long)r->manifest.last_seq + 1);
	return false;
}

bool
repair_is_complete(struct repair *r)
{
	bool tables = has_all_tables(r), log = has_first_log(r);

	return r->manifest.is_whole && tables && log;
}
