/* SPDX-License-Identifier: ISC */
/*
 * The set of segment files: which one takes appends, who refers to each one,
 * and when it can be removed. Each table and memtable with a pointer into a
 * segment has a reference to it, and so has a running commit. When the last one
 * is dropped, the file is obsolete.
 */
#include "engine/state/segment_set.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/state/obsolete.h"
#include "engine/state/fault.h"
#include "engine/state/store_dir.h"
#include "util/log.h"
#include "util/stats.h"

int segment_ref_cmp(const struct segment_ref *a, const struct segment_ref *b);

int
segment_ref_cmp(const struct segment_ref *a, const struct segment_ref *b)
{
	return a->number < b->number ? -1 : a->number > b->number;
}

RB_GENERATE(segment_tree, segment_ref, entry, segment_ref_cmp)

/* The size of a segment of an earlier run; 0 if the file is missing, which
 * reads of it will report. */
static uint64_t
size_on_disk(struct store_dir *store, uint64_t number)
{
	struct env_file *file = NULL;
	uint64_t size = 0;

	if (store_file_open(store->dir, FILE_SEGMENT, number, ENV_READ,
		&file) == 0)
		(void)env_size(file, &size);
	env_close(file);
	return size;
}

static struct segment_ref *
find_or_add_locked(struct db *db, uint64_t number) REQUIRES(&db->segs.mu)
{
	struct segment_ref key = { .number = number }, *s;

	mutex_assert_held(&db->segs.mu);
	s = RB_FIND(segment_tree, &db->segs.tree, &key);
	if (s == NULL) {
		s = calloc(1, sizeof(*s));
		if (s == NULL)
			return NULL;
		s->number = number;
		s->sealed = true;
		s->size = size_on_disk(&db->store, number);
		RB_INSERT(segment_tree, &db->segs.tree, s);
	}
	s->refs++;
	return s;
}

struct segment_ref *
segment_get(struct db *db, uint64_t number)
{
	struct segment_ref *s;

	mutex_lock(&db->segs.mu);
	s = find_or_add_locked(db, number);
	mutex_unlock(&db->segs.mu);
	return s;
}

void
segment_put(struct db *db, struct segment_ref *s)
{
	bool last;

	if (s == NULL)
		return;
	mutex_lock(&db->segs.mu);
	last = --s->refs == 0;
	if (last)
		RB_REMOVE(segment_tree, &db->segs.tree, s);
	mutex_unlock(&db->segs.mu);
	if (!last)
		return;
	if (!atomic_load_explicit(&db->work.closing, memory_order_seq_cst))
		obsolete_file_add(db, FILE_SEGMENT, s->number);
	segment_writer_close(s->writer);
	free(s);
}

void
segment_set_damaged(struct segment_set *segs, uint64_t number)
{
	struct segment_ref key = { .number = number }, *s;

	mutex_lock(&segs->mu);
	s = RB_FIND(segment_tree, &segs->tree, &key);
	if (s != NULL)
		s->damaged = true;
	mutex_unlock(&segs->mu);
}

/* Sealed segments keep their writers open until a sync. The limit on open files
 * bounds their number. */
static int
spare_writers(struct db *db)
{
	struct segment_ref *s;
	unsigned n = 0;
	int rc = 0;

	mutex_lock(&db->segs.mu);
	RB_FOREACH (s, segment_tree, &db->segs.tree)
		n += s->writer != NULL;
	mutex_unlock(&db->segs.mu);
	if (n >= db->segs.writers_max)
		rc = db_segment_sync(db);
	return rc < 0 && rc != -ENOMEM ?
	    db_poison(db, rc, "cannot sync a segment in %s", db->store.path) :
	    rc;
}

/* Make a new, empty active segment. segment_set.mu is not held during file
 * calls. */
static int
segment_start(struct db *db, struct segment_ref **sp)
{
	struct segment_ref *s = calloc(1, sizeof(*s));
	struct env_file *file = NULL;
	char path[PATH_MAX];
	int rc = spare_writers(db);

	*sp = NULL;
	if (rc < 0 || s == NULL) {
		free(s);
		return rc < 0 ? rc : -ENOMEM;
	}
	s->number = store_new_file_number(&db->store);
	filename_path(path, db->store.path, FILE_SEGMENT, s->number);
	rc = store_file_open(db->store.dir, FILE_SEGMENT, s->number,
	    ENV_WRITE | ENV_CREATE, &file);
	if (rc == 0) {
		atomic_fetch_add_explicit(&db->store.names_made, 1,
		    memory_order_seq_cst);
		rc = segment_writer_open(file, path, s->number, &s->writer);
		if (rc < 0)
			store_file_unlink(db->store.dir, FILE_SEGMENT,
			    s->number);
	}
	if (rc < 0) {
		log_error("%s: cannot make a segment: %s", path, strerror(-rc));
		free(s);
		return rc;
	}
	*sp = s;
	return 0;
}

/* Get the active segment; make one if there is none. The caller gets a
 * reference and a use, which keeps the writer open. */
static int
active_begin(struct db *db, struct segment_ref **sp)
{
	struct segment_ref *s, *made = NULL;
	int rc = 0;

	mutex_lock(&db->segs.mu);
	s = db->segs.active;
	if (s != NULL) {
		s->refs++;
		s->users++;
	}
	mutex_unlock(&db->segs.mu);
	if (s == NULL) {
		rc = segment_start(db, &made);
		if (rc == 0) {
			mutex_lock(&db->segs.mu);
			/* Another thread has made one at the same time: this
			 * segment is used by its maker only. */
			made->refs = 1;
			made->users = 1;
			RB_INSERT(segment_tree, &db->segs.tree, made);
			if (db->segs.active == NULL) {
				db->segs.active = made;
				made->refs++;
			} else {
				made->sealed = true;
			}
			s = made;
			mutex_unlock(&db->segs.mu);
		}
	}
	*sp = s;
	return rc;
}

void
segment_seal_active(struct db *db)
{
	struct segment_ref *s;

	mutex_lock(&db->segs.mu);
	s = db->segs.active;
	db->segs.active = NULL;
	if (s != NULL) {
		s->sealed = true;
		s->size = segment_writer_size(s->writer);
	}
	mutex_unlock(&db->segs.mu);
	segment_put(db, s);
}

int
db_segment_append(struct db *db, const struct segment_value *v, size_t count,
    struct segment_pointer *pointers, struct segment_ref **sp)
{
	struct segment_ref *s;
	int rc = active_begin(db, &s);
	bool full;

	*sp = NULL;
	if (rc < 0)
		return rc;
	rc = segment_append(s->writer, v, count, pointers);
	mutex_lock(&db->segs.mu);
	s->size = segment_writer_size(s->writer);
	s->users--;
	full = (s->size >= room_segment_bytes(&db->space.sizes) ||
		   (rc < 0 && rc != -ENOSPC)) &&
	    s == db->segs.active;
	mutex_unlock(&db->segs.mu);
	if (full)
		segment_seal_active(db);
	if (rc < 0) {
		segment_put(db, s);
		return rc;
	}
	for (size_t i = 0; i < count; i++)
		counter_add(&db->stats.segment_bytes, pointers[i].frame_len);
	*sp = s;
	return 0;
}

/* Close the writer of a sealed segment that is durable. */
static void
sync_end(struct segment_set *segs, struct segment_ref *s, bool complete)
{
	struct segment_writer *w = NULL;

	mutex_lock(&segs->mu);
	s->users--;
	if (complete && s->users == 0) {
		w = s->writer;
		s->writer = NULL;
	}
	mutex_unlock(&segs->mu);
	segment_writer_close(w);
}

int
db_segment_sync(struct db *db)
{
	struct segment_ref *held[16];
	bool complete[16];
	struct segment_ref *s;
	uint64_t after = 0;
	size_t n;
	int rc = 0;

	/* Sync all segments that have a writer: the active one, and sealed ones
	 * with appends that may not be durable. */
	do {
		n = 0;
		mutex_lock(&db->segs.mu);
		RB_FOREACH (s, segment_tree, &db->segs.tree) {
			if (s->writer == NULL || s->number <= after)
				continue;
			/* The sync covers all of a sealed segment only if no
			 * append to it is running. */
			complete[n] = s->sealed && s->users == 0;
			s->refs++;
			s->users++;
			held[n++] = s;
			if (n == 16)
				break;
		}
		mutex_unlock(&db->segs.mu);
		for (size_t i = 0; i < n; i++) {
			after = held[i]->number;
			if (rc == 0)
				rc = segment_writer_sync(held[i]->writer);
			sync_end(&db->segs, held[i], rc == 0 && complete[i]);
			segment_put(db, held[i]);
		}
	} while (n == 16 && rc == 0);
	return rc;
}

int
segment_hold_uses(struct db *db, struct table_file *f)
{
	for (size_t i = 0; i < f->use_count; i++) {
		if (f->uses[i].ref != NULL)
			continue;
		f->uses[i].ref = segment_get(db, f->uses[i].segment);
		if (f->uses[i].ref == NULL)
			return -ENOMEM;
	}
	return 0;
}

void
segment_count_uses(struct segment_set *segs, const struct table_file *f,
    bool live)
{
	mutex_lock(&segs->mu);
	for (size_t i = 0; i < f->use_count; i++) {
		struct segment_ref *s = f->uses[i].ref;

		if (s == NULL)
			continue;
		if (live)
			s->live_bytes += f->uses[i].bytes;
		else
			s->live_bytes -= f->uses[i].bytes;
	}
	mutex_unlock(&segs->mu);
}

void
segment_drop_uses(struct db *db, struct table_file *f)
{
	for (size_t i = 0; i < f->use_count; i++)
		segment_put(db, f->uses[i].ref);
}

int
memtable_hold_segment(struct segment_set *segs, struct memtable *m,
    struct segment_ref *s)
{
	/* Consecutive commits mostly use the same segment. */
	for (size_t i = m->segment_count; i > 0; i--)
		if (m->segments[i - 1] == s)
			return 0;
	if (m->segment_count == m->segment_cap) {
		size_t cap = m->segment_cap != 0 ? m->segment_cap * 2 : 4;
		struct segment_ref **p = realloc(m->segments, cap * sizeof(*p));

		if (p == NULL)
			return -ENOMEM;
		m->segments = p;
		m->segment_cap = cap;
	}
	mutex_lock(&segs->mu);
	s->refs++;
	mutex_unlock(&segs->mu);
	m->segments[m->segment_count++] = s;
	return 0;
}
