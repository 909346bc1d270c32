/* SPDX-License-Identifier: ISC */
/*
 * Bounding the memory of inodes. Each one that the kernel has looked up
 * stays in memory until the kernel forgets it, which it does only under
 * memory pressure of its own. So the front asks here for cold ones, and
 * tells the kernel to drop them.
 */
#include "fs/fs_internal.h"

#define PRUNE_STEP 256

size_t
fs_inode_count(struct fs *fs)
{
	return inode_table_count(&fs->table);
}

/* Where a name leads to in; false when it has none, or several. */
static bool
name_of(struct inode *in, uint64_t *parentp, uint8_t *name, size_t *lenp)
{
	struct slice s;
	bool has_name;

	mutex_lock(&in->mu);
	has_name = in->state == INODE_LIVE && inode_has_dentry(in);
	if (has_name) {
		s = iname_slice(&in->name);
		*parentp = in->parent->ino;
		*lenp = s.len;
		memcpy(name, s.data, s.len);
	}
	mutex_unlock(&in->mu);
	return has_name;
}

size_t
fs_prune(struct fs *fs, size_t max,
    void (*fn)(void *arg, uint64_t parent, struct slice name), void *arg)
{
	struct inode *cold[PRUNE_STEP];
	size_t named = 0, n;

	do {
		n = inode_table_cold(fs, cold,
		    max - named < PRUNE_STEP ? max - named : PRUNE_STEP);
		for (size_t i = 0; i < n; i++) {
			uint8_t name[FS_NAME_MAX];
			uint64_t parent;
			size_t len;
			bool has_name = name_of(cold[i], &parent, name, &len);

			inode_put(fs, cold[i]);
			if (!has_name)
				continue;
			fn(arg, parent, slice_make(name, len));
			named++;
		}
	} while (n != 0 && named < max);
	return named;
}
