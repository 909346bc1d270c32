/* SPDX-License-Identifier: ISC */
/*
 * See dir.h.
 */
#include "fs/dir.h"

#include <assert.h>

#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"

void
dir_begin(struct dir_change *c, struct inode *dir, const struct timespec *now)
{
	c->dir = dir;
	c->rec = dir->rec;
	c->rec.mtime = *now;
	c->rec.ctime = *now;
	c->tombstones = dir->tombstones;
	c->gone = (struct slice){ 0 };
}

int
dir_count(struct dir_change *c, int entries, int subdirs)
{
	if (subdirs > 0 && c->rec.nlink > UINT32_MAX - 1)
		return -EMLINK;
	if ((entries < 0 && c->rec.entries == 0) ||
	    (subdirs < 0 && c->rec.nlink <= 2))
		return inode_bad_row(c->dir->ino, (struct slice){ 0 },
		    -KVFS_ECORRUPT);
	c->rec.entries += (uint64_t)(int64_t)entries;
	c->rec.nlink += (uint32_t)subdirs;
	return 0;
}

void
dir_delete_entry(struct dir_change *c, struct txn *t, struct slice name)
{
	c->gone = name;
	if (c->rec.entries == 0 && c->tombstones >= TOMBSTONES_MAX) {
		kv_batch_delete_group(&t->batch, SPACE_DENTRY, c->dir->ino);
		c->tombstones = 0;
		return;
	}
	txn_del_dentry(t, c->dir->ino, name);
	if (c->tombstones < UINT32_MAX)
		c->tombstones++;
}

int
dir_stage(struct fs *fs, struct txn *t, struct dir_change *c)
{
	mutex_assert_held(&c->dir->change_mu);
	mutex_assert_held(&c->dir->mu);
	return inode_put_row(fs, t, c->dir, &c->rec, NULL);
}

void
dir_commit(struct fs *fs, struct dir_change *c, uint64_t seq)
{
	mutex_assert_held(&c->dir->change_mu);
	mutex_assert_held(&c->dir->mu);
	c->dir->tombstones = c->tombstones;
	inode_row_committed(fs, c->dir, &c->rec, seq);
	inode_touch(c->dir);
	if (c->gone.len != 0)
		listing_note_removal(c->dir, c->gone);
}

int
file_get(struct fs *fs, uint64_t ino, struct inode **inp)
{
	*inp = inode_get(fs, ino);
	return *inp != NULL ? 0 : -ESTALE;
}

int
dir_get(struct fs *fs, uint64_t ino, struct inode **dirp)
{
	int rc = file_get(fs, ino, dirp);

	if (rc == 0 && !inode_is_dir(*dirp)) {
		inode_put(fs, *dirp);
		*dirp = NULL;
		rc = -ENOTDIR;
	}
	return rc;
}

int
regular_get(struct fs *fs, uint64_t ino, struct inode **inp)
{
	int rc = file_get(fs, ino, inp);

	if (rc == 0 && !S_ISREG((*inp)->type)) {
		rc = inode_is_dir(*inp) ? -EISDIR : -EINVAL;
		inode_put(fs, *inp);
		*inp = NULL;
	}
	return rc;
}

int
name_check(struct slice name)
{
	if (name.len > FS_NAME_MAX)
		return -ENAMETOOLONG;
	return schema_is_name(name) ? 0 : -EINVAL;
}

int
dir_has_no(struct fs *fs, struct inode *dir, struct slice name)
{
	struct kv_key key = key_dentry(dir->ino, name);
	struct kv_value v;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	kv_value_release(&v);
	if (rc == 0)
		return -EEXIST;
	return rc == -ENOENT ? 0 : rc;
}

int
dir_check_name(struct fs *fs, struct inode *dir, struct slice name,
    const struct inode *in)
{
	struct dentry_row row;
	int rc = inode_get_dentry(fs, dir, name, &row);

	if (rc == -ENOENT)
		return in == NULL ? 0 : -EAGAIN;
	if (rc < 0)
		return rc;
	return in != NULL && row.ino == in->ino ? 0 : -EAGAIN;
}
