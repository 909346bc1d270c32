/* SPDX-License-Identifier: ISC */
/* What the file system has in memory, and what of it can go. A part of fs.h, which has the rules. */
#ifndef KVFS_FS_FS_MEMORY_H
#define KVFS_FS_FS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct fs;

/* What the file system has in memory, by what it is for, in bytes. */
struct fs_memory {
	uint64_t inode_bytes; /* what fs_prune() makes less */
	uint64_t writeback_bytes;
	/* Names that have gone from open directories. */
	uint64_t listing_bytes;
};
void fs_memory(struct fs *fs, struct fs_memory *memoryp);
/* What one inode takes, with a name of up to 30 bytes. */
size_t fs_inode_bytes(void);

/* Inodes in memory: those that lookups, opens or waiting contents keep. */
size_t fs_inode_count(struct fs *fs);
/* One that lookups alone keep there, and that was not used lately. */
struct fs_cold {
	uint64_t ino;
	bool is_dir;
	/* Where it is found; an empty name when it has none, or several. */
	uint64_t parent;
	struct slice name;
};
/*
 * Tell of up to max such inodes, so that the caller can have them forgotten.
 * fn is called without a lock; what it is told may be out of date. Returns
 * how many.
 */
size_t fs_prune(struct fs *fs, size_t max,
    void (*fn)(void *arg, const struct fs_cold *cold), void *arg);

#endif
