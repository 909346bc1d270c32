/* SPDX-License-Identifier: ISC */
/*
 * The requests of the kernel, one function each, by kind: names, attributes,
 * contents, directories, extended attributes. Each decodes, calls fs (or
 * the control directory), and replies; none holds a lock of its own over a
 * reply. Any worker thread.
 */
#ifndef KVFS_FUSE_REQUEST_ADAPT_H
#define KVFS_FUSE_REQUEST_ADAPT_H

struct fs_attr;
struct fuse_conn_info;
struct fuse_lowlevel_ops;
struct fuse_req;

/* All handlers; those of locks are left out, so the kernel does locks. */
void adapt_fill(struct fuse_lowlevel_ops *ops);

/* The INIT request: which capabilities, which sizes. */
void adapt_init(void *userdata, struct fuse_conn_info *conn);

/* FS_SET_KILL_* bits for a change of attr's file by the caller of req. */
unsigned adapt_kill_bits(struct fuse_req *req, const struct fs_attr *attr);

void adapt_fill_name(struct fuse_lowlevel_ops *ops);
void adapt_fill_attr(struct fuse_lowlevel_ops *ops);
void adapt_fill_io(struct fuse_lowlevel_ops *ops);
void adapt_fill_range(struct fuse_lowlevel_ops *ops);
void adapt_fill_dir(struct fuse_lowlevel_ops *ops);
void adapt_fill_xattr(struct fuse_lowlevel_ops *ops);

#endif
