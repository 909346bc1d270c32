/* SPDX-License-Identifier: ISC */
/*
 * Reads of single keys: search the memtables, then the levels, newest first,
 * until one has the key or the deletion of its group. Takes no lock except
 * short ones of the caches.
 */
#include "engine/store/db_read.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/table/table_reader.h"
#include "engine/tree/read_pointer.h"
#include "engine/tree/version.h"
#include "util/clock.h"
#include "util/stats.h"

/* What a lookup searches for, and what it has found. */
struct lookup {
	struct db *db;
	struct slice user;
	struct slice prefix; /* the user key of its group's deletion */
	uint64_t user_hash, prefix_hash; /* for filters */
	uint64_t seq;
	enum key_type type; /* of the entry that was found */
	struct kv_value value;
};

/* A user key may have both a value (with an empty name) and the deletion of its
 * group. Each lookup searches for one of them. */
static bool
is_wanted(enum key_type type, bool group)
{
	return (type == KEY_DELETE_GROUP) == group;
}

static bool
find_in_memtable(const struct memtable *m, struct slice user, uint64_t hash,
    uint64_t seq, bool group, uint64_t *found_seqp, enum key_type *typep,
    struct slice *valuep)
{
	if (!memtable_may_contain(m, hash))
		return false;
	while (memtable_get(m, user, seq, found_seqp, typep, valuep)) {
		if (is_wanted(*typep, group))
			return true;
		if (*found_seqp == 0)
			return false;
		seq = *found_seqp - 1;
	}
	return false;
}

static int
find_in_table(struct table_reader *t, struct slice user, uint64_t hash,
    uint64_t seq, bool group, uint64_t *found_seqp, enum key_type *typep,
    struct kv_value *valuep)
{
	int type, rc;

	while ((rc = table_reader_get(t, user, hash, seq, found_seqp, &type,
		    valuep)) > 0) {
		*typep = (enum key_type)type;
		if (is_wanted(*typep, group))
			return 1;
		kv_value_release(valuep);
		if (*found_seqp == 0)
			return 0;
		seq = *found_seqp - 1;
	}
	return rc;
}

static void
release_memtable(void *pin)
{
	memtable_unref(pin);
}

/* Returns 1 if the search ends here (type and value are set), 0 to search older
 * sources. */
static int
look_in_memtable(struct lookup *l, struct memtable *m)
{
	uint64_t deleted = 0, found;
	enum key_type type;
	struct slice value;

	if (atomic_load_explicit(&m->group_deletes, memory_order_relaxed) !=
		0 &&
	    !find_in_memtable(m, l->prefix, l->prefix_hash, l->seq, true,
		&deleted, &type, &value))
		deleted = 0;
	if (find_in_memtable(m, l->user, l->user_hash, l->seq, false, &found,
		&type, &value) &&
	    found > deleted) {
		l->type = type;
		if (type == KEY_VALUE || type == KEY_POINTER) {
			memtable_ref(m);
			l->value = (struct kv_value){ value, release_memtable,
				m };
		}
		return 1;
	}
	if (deleted == 0)
		return 0;
	l->type = KEY_DELETE;
	return 1;
}

static int
look_in_table(struct lookup *l, struct table_file *f)
{
	struct table_handle *handle;
	struct table_reader *t;
	struct kv_value value = { 0 };
	uint64_t deleted = 0, found;
	enum key_type type;
	int rc = table_cache_table(l->db->caches.tables, f->number, &handle,
	    &t);

	if (rc < 0)
		return rc;
	if (f->props.group_deletes != 0) {
		rc = find_in_table(t, l->prefix, l->prefix_hash, l->seq, true,
		    &deleted, &type, &value);
		kv_value_release(&value);
		if (rc <= 0)
			deleted = 0;
	}
	if (rc >= 0)
		rc = find_in_table(t, l->user, l->user_hash, l->seq, false,
		    &found, &type, &value);
	if (rc > 0 && found > deleted) {
		l->type = type;
		l->value = value;
	} else if (rc >= 0) {
		kv_value_release(&value);
		l->type = KEY_DELETE;
		rc = deleted != 0;
	}
	table_handle_release(handle);
	return rc;
}

static int
look_in_level0(struct lookup *l, const struct level *level)
{
	int rc = 0;

	for (size_t i = 0; i < level->count && rc == 0; i++) {
		struct table_file *f = level->files[i];

		if (slice_cmp(l->user, f->smallest) >= 0 &&
		    slice_cmp(l->user, f->limit) < 0)
			rc = look_in_table(l, f);
	}
	return rc;
}

static int
look_in_view(struct lookup *l, const struct view *v)
{
	int rc = look_in_memtable(l, v->mem);

	for (unsigned i = 0; i < v->imm_count && rc == 0; i++)
		rc = look_in_memtable(l, v->imm[i]);
	if (rc == 0)
		rc = look_in_level0(l, &v->version->levels[0]);
	for (int i = 1; i < LEVELS && rc == 0; i++) {
		struct table_file *f;

		if (v->version->levels[i].count == 0)
			continue;
		f = level_find(&v->version->levels[i], l->user);
		if (f != NULL)
			rc = look_in_table(l, f);
	}
	return rc;
}

static int
read_key(struct db *db, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep)
{
	uint8_t user[KEY_USER_MAX];
	struct lookup l = { .db = db };
	struct view *v;
	int rc;

	if (key->name.len > KV_NAME_MAX)
		return -EINVAL;
	l.user = slice_make(user, key_encode(user, key));
	l.prefix = slice_make(user, KEY_PREFIX_LEN);
	l.user_hash = key_hash(l.user);
	l.prefix_hash = key_hash(l.prefix);
	/* Take the view first: then it has all entries up to the number. */
	v = view_acquire(&db->views);
	l.seq = snap != NULL ?
	    snap->seq :
	    atomic_load_explicit(&db->commits.last_seq, memory_order_acquire);
	rc = look_in_view(&l, v);
	counter_add(&db->stats.gets, 1);
	if (rc == 0 || (rc > 0 && l.type == KEY_DELETE)) {
		rc = -ENOENT;
	} else if (rc > 0 && l.type == KEY_POINTER) {
		/* The view keeps the segment from being removed. */
		rc = read_pointer(db->caches.tables, db->store.path, l.user,
		    l.value.data, valuep);
		kv_value_release(&l.value);
	} else if (rc > 0) {
		*valuep = l.value;
		rc = 0;
	}
	view_release(&db->views, v);
	return rc;
}

int
db_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep)
{
	static _Thread_local unsigned turn;
	struct db *db = db_of(kv);
	uint64_t start;
	int rc;

	if (++turn % GET_SAMPLE != 0)
		return read_key(db, key, snap, valuep);
	start = clock_now_ns();
	rc = read_key(db, key, snap, valuep);
	histogram_add(&db->stats.get_ns, clock_now_ns() - start);
	return rc;
}

int
view_group_deletion(struct caches *caches, const struct view *v,
    struct slice user, uint64_t seq, uint64_t *seqp)
{
	struct slice prefix = slice_make(user.data, KEY_PREFIX_LEN);
	uint64_t hash = key_hash(prefix), found;
	enum key_type type;
	struct slice value;

	*seqp = 0;
	for (unsigned i = 0; i <= v->imm_count; i++) {
		const struct memtable *m = i == 0 ? v->mem : v->imm[i - 1];

		if (atomic_load_explicit(&m->group_deletes,
			memory_order_relaxed) != 0 &&
		    find_in_memtable(m, prefix, hash, seq, true, &found, &type,
			&value)) {
			*seqp = found;
			return 0;
		}
	}
	for (int i = 0; i < LEVELS; i++) {
		const struct level *l = &v->version->levels[i];
		size_t j = 0;

		if (l->group_deletes == 0)
			continue;
		if (i > 0)
			j = level_lower_bound(l, prefix);
		for (; j < l->count; j++) {
			struct table_file *f = l->files[j];
			struct table_handle *handle;
			struct table_reader *t;
			struct kv_value none = { 0 };
			int rc;

			if (i > 0 && slice_cmp(f->smallest, prefix) > 0)
				break;
			if (f->props.group_deletes == 0)
				continue;
			rc = table_cache_table(caches->tables, f->number,
			    &handle, &t);
			if (rc < 0)
				return rc;
			rc = find_in_table(t, prefix, hash, seq, true, &found,
			    &type, &none);
			kv_value_release(&none);
			table_handle_release(handle);
			if (rc < 0)
				return rc;
			if (rc > 0) {
				*seqp = found;
				return 0;
			}
		}
	}
	return 0;
}
