/* SPDX-License-Identifier: ISC */
/* Writes tables of merged entries; see output.h. */
#include "engine/compact/output.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/compact/compact.h"
#include "engine/compact/output_internal.h"
#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/segment/segment.h"
#include "engine/state/db_compress.h"
#include "engine/state/db_state.h"
#include "engine/state/segment_set.h"
#include "engine/table/table_builder.h"
#include "engine/tree/gc_filter.h"
#include "engine/tree/read_pointer.h"

/* Bytes merged between two pauses: about a millisecond of a disk's time. */
#define PIECE_BYTES (256u << 10)

/* At least so many deletions in a row are a run. A table is cut at the
 * beginning and the end of a run, if it has at least this part of a table's
 * full weight by then. */
#define DELETE_RUN_MIN 64
#define DELETE_RUN_TABLE_PART 8

static bool
must_relocate(const struct output *out, uint64_t segment)
{
	for (size_t i = 0; i < out->relocate_count; i++)
		if (out->relocate[i] == segment)
			return true;
	return false;
}

/* Append a value to the active segment. encoded gets the pointer to it. */
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
	rc = output_table_note_use(m, p);
	segment_put(db, ref);
	return rc;
}

/* Add an entry whose value is a pointer. If its segment is being emptied, the
 * value is moved first. */
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
		rc = read_pointer(m->out->db->caches.tables,
		    m->out->db->store.path, key_user(ikey), value, &raw);
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
		/* The value is damaged: it stays where it is, and reading it
		 * fails. */
		segment_set_damaged(&m->out->db->segs, p.segment);
	}
	rc = output_table_note_use(m, &p);
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

/* A level with few data gets small tables, so that one job is a small part of
 * it. Tables reach their full size when the level has some hundreds. */
static uint64_t
target_bytes(const struct output *out)
{
	uint64_t bytes = out->below->levels[out->level].bytes / LEVEL_TABLES;
	uint64_t most = atomic_load_explicit(&out->db->space.sizes.table_bytes,
	    memory_order_relaxed);

	if (bytes < out->db->opts.memtable_bytes)
		bytes = out->db->opts.memtable_bytes;
	return bytes < most ? bytes : most;
}

/* Between two pieces: pause, or end the merge if it was cancelled. */
static int
end_piece(struct merge_state *m, size_t bytes)
{
	const struct output *out = m->out;

	/* Relaxed: it is read again soon. */
	if (out->abandon != NULL &&
	    atomic_load_explicit(out->abandon, memory_order_relaxed))
		return -ECANCELED;
	m->piece_bytes += bytes;
	if (m->piece_bytes >= PIECE_BYTES) {
		if (out->pause != NULL)
			out->pause(out->pause_arg, m->piece_bytes);
		m->piece_bytes = 0;
	}
	return 0;
}

/*
 * Whether a run of deletions begins or ends before an entry of this type. A
 * table of mostly deletions overlaps no more of the next level than the
 * deletions free, so that merging it pays (pick_profit()).
 */
static bool
is_delete_run_bound(const struct merge_state *m, enum key_type type)
{
	const struct open_table *t = &m->t;
	const struct table_props *p = table_builder_props(t->builder);

	if (m->out->level == 0 || t->delete_run < DELETE_RUN_MIN ||
	    table_is_mostly_deletes(p) == (type == KEY_DELETE))
		return false;
	return table_builder_size(t->builder) + p->deletes * m->entry_bytes >=
	    m->table_bytes / DELETE_RUN_TABLE_PART;
}

/* Whether the table may end before user, and should. */
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
	/* One space a table: names and contents differ in age, and are
	 * compacted independently. */
	return table_builder_size(t->builder) >= m->table_bytes ||
	    is_delete_run_bound(m, type) ||
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
		rc = output_table_end(m);
	if (rc == 0 && t->builder == NULL)
		rc = output_table_begin(m, user);
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
		output_table_note_group(t, user, value);
	t->delete_run = type == KEY_DELETE ? t->delete_run + 1 : 0;
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
			rc = end_piece(&m, it->key.len + it->value.len);
	}
	if (rc == 0)
		rc = it->status;
	if (rc == 0)
		rc = output_table_end(&m);
	else
		output_table_drop(&m, true);
	iter_close(it);
	gc_filter_fini(&m.filter);
	segment_value_fini(&m.value);
	free(m.t.uses);
	return rc;
}
