/* SPDX-License-Identifier: ISC */
/*
 * Keeps the number of inodes in memory near a bound: a thread that has the
 * kernel drop names that it has not used for long, whereupon it forgets
 * their inodes. Without it the kernel keeps all that it ever saw.
 */
#ifndef KVFS_FUSE_PRUNE_H
#define KVFS_FUSE_PRUNE_H

#include <stddef.h>

struct fs;
struct fuse_session;
struct prune;

/* Borrows fs and se until prune_stop(). */
int prune_start(struct fs *fs, struct fuse_session *se, size_t max_inodes,
    struct prune **prunep);
/* NULL is accepted. */
void prune_stop(struct prune *p);

#endif
