/* SPDX-License-Identifier: ISC */
/*
 * The side of a lane that has the file system. A session is one connected
 * socket and the thread that calls lane_serve(); memory stays within a batch
 * and a few messages.
 */
#ifndef KVFS_LANE_LANE_SERVE_H
#define KVFS_LANE_LANE_SERVE_H

#include "lane/lane_stream.h"

/* A batch of an open store that nobody else uses, in bytes. */
#define LANE_BATCH_BYTES (4u << 20)

struct lane_server {
	struct fs *fs;
	int fd; /* borrowed */
	/* Who the other side is: others than root become the owner of what
	 * they load, and make no devices. */
	uint32_t uid, gid;
	size_t batch_bytes;
	/* As in struct fs_bulk_options; NULL: nobody caches. */
	void (*name_changed)(void *arg, uint64_t dir, struct slice name);
	void (*inode_changed)(void *arg, uint64_t ino, bool is_dir);
	void *arg;
};

/* Serve until the other side has ended, or sends what is no message. */
void lane_serve(const struct lane_server *server);
/* Tell the other side why it is not served: -EPERM, -EBUSY ... */
void lane_refuse(int fd, int rc);

#endif
