/* SPDX-License-Identifier: ISC */
/* The table that a merge is writing; see output_internal.h. */
#include "engine/compact/output_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/state/segment_set.h"
#include "engine/state/store_dir.h"
#include "engine/tree/version.h"
#include "util/coding.h"
#include "util/log.h"

int
output_table_begin(struct merge_state *m, struct slice user)
{
	struct db *db = m->out->db;
	struct open_table *t = &m->t;
	int rc;

	t->number = store_new_file_number(&db->store);
	t->use_count = 0;
	t->reclaim_bytes = 0;
	t->has_group_end = false;
	t->delete_run = 0;
	rc = store_file_open(db->store.dir, FILE_TABLE, t->number,
	    ENV_WRITE | ENV_CREATE, &t->file);
	if (rc < 0) {
		log_error("%s/%06llu.sst: cannot make a table: %s",
		    db->store.path, (unsigned long long)t->number,
		    strerror(-rc));
		return rc;
	}
	t->builder = table_builder_create(t->file, t->number, &db->table_opts);
	if (t->builder == NULL)
		return -ENOMEM;
	memcpy(t->first, user.data, user.len);
	t->first_len = user.len;
	return 0;
}

void
output_table_drop(struct merge_state *m, bool unlink)
{
	struct open_table *t = &m->t;

	table_builder_destroy(t->builder);
	t->builder = NULL;
	if (t->file != NULL && unlink)
		store_file_unlink(m->out->db->store.dir, FILE_TABLE, t->number);
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

int
output_table_end(struct merge_state *m)
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
		log_error("%s/%06llu.sst: cannot write a table: %s",
		    m->out->db->store.path, (unsigned long long)t->number,
		    strerror(-rc));
		output_table_drop(m, true);
		return rc;
	}
	env_advise(t->file, 0, 0, ENV_ADVICE_RANDOM);
	/* One more byte makes the last key an exclusive limit. */
	t->last[t->last_len] = 0;
	limit = slice_make(t->last, t->last_len + 1);
	if (t->has_group_end &&
	    slice_cmp(slice_make(t->group_end, KEY_PREFIX_LEN), limit) > 0)
		limit = slice_make(t->group_end, KEY_PREFIX_LEN);
	if (t->use_count > 1)
		qsort(t->uses, t->use_count, sizeof(*t->uses), cmp_use);
	t->reclaim_bytes += m->superfluous_deletes * m->entry_bytes;
	m->superfluous_deletes = 0;
	/* What the sources' group deletions delete still takes space. The first
	 * table with a group deletion inherits the estimate. */
	if (t->has_group_end && m->inherited_bytes != 0) {
		if (t->reclaim_bytes < m->inherited_bytes)
			t->reclaim_bytes = m->inherited_bytes;
		m->inherited_bytes = 0;
	}
	f = table_file_create(t->number, &props,
	    slice_make(t->first, t->first_len), limit, t->uses, t->use_count,
	    t->reclaim_bytes);
	if (f == NULL) {
		output_table_drop(m, true);
		return -ENOMEM;
	}
	rc = version_edit_add(m->out->edit, m->out->level, f);
	if (rc < 0) {
		table_file_free(f);
		output_table_drop(m, true);
		return rc;
	}
	/* The table has taken the references. */
	t->use_count = 0;
	m->out->bytes_written += props.file_bytes;
	output_table_drop(m, false);
	return 0;
}

int
output_table_note_use(struct merge_state *m, const struct segment_pointer *p)
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

void
output_table_note_group(struct open_table *t, struct slice user,
    struct slice value)
{
	struct cursor hint = cursor_make(value);

	key_group_end(t->group_end, user);
	t->has_group_end = true;
	t->reclaim_bytes += cursor_varint(&hint);
}
