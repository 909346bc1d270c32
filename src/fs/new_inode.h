/* SPDX-License-Identifier: ISC */
/*
 * Numbers and attributes of new inodes. Numbers are never used twice: ranges of
 * them are reserved in the store before the first use. Any thread.
 */
#ifndef KVFS_FS_NEW_INODE_H
#define KVFS_FS_NEW_INODE_H

#include "fs/schema.h"
#include "util/mutex.h"

struct fs;

struct ino_source {
	struct mutex mu; /* innermost, except those of the kv */
	uint64_t next GUARDED_BY(mu);
	uint64_t limit GUARDED_BY(mu); /* reserved in the store */
};

/* Attributes of a file or directory that is created now. */
struct attr_rec new_inode_rec(uint32_t mode, uid_t uid, gid_t gid);
/* A number that was never used. May commit a reservation: a negative errno if
 * that fails. */
int new_inode_number(struct fs *fs, uint64_t *inop);

#endif
