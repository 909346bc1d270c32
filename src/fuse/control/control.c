/* SPDX-License-Identifier: ISC */
/* See control.h. */
#include "fuse/control/control.h"

#include <unistd.h>

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
	mutex_init(&c->change_mu);
	mutex_init(&c->mu);
	cond_init(&c->idle);
}

void
control_await_jobs(struct control *c)
{
	mutex_lock(&c->mu);
	while (c->job_threads != 0)
		cond_wait(&c->idle, &c->mu);
	mutex_unlock(&c->mu);
}

void
control_fini(struct control *c)
{
	cond_fini(&c->idle);
	mutex_fini(&c->mu);
	mutex_fini(&c->change_mu);
}
