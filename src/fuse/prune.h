/* SPDX-License-Identifier: ISC */
/*
 * Keeps the number of inodes in memory near a bound: a thread that has the
 * kernel drop names that nobody uses, whereupon it forgets their inodes.
 * Without it the kernel keeps all that it ever saw.
 */
#ifndef KVFS_FUSE_PRUNE_H
#define KVFS_FUSE_PRUNE_H

#include <stdint.h>

struct fs;
struct fuse_session;
struct kv;
struct prune;

struct prune_limits {
	uint64_t inode_bytes;
	uint64_t memory_bytes; /* all of it */
	uint64_t cache_bytes; /* the part that gives way */
};

/* Borrows kv, fs and se until prune_stop(). */
int prune_start(struct kv *kv, struct fs *fs, struct fuse_session *se,
    const struct prune_limits *limits, struct prune **prunep);
/* NULL is accepted. */
void prune_stop(struct prune *p);

#endif
