/* SPDX-License-Identifier: ISC */
/*
 * The patches of an inode: its map (patch_map.h), and their rows. The map is
 * loaded by one scan of keys when contents are first used, if the record has
 * ATTR_PATCHES. Inodes without that flag have no map, and cost a test.
 *
 * Invariant: what is patched is a chunk with a row. The map is as committed:
 * while a batch is committed it has the state before.
 *
 * Locks: those of the inode's contents (content.h). Loading takes mu alone, so
 * a thread with change_mu that depends on the map loads it first.
 */
#ifndef KVFS_FS_INODE_PATCHES_H
#define KVFS_FS_INODE_PATCHES_H

#include "fs/live_inode.h"
#include "fs/patch_map.h"
#include "fs/txn.h"

struct fs;

/* Load the map if the inode has patches. Call it before the next two. */
int inode_patches_load(struct fs *fs, struct inode *in) REQUIRES(&in->mu);
/* The map; NULL when no patch is valid. */
struct patch_map *inode_patches(const struct inode *in);
/* The patches of one chunk; NULL when there are none. */
const struct patch_chunk *inode_patches_of(const struct inode *in,
    uint64_t index);

/*
 * Copy the bytes of patches v, count in the order of their numbers, to dst, as
 * far as they lie in [from, from + n) of the chunk, for which dst stands. With
 * or without the locks: see op_read.c. -KVFS_ECORRUPT: a row is damaged or
 * missing.
 */
int inode_patches_read(struct fs *fs, uint64_t ino, uint64_t index,
    const struct patch *v, size_t count, uint8_t *dst, uint32_t from,
    uint32_t n);

/* Lay the patches of a chunk, if any, over its bytes *datap, which pin holds.
 * Then they are a copy, which may be longer. */
int inode_patches_apply(struct fs *fs, struct inode *in, uint64_t index,
    struct kv_value *pin, struct slice *datap) REQUIRES(&in->mu);

/* Make place in the map: see patch_map_reserve(). */
int inode_patches_reserve(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end) REQUIRES(&in->change_mu, &in->mu);
/* Add a patch to t for which place was made; value: tag and bytes, borrowed.
 * The first one of the store says so in the store's record, too. */
void inode_patches_stage(struct fs *fs, struct txn *t, const struct inode *in,
    uint64_t index, uint32_t start, struct slice value);
/* Add the deletion of a chunk's patches, if any, to t. */
void inode_patches_stage_delete(struct txn *t, const struct inode *in,
    uint64_t index);
/* These were committed. */
void inode_patches_put(struct fs *fs, struct inode *in, uint64_t index,
    uint32_t start, uint32_t end, bool is_grown)
    REQUIRES(&in->change_mu, &in->mu);
void inode_patches_deleted(struct fs *fs, struct inode *in, uint64_t index)
    REQUIRES(&in->change_mu, &in->mu);

/* All its patches are deleted. */
void inode_patches_drop(struct fs *fs, struct inode *in)
    REQUIRES(&in->change_mu, &in->mu);

#endif
