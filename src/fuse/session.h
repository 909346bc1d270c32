/* SPDX-License-Identifier: ISC */
/*
 * One mounted file system: the store, the file system in it, the FUSE
 * connection, and the way from start to end.
 */
#ifndef KVFS_FUSE_SESSION_H
#define KVFS_FUSE_SESSION_H

#include <signal.h>

#include "fs/fs.h"
#include "fuse/control/control.h"
#include "fuse/mount/mount_fuse.h"
#include "fuse/options/options.h"
#include "fuse/reply/connection.h"
#include "kvfs/kv.h"

struct loop;
struct prune;

struct session {
	struct kv *kv;
	struct fs *fs;
	struct fuse_mount mount;
	struct connection conn; /* what requests are answered from */
	struct control control; /* and those to MOUNT/.kvfs */
	struct prune *prune;
	int done_fd; /* eventfd: the connection has ended */
	int signal_fd; /* those of session_signals() */
};

/* The signals that end a mount: SIGTERM, SIGINT and SIGHUP, but for those
 * that were ignored when kvfs was started, as by nohup(1). */
void session_signals(sigset_t *set);
/*
 * Open the store, mount it and start serving; watcher_fd is of
 * watcher_start(), or -1, and belongs to the session. On failure a line was
 * logged; the caller calls session_close() all the same. Call with
 * session_signals() blocked in every thread.
 */
int session_open(struct session *s, const struct options *opts,
    const char *store, const char *mountpoint, int watcher_fd);
/* Serve until a signal comes or the mount has gone. */
int session_wait(struct session *s);
/* Finish the requests under way, unmount, make everything durable, close.
 * Returns the first error. Accepts what session_open() left half done. */
int session_close(struct session *s);

#endif
