/* SPDX-License-Identifier: ISC */
/*
 * Answers to requests. Each request is answered exactly once, and only here
 * negative errnos are turned into those that the kernel takes. Hold no lock:
 * after the answer the inode may be freed. If the kernel has given up the
 * request, the lookup that the answer counted is taken back.
 */
#ifndef KVFS_FUSE_REPLY_REPLY_H
#define KVFS_FUSE_REPLY_REPLY_H

#include <sys/stat.h>

#include "fs/fs.h"
#include "fuse/fuse_api.h"
#include "fuse/reply/connection.h"

/* How many seconds the kernel may keep entries and attributes: a year, since
 * all changes go through it. */
#define CACHE_SECONDS (365.0 * 86400)

/* The caller, as the owner of what it creates. */
static inline struct fs_cred
request_creator(fuse_req_t req)
{
	const struct fuse_ctx *ctx = fuse_req_ctx(req);

	return (struct fs_cred){
		.uid = ctx->uid,
		.gid = ctx->gid,
		.umask = ctx->umask,
	};
}

/* The positive errno for the kernel; damage becomes EIO. */
int reply_errno(int rc);
/* Convert attributes for the kernel; these do not answer. */
void reply_stat(const struct fs_attr *attr, struct stat *st);
void reply_fill_entry(struct connection *c, const struct fs_attr *attr,
    struct fuse_entry_param *e);

/* These answer req. rc: 0 or a negative errno, which is then the answer. */
void reply_status(fuse_req_t req, int rc);
void reply_attr(fuse_req_t req, int rc, const struct fs_attr *attr);
void reply_raw_stat(fuse_req_t req, const struct stat *st,
    const struct timespec *btime);
/* An inode, with the lookup that its caller has counted. */
void reply_entry(fuse_req_t req, int rc, const struct fs_attr *attr);
/* There is no such name, and the kernel may remember it. */
void reply_negative(fuse_req_t req);
/* A count, or a negative errno. */
void reply_count(fuse_req_t req, ssize_t n);
void reply_bytes(fuse_req_t req, int rc, struct slice bytes);
/* The protocol of getxattr and listxattr: size 0 asks for the length. */
void reply_sized(fuse_req_t req, int rc, struct slice bytes, size_t size);

#endif
