/* SPDX-License-Identifier: ISC */
/* The memtable: an arena, a skip list, a filter and a reference count. */
#include "engine/memtable/memtable.h"

#include <stdlib.h>

#include "engine/key/key.h"

/* Rows of 100 bytes take 150 bytes here, and get 10 bits each. */
#define FILTER_PART 128

struct memtable *
memtable_create(uint64_t first_log, size_t expected)
{
	struct memtable *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return NULL;
	m->first_log = first_log;
	m->min_seq = SEQ_MAX;
	atomic_init(&m->refs, 1);
	arena_init(&m->arena);
	if (skiplist_init(&m->list, &m->arena) < 0 ||
	    mem_filter_init(&m->filter, expected / FILTER_PART) < 0) {
		memtable_unref(m);
		return NULL;
	}
	return m;
}

void
memtable_ref(struct memtable *m)
{
	atomic_fetch_add_explicit(&m->refs, 1, memory_order_relaxed);
}

void
memtable_unref(struct memtable *m)
{
	/* acq_rel: the thread that drops the last reference sees what the
	 * others did. */
	if (m == NULL ||
	    atomic_fetch_sub_explicit(&m->refs, 1, memory_order_acq_rel) != 1)
		return;
	if (m->on_free != NULL)
		m->on_free(m->on_free_arg, m);
	arena_fini(&m->arena);
	mem_filter_fini(&m->filter);
	free(m->segments);
	free(m);
}

/* Count a change before readers can find it. */
static void
note_change(struct memtable *m, uint64_t seq, enum key_type type,
    struct slice user, struct slice value)
{
	mem_filter_add(&m->filter, key_hash(user));
	if (seq < m->min_seq)
		m->min_seq = seq;
	if (seq > m->max_seq)
		m->max_seq = seq;
	if (type == KEY_DELETE) {
		atomic_fetch_add_explicit(&m->deletes, 1, memory_order_relaxed);
	} else if (type == KEY_DELETE_GROUP) {
		struct cursor hint = cursor_make(value);

		atomic_fetch_add_explicit(&m->group_deletes, 1,
		    memory_order_relaxed);
		atomic_fetch_add_explicit(&m->reclaim_bytes,
		    cursor_varint(&hint), memory_order_relaxed);
	}
	atomic_store_explicit(&m->entries,
	    atomic_load_explicit(&m->entries, memory_order_relaxed) + 1,
	    memory_order_relaxed);
}

int
memtable_adder_finish(struct memtable_adder *a)
{
	unsigned n = a->count;

	a->count = 0;
	return skiplist_insert(&a->m->list, a->waiting, n);
}

int
memtable_adder_add(struct memtable_adder *a, uint64_t seq, enum key_type type,
    struct slice user, struct slice value)
{
	a->waiting[a->count++] = (struct skip_entry){ user, key_pack(seq, type),
		value };
	note_change(a->m, seq, type, user, value);
	return a->count == SKIPLIST_LANES ? memtable_adder_finish(a) : 0;
}

int
memtable_add(struct memtable *m, uint64_t seq, enum key_type type,
    struct slice user, struct slice value)
{
	struct skip_entry entry = { user, key_pack(seq, type), value };

	note_change(m, seq, type, user, value);
	return skiplist_insert(&m->list, &entry, 1);
}

int
memtable_add_all(struct memtable *m, uint64_t first,
    const struct key_change *changes, const struct change_place *order,
    size_t n)
{
	struct memtable_adder a;
	int rc = 0;

	memtable_adder_init(&a, m);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct key_change *c = &changes[order[i].index];

		rc = memtable_adder_add(&a, first + order[i].index, c->type,
		    c->user, c->value);
	}
	return rc == 0 ? memtable_adder_finish(&a) : rc;
}

bool
memtable_get(const struct memtable *m, struct slice user, uint64_t seq,
    uint64_t *found_seqp, enum key_type *typep, struct slice *valuep)
{
	const struct skip_node *n = skiplist_seek(&m->list, user,
	    key_pack(seq, (enum key_type)0xff));
	struct slice key;

	if (n == NULL)
		return false;
	key = skip_node_key(n);
	if (!slice_eq(key_user(key), user))
		return false;
	*found_seqp = key_seq(key);
	*typep = key_type(key);
	*valuep = skip_node_value(n);
	return true;
}

struct memtable_iter {
	struct iter it;
	struct memtable *m;
	const struct skip_node *node;
};

static void
stand_on(struct memtable_iter *mi, const struct skip_node *n)
{
	mi->node = n;
	mi->it.valid = n != NULL;
	if (n != NULL) {
		mi->it.key = skip_node_key(n);
		mi->it.value = skip_node_value(n);
	}
}

static void
memtable_iter_seek(struct iter *it, struct slice ikey)
{
	struct memtable_iter *mi = (struct memtable_iter *)it;

	stand_on(mi,
	    skiplist_seek(&mi->m->list, key_user(ikey), key_trailer(ikey)));
}

static void
memtable_iter_seek_first(struct iter *it)
{
	struct memtable_iter *mi = (struct memtable_iter *)it;

	stand_on(mi, skiplist_first(&mi->m->list));
}

static void
memtable_iter_next(struct iter *it)
{
	struct memtable_iter *mi = (struct memtable_iter *)it;

	stand_on(mi, skip_node_next(mi->node));
}

static void
memtable_iter_close(struct iter *it)
{
	struct memtable_iter *mi = (struct memtable_iter *)it;

	memtable_unref(mi->m);
	free(mi);
}

static const struct iter_ops memtable_iter_ops = {
	.seek = memtable_iter_seek,
	.seek_first = memtable_iter_seek_first,
	.next = memtable_iter_next,
	.close = memtable_iter_close,
};

struct iter *
memtable_iter(struct memtable *m)
{
	struct memtable_iter *mi = calloc(1, sizeof(*mi));

	if (mi == NULL)
		return NULL;
	mi->it.ops = &memtable_iter_ops;
	mi->m = m;
	memtable_ref(m);
	return &mi->it;
}
