/* SPDX-License-Identifier: ISC */
/*
 * The batch of one operation: a kv_batch with the memory of its values, taken
 * from a pool, so that most operations allocate nothing.
 *
 * A txn belongs to one thread. The store does not change before txn_commit();
 * if that fails, the caller leaves its inodes as they were.
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
	struct txn_block *blocks; /* memory beyond space */
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

/* A txn in the caller's memory, for use without an open file system. Clear
 * makes it empty again. */
void txn_init(struct txn *t);
void txn_clear(struct txn *t);
void txn_fini(struct txn *t);

/* Take one from the pool, for txn_end(). NULL without memory. */
struct txn *txn_begin(struct fs *fs);
/* Memory that is valid until txn_end(). NULL without memory; then txn_commit()
 * fails with -ENOMEM, too. */
uint8_t *txn_alloc(struct txn *t, size_t n);
/*
 * Commit the batch; *seqp gets its position for kv_sync(). It is then visible,
 * but may not be durable: no lock may be held during a disk sync, so an
 * operation releases its locks and then calls txn_settle(). Nor does a commit
 * wait for the space of deleted data: -ENOSPC is returned at once, and
 * space_retry() tells whether to try again.
 */
int txn_commit(struct fs *fs, struct txn *t, uint64_t *seqp);
/* The batch may use the reserve of a full disk: it changes rows that exist, or
 * space_ask() has allowed it. */
void txn_reserve(struct txn *t);
/* txn_reserve() and txn_commit(). */
int txn_commit_reserved(struct fs *fs, struct txn *t, uint64_t *seqp);
/*
 * Wait until the commits of this thread are as durable as the sync mode says.
 * Call it without locks. rc: the result of the operation, which is returned;
 * but if rc is a success and the wait fails, its error is.
 */
int txn_settle(struct fs *fs, int rc);
/* The next txn_settle() of this thread waits for the commit at seq, too, which
 * another thread may have made. */
void txn_wait_also(uint64_t seq);
/* Give it back to the pool. NULL is accepted. */
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
/* Copies value. */
void txn_put_xattr(struct txn *t, uint64_t ino, struct slice name,
    struct slice value);
void txn_put_store(struct txn *t, const char *name, const uint8_t *value,
    size_t len);

#endif
