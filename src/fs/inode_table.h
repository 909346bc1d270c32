/* SPDX-License-Identifier: ISC */
/*
 * The table of live inodes by number. It counts their references, lookups and
 * opens.
 *
 * Each shard has its own lock, which is held for short times only. A pointer
 * that a function returns comes with a reference, to be released with
 * inode_put(); the table itself holds none. Any thread.
 */
#ifndef KVFS_FS_INODE_TABLE_H
#define KVFS_FS_INODE_TABLE_H

#include "fs/live_inode.h"

struct fs;

#define INODE_SHARDS 64

struct inode_shard {
	_Alignas(64) struct mutex mu;
	struct inode **buckets GUARDED_BY(mu);
	size_t nbuckets GUARDED_BY(mu); /* a power of two */
	size_t count GUARDED_BY(mu);
	size_t hand GUARDED_BY(mu); /* CLOCK: the next bucket */
};

struct inode_table {
	struct inode_shard shards[INODE_SHARDS];
	_Atomic unsigned hand; /* CLOCK: the next shard; relaxed */
	_Atomic size_t count; /* in all shards; relaxed, a statistic */
};

static inline uint64_t
inode_table_hash(uint64_t ino)
{
	return ino * 0x9e3779b97f4a7c15ULL;
}

static inline struct inode_shard *
inode_table_shard(struct inode_table *table, uint64_t ino)
{
	return &table->shards[inode_table_hash(ino) >> 58];
}

static inline struct inode **
inode_table_bucket(struct inode_shard *s, uint64_t ino) REQUIRES(&s->mu)
{
	return &s->buckets[(inode_table_hash(ino) >> 24) & (s->nbuckets - 1)];
}

int inode_table_init(struct inode_table *table);
/* Free all that are left, even with references. */
void inode_table_fini(struct inode_table *table);
size_t inode_table_count(struct inode_table *table);
/* Call fn for each inode, referenced; no lock is held. */
int inode_table_each(struct fs *fs, int (*fn)(struct fs *fs, struct inode *in));

/*
 * Up to max inodes that have lookups only and were not used since the last
 * call that looked at them (the CLOCK algorithm), each referenced. Returns how
 * many.
 */
size_t inode_table_cold(struct fs *fs, struct inode **out, size_t max);

/* The inode of a number that a caller of fs.h passes, referenced; NULL when it
 * has no lookups and no opens. */
struct inode *inode_get(struct fs *fs, uint64_t ino);
/* The same, with or without lookups; if there is none it is added as
 * INODE_NEW. NULL without memory. */
struct inode *inode_get_any(struct fs *fs, uint64_t ino);
/* Add a new inode to the table; false when the number is taken. */
bool inode_insert(struct fs *fs, struct inode *in);
/* Add a reference; the caller has one already. */
void inode_ref(struct inode *in);
/* Release one; the caller has another. */
void inode_unref(struct inode *in);
/* Release one, and free the inode if it was the last. NULL is accepted. Takes
 * the shard's lock: hold no lock that comes after it. */
void inode_put(struct fs *fs, struct inode *in);
/* Count a lookup; take back n. */
void inode_note_lookup(struct fs *fs, struct inode *in);
void inode_forget(struct fs *fs, struct inode *in, uint64_t n);
/* Does it have lookups or opens? */
bool inode_is_in_use(struct fs *fs, struct inode *in);
/* Count an open; take it back. */
void inode_hold(struct fs *fs, struct inode *in);
void inode_unhold(struct fs *fs, struct inode *in);

#endif
