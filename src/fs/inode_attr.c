/* SPDX-License-Identifier: ISC */
/* See inode_attr.h. */
#include "fs/inode_attr.h"

#include "fs/content.h"
#include "fs/file_blocks.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"

/* With FS_ATIME_RELATIVE a read changes an atime that is older than this, in
 * seconds. */
#define ATIME_STALE_S (24 * 60 * 60)

uint64_t
inode_size(const struct inode *in)
{
	return in->content != NULL ? in->content->size : in->rec.size;
}

static enum hole_copies
hole_copies(const struct inode *in)
{
	return atomic_load_explicit(&in->copies.of_holes, memory_order_relaxed);
}

bool
inode_hides_data(const struct inode *in)
{
	return in->opens.nwriters != 0 && hole_copies(in) != HOLE_UNREAD;
}

bool
inode_hides_all(const struct inode *in)
{
	if (file_alloc(in) != 0 || !inode_hides_data(in))
		return false;
	return inode_size(in) != 0 || hole_copies(in) == HOLE_CACHED;
}

void
inode_attr(const struct inode *in, struct fs_attr *attrp)
{
	const struct attr_rec *rec = &in->rec;
	const struct content *c = in->content;

	*attrp = (struct fs_attr){
		.ino = in->ino,
		.mode = rec->mode,
		.nlink = rec->nlink,
		.uid = rec->uid,
		.gid = rec->gid,
		.rdev = rec->rdev,
		.size = rec->size,
		.blocks = file_blocks(in),
		.atime = rec->atime,
		.mtime = rec->mtime,
		.ctime = rec->ctime,
		.btime = rec->btime,
	};
	if (inode_is_dir(in)) {
		/* As if each block held 64 short names. */
		attrp->size = (rec->entries / 64 + 1) * ALLOC_UNIT;
		attrp->blocks = attrp->size / 512;
	}
	if (c != NULL) {
		attrp->size = c->size;
		attrp->mtime = c->mtime;
		attrp->ctime = c->ctime;
	}
	/* tar(1), for one, takes a file with 0 blocks for one hole. */
	if (inode_hides_all(in))
		attrp->blocks = ALLOC_UNIT / 512;
}

bool
inode_atime_is_due(const struct fs *fs, const struct inode *in,
    const struct timespec *now)
{
	const struct content *c = in->content;
	const struct timespec *mtime = c != NULL ? &c->mtime : &in->rec.mtime;
	const struct timespec *ctime = c != NULL ? &c->ctime : &in->rec.ctime;

	if (fs->read_only || fs->atime == FS_ATIME_NEVER)
		return false;
	return fs->atime == FS_ATIME_ALWAYS ||
	    fs_time_cmp(&in->rec.atime, mtime) <= 0 ||
	    fs_time_cmp(&in->rec.atime, ctime) <= 0 ||
	    (int64_t)((uint64_t)now->tv_sec - (uint64_t)in->rec.atime.tv_sec) >=
	    ATIME_STALE_S;
}

void
inode_accessed(struct fs *fs, struct inode *in)
{
	struct timespec now;

	if (fs->atime == FS_ATIME_NEVER || in->state != INODE_LIVE)
		return;
	now = fs_now();
	if (!inode_atime_is_due(fs, in, &now))
		return;
	in->rec.atime = now;
	/* It will be deleted: its atime need not be stored. */
	if (in->is_nameless)
		return;
	in->atime = ATIME_MOVED;
	dirty_list_add(&fs->dirty, in);
}
