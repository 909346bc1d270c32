/* SPDX-License-Identifier: ISC */
/*
 * Answers to requests: every one is answered exactly once, here, and only
 * here negative errnos become what the kernel wants. Hold no lock: the
 * answer may end the inode's life. A reply that the kernel did not take
 * (it gave the request up) hands back what it would have held.
 */
#ifndef KVFS_FUSE_REPLY_REPLY_H
#define KVFS_FUSE_REPLY_REPLY_H

#include <sys/stat.h>

#include "fs/fs.h"
#include "fuse/fuse_api.h"
#include "fuse/reply/connection.h"

/* Seconds that entries and attributes stay in the kernel: nobody but the
 * kernel changes them, so as good as for ever. */
#define CACHE_SECONDS (365.0 * 86400)

/* Who asks for something new. */
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

/* A positive errno for the kernel; damage becomes EIO. */
int reply_errno(int rc);
void reply_stat(const struct fs_attr *attr, struct stat *st);
void reply_fill_entry(struct connection *c, const struct fs_attr *attr,
    struct fuse_entry_param *e);

/* rc: 0 or a negative errno. */
void reply_status(fuse_req_t req, int rc);
void reply_attr(fuse_req_t req, int rc, const struct fs_attr *attr);
void reply_raw_stat(fuse_req_t req, const struct stat *st,
    const struct timespec *btime);
/* An inode with one lookup counted. */
void reply_entry(fuse_req_t req, int rc, const struct fs_attr *attr);
/* There is no such name, and the kernel may remember it. */
void reply_negative(fuse_req_t req);
/* A count, or a negative errno. */
void reply_count(fuse_req_t req, ssize_t n);
void reply_bytes(fuse_req_t req, int rc, struct slice bytes);
/* The protocol of getxattr and listxattr: size 0 asks for the length. */
void reply_sized(fuse_req_t req, int rc, struct slice bytes, size_t size);

#endif
