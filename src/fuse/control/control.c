/* SPDX-License-Identifier: ISC */
/* See control.h. */
#include "fuse/control/control.h"

#include <unistd.h>

#include "fuse/control/control_job.h"

void
control_init(struct control *c, const struct options *opts, const char *store,
    const char *mountpoint, struct connection *conn)
{
	*c = (struct control){ .store = store,
		.mountpoint = mountpoint,
		.conn = conn,
		.uid = geteuid(),
		.gid = getegid(),
		.read_only = opts->read_only,
		.opts = *opts };
	atomic_init(&c->backup_ends, 0);
	atomic_init(&c->backups, 0);
	clock_gettime(CLOCK_BOOTTIME, &c->started);
	clock_gettime(CLOCK_REALTIME, &c->made);
	mutex_init(&c->change_mu);
	mutex_init(&c->mu);
	cond_init(&c->idle);
	control_nodes_init(&c->nodes);
}

void
control_end(struct control *c)
{
	control_job_await_all(c);
	control_nodes_end(c);
}

void
control_fini(struct control *c)
{
	control_nodes_fini(&c->nodes);
	cond_fini(&c->idle);
	mutex_fini(&c->mu);
	mutex_fini(&c->change_mu);
}

void
control_fill_stat(const struct control *c, uint64_t ino, mode_t mode,
    struct stat *st)
{
	*st = (struct stat){
		.st_ino = ino,
		.st_mode = mode,
		.st_nlink = S_ISDIR(mode) ? 2 : 1,
		.st_uid = c->uid,
		.st_gid = c->gid,
		.st_blksize = 4096,
		.st_atim = c->made,
		.st_mtim = c->made,
		.st_ctim = c->made,
	};
}
