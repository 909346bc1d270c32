/* SPDX-License-Identifier: ISC */
/*
 * Writes the merged sources to a new store: the newest version of each key,
 * unless it is deleted. If the newest version cannot be read, the key is lost:
 * an older value would pass for the current one.
 */
#include "engine/repair/repair_write.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/repair/repair_job.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_internal.h"
#include "engine/store/db.h"
#include "util/arena.h"
#include "util/buf.h"
#include "util/log.h"

#define BATCH_BYTES (4u << 20)
#define BATCH_CHANGES 16384
#define CACHE_BYTES (8u << 20)

struct writer {
	struct repair *r;
	struct kv *kv;
	struct kv_batch batch;
	struct arena values; /* the values in batch */

	/* the current key */
	uint8_t user[KEY_USER_MAX];
	size_t user_len;
	bool has_newest;
	uint64_t newest; /* sequence number of its newest version */
	bool is_done; /* it was written, or is deleted */
	/* why the newest version cannot be read */
	bool is_damaged;
	struct segment_pointer pointer;
	const char *what;

	/* the newest deletion of the current group */
	uint8_t group[KEY_PREFIX_LEN];
	uint64_t group_deleted; /* 0: none */
};

/* ---- Writing ---- */

static int
writer_commit(struct writer *w)
{
	int rc = 0;

	if (w->batch.count != 0)
		rc = kv_commit(w->kv, &w->batch, NULL);
	if (rc < 0)
		log_error("%s: cannot write: %s", w->r->dest, strerror(-rc));
	kv_batch_clear(&w->batch);
	arena_fini(&w->values);
	arena_init(&w->values);
	return rc;
}

static int
writer_put(struct writer *w, struct slice user, struct slice value)
{
	struct kv_key key = key_decode(user);
	void *copy = arena_alloc(&w->values, value.len + 1);

	if (copy == NULL)
		return -ENOMEM;
	if (value.len != 0)
		memcpy(copy, value.data, value.len);
	kv_batch_put(&w->batch, &key, slice_make(copy, value.len));
	w->r->keys++;
	w->is_done = true;
	if (w->batch.bytes >= BATCH_BYTES || w->batch.count >= BATCH_CHANGES)
		return writer_commit(w);
	return 0;
}

/* ---- Values in segments ---- */

/* Open a segment without reading its header, which the frames do not need. On
 * failure NULL: *whatp says why, or is NULL without memory. */
static struct segment_reader *
open_segment(struct repair *r, uint64_t number, const char **whatp)
{
	struct segment_reader **slot = &r->segments[number % REPAIR_SEGMENTS];
	struct segment_reader *s = *slot;
	char path[PATH_MAX];
	int rc;

	*whatp = NULL;
	if (s != NULL && s->number == number)
		return s;
	segment_reader_close(s);
	*slot = NULL;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return NULL;
	s->number = number;
	filename_path(path, r->dir, FILE_SEGMENT, number);
	rc = store_file_open(r->from, FILE_SEGMENT, number, ENV_READ, &s->file);
	if (rc < 0) {
		*whatp = rc == -ENOENT ? "the file is missing" :
					 "the file cannot be opened";
		segment_reader_close(s);
		return NULL;
	}
	s->path = strdup(path);
	if (s->path == NULL) {
		segment_reader_close(s);
		return NULL;
	}
	*slot = s;
	return s;
}

static int
put_pointed(struct writer *w, struct slice user, struct slice encoded)
{
	struct kv_value value = { 0 };
	struct segment_reader *s;
	int rc = segment_pointer_decode(encoded, &w->pointer);

	w->is_damaged = true;
	w->what = "the pointer to it is impossible";
	if (rc < 0)
		return 0;
	s = open_segment(w->r, w->pointer.segment, &w->what);
	if (s == NULL)
		return w->what != NULL ? 0 : -ENOMEM;
	rc = segment_read_value(s, &w->pointer, user, &value, &w->what);
	if (rc == -ENOMEM)
		return rc;
	if (rc < 0)
		return 0;
	rc = writer_put(w, user, value.data);
	kv_value_release(&value);
	return rc;
}

/* ---- Choosing the newest version ---- */

/* All versions of the current key have been seen: report it if it is lost. */
static void
leave_key(struct writer *w)
{
	char path[PATH_MAX];

	if (w->is_damaged && !w->is_done) {
		filename_path(path, w->r->dir, FILE_SEGMENT,
		    w->pointer.segment);
		repair_lost_value(&w->r->report,
		    slice_make(w->user, w->user_len), "%s: offset %llu: %s",
		    path, (unsigned long long)w->pointer.off, w->what);
	}
	w->is_damaged = false;
}

static void
enter_key(struct writer *w, struct slice user)
{
	if (memcmp(user.data, w->group, KEY_PREFIX_LEN) != 0) {
		memcpy(w->group, user.data, KEY_PREFIX_LEN);
		w->group_deleted = 0;
	}
	memcpy(w->user, user.data, user.len);
	w->user_len = user.len;
	w->has_newest = false;
	w->is_done = false;
}

static int
writer_add_entry(struct writer *w, struct slice ikey, struct slice value)
{
	struct slice user = key_user(ikey);
	uint64_t seq = key_seq(ikey);
	enum key_type type = key_type(ikey);

	if (!slice_eq(user, slice_make(w->user, w->user_len))) {
		leave_key(w);
		enter_key(w, user);
	}
	if (type == KEY_DELETE_GROUP) {
		if (seq > w->group_deleted)
			w->group_deleted = seq;
		return 0;
	}
	if (!w->has_newest) {
		w->has_newest = true;
		w->newest = seq;
		w->is_done = type == KEY_DELETE || seq < w->group_deleted;
	}
	/* The newest version may occur twice: as a value in a log, and as a
	 * pointer in a table. */
	if (w->is_done || seq != w->newest)
		return 0;
	if (type == KEY_POINTER)
		return put_pointed(w, user, value);
	if (type == KEY_VALUE && value.len <= KV_VALUE_MAX)
		return writer_put(w, user, value);
	return 0;
}

static int
writer_add_all(struct writer *w, struct iter *it)
{
	struct buf last = { 0 };
	int rc = 0;

	for (iter_seek_first(it); it->valid && rc == 0; iter_next(it)) {
		/* The choice depends on the order of keys. */
		if (last.len != 0 && key_cmp(buf_slice(&last), it->key) > 0) {
			log_error("%s: tables that should not overlap do: "
				  "cannot be repaired",
			    w->r->dir);
			rc = -KVFS_ECORRUPT;
			break;
		}
		buf_clear(&last);
		buf_append_slice(&last, it->key);
		rc = buf_error(&last);
		if (rc == 0)
			rc = writer_add_entry(w, it->key, it->value);
	}
	buf_fini(&last);
	if (rc == 0)
		rc = it->status;
	if (rc == 0)
		leave_key(w);
	return rc < 0 ? rc : writer_commit(w);
}

int
repair_write(struct repair *r, struct iter *it)
{
	struct writer *w = calloc(1, sizeof(*w));
	struct kv_options opts;
	struct env_dir *to;
	int rc, rc2;

	if (w == NULL)
		return -ENOMEM;
	w->r = r;
	kv_batch_init(&w->batch);
	arena_init(&w->values);
	kv_options_init(&opts);
	/* Closing the store makes everything durable. */
	opts.sync = KV_SYNC_OFF;
	opts.cache_bytes = CACHE_BYTES;
	opts.owner = "repair";
	rc = env_dir_reopen(r->to, &to);
	if (rc == 0)
		rc = db_open_in(to, &opts, &w->kv);
	if (rc == 0)
		rc = writer_add_all(w, it);
	rc2 = kv_close(w->kv);
	kv_batch_fini(&w->batch);
	arena_fini(&w->values);
	free(w);
	return rc < 0 ? rc : rc2;
}
