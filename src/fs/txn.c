/* SPDX-License-Identifier: ISC */
/* See txn.h. */
#include "fs/txn.h"

#include <stdlib.h>
#include <string.h>

#include "fs/fs_state.h"
#include "util/stats.h"

/* Batches in the pool at most, per stripe. A batch with more than KEEP_OPS
 * changes is freed instead. */
#define POOL_MAX 32u
#define KEEP_OPS 256u

/* The position of the last commit of this thread for which it has not waited;
 * 0: none. */
static _Thread_local uint64_t unsettled_seq;

void
txn_pool_init(struct txn_pool *pool) UNSHARED
{
	for (int i = 0; i < STATS_STRIPES; i++) {
		mutex_init(&pool->stripe[i].mu);
		pool->stripe[i].free = NULL;
		pool->stripe[i].count = 0;
	}
}

void
txn_pool_fini(struct txn_pool *pool) UNSHARED
{
	struct txn *t;

	for (int i = 0; i < STATS_STRIPES; i++) {
		while ((t = pool->stripe[i].free) != NULL) {
			pool->stripe[i].free = t->next;
			kv_batch_fini(&t->batch);
			free(t);
		}
		mutex_fini(&pool->stripe[i].mu);
	}
}

void
txn_init(struct txn *t)
{
	kv_batch_init(&t->batch);
	t->next = NULL;
	t->blocks = NULL;
	t->used = 0;
}

void
txn_clear(struct txn *t)
{
	struct txn_block *b;

	while ((b = t->blocks) != NULL) {
		t->blocks = b->next;
		free(b);
	}
	t->used = 0;
	if (t->batch.cap > KEEP_OPS)
		kv_batch_fini(&t->batch);
	kv_batch_clear(&t->batch);
}

void
txn_fini(struct txn *t)
{
	txn_clear(t);
	kv_batch_fini(&t->batch);
}

struct txn *
txn_begin(struct fs *fs)
{
	unsigned i = stats_stripe();
	struct txn *t;

	mutex_lock(&fs->txns.stripe[i].mu);
	t = fs->txns.stripe[i].free;
	if (t != NULL) {
		fs->txns.stripe[i].free = t->next;
		fs->txns.stripe[i].count--;
	}
	mutex_unlock(&fs->txns.stripe[i].mu);
	if (t != NULL)
		return t;
	t = malloc(sizeof(*t));
	if (t != NULL)
		txn_init(t);
	return t;
}

void
txn_end(struct fs *fs, struct txn *t)
{
	unsigned i = stats_stripe();

	if (t == NULL)
		return;
	txn_clear(t);
	mutex_lock(&fs->txns.stripe[i].mu);
	if (fs->txns.stripe[i].count < POOL_MAX) {
		t->next = fs->txns.stripe[i].free;
		fs->txns.stripe[i].free = t;
		fs->txns.stripe[i].count++;
		t = NULL;
	}
	mutex_unlock(&fs->txns.stripe[i].mu);
	if (t != NULL) {
		kv_batch_fini(&t->batch);
		free(t);
	}
}

uint8_t *
txn_alloc(struct txn *t, size_t n)
{
	struct txn_block *b;
	uint8_t *p;

	n = (n + 7) & ~(size_t)7;
	if (n <= TXN_SPACE - t->used) {
		p = t->space + t->used;
		t->used += n;
		return p;
	}
	b = malloc(sizeof(*b) + n);
	if (b == NULL) {
		if (t->batch.error == 0)
			t->batch.error = -ENOMEM;
		return NULL;
	}
	b->next = t->blocks;
	t->blocks = b;
	return b->data;
}

int
txn_commit(struct fs *fs, struct txn *t, uint64_t *seqp)
{
	uint64_t last;
	int rc;

	*seqp = 0;
	if (t->batch.error != 0)
		return t->batch.error;
	t->batch.settles_later = true;
	t->batch.no_reclaim = true;
	rc = kv_commit(fs->kv, &t->batch, seqp);
	if (rc < 0)
		return rc;
	counter_add(&fs->counters.commits, 1);
	txn_wait_also(*seqp);
	/* Relaxed: a thread that loads an inode later takes its locks first. */
	last = atomic_load_explicit(&fs->last_seq, memory_order_relaxed);
	while (last < *seqp &&
	    !atomic_compare_exchange_weak_explicit(&fs->last_seq, &last, *seqp,
		memory_order_relaxed, memory_order_relaxed))
		;
	return 0;
}

void
txn_wait_also(uint64_t seq)
{
	if (unsettled_seq < seq)
		unsettled_seq = seq;
}

int
txn_settle(struct fs *fs, int rc)
{
	uint64_t seq = unsettled_seq;
	int rc2;

	if (seq == 0)
		return rc;
	unsettled_seq = 0;
	rc2 = kv_settle(fs->kv, seq);
	return rc < 0 || rc2 == 0 ? rc : rc2;
}

void
txn_put_dentry(struct txn *t, uint64_t parent, struct slice name, uint64_t ino,
    const struct attr_rec *rec, struct slice inline_data)
{
	struct kv_key key = key_dentry(parent, name);
	uint8_t *p = txn_alloc(t, SCHEMA_ROW_MAX + inline_data.len);
	size_t len;

	if (p == NULL)
		return;
	len = schema_put_dentry(p, ino, rec);
	if (inline_data.len != 0)
		memcpy(p + len, inline_data.data, inline_data.len);
	kv_batch_put(&t->batch, &key, slice_make(p, len + inline_data.len));
}

void
txn_put_ref(struct txn *t, uint64_t parent, struct slice name, uint64_t ino,
    uint32_t type)
{
	struct kv_key key = key_dentry(parent, name);
	uint8_t *p = txn_alloc(t, SCHEMA_ROW_MAX);

	if (p != NULL)
		kv_batch_put(&t->batch, &key,
		    slice_make(p, schema_put_ref(p, ino, type)));
}

void
txn_del_dentry(struct txn *t, uint64_t parent, struct slice name)
{
	struct kv_key key = key_dentry(parent, name);

	kv_batch_delete(&t->batch, &key);
}

void
txn_put_inode(struct txn *t, uint64_t ino, const struct attr_rec *rec,
    struct slice inline_data)
{
	struct kv_key key = key_inode(ino);
	uint8_t *p = txn_alloc(t, SCHEMA_ROW_MAX + inline_data.len);
	size_t len;

	if (p == NULL)
		return;
	len = schema_put_inode(p, rec);
	if (inline_data.len != 0)
		memcpy(p + len, inline_data.data, inline_data.len);
	kv_batch_put(&t->batch, &key, slice_make(p, len + inline_data.len));
}

void
txn_del_inode(struct txn *t, uint64_t ino)
{
	struct kv_key key = key_inode(ino);

	kv_batch_delete(&t->batch, &key);
}

void
txn_put_orphan(struct txn *t, uint64_t ino)
{
	static const uint8_t tag = SCHEMA_TAG;
	struct kv_key key = key_orphan(ino);

	kv_batch_put(&t->batch, &key, slice_make(&tag, sizeof(tag)));
}

void
txn_del_orphan(struct txn *t, uint64_t ino)
{
	struct kv_key key = key_orphan(ino);

	kv_batch_delete(&t->batch, &key);
}

void
txn_put_xattr(struct txn *t, uint64_t ino, struct slice name,
    struct slice value)
{
	struct kv_key key = key_xattr(ino, name);
	uint8_t *p = txn_alloc(t, SCHEMA_TAG_LEN + value.len);

	if (p == NULL)
		return; /* txn_commit() reports it */
	p[0] = SCHEMA_TAG;
	if (value.len != 0)
		memcpy(p + SCHEMA_TAG_LEN, value.data, value.len);
	kv_batch_put(&t->batch, &key,
	    slice_make(p, SCHEMA_TAG_LEN + value.len));
}

void
txn_put_store(struct txn *t, const char *name, const uint8_t *value, size_t len)
{
	struct kv_key key = key_store(name);
	uint8_t *p = txn_alloc(t, len);

	if (p == NULL)
		return;
	memcpy(p, value, len);
	kv_batch_put(&t->batch, &key, slice_make(p, len));
}

void
txn_reserve(struct txn *t)
{
	t->batch.is_reserved = true;
}

int
txn_commit_reserved(struct fs *fs, struct txn *t, uint64_t *seqp)
{
	txn_reserve(t);
	return txn_commit(fs, t, seqp);
}
