/* SPDX-License-Identifier: ISC */
/*
 * kv_repair(): make a new store of all that is readable in a store in which any
 * file may be damaged or missing. repair_job.h says which source does which
 * step.
 */
#include "engine/repair/repair.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/repair/repair_job.h"
#include "engine/repair/repair_write.h"
#include "engine/segment/segment.h"
#include "engine/state/store_lock.h"
#include "engine/store/foreign.h"
#include "engine/tree/version.h"
#include "util/line_list.h"
#include "util/log.h"

/* ---- Directories ---- */

static bool
has_files(const struct repair *r)
{
	return store_files_have(&r->files, FILE_MANIFEST) ||
	    store_files_have(&r->files, FILE_WAL) ||
	    store_files_have(&r->files, FILE_TABLE) ||
	    store_files_have(&r->files, FILE_SEGMENT);
}

/* Lock the damaged store, so that nobody changes it, and list its files. */
static int
take_store(struct repair *r, struct env *env, struct store_lock *lock)
{
	int rc = env_dir_open(env, r->dir, &r->from);

	if (rc == 0) {
		rc = foreign_refuse(r->from);
		if (rc < 0)
			return rc;
		rc = store_lock_take(lock, r->from, ENV_LOCK_SHARED, NULL, 0);
		if (rc < 0)
			return rc;
		rc = store_files_list(r->from, &r->files);
	}
	if (rc == 0 && !has_files(r))
		rc = -ENOENT;
	if (rc == -ENOENT)
		log_error("%s: there is no kvfs store here", r->dir);
	else if (rc < 0)
		log_error("%s: %s", r->dir, strerror(-rc));
	return rc;
}

static int
not_empty(void *arg, const char *name)
{
	(void)arg;
	/* The root of a new ext4 file system has this directory. */
	return strcmp(name, "lost+found") == 0 ? 0 : -ENOTEMPTY;
}

static int
take_dest(struct repair *r, struct env *env)
{
	int rc = env_dir_make(env, r->dest, &r->to);

	if (rc == -EEXIST)
		rc = env_dir_open(env, r->dest, &r->to);
	if (rc == 0)
		rc = env_dir_list(r->to, not_empty, NULL);
	if (rc == -ENOTEMPTY)
		log_error("%s: not empty; name a new directory", r->dest);
	else if (rc < 0)
		log_error("%s: cannot make a store there: %s", r->dest,
		    strerror(-rc));
	return rc;
}

/* After a failure, empty the destination: half a store must not pass for a
 * whole one. */
static void
clear_dest(struct repair *r)
{
	struct store_files files = { 0 };

	(void)store_files_list(r->to, &files);
	for (int i = 0; i <= FILE_TEMP; i++)
		for (size_t j = 0; j < files.kinds[i].count; j++)
			(void)store_file_unlink(r->to, (enum file_kind)i,
			    files.kinds[i].v[j]);
	store_files_fini(&files);
}

/* ---- All steps ---- */

static int
repair_run(struct repair *r)
{
	struct iter *it;
	int rc = repair_read_manifest(r);

	if (rc == 0)
		rc = repair_gather_tables(r);
	if (rc == 0)
		rc = repair_gather_logs(r);
	if (rc < 0)
		return rc;
	it = repair_sources_merge(&r->sources);
	if (it == NULL)
		return -ENOMEM;
	rc = repair_write(r, it);
	iter_close(it);
	return rc < 0 ? rc : r->logs.error;
}

static void
repair_fini(struct repair *r)
{
	repair_sources_fini(&r->sources);
	for (size_t i = 0; i < r->tables.count; i++) {
		free((void *)(uintptr_t)r->tables.v[i].smallest.data);
		free((void *)(uintptr_t)r->tables.v[i].limit.data);
	}
	free(r->tables.v);
	for (size_t i = 0; i < REPAIR_SEGMENTS; i++)
		segment_reader_close(r->segments[i]);
	if (r->logs.mem != NULL)
		memtable_unref(r->logs.mem);
	version_unref(r->manifest.version);
	number_list_fini(&r->manifest.removed);
	store_files_fini(&r->files);
}

int
db_repair(struct env *env, const char *dir, const char *dest, kv_lost_fn lost,
    void *arg, FILE *report)
{
	struct repair r = { .env = env,
		.dir = dir,
		.dest = dest,
		.report = { .lost = { .out = report, .prefix = "lost" },
		    .notes = { .out = report, .prefix = "note" },
		    .lost_key = lost,
		    .lost_arg = arg },
		.logs = { .path = "the logs" } };
	struct store_lock lock = { 0 };
	int rc;

	rc = take_store(&r, env, &lock);
	if (rc == 0)
		rc = take_dest(&r, env);
	if (rc == 0) {
		rc = repair_run(&r);
		if (rc < 0) {
			log_error("%s: cannot be repaired: %s", dir,
			    strerror(-rc));
			clear_dest(&r);
		}
	}
	line_list_end(&r.report.notes);
	line_list_end(&r.report.lost);
	if (rc == 0)
		fprintf(report, "Keys saved: %llu\n",
		    (unsigned long long)r.keys);
	repair_fini(&r);
	store_lock_drop(&lock);
	env_dir_close(r.to);
	env_dir_close(r.from);
	return rc < 0 ? rc : r.report.losses;
}

int
kv_repair(const char *dir, const char *dest, kv_lost_fn lost, void *arg,
    FILE *report)
{
	return db_repair(env_posix(), dir, dest, lost, arg, report);
}
