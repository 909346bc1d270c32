/* SPDX-License-Identifier: ISC */
/* Tables from merged entries; see output.h. */
#include "engine/compact/output.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/state/db_compress.h"
#include "engine/state/db_state.h"
#include "engine/state/durability.h"
#include "engine/state/segment_set.h"
#include "engine/state/store_dir.h"
#include "engine/table/table_builder.h"
#include "engine/tree/gc_filter.h"
#include "engine/tree/read_pointer.h"
#include "util/coding.h"
#include "util/log.h"

/* What is merged between two pauses: a millisecond of a disk. */
#define PIECE_BYTES (256u << 10)

/* So many deletions in a row are a stretch of their own; what went before a
 * stretch, or the stretch, becomes a table if it weighs at least this part of
 * one. */
#define STRETCH_DELETES 64
#define STRETCH_TABLE_PART 8

/* The table being written. */
struct open_table {
	struct table_builder *builder; /* NULL: none is open */
	struct env_file *file;
	uint64_t number;
	char path[PATH_MAX];
	uint8_t first[KEY_USER_MAX];
	size_t first_len;
	uint8_t last[KEY_USER_MAX + 1];
	size_t last_len;
	/* A group whose deletion it holds must stay in it. */
	uint8_t group_end[KEY_PREFIX_LEN];
	bool has_group_end;
	uint64_t stretch; /* the last so many are deletions */
	struct segment_use *uses;
	size_t use_count, use_cap;
	uint64_t reclaim_bytes;
};

struct merge_state {
	struct output *out;
	struct open_table t;
	struct gc_filter filter;
	struct segment_value value; /* reused */
	/* Deletions that a group's deletion made superfluous: what they
	 * hide below is still there, and worth so much. */
	uint64_t superfluous_deletes;
	uint64_t inherited_bytes; /* out->reclaim_bytes, until a table has it */
	uint64_t entry_bytes;
	uint64_t table_bytes; /* to write in one table */
	uint64_t piece_bytes; /* merged since the last pause */
};

static int
table_begin(struct merge_state *m, struct slice user)
{
	struct db *db = m->out->db;
	struct open_table *t = &m->t;
	int rc;

	t->number = db_new_file_number(db);
	t->use_count = 0;
	t->reclaim_bytes = 0;
	t->has_group_end = false;
	t->stretch = 0;
	rc = store_file_open(db->store, FILE_TABLE, t->number,
	    ENV_WRITE | ENV_CREATE, &t->file);
	if (rc < 0) {
		log_error("%s/%06llu.sst: cannot make a table: %s", db->dir,
		    (unsigned long long)t->number, strerror(-rc));
		return rc;
	}
	t->builder = table_builder_create(t->file, t->number, &db->table_opts);
	if (t->builder == NULL)
		return -ENOMEM;
	memcpy(t->first, user.data, user.len);
	t->first_len = user.len;
	return 0;
}

/* Close what is open; remove the file unless it became part of an edit. */
static void
table_drop(struct merge_state *m, bool unlink)
{
	struct open_table *t = &m->t;

	table_builder_destroy(t->builder);
	t->builder = NULL;
	if (t->file != NULL && unlink)
		store_file_unlink(m->out->db->store, FILE_TABLE, t->number);
	env_close(t->file);
	t->file = NULL;
	for (size_t i = 0; i < t->use_count; i++)
		segment_put(m->out->db, t->uses[i].ref);
	t->use_count = 0;
}

static int
cmp_use(const void *a, const void *b)
{
	const struct segment_use *ua = a, *ub = b;

	return ua->segment < ub->segment ? -1 : ua->segment > ub->segment;
}

static int
table_end(struct merge_state *m)
{
	struct open_table *t = &m->t;
	struct table_props props;
	struct table_file *f;
	struct slice limit;
	int rc;

	if (t->builder == NULL)
		return 0;
	rc = table_builder_finish(t->builder, &props);
	if (rc == 0)
		rc = env_sync(t->file);
	if (rc < 0) {
		log_error("%s: cannot write a table: %s", t->path,
		    strerror(-rc));
		table_drop(m, true);
		return rc;
	}
	env_advise(t->file, 0, 0, ENV_ADVICE_RANDOM);
	/* last has room for the byte that makes it exclusive. */
	t->last[t->last_len] = 0;
	limit = slice_make(t->last, t->last_len + 1);
	if (t->has_group_end &&
	    slice_cmp(slice_make(t->group_end, KEY_PREFIX_LEN), limit) > 0)
		limit = slice_make(t->group_end, KEY_PREFIX_LEN);
	if (t->use_count > 1)
		qsort(t->uses, t->use_count, sizeof(*t->uses), cmp_use);
	t->reclaim_bytes += m->superfluous_deletes * m->entry_bytes;
	m->superfluous_deletes = 0;
	/* What the deletions of groups hide is still there: what was known of
	 * it goes with the first of them. */
	if (t->has_group_end && m->inherited_bytes != 0) {
		if (t->reclaim_bytes < m->inherited_bytes)
			t->reclaim_bytes = m->inherited_bytes;
		m->inherited_bytes = 0;
	}
	f = table_file_create(t->number, &props,
	    slice_make(t->first, t->first_len), limit, t->uses, t->use_count,
	    t->reclaim_bytes);
	if (f == NULL) {
		table_drop(m, true);
		return -ENOMEM;
	}
	rc = version_edit_add(m->out->edit, m->out->level, f);
	if (rc < 0) {
		table_file_free(f);
		table_drop(m, true);
		return rc;
	}
	/* The references went with the table. */
	t->use_count = 0;
	m->out->bytes_written += props.file_bytes;
	table_drop(m, false);
	return 0;
}

/* Count a pointer of the table, holding the segment for it. */
static int
note_use(struct merge_state *m, const struct segment_pointer *p)
{
	struct open_table *t = &m->t;
	struct segment_ref *ref;

	for (size_t i = t->use_count; i > 0; i--) {
		if (t->uses[i - 1].segment == p->segment) {
			t->uses[i - 1].bytes += p->frame_len;
			return 0;
		}
	}
	if (t->use_count == t->use_cap) {
		size_t cap = t->use_cap != 0 ? t->use_cap * 2 : 8;
		struct segment_use *u = realloc(t->uses, cap * sizeof(*u));

		if (u == NULL)
			return -ENOMEM;
		t->uses = u;
		t->use_cap = cap;
	}
	ref = segment_get(m->out->db, p->segment);
	if (ref == NULL)
		return -ENOMEM;
	t->uses[t->use_count++] = (struct segment_use){ p->segment,
		p->frame_len, ref };
	return 0;
}

static bool
must_relocate(const struct output *out, uint64_t segment)
{
	for (size_t i = 0; i < out->relocate_count; i++)
		if (out->relocate[i] == segment)
			return true;
	return false;
}

/* Write a value to the active segment; encoded gets the pointer to it. */
static int
store_value(struct merge_state *m, struct slice user, struct slice raw,
    struct segment_pointer *p, uint8_t encoded[SEGMENT_POINTER_LEN])
{
	struct db *db = m->out->db;
	struct segment_ref *ref = NULL;
	int rc = db_value_encode(db, &m->value, user, raw);

	if (rc < 0)
		return rc;
	rc = db_segment_append(db, &m->value, 1, p, &ref);
	if (rc < 0)
		return rc;
	segment_pointer_encode(p, encoded);
	m->out->bytes_written += p->frame_len;
	rc = note_use(m, p);
	segment_put(db, ref);
	return rc;
}

/* Add an entry whose value is a pointer, moved first if its segment is to
 * be emptied. */
static int
add_pointer(struct merge_state *m, struct slice ikey, struct slice value)
{
	uint8_t encoded[SEGMENT_POINTER_LEN];
	struct segment_pointer p;
	struct kv_value raw = { 0 };
	int rc = segment_pointer_decode(value, &p);

	if (rc < 0)
		return rc;
	if (must_relocate(m->out, p.segment)) {
		rc = read_pointer(m->out->db->tables, m->out->db->dir,
		    key_user(ikey), value, &raw);
		if (rc == 0) {
			rc = store_value(m, key_user(ikey), raw.data, &p,
			    encoded);
			kv_value_release(&raw);
			if (rc < 0)
				return rc;
			return table_builder_add(m->t.builder, ikey,
			    slice_make(encoded, sizeof(encoded)));
		}
		if (rc != -KVFS_ECORRUPT && rc != -KVFS_ECHECKSUM && rc != -EIO)
			return rc;
		/* Damaged: it stays where it is, and reads of it fail. */
		segment_set_damaged(m->out->db, p.segment);
	}
	rc = note_use(m, &p);
	if (rc < 0)
		return rc;
	return table_builder_add(m->t.builder, ikey, value);
}

static int
add_large(struct merge_state *m, struct slice ikey, struct slice value)
{
	uint8_t key[KEY_INTERNAL_MAX], encoded[SEGMENT_POINTER_LEN];
	struct slice user = key_user(ikey);
	struct segment_pointer p;
	size_t len;
	int rc = store_value(m, user, value, &p, encoded);

	if (rc < 0)
		return rc;
	memcpy(key, user.data, user.len);
	len = key_append_trailer(key, user.len, key_seq(ikey), KEY_POINTER);
	return table_builder_add(m->t.builder, slice_make(key, len),
	    slice_make(encoded, sizeof(encoded)));
}

static void
note_group_deletion(struct open_table *t, struct slice user, struct slice value)
{
	struct cursor hint = cursor_make(value);

	key_group_end(t->group_end, user);
	t->has_group_end = true;
	t->reclaim_bytes += cursor_varint(&hint);
}

/* Small memtables make small tables, so that a job is a small part of its
 * level; but a level has some hundreds of them before it has large ones. */
static uint64_t
target_bytes(const struct output *out)
{
	uint64_t bytes = out->below->levels[out->level].bytes / LEVEL_TABLES;
	uint64_t most = atomic_load(&out->db->sizes.table_bytes);

	if (bytes < out->db->opts.memtable_bytes)
		bytes = out->db->opts.memtable_bytes;
	return bytes < most ? bytes : most;
}

/* Between two pieces a compaction looks after the others: the store may
 * close, or wait for the disk. */
static int
pause_after_piece(struct merge_state *m, size_t bytes)
{
	struct db *db = m->out->db;

	if (!m->out->may_abandon)
		return 0;
	if (atomic_load_explicit(&db->abandon, memory_order_relaxed))
		return -ECANCELED;
	m->piece_bytes += bytes;
	if (m->piece_bytes >= PIECE_BYTES) {
		if (m->out->pace != NULL)
			compact_pace(db, m->out->pace, m->piece_bytes);
		db_yield_to_sync(db);
		m->piece_bytes = 0;
	}
	return 0;
}

/*
 * Whether a stretch of deletions has begun, or ends before an entry of that
 * type: a table of little else covers no more of the next level than they
 * free, so that merging it pays (pick_profit()).
 */
static bool
is_stretch_bound(const struct merge_state *m, enum key_type type)
{
	const struct open_table *t = &m->t;
	const struct table_props *p = table_builder_props(t->builder);

	if (m->out->level == 0 || t->stretch < STRETCH_DELETES ||
	    table_is_mostly_deletes(p) == (type == KEY_DELETE))
		return false;
	return table_builder_size(t->builder) + p->deletes * m->entry_bytes >=
	    m->table_bytes / STRETCH_TABLE_PART;
}

/* Whether the table may and should end before user. */
static bool
should_cut(const struct merge_state *m, struct slice user, enum key_type type)
{
	const struct open_table *t = &m->t;

	if (t->builder == NULL || m->out->one_table ||
	    slice_eq(user, slice_make(t->last, t->last_len)))
		return false;
	if (t->has_group_end &&
	    slice_cmp(user, slice_make(t->group_end, KEY_PREFIX_LEN)) < 0)
		return false;
	/* Spaces apart: names and contents age and are compacted
	 * independently. */
	return table_builder_size(t->builder) >= m->table_bytes ||
	    is_stretch_bound(m, type) ||
	    t->first[0] != *(const uint8_t *)user.data;
}

static int
add_entry(struct merge_state *m, struct slice ikey, struct slice value)
{
	struct open_table *t = &m->t;
	struct slice user = key_user(ikey);
	enum key_type type = key_type(ikey);
	int rc = 0;

	if (should_cut(m, user, type))
		rc = table_end(m);
	if (rc == 0 && t->builder == NULL)
		rc = table_begin(m, user);
	if (rc < 0)
		return rc;
	if (type == KEY_POINTER)
		rc = add_pointer(m, ikey, value);
	else if (type == KEY_VALUE && m->out->separate &&
	    value.len >= SEGMENT_VALUE_MIN)
		rc = add_large(m, ikey, value);
	else
		rc = table_builder_add(t->builder, ikey, value);
	if (type == KEY_DELETE_GROUP)
		note_group_deletion(t, user, value);
	t->stretch = type == KEY_DELETE ? t->stretch + 1 : 0;
	memcpy(t->last, user.data, user.len);
	t->last_len = user.len;
	m->out->entries_out++;
	return rc;
}

static void
seek_start(const struct output *out, struct iter *it)
{
	uint8_t ikey[KEY_INTERNAL_MAX];

	if (out->from.len == 0)
		iter_seek_first(it);
	else
		iter_seek(it, key_first(ikey, out->from));
}

static bool
is_wanted(const struct output *out, const struct iter *it)
{
	return it->valid &&
	    (out->to.len == 0 || slice_cmp(key_user(it->key), out->to) < 0);
}

int
output_merge(struct output *out, struct iter *it)
{
	struct merge_state m = {
		.out = out,
		.entry_bytes = version_entry_bytes(out->below),
		.table_bytes = target_bytes(out),
		.inherited_bytes = out->reclaim_bytes,
	};
	int rc = it != NULL ? 0 : -ENOMEM;

	if (rc < 0)
		return rc;
	segment_value_init(&m.value);
	gc_filter_init(&m.filter, out->snapshots, out->snapshot_count,
	    out->below, out->below_level);
	seek_start(out, it);
	for (; is_wanted(out, it) && rc == 0; iter_next(it)) {
		out->entries_in++;
		if (gc_filter_keep(&m.filter, it->key))
			rc = add_entry(&m, it->key, it->value);
		else if (key_type(it->key) == KEY_DELETE &&
		    out->below_level < LEVELS)
			m.superfluous_deletes++;
		if (m.filter.error < 0)
			rc = m.filter.error;
		if (rc == 0)
			rc = pause_after_piece(&m, it->key.len + it->value.len);
	}
	if (rc == 0)
		rc = it->status;
	if (rc == 0)
		rc = table_end(&m);
	else
		table_drop(&m, true);
	iter_close(it);
	gc_filter_fini(&m.filter);
	segment_value_fini(&m.value);
	free(m.t.uses);
	return rc;
}
