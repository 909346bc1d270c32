/* SPDX-License-Identifier: ISC */
/* The memory of the file system, and inodes that can be dropped. A part of
 * fs.h, which has the rules. */
#ifndef KVFS_FS_FS_MEMORY_H
#define KVFS_FS_FS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvfs/slice.h"

struct fs;

/* Memory by use, in bytes. */
struct fs_memory {
	uint64_t inode_bytes; /* fs_prune() reduces it */
	uint64_t writeback_bytes;
	/* Removed names of open directories. */
	uint64_t listing_bytes;
};
void fs_memory(struct fs *fs, struct fs_memory *memoryp);
/* The memory of one inode, with a name of up to 30 bytes. */
size_t fs_inode_bytes(void);

/* Inodes in memory: with lookups, open, or dirty. */
size_t fs_inode_count(struct fs *fs);
/* An inode that is in memory for lookups alone, and was not used lately. */
struct fs_cold {
	uint64_t ino;
	bool is_dir;
	/* Its place; the name is empty if it has none, or several. */
	uint64_t parent;
	struct slice name;
};
/*
 * Call fn for up to max such inodes, so that the caller can have the kernel
 * forget them. fn is called without a lock, and its argument may be out of
 * date. Returns how many.
 */
size_t fs_prune(struct fs *fs, size_t max,
    void (*fn)(void *arg, const struct fs_cold *cold), void *arg);

#endif
