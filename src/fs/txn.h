/* SPDX-License-Identifier: ISC */
/*
 * One operation, one batch: a kv_batch with the memory that its values
 * live in, taken from a pool so that an operation allocates nothing.
 *
 * A txn belongs to one thread. Nothing changes in memory or in the store
 * before txn_commit(); after a failed one the caller leaves its inodes as
 * they were.
 */
#ifndef KVFS_FS_TXN_H
#define KVFS_FS_TXN_H

#include "fs/schema.h"
#include "util/mutex.h"
#include "util/stats.h"

struct fs;
struct inode;

#define TXN_SPACE 8192u

struct txn_block {
	struct txn_block *next;
	_Alignas(8) uint8_t data[];
};

struct txn {
	struct kv_batch batch;
	struct txn *next; /* in the pool */
	struct txn_block *blocks; /* what did not fit in space */
	size_t used;
	_Alignas(8) uint8_t space[TXN_SPACE];
};

struct txn_pool {
	struct {
		_Alignas(64) struct mutex mu;
		struct txn *free GUARDED_BY(mu);
		unsigned count GUARDED_BY(mu);
	} stripe[STATS_STRIPES];
};

void txn_pool_init(struct txn_pool *pool);
void txn_pool_fini(struct txn_pool *pool);

/* One in the caller's memory, for those who have no file system open; and
 * make it empty again. */
void txn_init(struct txn *t);
void txn_clear(struct txn *t);
void txn_fini(struct txn *t);

/* NULL without memory. */
struct txn *txn_begin(struct fs *fs);
/* Valid until txn_end(). NULL without memory, which txn_commit() reports
 * too. */
uint8_t *txn_alloc(struct txn *t, size_t n);
/*
 * Commit the batch; the position for kv_sync() goes to *seqp. It is visible
 * then, but may not be durable: no lock is held across a disk sync, so each
 * operation that has committed ends with txn_settle(). Nor is one held while
 * dead data makes room: -ENOSPC comes at once, and space_retry() tells whether
 * to try again.
 */
int txn_commit(struct fs *fs, struct txn *t, uint64_t *seqp);
/* It must pass on a full disk: it changes rows that are there, or was let in
 * by space_ask(). */
void txn_reserve(struct txn *t);
/* Both. */
int txn_commit_reserved(struct fs *fs, struct txn *t, uint64_t *seqp);
/*
 * Wait, without locks, until what this thread has committed is as durable as
 * the sync mode says. rc: what the operation has come to; returned, unless it
 * is a success and the wait is none.
 */
int txn_settle(struct fs *fs, int rc);
/* That wait is for the commit at seq too, which may be another thread's. */
void txn_wait_also(uint64_t seq);
/* NULL is accepted. */
void txn_end(struct fs *fs, struct txn *t);

/* Add rows. inline_data is copied. */
void txn_put_dentry(struct txn *t, uint64_t parent, struct slice name,
    uint64_t ino, const struct attr_rec *rec, struct slice inline_data);
void txn_put_ref(struct txn *t, uint64_t parent, struct slice name,
    uint64_t ino, uint32_t type);
void txn_del_dentry(struct txn *t, uint64_t parent, struct slice name);
void txn_put_inode(struct txn *t, uint64_t ino, const struct attr_rec *rec,
    struct slice inline_data);
void txn_del_inode(struct txn *t, uint64_t ino);
void txn_put_orphan(struct txn *t, uint64_t ino);
void txn_del_orphan(struct txn *t, uint64_t ino);
void txn_put_store(struct txn *t, const char *name, const uint8_t *value,
    size_t len);

#endif
