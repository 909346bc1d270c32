/* SPDX-License-Identifier: ISC */
/*
 * One mounted file system: the store, the file system in it, the FUSE
 * connection, and the way from start to end.
 */
#ifndef KVFS_FUSE_SESSION_H
#define KVFS_FUSE_SESSION_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "fs/fs.h"
#include "fuse/reply/handle.h"
#include "fuse/reply/kernel_cache.h"
#include "fuse/options/options.h"
#include "fuse/mount/own_mount.h"
#include "kvfs/kv.h"
#include "util/mutex.h"

struct fuse_session;
struct fuse_conn_info;
struct loop;
struct prune;

struct session {
	/* Constant while mounted. */
	const char *store; /* absolute paths, borrowed */
	const char *mountpoint;
	struct kv *kv;
	struct fs *fs;
	struct fuse_session *se;
	struct loop *loop;
	struct prune *prune;
	struct kernel_cache kernel_cache; /* locks itself */
	struct own_mount mount; /* ours, to take off again */
	int watcher_fd; /* auto_unmount; or -1 */
	int done_fd; /* eventfd: the connection has ended */
	int signal_fd; /* those of session_signals() */
	uid_t uid; /* owner of the control directory */
	gid_t gid;
	struct timespec started; /* CLOCK_BOOTTIME */
	bool noxattr;
	bool kernel_writeback;
	bool fuse_mounted;
	size_t max_inodes; /* in memory; see session_is_crowded() */

	/* flush=lazy: close(2) has nothing to do. Relaxed: a hint that open
	 * takes, the file system decides. */
	atomic_bool flush_lazy;
	/* How often the backups that were open were ended. */
	atomic_uint backup_ends;
	atomic_uint backups; /* that are open */

	struct mutex change_mu; /* one at a time changes opts; before mu */
	struct mutex mu;
	struct cond idle; /* job_threads went down */
	struct options opts GUARDED_BY(mu); /* as changed meanwhile */
	struct handle_list handles GUARDED_BY(mu);
	/* Maintenance under way: a bit for each kind (enum control_job), and
	 * the threads that have not ended. */
	unsigned jobs GUARDED_BY(mu);
	unsigned job_threads GUARDED_BY(mu);
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

/* The kernel's copy of the attributes of ino is no longer true. May be
 * called while answering a request of ino: it takes none of its locks. */
void session_forget_attr(struct session *s, uint64_t ino);
/* Nor its copy of the contents, or of the listing: likewise, but for a
 * request that has pages of ino locked. */
void session_forget_pages(struct session *s, uint64_t ino);
/* Nor of n bytes of the contents, at off. */
void session_forget_range(struct session *s, uint64_t ino, uint64_t off,
    size_t n);

/*
 * More inodes are in memory than the budget has room for. The kernel is told
 * to drop names (prune.h), and until it has, gets none that it need not
 * have, and may keep new ones only as long as they are in use.
 */
bool session_is_crowded(struct session *s);

/* The INIT request: which capabilities, which sizes. */
void session_init_conn(void *userdata, struct fuse_conn_info *conn);

#endif
