/* SPDX-License-Identifier: ISC */
/*
 * A store in memory; see kv_mem.h. A red-black tree of rows, each with its
 * versions, newest first; one mutex guards everything. A view (snapshot or
 * iterator) is a sequence number; versions that a view can see are kept.
 */
#include "support/kv_mem.h"

#include <assert.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/tree.h>

#include "util/mutex.h"

/* Batches up to this size are accepted by a full store, as deletions are. */
#define SMALL_BATCH 8192u

struct version {
	struct version *older;
	_Atomic unsigned refs;
	uint64_t seq;
	bool is_deleted;
	size_t len;
	char data[];
};

struct row {
	RB_ENTRY(row) link;
	struct kv_key key; /* name points behind the struct */
	struct version *newest;
	char name[];
};

RB_HEAD(row_tree, row);

struct kv_snapshot {
	LIST_ENTRY(kv_snapshot) link;
	uint64_t seq;
};

struct mem {
	struct kv base;
	struct mutex mu;
	struct row_tree rows;
	LIST_HEAD(, kv_snapshot) views;
	unsigned nviews;
	uint64_t seq, synced, settled;
	uint64_t used, limit;
	bool keep_history;
	int commit_error, read_error;
	unsigned fail_after;
	bool fails_once;
	int settle_error;
	unsigned held, waiting;
	bool is_lagging;
	struct cond changed; /* held or waiting has changed */
};

struct mem_iter {
	struct kv_iter base;
	struct mem *mem;
	enum kv_scope scope;
	struct kv_key from; /* where the scan began */
	struct kv_key key; /* of the entry, name in space[] */
	struct version *value;
	struct kv_snapshot view;
	bool is_begun;
	char space[KV_NAME_MAX];
};

static int
key_cmp(const struct kv_key *a, const struct kv_key *b)
{
	if (a->space != b->space)
		return a->space < b->space ? -1 : 1;
	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return slice_cmp(a->name, b->name);
}

static int
row_cmp(struct row *a, struct row *b)
{
	return key_cmp(&a->key, &b->key);
}

RB_PROTOTYPE(row_tree, row, link, row_cmp)
RB_GENERATE(row_tree, row, link, row_cmp)

static void *
must_alloc(size_t n)
{
	void *p = calloc(1, n);

	if (p == NULL)
		abort();
	return p;
}

static void
version_unref(void *arg)
{
	struct version *v = arg;

	if (v != NULL && atomic_fetch_sub(&v->refs, 1) == 1)
		free(v);
}

static struct version *
visible(const struct row *r, uint64_t seq)
{
	struct version *v;

	if (r == NULL)
		return NULL;
	for (v = r->newest; v != NULL && v->seq > seq; v = v->older)
		;
	return v != NULL && !v->is_deleted ? v : NULL;
}

static struct row *
find(struct mem *m, const struct kv_key *key)
{
	struct row want;

	want.key = *key;
	return RB_FIND(row_tree, &m->rows, &want);
}

/* The first row at or after key. */
static struct row *
find_from(struct mem *m, const struct kv_key *key)
{
	struct row want;

	want.key = *key;
	return RB_NFIND(row_tree, &m->rows, &want);
}

static void
free_versions(struct version *v)
{
	struct version *older;

	for (; v != NULL; v = older) {
		older = v->older;
		version_unref(v);
	}
}

/* Free the versions that no view can see, and the row if none is left. */
static void
prune(struct mem *m, struct row *r)
{
	uint64_t oldest = m->seq;
	struct kv_snapshot *view;
	struct version *v;

	if (m->keep_history)
		return;
	LIST_FOREACH (view, &m->views, link)
		if (view->seq < oldest)
			oldest = view->seq;
	for (v = r->newest; v->seq > oldest && v->older != NULL; v = v->older)
		;
	free_versions(v->older);
	v->older = NULL;
	if (r->newest->is_deleted && r->newest->older == NULL &&
	    r->newest->seq <= oldest) {
		RB_REMOVE(row_tree, &m->rows, r);
		free_versions(r->newest);
		free(r);
	}
}

static void
add_version(struct mem *m, struct row *r, bool is_deleted, struct slice value)
{
	struct version *v = must_alloc(sizeof(*v) + value.len);
	struct version *old = visible(r, UINT64_MAX);

	v->refs = 1;
	v->seq = m->seq;
	v->is_deleted = is_deleted;
	v->len = value.len;
	if (value.len != 0)
		memcpy(v->data, value.data, value.len);
	if (old != NULL)
		m->used -= r->key.name.len + old->len;
	if (!is_deleted)
		m->used += r->key.name.len + value.len;
	v->older = r->newest;
	r->newest = v;
	prune(m, r);
}

static void
put(struct mem *m, const struct kv_key *key, struct slice value)
{
	struct row *r = find(m, key);

	if (r == NULL) {
		r = must_alloc(sizeof(*r) + key->name.len);
		if (key->name.len != 0)
			memcpy(r->name, key->name.data, key->name.len);
		r->key = *key;
		r->key.name.data = r->name;
		RB_INSERT(row_tree, &m->rows, r);
	}
	add_version(m, r, false, value);
}

static void
delete_row(struct mem *m, struct row *r)
{
	if (visible(r, UINT64_MAX) != NULL)
		add_version(m, r, true, (struct slice){ 0 });
}

static void
delete_group(struct mem *m, uint8_t space, uint64_t group)
{
	struct kv_key key = { .space = space, .group = group };
	struct row *r, *next;

	for (r = find_from(m, &key);
	     r != NULL && r->key.space == space && r->key.group == group;
	     r = next) {
		next = RB_NEXT(row_tree, &m->rows, r);
		delete_row(m, r);
	}
}

static int
mem_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep)
{
	struct mem *m = (struct mem *)kv;
	struct version *v;
	int rc = -ENOENT;

	mutex_lock(&m->mu);
	v = visible(find(m, key), snap != NULL ? snap->seq : UINT64_MAX);
	if (m->read_error != 0) {
		rc = m->read_error;
	} else if (v != NULL) {
		atomic_fetch_add(&v->refs, 1);
		valuep->data = slice_make(v->data, v->len);
		valuep->release = version_unref;
		valuep->pin = v;
		rc = 0;
	}
	mutex_unlock(&m->mu);
	return rc;
}

static size_t
put_bytes(const struct kv_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->count; i++)
		if (b->ops[i].type == KV_OP_PUT)
			n += b->ops[i].name_len + b->ops[i].value.len;
	return n;
}

/* Wait while calls of this kind are blocked. */
static void
wait_held(struct mem *m, unsigned what) REQUIRES(&m->mu)
{
	if ((m->held & what) == 0)
		return;
	m->waiting++;
	cond_broadcast(&m->changed);
	while ((m->held & what) != 0)
		cond_wait(&m->changed, &m->mu);
	m->waiting--;
}

static int
settle_locked(struct mem *m, uint64_t seq) REQUIRES(&m->mu)
{
	wait_held(m, KV_MEM_SETTLES);
	if (seq > m->seq)
		seq = m->seq;
	if (seq > m->settled)
		m->settled = seq;
	return m->settle_error;
}

static int
mem_settle(struct kv *kv, uint64_t seq)
{
	struct mem *m = (struct mem *)kv;
	int rc;

	mutex_lock(&m->mu);
	rc = settle_locked(m, seq);
	mutex_unlock(&m->mu);
	return rc;
}

static void
lag(struct mem *m) REQUIRES(&m->mu)
{
	if (!m->is_lagging)
		return;
	mutex_unlock(&m->mu);
	for (int i = 0; i < 3; i++)
		sched_yield();
	mutex_lock(&m->mu);
}

static int
mem_commit(struct kv *kv, struct kv_batch *batch, uint64_t *seqp)
{
	struct mem *m = (struct mem *)kv;
	size_t bytes = put_bytes(batch);
	int rc = batch->error;
	uint64_t seq;

	mutex_lock(&m->mu);
	wait_held(m, KV_MEM_COMMITS);
	lag(m);
	if (rc == 0 && m->commit_error != 0) {
		if (m->fail_after == 0)
			rc = m->commit_error;
		else
			m->fail_after--;
		if (rc < 0 && m->fails_once)
			m->commit_error = 0;
	}
	if (rc == 0 && bytes > SMALL_BATCH && m->used + bytes > m->limit)
		rc = -ENOSPC;
	if (rc < 0)
		goto out;
	m->seq++;
	for (size_t i = 0; i < batch->count; i++) {
		const struct kv_op *op = &batch->ops[i];
		struct kv_key key = { op->space, op->group,
			slice_make(op->name_len != 0 ?
				batch->names + op->name_off :
				NULL,
			    op->name_len) };

		switch (op->type) {
		case KV_OP_PUT:
			put(m, &key, op->value);
			break;
		case KV_OP_DELETE:
			delete_row(m, find(m, &key));
			break;
		case KV_OP_DELETE_GROUP:
			delete_group(m, op->space, op->group);
			break;
		}
	}
	seq = m->seq;
	wait_held(m, KV_MEM_ANSWERS);
	lag(m);
	if (seqp != NULL)
		*seqp = seq;
	if (!batch->settles_later)
		rc = settle_locked(m, seq);
out:
	mutex_unlock(&m->mu);
	return rc;
}

static int
mem_sync(struct kv *kv, uint64_t seq)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	if (seq > m->seq)
		seq = m->seq;
	if (seq > m->synced)
		m->synced = seq;
	mutex_unlock(&m->mu);
	return 0;
}

static void
view_open(struct mem *m, struct kv_snapshot *view, uint64_t seq)
{
	view->seq = seq;
	LIST_INSERT_HEAD(&m->views, view, link);
	m->nviews++;
}

static void
view_close(struct mem *m, struct kv_snapshot *view)
{
	mutex_lock(&m->mu);
	LIST_REMOVE(view, link);
	m->nviews--;
	mutex_unlock(&m->mu);
}

static int
mem_iter_next(struct kv_iter *iter)
{
	struct mem_iter *it = (struct mem_iter *)iter;
	struct mem *m = it->mem;
	struct version *v = NULL;
	struct row *r;
	int rc = 0;

	version_unref(it->value);
	it->value = NULL;
	mutex_lock(&m->mu);
	r = find_from(m, &it->key);
	if (it->is_begun && r != NULL && key_cmp(&r->key, &it->key) == 0)
		r = RB_NEXT(row_tree, &m->rows, r);
	it->is_begun = true;
	while (r != NULL && (v = visible(r, it->view.seq)) == NULL)
		r = RB_NEXT(row_tree, &m->rows, r);
	if (m->read_error != 0) {
		rc = m->read_error;
	} else if (r != NULL &&
	    (it->scope == KV_SCOPE_ALL ||
		(r->key.space == it->from.space &&
		    (it->scope == KV_SCOPE_SPACE ||
			r->key.group == it->from.group)))) {
		it->key = r->key;
		it->key.name.data = it->space;
		if (r->key.name.len != 0)
			memcpy(it->space, r->key.name.data, r->key.name.len);
		atomic_fetch_add(&v->refs, 1);
		it->value = v;
		rc = 1;
	}
	mutex_unlock(&m->mu);
	return rc;
}

static struct kv_key
mem_iter_key(const struct kv_iter *iter)
{
	return ((const struct mem_iter *)iter)->key;
}

static int
mem_iter_value(struct kv_iter *iter, struct slice *valuep)
{
	struct mem_iter *it = (struct mem_iter *)iter;

	*valuep = slice_make(it->value->data, it->value->len);
	return 0;
}

static void
mem_iter_close(struct kv_iter *iter)
{
	struct mem_iter *it = (struct mem_iter *)iter;

	version_unref(it->value);
	view_close(it->mem, &it->view);
	free(it);
}

static const struct kv_iter_ops mem_iter_ops = {
	.next = mem_iter_next,
	.key = mem_iter_key,
	.value = mem_iter_value,
	.close = mem_iter_close,
};

static int
mem_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp)
{
	struct mem *m = (struct mem *)kv;
	struct mem_iter *it;

	if (from->name.len > KV_NAME_MAX)
		return -EINVAL;
	it = must_alloc(sizeof(*it));
	it->base.ops = &mem_iter_ops;
	it->mem = m;
	it->scope = scope;
	it->from = *from;
	it->key = *from;
	it->key.name.data = it->space;
	if (from->name.len != 0)
		memcpy(it->space, from->name.data, from->name.len);
	mutex_lock(&m->mu);
	view_open(m, &it->view, snap != NULL ? snap->seq : m->seq);
	mutex_unlock(&m->mu);
	*iterp = &it->base;
	return 0;
}

static int
mem_snapshot(struct kv *kv, struct kv_snapshot **snapp)
{
	struct mem *m = (struct mem *)kv;

	*snapp = must_alloc(sizeof(**snapp));
	mutex_lock(&m->mu);
	view_open(m, *snapp, m->seq);
	mutex_unlock(&m->mu);
	return 0;
}

static void
mem_snapshot_release(struct kv *kv, struct kv_snapshot *snap)
{
	view_close((struct mem *)kv, snap);
	free(snap);
}

/* Count all memory as memtables. */
static void
mem_memory(struct kv *kv, struct kv_memory *memoryp)
{
	(void)kv;
	*memoryp = (struct kv_memory){ 0 };
}

static int
mem_usage(struct kv *kv, struct kv_usage *usagep)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	*usagep = (struct kv_usage){
		.disk_bytes = m->used,
		.free_bytes = m->limit > m->used ? m->limit - m->used : 0,
		.total_bytes = m->limit,
	};
	mutex_unlock(&m->mu);
	return 0;
}

static int
mem_reserve(struct kv *kv, enum kv_room kind, uint64_t bytes)
{
	struct kv_usage usage;

	(void)kind;
	(void)mem_usage(kv, &usage);
	return usage.free_bytes >= bytes ? 0 : -ENOSPC;
}

static int
mem_close(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	struct row *r;

	assert(LIST_EMPTY(&m->views));
	while ((r = RB_ROOT(&m->rows)) != NULL) {
		RB_REMOVE(row_tree, &m->rows, r);
		free_versions(r->newest);
		free(r);
	}
	cond_fini(&m->changed);
	mutex_fini(&m->mu);
	free(m);
	return 0;
}

static const struct kv_ops mem_ops = {
	.get = mem_get,
	.commit = mem_commit,
	.settle = mem_settle,
	.sync = mem_sync,
	.iter_open = mem_iter_open,
	.snapshot = mem_snapshot,
	.snapshot_release = mem_snapshot_release,
	.usage = mem_usage,
	.memory = mem_memory,
	.reserve = mem_reserve,
	.close = mem_close,
};

struct kv *
kv_mem_create(void)
{
	struct mem *m = must_alloc(sizeof(*m));

	m->base.ops = &mem_ops;
	m->base.caps = KV_CAP_ATOMIC_STORE;
	mutex_init(&m->mu);
	cond_init(&m->changed);
	RB_INIT(&m->rows);
	LIST_INIT(&m->views);
	m->limit = 1ULL << 40;
	return &m->base;
}

void
kv_mem_keep_history(struct kv *kv)
{
	((struct mem *)kv)->keep_history = true;
}

uint64_t
kv_mem_commits(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	uint64_t seq;

	mutex_lock(&m->mu);
	seq = m->seq;
	mutex_unlock(&m->mu);
	return seq;
}

struct kv *
kv_mem_copy_at(struct kv *kv, uint64_t seq)
{
	struct mem *m = (struct mem *)kv, *copy;
	struct kv *fresh = kv_mem_create();
	struct version *v;
	struct row *r;

	copy = (struct mem *)fresh;
	mutex_lock(&m->mu);
	copy->seq = seq;
	copy->limit = m->limit;
	RB_FOREACH (r, row_tree, &m->rows) {
		v = visible(r, seq);
		if (v != NULL)
			put(copy, &r->key, slice_make(v->data, v->len));
	}
	mutex_unlock(&m->mu);
	return fresh;
}

void
kv_mem_fail_commits(struct kv *kv, int error, unsigned after)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->commit_error = error;
	m->fail_after = after;
	m->fails_once = false;
	mutex_unlock(&m->mu);
}

void
kv_mem_fail_commit_once(struct kv *kv, int error)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->commit_error = error;
	m->fail_after = 0;
	m->fails_once = true;
	mutex_unlock(&m->mu);
}

void
kv_mem_hold(struct kv *kv, unsigned what)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->held = what;
	cond_broadcast(&m->changed);
	mutex_unlock(&m->mu);
}

void
kv_mem_await_held(struct kv *kv, unsigned count)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	while (m->waiting < count)
		cond_wait(&m->changed, &m->mu);
	mutex_unlock(&m->mu);
}

void
kv_mem_lag(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->is_lagging = true;
	mutex_unlock(&m->mu);
}

void
kv_mem_fail_settles(struct kv *kv, int error)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->settle_error = error;
	mutex_unlock(&m->mu);
}

uint64_t
kv_mem_settled(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	uint64_t seq;

	mutex_lock(&m->mu);
	seq = m->settled;
	mutex_unlock(&m->mu);
	return seq;
}

void
kv_mem_fail_reads(struct kv *kv, int error)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->read_error = error;
	mutex_unlock(&m->mu);
}

void
kv_mem_set_limit(struct kv *kv, uint64_t bytes)
{
	struct mem *m = (struct mem *)kv;

	mutex_lock(&m->mu);
	m->limit = bytes;
	mutex_unlock(&m->mu);
}

uint64_t
kv_mem_synced(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	uint64_t seq;

	mutex_lock(&m->mu);
	seq = m->synced;
	mutex_unlock(&m->mu);
	return seq;
}

uint64_t
kv_mem_rows(struct kv *kv, uint8_t space)
{
	struct mem *m = (struct mem *)kv;
	uint64_t n = 0;
	struct row *r;

	mutex_lock(&m->mu);
	RB_FOREACH (r, row_tree, &m->rows)
		n += r->key.space == space && visible(r, UINT64_MAX) != NULL;
	mutex_unlock(&m->mu);
	return n;
}

bool
kv_mem_equal(struct kv *a, struct kv *b)
{
	struct kv_key from = { 0 }, ka, kb;
	struct slice va, vb;
	struct kv_iter *ia, *ib;
	bool same;
	int ra, rb;

	kv_iter_open(a, &from, KV_SCOPE_ALL, NULL, &ia);
	kv_iter_open(b, &from, KV_SCOPE_ALL, NULL, &ib);
	do {
		ra = kv_iter_next(ia);
		rb = kv_iter_next(ib);
		same = ra == rb;
		if (!same || ra != 1)
			break;
		ka = kv_iter_key(ia);
		kb = kv_iter_key(ib);
		kv_iter_value(ia, &va);
		kv_iter_value(ib, &vb);
		same = key_cmp(&ka, &kb) == 0 && slice_eq(va, vb);
	} while (same);
	kv_iter_close(ia);
	kv_iter_close(ib);
	return same;
}

unsigned
kv_mem_views(struct kv *kv)
{
	struct mem *m = (struct mem *)kv;
	unsigned n;

	mutex_lock(&m->mu);
	n = m->nviews;
	mutex_unlock(&m->mu);
	return n;
}
