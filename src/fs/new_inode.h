/* SPDX-License-Identifier: ISC */
/*
 * What an inode begins with: a number that was never used, and attributes as
 * of now. Numbers are reserved in the store before they are given out.
 */
#ifndef KVFS_FS_NEW_INODE_H
#define KVFS_FS_NEW_INODE_H

#include "fs/schema.h"
#include "util/mutex.h"

struct fs;

struct ino_source {
	struct mutex mu; /* innermost but for the kv */
	uint64_t next GUARDED_BY(mu);
	uint64_t limit GUARDED_BY(mu); /* reserved in the store */
};

/* Attributes of a file or directory that is made now. */
struct attr_rec new_inode_rec(uint32_t mode, uid_t uid, gid_t gid);
/* A number that was never used; reserved in the store. */
int new_inode_number(struct fs *fs, uint64_t *inop);

#endif
