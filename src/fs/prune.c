/* SPDX-License-Identifier: ISC */
/*
 * Bounds the memory of inodes. An inode that the kernel has looked up stays in
 * memory until the kernel forgets it, which it does only when it is short of
 * memory itself. So src/fuse asks here for inodes that were not used lately,
 * and has the kernel drop them.
 */
#include <string.h>

#include "fs/fs_state.h"

#define PRUNE_STEP 256

size_t
fs_inode_count(struct fs *fs)
{
	return inode_table_count(&fs->table);
}

/* Fill in *cold; the name is copied to space. */
static void
prune_describe(struct inode *in, uint8_t *space, struct fs_cold *cold)
{
	struct slice name;

	*cold = (struct fs_cold){ .ino = in->ino, .is_dir = inode_is_dir(in) };
	mutex_lock(&in->mu);
	if (in->state == INODE_LIVE && inode_has_dentry(in)) {
		name = iname_slice(&in->name);
		memcpy(space, name.data, name.len);
		cold->parent = in->parent->ino;
		cold->name = slice_make(space, name.len);
	}
	mutex_unlock(&in->mu);
}

size_t
fs_prune(struct fs *fs, size_t max,
    void (*fn)(void *arg, const struct fs_cold *cold), void *arg)
{
	struct inode *all[PRUNE_STEP];
	uint8_t name[FS_NAME_MAX];
	struct fs_cold cold;
	size_t count = 0, n;

	do {
		n = inode_table_cold(fs, all,
		    max - count < PRUNE_STEP ? max - count : PRUNE_STEP);
		for (size_t i = 0; i < n; i++) {
			prune_describe(all[i], name, &cold);
			inode_put(fs, all[i]);
			fn(arg, &cold);
		}
		count += n;
	} while (n != 0 && count < max);
	return count;
}
