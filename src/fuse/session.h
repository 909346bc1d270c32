/* SPDX-License-Identifier: ISC */
/*
 * One mount from start to end: opens the store, the file system in it and
 * the FUSE connection, and closes them in order. One thread.
 */
#ifndef KVFS_FUSE_SESSION_H
#define KVFS_FUSE_SESSION_H

#include <signal.h>

#include "fs/fs.h"
#include "fuse/control/control.h"
#include "fuse/lane/lane_socket.h"
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
	struct connection conn; /* what request handlers use */
	struct control control; /* the same for MOUNT/.kvfs */
	struct lane_socket lane;
	struct prune *prune;
	int done_fd; /* eventfd: readable when the connection has ended */
	int signal_fd; /* signalfd: the signals of session_signals() */
};

/* The signals that end a mount: SIGTERM, SIGINT and SIGHUP, except those
 * that were ignored when kvfs was started, as by nohup(1). */
void session_signals(sigset_t *set);
/*
 * Open the store, mount it and start serving. watcher_fd is from
 * watcher_start(), or -1, and now belongs to the session; the strings are
 * borrowed until session_close(). On failure a negative errno, and a line
 * was logged; the caller calls session_close() all the same. Call it with
 * session_signals() blocked in every thread.
 */
int session_open(struct session *s, const struct options *opts,
    const char *store, const char *mountpoint, int watcher_fd);
/* Wait until a signal comes, and then unmount, or until the mount has
 * gone. */
int session_wait(struct session *s);
/* Finish the requests under way, unmount, make everything durable, close.
 * Returns the first error. Accepts a session whose opening failed. */
int session_close(struct session *s);

#endif
