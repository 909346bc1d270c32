/* SPDX-License-Identifier: ISC */
/*
 * Contents that the kernel has in its cache and that must leave it: pages
 * that an O_DIRECT write has made old, and with kernel_writeback what
 * programs have written that did not reach us yet.
 *
 * The kernel drops a page only once nobody waits for it, which may take a
 * request of ours. So threads that serve requests pass such work on, and
 * the answer comes from there.
 */
#ifndef KVFS_FUSE_REPLY_KERNEL_CACHE_H
#define KVFS_FUSE_REPLY_KERNEL_CACHE_H

#include <stdint.h>
#include <sys/queue.h>
#include <sys/types.h>

#include "fuse/reply/task_queue.h"

struct fuse_file_info;
struct fuse_req;
struct connection;
struct writer;

struct kernel_cache {
	struct task_queue stale; /* drops pages */
	struct task_queue sync; /* collects what was written */
	struct mutex mu;
	/* Open files that may be written to; kernel_writeback only. */
	LIST_HEAD(, writer) writers GUARDED_BY(mu);
};

void kernel_cache_init(struct kernel_cache *k);
/* Finish what was begun; requests must be served still. */
void kernel_cache_end(struct kernel_cache *k);
void kernel_cache_fini(struct kernel_cache *k);

/* The kernel's copy of the attributes of ino is no longer true. May be
 * called while answering a request of ino: it takes none of its locks. */
void kernel_cache_forget_attr(struct connection *c, uint64_t ino);
/* Nor its copy of the contents, or of the listing: likewise, but for a
 * request that has pages of ino locked. */
void kernel_cache_forget_pages(struct connection *c, uint64_t ino);

/*
 * An O_DIRECT write of n bytes at off is done: answer req once no page is
 * left that was read before it. The kernel sees to that by itself, but not
 * for writes that the caller did not wait for (io_submit(2)).
 */
void kernel_cache_direct_written(struct fuse_req *req, uint64_t ino,
    uint64_t off, size_t n);

/* A file is open for writing, and is closed. Uses fi->fh. */
void kernel_cache_opened(struct connection *c, uint64_t ino,
    struct fuse_file_info *fi);
void kernel_cache_closed(struct connection *c, const struct fuse_file_info *fi);
/* fs_sync() with what the kernel has gathered, for an fsync, or for a write
 * of n bytes to a control file. Answers req. */
void kernel_cache_sync(struct fuse_req *req, size_t n);

#endif
