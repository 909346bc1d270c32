/* SPDX-License-Identifier: ISC */
/*
 * The table of live inodes; see inode_table.h, and live_inode.h for what keeps
 * an inode alive. It has shards with a lock each, so that operations on
 * different files do not contend.
 */
#include "fs/inode_table.h"

#include <assert.h>
#include <stdlib.h>

#include "fs/fs_state.h"

#define SHARD_BUCKETS_MIN 64u

static struct inode *
shard_find(struct inode_shard *s, uint64_t ino) REQUIRES(&s->mu)
{
	struct inode *in = *inode_table_bucket(s, ino);

	while (in != NULL && in->ino != ino)
		in = in->table.next;
	return in;
}

/* Double the buckets. Without memory the chains grow longer instead. */
static void
shard_grow(struct inode_shard *s) REQUIRES(&s->mu)
{
	struct inode **old = s->buckets, **fresh, *in, *next, **bucket;
	size_t n = s->nbuckets;

	fresh = calloc(n * 2, sizeof(struct inode *));
	if (fresh == NULL)
		return;
	s->buckets = fresh;
	s->nbuckets = n * 2;
	for (size_t i = 0; i < n; i++) {
		for (in = old[i]; in != NULL; in = next) {
			next = in->table.next;
			bucket = inode_table_bucket(s, in->ino);
			in->table.next = *bucket;
			*bucket = in;
		}
	}
	free(old);
}

static void
shard_add(struct inode_table *table, struct inode_shard *s, struct inode *in)
    REQUIRES(&s->mu)
{
	struct inode **bucket;

	if (s->count >= s->nbuckets)
		shard_grow(s);
	bucket = inode_table_bucket(s, in->ino);
	in->table.next = *bucket;
	*bucket = in;
	s->count++;
	atomic_fetch_add_explicit(&table->count, 1, memory_order_relaxed);
}

static void
shard_remove(struct inode_table *table, struct inode_shard *s, struct inode *in)
    REQUIRES(&s->mu)
{
	struct inode **p = inode_table_bucket(s, in->ino);

	while (*p != in)
		p = &(*p)->table.next;
	*p = in->table.next;
	s->count--;
	atomic_fetch_sub_explicit(&table->count, 1, memory_order_relaxed);
}

int
inode_table_init(struct inode_table *table) UNSHARED
{
	int rc = 0;

	for (int i = 0; i < INODE_SHARDS; i++) {
		struct inode_shard *s = &table->shards[i];

		mutex_init(&s->mu);
		s->count = 0;
		s->nbuckets = SHARD_BUCKETS_MIN;
		s->buckets = calloc(s->nbuckets, sizeof(struct inode *));
		if (s->buckets == NULL)
			rc = -ENOMEM;
	}
	return rc;
}

void
inode_table_fini(struct inode_table *table) UNSHARED
{
	struct inode *in, *next;

	for (int i = 0; i < INODE_SHARDS; i++) {
		struct inode_shard *s = &table->shards[i];

		for (size_t b = 0; s->buckets != NULL && b < s->nbuckets; b++) {
			for (in = s->buckets[b]; in != NULL; in = next) {
				next = in->table.next;
				inode_free(in);
			}
		}
		free(s->buckets);
		mutex_fini(&s->mu);
	}
}

size_t
inode_table_count(struct inode_table *table)
{
	return atomic_load_explicit(&table->count, memory_order_relaxed);
}

static bool
is_cold_locked(struct inode_shard *s, struct inode *in)
{
	bool was_used = in->table.used;

	mutex_assert_held(&s->mu);
	in->table.used = false;
	return !was_used && in->table.nlookup != 0 && in->table.nheld == 0 &&
	    atomic_load_explicit(&in->table.refs, memory_order_relaxed) == 1;
}

/* Look at a quarter of a shard's buckets, from where the last call ended. */
static size_t
cold_in_shard(struct inode_shard *s, struct inode **out, size_t max)
{
	size_t n = 0;
	struct inode *in;

	mutex_lock(&s->mu);
	for (size_t b = 0; b < s->nbuckets / 4 && n < max; b++) {
		s->hand = (s->hand + 1) & (s->nbuckets - 1);
		for (in = s->buckets[s->hand]; in != NULL && n < max;
		     in = in->table.next) {
			if (!is_cold_locked(s, in))
				continue;
			inode_ref(in);
			out[n++] = in;
		}
	}
	mutex_unlock(&s->mu);
	return n;
}

size_t
inode_table_cold(struct fs *fs, struct inode **out, size_t max)
{
	size_t n = 0;

	for (int i = 0; i < INODE_SHARDS && n < max; i++) {
		unsigned hand = atomic_fetch_add_explicit(&fs->table.hand, 1,
		    memory_order_relaxed);

		n += cold_in_shard(&fs->table.shards[hand % INODE_SHARDS],
		    out + n, max - n);
	}
	return n;
}

int
inode_table_each(struct fs *fs, int (*fn)(struct fs *fs, struct inode *in))
{
	int rc = 0;

	for (int i = 0; i < INODE_SHARDS; i++) {
		struct inode_shard *s = &fs->table.shards[i];
		struct inode **all, *in;
		size_t n = 0;
		int rc2;

		mutex_lock(&s->mu);
		all = calloc(s->count + 1, sizeof(struct inode *));
		for (size_t b = 0; all != NULL && b < s->nbuckets; b++) {
			for (in = s->buckets[b]; in != NULL;
			     in = in->table.next) {
				inode_ref(in);
				all[n++] = in;
			}
		}
		mutex_unlock(&s->mu);
		if (all == NULL)
			return -ENOMEM;
		for (size_t k = 0; k < n; k++) {
			rc2 = fn(fs, all[k]);
			if (rc == 0)
				rc = rc2;
			inode_put(fs, all[k]);
		}
		free(all);
	}
	return rc;
}

struct inode *
inode_get(struct fs *fs, uint64_t ino)
{
	struct inode_shard *s = inode_table_shard(&fs->table, ino);
	struct inode *in;

	mutex_lock(&s->mu);
	in = shard_find(s, ino);
	if (in != NULL && in->table.nlookup == 0 && in->table.nheld == 0)
		in = NULL;
	if (in != NULL) {
		in->table.used = true;
		inode_ref(in);
	}
	mutex_unlock(&s->mu);
	return in;
}

struct inode *
inode_get_any(struct fs *fs, uint64_t ino)
{
	struct inode_shard *s = inode_table_shard(&fs->table, ino);
	struct inode *in;

	mutex_lock(&s->mu);
	in = shard_find(s, ino);
	if (in != NULL) {
		inode_ref(in);
	} else {
		in = inode_alloc(ino);
		if (in != NULL)
			shard_add(&fs->table, s, in);
	}
	mutex_unlock(&s->mu);
	return in;
}

bool
inode_insert(struct fs *fs, struct inode *in)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);
	bool is_free;

	mutex_lock(&s->mu);
	is_free = shard_find(s, in->ino) == NULL;
	if (is_free)
		shard_add(&fs->table, s, in);
	mutex_unlock(&s->mu);
	return is_free;
}

/* Relaxed: the caller's reference was taken under a lock. */
void
inode_ref(struct inode *in)
{
	atomic_fetch_add_explicit(&in->table.refs, 1, memory_order_relaxed);
}

/* Release: as in inode_put(). */
void
inode_unref(struct inode *in)
{
	uint64_t refs = atomic_fetch_sub_explicit(&in->table.refs, 1,
	    memory_order_release);

	assert(refs > 1);
	(void)refs;
}

void
inode_put(struct fs *fs, struct inode *in)
{
	struct inode_shard *s;
	struct inode *parent;
	uint64_t refs;

	/* A child holds a reference to its directory, and so on upwards: a
	 * loop, not a recursion, since a tree may be deep. */
	for (; in != NULL; in = parent) {
		refs = atomic_load_explicit(&in->table.refs,
		    memory_order_relaxed);
		while (refs > 1) {
			/* Release: what this thread did to the inode happens
			 * before another thread frees it. */
			if (atomic_compare_exchange_weak_explicit(&in->table
								       .refs,
				&refs, refs - 1, memory_order_release,
				memory_order_relaxed))
				return;
		}
		s = inode_table_shard(&fs->table, in->ino);
		mutex_lock(&s->mu);
		if (atomic_fetch_sub_explicit(&in->table.refs, 1,
			memory_order_acq_rel) > 1) {
			mutex_unlock(&s->mu);
			return;
		}
		shard_remove(&fs->table, s, in);
		mutex_unlock(&s->mu);
		assert(in->content == NULL && !in->dirty.is_listed);
		parent = in->parent;
		inode_free(in);
	}
}

/* The first and the last lookup hold a reference; so do opens. */
void
inode_note_lookup(struct fs *fs, struct inode *in)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);

	mutex_lock(&s->mu);
	in->table.used = true;
	if (in->table.nlookup++ == 0)
		inode_ref(in);
	mutex_unlock(&s->mu);
}

void
inode_forget(struct fs *fs, struct inode *in, uint64_t n)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);
	uint64_t *nlookup = &in->table.nlookup;
	bool is_last = false;

	mutex_lock(&s->mu);
	if (*nlookup != 0) {
		*nlookup -= n < *nlookup ? n : *nlookup;
		is_last = *nlookup == 0;
	}
	mutex_unlock(&s->mu);
	if (is_last)
		inode_put(fs, in);
}

bool
inode_is_in_use(struct fs *fs, struct inode *in)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);
	bool is_known;

	mutex_lock(&s->mu);
	is_known = in->table.nlookup != 0 || in->table.nheld != 0;
	mutex_unlock(&s->mu);
	return is_known;
}

void
inode_hold(struct fs *fs, struct inode *in)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);

	mutex_lock(&s->mu);
	in->table.used = true;
	if (in->table.nheld++ == 0)
		inode_ref(in);
	mutex_unlock(&s->mu);
}

void
inode_unhold(struct fs *fs, struct inode *in)
{
	struct inode_shard *s = inode_table_shard(&fs->table, in->ino);
	bool is_last;

	mutex_lock(&s->mu);
	is_last = in->table.nheld != 0 && --in->table.nheld == 0;
	mutex_unlock(&s->mu);
	if (is_last)
		inode_put(fs, in);
}
