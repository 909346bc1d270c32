/* SPDX-License-Identifier: ISC */
/*
 * The state behind MOUNT/.kvfs (control_dir.h): the store, the options in
 * force, and the maintenance jobs that run. Any thread.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_H
#define KVFS_FUSE_CONTROL_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "fuse/control/control_node.h"
#include "fuse/options/options.h"
#include "fuse/reply/connection.h"
#include "kvfs/kv.h"
#include "util/mutex.h"

struct loop;

struct control {
	/* Constant while requests are served; borrowed. */
	const char *store; /* absolute paths */
	const char *mountpoint;
	struct kv *kv;
	struct fs *fs;
	struct connection *conn;
	struct loop *loop;
	uid_t uid; /* owner of the control directory */
	gid_t gid;
	struct timespec started; /* CLOCK_BOOTTIME */
	struct timespec made; /* CLOCK_REALTIME: the times of the files */
	bool read_only;

	/* How often all open backups were ended by a write to "backup".
	 * Sequentially consistent: a read after that write fails. */
	atomic_uint backup_ends;
	atomic_uint backups; /* how many are open; relaxed */

	struct mutex change_mu; /* held while opts change; before mu */
	struct mutex mu;
	struct cond idle; /* job_threads has decreased */
	struct options opts GUARDED_BY(mu); /* those in force */
	/* Jobs that run: a bit for each kind (control_job.h), and the number
	 * of their threads. */
	unsigned jobs GUARDED_BY(mu);
	unsigned job_threads GUARDED_BY(mu);

	struct control_nodes nodes; /* has its own lock */
};

/* The strings and conn are borrowed. The caller sets kv, fs and loop later,
 * before the first request. */
void control_init(struct control *c, const struct options *opts,
    const char *store, const char *mountpoint, struct connection *conn);
/* When all jobs have ended, free what the kernel has not forgotten, before the
 * store is closed. No request is served any more. */
void control_end(struct control *c);
void control_fini(struct control *c);

/* The attributes of an empty file, or a directory, of the owner. */
void control_fill_stat(const struct control *c, uint64_t ino, mode_t mode,
    struct stat *st);

static inline struct control *
request_control(fuse_req_t req)
{
	return request_connection(req)->control;
}

#endif
