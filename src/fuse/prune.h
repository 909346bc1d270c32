/* SPDX-License-Identifier: ISC */
/*
 * A thread that bounds memory. It asks the kernel to drop names that nobody
 * uses when more inodes are in memory than the budget allows: the kernel then
 * forgets their inodes (FORGET), which it otherwise keeps for as long as it
 * has memory. The thread also calls memory_keep() (memory.h).
 */
#ifndef KVFS_FUSE_PRUNE_H
#define KVFS_FUSE_PRUNE_H

#include <stdint.h>

struct fs;
struct fuse_session;
struct kv;
struct prune;

struct prune_limits {
	uint64_t inode_bytes; /* for inodes */
	uint64_t memory_bytes; /* the whole budget */
	uint64_t cache_bytes; /* of it, for the block cache */
};

/* Start the thread; it borrows kv, fs and se until prune_stop(). A negative
 * errno on failure, and a line was logged. */
int prune_start(struct kv *kv, struct fs *fs, struct fuse_session *se,
    const struct prune_limits *limits, struct prune **prunep);
/* End the thread and free p. NULL is accepted. Call it while requests are
 * still served: a notification to the kernel may wait for one. */
void prune_stop(struct prune *p);

#endif
