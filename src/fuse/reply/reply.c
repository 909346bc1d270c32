/* SPDX-License-Identifier: ISC */
/* Answers to requests; see reply.h. */
#include "fuse/reply/reply.h"

#include <errno.h>
#include <string.h>

#include "fuse/serve/protocol.h"

/* stdio and cp write pieces of this size: the larger, the fewer requests. */
#define FILE_BLKSIZE 65536

int
reply_errno(int rc)
{
	switch (-rc) {
	case KVFS_ECORRUPT:
	case KVFS_ECHECKSUM:
	case EPROTO:
		return EIO;
	default:
		return -rc;
	}
}

void
reply_stat(const struct fs_attr *attr, struct stat *st)
{
	*st = (struct stat){
		.st_ino = attr->ino,
		.st_mode = attr->mode,
		.st_nlink = attr->nlink,
		.st_uid = attr->uid,
		.st_gid = attr->gid,
		.st_rdev = attr->rdev,
		.st_size = (off_t)attr->size,
		.st_blocks = (blkcnt_t)attr->blocks,
		.st_blksize = S_ISREG(attr->mode) ? FILE_BLKSIZE : 4096,
		.st_atim = attr->atime,
		.st_mtim = attr->mtime,
		.st_ctim = attr->ctime,
	};
}

/* Inode numbers are never used again, so the generation stays 0. */
void
reply_fill_entry(struct connection *c, const struct fs_attr *attr,
    struct fuse_entry_param *e)
{
	*e = (struct fuse_entry_param){
		.ino = attr->ino,
		.attr_timeout = CACHE_SECONDS,
		.entry_timeout = connection_is_over_limit(c) ? 0 :
							       CACHE_SECONDS,
	};
	reply_stat(attr, &e->attr);
}

void
reply_status(fuse_req_t req, int rc)
{
	fuse_reply_err(req, reply_errno(rc));
}

void
reply_attr(fuse_req_t req, int rc, const struct fs_attr *attr)
{
	struct stat st;

	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	reply_stat(attr, &st);
	reply_raw_stat(req, &st, &attr->btime);
}

void
reply_raw_stat(fuse_req_t req, const struct stat *st,
    const struct timespec *btime)
{
	if (protocol_is_statx())
		protocol_reply_statx(req, st, btime, CACHE_SECONDS);
	else
		fuse_reply_attr(req, st, CACHE_SECONDS);
}

void
reply_entry(fuse_req_t req, int rc, const struct fs_attr *attr)
{
	struct connection *c = request_connection(req);
	struct fuse_entry_param e;

	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	reply_fill_entry(c, attr, &e);
	if (fuse_reply_entry(req, &e) < 0)
		fs_forget(c->fs, attr->ino, 1);
}

void
reply_negative(fuse_req_t req)
{
	const struct fuse_entry_param e = { .entry_timeout = CACHE_SECONDS };

	fuse_reply_entry(req, &e);
}

void
reply_count(fuse_req_t req, ssize_t n)
{
	if (n < 0)
		reply_status(req, (int)n);
	else
		fuse_reply_write(req, (size_t)n);
}

void
reply_bytes(fuse_req_t req, int rc, struct slice bytes)
{
	if (rc < 0)
		reply_status(req, rc);
	else
		fuse_reply_buf(req, bytes.data, bytes.len);
}

void
reply_sized(fuse_req_t req, int rc, struct slice bytes, size_t size)
{
	if (rc < 0)
		reply_status(req, rc);
	else if (size == 0)
		fuse_reply_xattr(req, bytes.len);
	else if (bytes.len > size)
		reply_status(req, -ERANGE);
	else
		reply_bytes(req, 0, bytes);
}
