/* SPDX-License-Identifier: ISC */
/*
 * Reads a whole table from disk, past the cache, and checks all that its format
 * requires: checksums, order, separators, filter, properties.
 * Threading: one thread.
 */
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/table/block_reader.h"
#include "engine/table/table_internal.h"

struct verify {
	struct table_reader *t;
	struct line_list *found;
	bool is_whole; /* every block was readable */
	struct table_props seen;
	size_t last_len;
	uint8_t last[KEY_INTERNAL_MAX];
	struct block_cursor cursor;
};

static void
report_problem(struct verify *v, const struct table_problem *p)
{
	line_list_add(v->found, "%s: at %llu: %s", v->t->path,
	    (unsigned long long)p->off, p->what);
}

/* Returns the first problem of the cursor's entry, or NULL. */
static const char *
entry_problem(struct verify *v, uint32_t i)
{
	const struct table_reader *t = v->t;
	struct slice key = slice_make(v->cursor.key, v->cursor.key_len);

	if (v->last_len != 0 &&
	    key_cmp(slice_make(v->last, v->last_len), key) >= 0)
		return "keys out of order";
	if (table_index_cmp(&t->index, i, key) < 0 ||
	    (i != 0 && table_index_cmp(&t->index, i - 1, key) >= 0))
		return "key outside its place in the index";
	if (t->bloom.count != 0 &&
	    !bloom_may_contain(&t->bloom, key_hash(key_user(key))))
		return "filter does not know a key";
	return NULL;
}

static void
count_entry(struct verify *v)
{
	struct slice key = slice_make(v->cursor.key, v->cursor.key_len);
	uint64_t seq = key_seq(key);

	v->seen.entries++;
	v->seen.deletes += key_type(key) == KEY_DELETE;
	v->seen.group_deletes += key_type(key) == KEY_DELETE_GROUP;
	v->seen.raw_bytes += key.len + v->cursor.value.len;
	if (v->seen.entries == 1 || seq < v->seen.min_seq)
		v->seen.min_seq = seq;
	if (seq > v->seen.max_seq)
		v->seen.max_seq = seq;
}

/* Report at most one line for each block. */
static void
verify_block(struct verify *v, uint32_t i, struct slice raw)
{
	struct table_problem p = { NULL, table_index_off(&v->t->index, i) };

	for (block_cursor_first(&v->cursor, raw); v->cursor.valid;
	     block_cursor_next(&v->cursor)) {
		if (p.what == NULL)
			p.what = entry_problem(v, i);
		count_entry(v);
		memcpy(v->last, v->cursor.key, v->cursor.key_len);
		v->last_len = v->cursor.key_len;
	}
	if (p.what != NULL)
		report_problem(v, &p);
}

/* Make sure that *memp has at least want bytes. False without memory. */
static bool
make_room(void **memp, size_t *capp, size_t want)
{
	if (*capp >= want)
		return true;
	free(*memp);
	*memp = malloc(want);
	*capp = *memp != NULL ? want : 0;
	return *memp != NULL;
}

static void
verify_data(struct verify *v)
{
	const struct table_index *x = &v->t->index;
	void *sealed = NULL, *raw = NULL;
	size_t sealed_cap = 0, raw_cap = 0;

	for (uint32_t i = 0; i < x->count; i++) {
		size_t len = table_index_len(x, i);
		struct table_problem p = { "out of memory",
			table_index_off(x, i) };
		struct table_sealed s;
		int rc = -ENOMEM;

		if (make_room(&sealed, &sealed_cap, len))
			rc = table_pread(v->t, sealed, len, p.off, &p);
		if (rc == 0)
			rc = table_unseal_block(v->t, i,
			    slice_make(sealed, len), &s, &p);
		if (rc == 0 && !make_room(&raw, &raw_cap, s.raw_len)) {
			p.what = "out of memory";
			rc = -ENOMEM;
		}
		if (rc == 0)
			rc = table_decode_block(&s, raw, &p);
		if (rc == 0)
			verify_block(v, i, slice_make(raw, s.raw_len));
		else {
			v->is_whole = false;
			report_problem(v, &p);
		}
	}
	free(sealed);
	free(raw);
}

/* Compare properties and bounds with the contents of the blocks. */
static void
verify_props(struct verify *v)
{
	const struct table_reader *t = v->t;
	struct table_problem p = { NULL, t->props.file_bytes };

	if (v->seen.entries != t->props.entries ||
	    v->seen.deletes != t->props.deletes ||
	    v->seen.group_deletes != t->props.group_deletes ||
	    v->seen.raw_bytes != t->props.raw_bytes ||
	    v->seen.min_seq != t->props.min_seq ||
	    v->seen.max_seq != t->props.max_seq)
		p.what = "properties do not match the contents";
	else if (!slice_eq(slice_make(v->last, v->last_len),
		     buf_slice(&t->largest)))
		p.what = "largest key is not the one in the properties";
	if (p.what != NULL)
		report_problem(v, &p);
}

void
table_reader_verify(struct table_reader *t, struct line_list *found)
{
	struct verify v = { .t = t, .found = found, .is_whole = true };
	/* Read footer, properties, index and filter again from the disk. */
	struct table_reader meta = { .file = t->file,
		.path = t->path,
		.number = t->number };
	struct table_problem p;
	int rc = table_load(&meta, &p);

	if (rc < 0 || meta.is_filter_damaged)
		report_problem(&v, &p);
	table_unload(&meta);
	verify_data(&v);
	if (v.is_whole)
		verify_props(&v);
}
