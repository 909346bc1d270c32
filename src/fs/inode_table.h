/* SPDX-License-Identifier: ISC */
/*
 * The table that finds live inodes by number, and counts who knows them.
 *
 * Each shard has a lock of its own, which is held for moments only. A pointer
 * that a function returns comes with a reference, to give back with
 * inode_put(); the table itself holds none.
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
	size_t hand GUARDED_BY(mu); /* bucket that prune looks at next */
};

struct inode_table {
	struct inode_shard shards[INODE_SHARDS];
	_Atomic unsigned hand; /* shard that prune looks at next */
	_Atomic size_t count; /* in all shards; relaxed, a statistic */
};

int inode_table_init(struct inode_table *table);
/* Frees what is left, whatever its references. */
void inode_table_fini(struct inode_table *table);
size_t inode_table_count(struct inode_table *table);
/* Calls fn for one inode after the other, each referenced; no locks held. */
int inode_table_each(struct fs *fs, int (*fn)(struct fs *fs, struct inode *in));

/*
 * Up to max inodes that only lookups keep and that were not used since the
 * last call that came by (CLOCK), each referenced. Returns how many.
 */
size_t inode_table_cold(struct fs *fs, struct inode **out, size_t max);

/* The inode that a caller of fs.h names, with a reference to give back by
 * inode_put(); NULL when it has no lookups and no opens. */
struct inode *inode_get(struct fs *fs, uint64_t ino);
/* As inode_get(), but any, and made as INODE_NEW when there is none; NULL
 * without memory. */
struct inode *inode_get_any(struct fs *fs, uint64_t ino);
/* Put a new inode in the table; false when the number is taken. */
bool inode_insert(struct fs *fs, struct inode *in);
/* Another reference of one that the caller keeps alive. */
void inode_ref(struct inode *in);
/* Give one back, having another. */
void inode_unref(struct inode *in);
/* NULL is accepted. Takes locks from the table's shard on. */
void inode_put(struct fs *fs, struct inode *in);
/* Count a lookup, or give n back. */
void inode_count_lookup(struct fs *fs, struct inode *in);
void inode_forget(struct fs *fs, struct inode *in, uint64_t n);
/* Whether it has lookups or opens. */
bool inode_is_in_use(struct fs *fs, struct inode *in);
/* Count an open, or give it back. */
void inode_hold(struct fs *fs, struct inode *in);
void inode_unhold(struct fs *fs, struct inode *in);

#endif
