/* SPDX-License-Identifier: ISC */
/* Requests on attributes and on the file system as a whole. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/statvfs.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"

static void
do_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	struct fs_attr attr;
	int rc;

	if (control_owns(ino)) {
		control_getattr(req, ino, fi != NULL);
		return;
	}
	rc = fs_getattr(c->fs, ino, &attr);
	reply_attr(req, rc, &attr);
}

static unsigned
attr_fields(int to_set)
{
	static const struct {
		int fuse;
		unsigned fs;
	} map[] = {
		{ FUSE_SET_ATTR_MODE, FS_SET_MODE },
		{ FUSE_SET_ATTR_UID, FS_SET_UID },
		{ FUSE_SET_ATTR_GID, FS_SET_GID },
		{ FUSE_SET_ATTR_SIZE, FS_SET_SIZE },
		{ FUSE_SET_ATTR_ATIME, FS_SET_ATIME },
		{ FUSE_SET_ATTR_MTIME, FS_SET_MTIME },
		{ FUSE_SET_ATTR_CTIME, FS_SET_CTIME },
		{ FUSE_SET_ATTR_ATIME_NOW, FS_SET_ATIME_NOW },
		{ FUSE_SET_ATTR_MTIME_NOW, FS_SET_MTIME_NOW },
		/* FATTR_KILL_SUIDGID on the wire: drop both. */
		{ FUSE_SET_ATTR_KILL_SUID, FS_SET_KILL_SUID },
	};
	unsigned valid = 0;

	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++) {
		if (to_set & map[i].fuse)
			valid |= map[i].fs;
	}
	/* With "now" the kernel sets the plain bit too; use our clock. */
	if (valid & FS_SET_ATIME_NOW)
		valid &= ~(unsigned)FS_SET_ATIME;
	if (valid & FS_SET_MTIME_NOW)
		valid &= ~(unsigned)FS_SET_MTIME;
	return valid;
}

/*
 * The kernel has decided that a change by the caller clears set-id bits; this
 * tells which. Set-gid without group execute stays if the caller may set it:
 * root, or a member of the group. The request names one group of the caller.
 */
unsigned
adapt_kill_bits(fuse_req_t req, const struct fs_attr *attr)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return ctx->uid == 0 || ctx->gid == attr->gid ?
	    FS_SET_KILL_SUID :
	    FS_SET_KILL_SUID | FS_SET_KILL_SGID;
}

/* Which attributes SETATTR sets. With no field at all it is chown(-1, -1), or
 * the kernel sends it before a change of contents that clears set-id bits
 * (fallocate, copy_file_range). */
static int
fields_to_set(fuse_req_t req, fuse_ino_t ino, int to_set, unsigned *validp)
{
	struct connection *c = request_connection(req);
	struct fs_attr attr;
	int rc;

	*validp = attr_fields(to_set);
	if ((*validp & ~(unsigned)FS_SET_CTIME) == 0)
		*validp |= FS_SET_KILL_SUID;
	if ((*validp & FS_SET_KILL_SUID) == 0)
		return 0;
	rc = fs_getattr(c->fs, ino, &attr);
	if (rc == 0)
		*validp |= adapt_kill_bits(req, &attr);
	return rc;
}

static void
do_setattr(fuse_req_t req, fuse_ino_t ino, struct stat *st, int to_set,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	struct fs_attr attr = {
		.ino = ino,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = (uint64_t)st->st_size,
		.atime = st->st_atim,
		.mtime = st->st_mtim,
		.ctime = st->st_ctim,
	};
	struct fs_attr result;
	unsigned valid;
	int rc;

	(void)fi;
	if (control_owns(ino)) {
		control_setattr(req, ino, to_set, st->st_size);
		return;
	}
	rc = fields_to_set(req, ino, to_set, &valid);
	if (rc == 0)
		rc = fs_setattr(c->fs, ino, &attr, valid, &result);
	reply_attr(req, rc, &result);
}

static void
do_statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct connection *c = request_connection(req);
	struct fs_statfs st;
	int rc = fs_statfs(c->fs, &st);

	(void)ino;
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	fuse_reply_statfs(req,
	    &(struct statvfs){
		.f_bsize = st.block_size,
		.f_frsize = st.block_size,
		.f_blocks = st.blocks,
		.f_bfree = st.blocks_free,
		.f_bavail = st.blocks_avail,
		.f_files = st.inodes,
		.f_ffree = st.inodes_free,
		.f_favail = st.inodes_free,
		.f_namemax = FS_NAME_MAX,
	    });
}

void
adapt_fill_attr(struct fuse_lowlevel_ops *ops)
{
	ops->getattr = do_getattr;
	ops->setattr = do_setattr;
	ops->statfs = do_statfs;
}
