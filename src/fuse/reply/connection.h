/* SPDX-License-Identifier: ISC */
/*
 * What handlers of requests share: the file system, the connection to the
 * kernel, and what is open. libfuse passes it to every handler.
 *
 * Threads: any; each member says how it is protected.
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
struct lane_socket;

struct connection {
	/* Constant while requests are served. */
	struct fs *fs; /* borrowed, as are the next two */
	struct fuse_session *se;
	struct control *control; /* MOUNT/.kvfs */
	struct lane_socket *lane; /* for bulk work */
	size_t max_inodes; /* see connection_is_over_limit() */
	uint32_t request_bytes;
	unsigned max_background;
	bool acl, noxattr, kernel_writeback, strictatime;
	/* OPEN, RELEASE and FLUSH are not used; see stateless.h. */
	bool stateless;

	struct kernel_cache kernel_cache; /* has its own lock, as the next */
	struct handle_list handles;
	/* flush=lazy: close(2) has nothing to do. Relaxed: a hint for open(2);
	 * the file system decides at close. */
	atomic_bool flush_lazy;
};

/* The caller sets fs, se, control and lane before the first request. */
void connection_init(struct connection *c, const struct options *opts);
void connection_fini(struct connection *c);

static inline struct connection *
request_connection(fuse_req_t req)
{
	return fuse_req_userdata(req);
}

/*
 * Are more inodes in memory than the budget allows? The kernel is then asked
 * to drop names (prune.h). Until it has, listings give it no inodes, and it
 * may keep a new name only while that is in use.
 */
static inline bool
connection_is_over_limit(const struct connection *c)
{
	return fs_inode_count(c->fs) > c->max_inodes;
}

#endif
