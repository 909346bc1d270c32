/* SPDX-License-Identifier: ISC */
/*
 * What stands behind MOUNT/.kvfs (control_dir.h): the store, the options in
 * force, and the maintenance that goes on.
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

	/* How often the backups that were open were ended. */
	atomic_uint backup_ends;
	atomic_uint backups; /* that are open */

	struct mutex change_mu; /* one at a time changes opts; before mu */
	struct mutex mu;
	struct cond idle; /* job_threads went down */
	struct options opts GUARDED_BY(mu); /* as changed meanwhile */
	/* Maintenance under way: a bit for each kind (enum control_job), and
	 * the threads that have not ended. */
	unsigned jobs GUARDED_BY(mu);
	unsigned job_threads GUARDED_BY(mu);
};

/* The caller sets kv, fs and loop as they come to be. */
void control_init(struct control *c, const struct options *opts,
    const char *store, const char *mountpoint, struct connection *conn);
/* Return when no maintenance goes on any more; nobody begins any. */
void control_await_jobs(struct control *c);
void control_fini(struct control *c);

static inline struct control *
request_control(fuse_req_t req)
{
	return request_connection(req)->control;
}

#endif
