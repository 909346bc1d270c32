/* SPDX-License-Identifier: ISC */
/*
 * Handlers of the kernel's requests, one function each, in a source for each
 * kind: names, attributes, contents, ranges, directories, extended
 * attributes. A handler decodes the request, calls fs (or the control
 * directory), and replies. It holds no lock while it replies. Any thread of
 * the pool.
 */
#ifndef KVFS_FUSE_REQUEST_ADAPT_H
#define KVFS_FUSE_REQUEST_ADAPT_H

struct fs_attr;
struct fuse_conn_info;
struct fuse_lowlevel_ops;
struct fuse_req;

/* Set all handlers. There are none for file locks, so the kernel does these
 * itself. */
void adapt_fill(struct fuse_lowlevel_ops *ops);

/* Handles INIT: chooses capabilities and sizes. */
void adapt_init(void *userdata, struct fuse_conn_info *conn);

/* The set-id bits (FS_SET_KILL_*) that a change of attr's file by the caller
 * of req clears. */
unsigned adapt_kill_bits(struct fuse_req *req, const struct fs_attr *attr);

/* Each sets the handlers of one source. */
void adapt_fill_name(struct fuse_lowlevel_ops *ops);
void adapt_fill_attr(struct fuse_lowlevel_ops *ops);
void adapt_fill_io(struct fuse_lowlevel_ops *ops);
void adapt_fill_range(struct fuse_lowlevel_ops *ops);
void adapt_fill_dir(struct fuse_lowlevel_ops *ops);
void adapt_fill_xattr(struct fuse_lowlevel_ops *ops);

#endif
