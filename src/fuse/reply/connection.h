/* SPDX-License-Identifier: ISC */
/*
 * What a request is answered from: the file system, what the kernel was
 * told, and what it keeps open. libfuse hands it to every handler.
 */
#ifndef KVFS_FUSE_REPLY_CONNECTION_H
#define KVFS_FUSE_REPLY_CONNECTION_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs/fs.h"
#include "fuse/fuse_api.h"
#include "fuse/options/options.h"
#include "fuse/reply/handle.h"
#include "fuse/reply/kernel_cache.h"

struct control;

struct connection {
	/* Constant while requests are served. */
	struct fs *fs; /* borrowed, as are the next two */
	struct fuse_session *se;
	struct control *control; /* MOUNT/.kvfs */
	size_t max_inodes; /* in memory; see connection_is_over_limit() */
	uint32_t request_bytes;
	unsigned max_background;
	bool acl, noxattr, kernel_writeback;

	struct kernel_cache kernel_cache; /* locks itself, as does the next */
	struct handle_list handles;
	/* flush=lazy: close(2) has nothing to do. Relaxed: a hint that open
	 * takes, the file system decides. */
	atomic_bool flush_lazy;
};

/* The caller sets fs, se and control before the first request. */
void connection_init(struct connection *c, const struct options *opts);
void connection_fini(struct connection *c);

static inline struct connection *
request_connection(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/*
 * More inodes are in memory than the budget has room for. The kernel is told
 * to drop names (prune.h), and until it has, gets none that it need not
 * have, and may keep new ones only as long as they are in use.
 */
static inline bool
connection_is_over_limit(const struct connection *c)
{
	return fs_inode_count(c->fs) > c->max_inodes;
}

#endif
