/* SPDX-License-Identifier: ISC */
/* See watcher.h. */
#include "fuse/mount/watcher.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/log.h"
#include "util/process.h"

/* Wait until the daemon has ended, which closes its end of the socket. */
static void
await_end(int sock, struct own_mount *m)
{
	struct own_mount told;
	ssize_t n;

	*m = (struct own_mount){ .id = -1 };
	do {
		n = read(sock, &told, sizeof(told));
		if (n == sizeof(told))
			*m = told;
	} while (n > 0 || (n < 0 && errno == EINTR));
}

/* The watcher must outlive the daemon, whatever ends that: also a signal to
 * its process group, its terminal or its service. */
static void
become_watcher(int sock)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	if (dup2(sock, STDIN_FILENO) < 0)
		_exit(EXIT_FAILURE);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	process_close_inherited(-1);
	process_reserve_standard_files();
	(void)setsid();
	if (chdir("/") < 0)
		_exit(EXIT_FAILURE);
}

static void
watcher_run(int sock, const char *mountpoint)
{
	struct own_mount m;
	int rc;

	become_watcher(sock);
	setproctitle("auto_unmount of %s", mountpoint);
	await_end(STDIN_FILENO, &m);
	if (m.id < 0)
		_exit(EXIT_SUCCESS);
	/* A daemon that ended in order has unmounted itself. */
	log_to_syslog();
	rc = own_mount_end(&m, true);
	if (rc == 0)
		log_warn("%s: the daemon has ended without unmounting: "
			 "unmounted",
		    mountpoint);
	else if (rc != -ENOENT && rc != -ENOTEMPTY)
		log_warn("%s: the daemon has ended, and its mount cannot be "
			 "taken off: %s",
		    mountpoint, strerror(-rc));
	_exit(EXIT_SUCCESS);
}

int
watcher_start(const char *mountpoint)
{
	int socks[2], err;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0 ||
	    (pid = fork()) < 0) {
		err = errno;
		log_error("auto_unmount: cannot start a process: %s",
		    strerror(err));
		return -err;
	}
	if (pid == 0)
		watcher_run(socks[1], mountpoint);
	close(socks[1]);
	return socks[0];
}

void
watcher_set_mount(int fd, const struct own_mount *m)
{
	if (fd >= 0 && send(fd, m, sizeof(*m), MSG_NOSIGNAL) < 0)
		log_warn("auto_unmount: the process that watches has gone: %s",
		    strerror(errno));
}
