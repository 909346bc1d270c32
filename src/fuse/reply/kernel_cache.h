/* SPDX-License-Identifier: ISC */
/*
 * Pages that must leave the kernel's cache: those that an O_DIRECT write has
 * made stale, and with kernel_writeback dirty ones, which hold what programs
 * have written and the daemon has not received.
 *
 * To drop a page the kernel may wait for a request of ours that uses it. So
 * threads that serve requests give such work to a task queue, whose thread
 * also answers the request. Any thread.
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

/* See kernel_cache_drop_pages(). */
struct page_drop {
	struct queued_task task; /* private */
	struct connection *c; /* private */
	uint64_t ino;
	uint64_t off, n; /* the range; n 0: up to the end */
	void (*then)(struct page_drop *drop);
};

struct kernel_cache {
	struct task_queue stale; /* drops pages */
	struct task_queue sync; /* has dirty pages written, and syncs */
	struct mutex mu;
	/* Open files that may be written to; kernel_writeback only. */
	LIST_HEAD(, writer) writers GUARDED_BY(mu);
};

void kernel_cache_init(struct kernel_cache *k);
/* Finish all tasks. Call it while requests are still served. */
void kernel_cache_end(struct kernel_cache *k);
void kernel_cache_fini(struct kernel_cache *k);

/* Have the kernel drop its copy of the attributes of ino. May be called
 * while a request on ino is served: the kernel takes no lock of the inode. */
void kernel_cache_forget_attr(struct connection *c, uint64_t ino);
/* Have it drop a name, soon, from a thread that may wait for requests. An
 * inode that nobody uses goes with it. Without memory the name stays. */
void kernel_cache_forget_name(struct connection *c, uint64_t parent,
    const char *name);
/* Have it drop its copy of the contents of ino, or of the listing. May not
 * be called while a request is served that has pages of ino locked. */
void kernel_cache_forget_pages(struct connection *c, uint64_t ino);

/*
 * An O_DIRECT write of n bytes at off is done: answer req once the kernel
 * has dropped the pages that were read before it. The kernel does that
 * itself, except for asynchronous writes (io_submit(2)).
 */
void kernel_cache_direct_written(struct fuse_req *req, uint64_t ino,
    uint64_t off, size_t n);

/* Have the pages of drop's range written back and dropped; drop->then() is called
 * after that, in the thread of a task queue, and owns drop. False when the
 * mount ends: nothing is done. */
bool kernel_cache_drop_pages(struct connection *c, struct page_drop *drop);

/* A file was opened for writing, and is closed. They keep their state in
 * fi->fh. */
void kernel_cache_opened(struct connection *c, uint64_t ino,
    struct fuse_file_info *fi);
void kernel_cache_closed(struct connection *c, const struct fuse_file_info *fi);
/* Have dirty pages written, then call fs_sync() and answer req: an fsync if
 * n is 0, else a write of n bytes to a control file. */
void kernel_cache_sync(struct fuse_req *req, size_t n);

#endif
