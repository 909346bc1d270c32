/* SPDX-License-Identifier: ISC */
/*
 * Going to the background. The parent waits for the daemon: it exits with 0
 * only after daemon_ready(), and with 1 when the daemon ended before that.
 * Until then the daemon writes its messages to the inherited stderr.
 */
#ifndef KVFS_FUSE_MOUNT_DAEMONIZE_H
#define KVFS_FUSE_MOUNT_DAEMONIZE_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	int ready_fd; /* the daemon's end of a pipe; -1 in the foreground */
	int claim_fd; /* the parent's lock on the mountpoint (claim.h), or -1 */
};

/*
 * Fork; call it while there is one thread. Returns 0 in the daemon. In the
 * parent it returns when the daemon is ready, with its process id, or when
 * the daemon has ended, with a negative value.
 */
pid_t daemon_fork(struct daemon *d);

/*
 * The mount answers: tell the parent, and leave the terminal; messages go to
 * syslog from now on. In the foreground only the claim is dropped.
 */
void daemon_ready(struct daemon *d);

#endif
