/* SPDX-License-Identifier: ISC */
/*
 * Going to the background, with a start that the parent can trust: it
 * exits with 0 only after daemon_ready(), and with 1 when the daemon ended
 * before. The daemon says what went wrong itself, on the inherited stderr.
 */
#ifndef KVFS_FUSE_MOUNT_DAEMONIZE_H
#define KVFS_FUSE_MOUNT_DAEMONIZE_H

#include <stdbool.h>
#include <sys/types.h>

struct daemon {
	int ready_fd; /* daemon's end of the pipe; -1 in the foreground */
	int claim_fd; /* of the mountpoint; the parent's, or -1 */
};

/*
 * Fork, while there is still one thread. In the daemon: 0. In the parent:
 * the daemon's process id once it is ready, or negative when it ended
 * before.
 */
pid_t daemon_fork(struct daemon *d);

/*
 * Let go of the terminal: messages go to syslog from here on, and the
 * parent hears that all is well. In the foreground: the claim is given up.
 */
void daemon_ready(struct daemon *d);

#endif
