/* SPDX-License-Identifier: ISC */
/*
 * kv_repair(): from a store in which anything may be damaged or missing to
 * a new one that holds all that is readable. repair_internal.h tells how
 * the work is cut.
 */
#include "engine/repair/repair.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/key/merge_iter.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/state/store_lock.h"
#include "engine/store/foreign.h"
#include "engine/repair/repair_internal.h"
#include "engine/tree/version.h"
#include "util/line_list.h"
#include "util/log.h"

/* Of a loss: where, and what is wrong there. */
#define WHY_MAX (PATH_MAX + 200)
#define KEY_TEXT 200

/* ---- What the others use ---- */

static void
count_loss(struct repair *r)
{
	if (r->losses < INT_MAX)
		r->losses++;
}

void
repair_lost(struct repair *r, const char *fmt, ...)
{
	char why[WHY_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	line_list_add(&r->lost_lines, "%s", why);
}

/* As much of a key as fits, for those who know no better name of it. */
static const char *
key_text(const struct kv_key *key, char text[KEY_TEXT])
{
	const uint8_t *p = key->name.data;
	size_t n = (size_t)snprintf(text, KEY_TEXT, "%u/%llu", key->space,
	    (unsigned long long)key->group);

	if (key->name.len != 0)
		text[n++] = '/';
	for (size_t i = 0; i < key->name.len; i++) {
		if (n > KEY_TEXT - 8) {
			strlcpy(text + n, "...", KEY_TEXT - n);
			return text;
		}
		if (p[i] <= ' ' || p[i] == '\\' || p[i] >= 0x7f)
			n += (size_t)snprintf(text + n, KEY_TEXT - n, "\\x%02x",
			    p[i]);
		else
			text[n++] = (char)p[i];
	}
	text[n] = '\0';
	return text;
}

/* A user key; the one before all others has no bytes. */
static struct kv_key
decode(struct slice user)
{
	if (user.len < KEY_PREFIX_LEN)
		return (struct kv_key){ 0 };
	return key_decode(user);
}

void
repair_lost_value(struct repair *r, struct slice user, const char *fmt, ...)
{
	char why[WHY_MAX], text[KEY_TEXT];
	struct kv_key key = decode(user);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	if (r->lost != NULL)
		r->lost(r->lost_arg, &key, NULL, why);
	else
		line_list_add(&r->lost_lines, "%s: value of %s", why,
		    key_text(&key, text));
}

void
repair_lost_range(struct repair *r, struct slice from, struct slice to,
    const char *fmt, ...)
{
	char why[WHY_MAX], first_text[KEY_TEXT], last_text[KEY_TEXT];
	struct kv_key first = decode(from), last = decode(to);
	const uint8_t *p = last.name.data;
	va_list ap;

	/* The end of a range is the last key and a NUL. */
	if (last.name.len != 0 && p[last.name.len - 1] == '\0')
		last.name.len--;
	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	count_loss(r);
	if (r->lost != NULL)
		r->lost(r->lost_arg, &first, &last, why);
	else
		line_list_add(&r->lost_lines,
		    "%s: what it held of keys from %s to %s", why,
		    key_text(&first, first_text), key_text(&last, last_text));
}

int
repair_add_source(struct repair *r, struct iter *it)
{
	if (it == NULL)
		return -ENOMEM;
	if (r->source_count == r->source_cap) {
		size_t cap = r->source_cap != 0 ? r->source_cap * 2 : 16;
		struct merge_source *s = realloc(r->sources, cap * sizeof(*s));

		if (s == NULL) {
			iter_close(it);
			return -ENOMEM;
		}
		r->sources = s;
		r->source_cap = cap;
	}
	r->sources[r->source_count++] = (struct merge_source){ it, SEQ_MAX };
	return 0;
}

/* ---- Directories ---- */

static bool
has_files(const struct repair *r)
{
	return store_files_have(&r->files, FILE_MANIFEST) ||
	    store_files_have(&r->files, FILE_WAL) ||
	    store_files_have(&r->files, FILE_TABLE) ||
	    store_files_have(&r->files, FILE_SEGMENT);
}

/* List the store's files, which nobody changes meanwhile. */
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
	/* The root of a file system of its own has this one. */
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

/* Leave an empty directory behind a failure: half a store must not be
 * taken for a whole one. */
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

/* ---- The whole ---- */

static int
salvage(struct repair *r)
{
	struct iter *it;
	int rc = repair_read_manifest(r);

	if (rc == 0)
		rc = repair_gather_tables(r);
	if (rc == 0)
		rc = repair_gather_logs(r);
	if (rc < 0)
		return rc;
	it = merge_iter_create(r->sources, r->source_count);
	r->source_count = 0;
	if (it == NULL)
		return -ENOMEM;
	rc = repair_write(r, it);
	iter_close(it);
	return rc < 0 ? rc : r->log_error;
}

static void
fini(struct repair *r)
{
	for (size_t i = 0; i < r->source_count; i++)
		iter_close(r->sources[i].it);
	free(r->sources);
	for (size_t i = 0; i < r->table_count; i++) {
		free((void *)(uintptr_t)r->tables[i].smallest.data);
		free((void *)(uintptr_t)r->tables[i].limit.data);
	}
	free(r->tables);
	for (size_t i = 0; i < REPAIR_SEGMENTS; i++)
		segment_reader_close(r->segments[i]);
	if (r->mem != NULL)
		memtable_unref(r->mem);
	version_unref(r->version);
	number_list_fini(&r->removed);
	store_files_fini(&r->files);
}

int
db_repair(struct env *env, const char *dir, const char *dest, kv_lost_fn lost,
    void *arg, FILE *report)
{
	struct repair r = { .env = env,
		.dir = dir,
		.dest = dest,
		.out = report,
		.lost_lines = { .out = report, .prefix = "lost" },
		.note_lines = { .out = report, .prefix = "note" },
		.lost = lost,
		.lost_arg = arg,
		.log_path = "the logs" };
	struct store_lock lock = { 0 };
	int rc;

	rc = take_store(&r, env, &lock);
	if (rc == 0)
		rc = take_dest(&r, env);
	if (rc == 0) {
		rc = salvage(&r);
		if (rc < 0) {
			log_error("%s: cannot be repaired: %s", dir,
			    strerror(-rc));
			clear_dest(&r);
		}
	}
	line_list_end(&r.note_lines);
	line_list_end(&r.lost_lines);
	if (rc == 0)
		fprintf(report, "Keys saved: %llu\n",
		    (unsigned long long)r.keys);
	fini(&r);
	store_lock_drop(&lock);
	env_dir_close(r.to);
	env_dir_close(r.from);
	return rc < 0 ? rc : r.losses;
}

int
kv_repair(const char *dir, const char *dest, kv_lost_fn lost, void *arg,
    FILE *report)
{
	return db_repair(env_posix(), dir, dest, lost, arg, report);
}
