/* SPDX-License-Identifier: ISC */
/*
 * The state behind MOUNT/.kvfs (control_dir.h): the store, the options in
 * force, and the maintenance jobs that run. Any thread.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_H
#define KVFS_FUSE_CONTROL_CONTROL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

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
	bool read_only;

	/* How often all open backups were ended by a write to "backup".
	 * Sequentially consistent: a read after that write fails. */
	atomic_uint backup_ends;
	atomic_uint backups; /* how many are open; relaxed */

	struct mutex change_mu; /* held while opts change; before mu */
	struct mutex mu;
	struct cond idle; /* job_threads has decreased */
	struct options opts GUARDED_BY(mu); /* those in force */
	/* Jobs that run: a bit for each kind (enum control_job), and the
	 * number of their threads. */
	unsigned jobs GUARDED_BY(mu);
	unsigned job_threads GUARDED_BY(mu);
};

/* The strings and conn are borrowed. The caller sets kv, fs and loop later,
 * before the first request. */
void control_init(struct control *c, const struct options *opts,
    const char *store, const char *mountpoint, struct connection *conn);
/* Return when all jobs have ended. No request is served any more, so none
 * begins. */
void control_await_jobs(struct control *c);
void control_fini(struct control *c);

static inline struct control *
request_control(fuse_req_t req)
{
	return request_connection(req)->control;
}

#endif
