/* SPDX-License-Identifier: ISC */
/* Going to the background; see daemonize.h. */
#include "fuse/mount/daemonize.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuse/mount/claim.h"
#include "util/log.h"
#include "util/process.h"

/* Wait so long for the reader of stderr to take what was logged. */
#define FLUSH_MS 1000

/* Wait until the daemon is ready or has ended. */
static pid_t
await_ready(int fd, pid_t pid)
{
	char byte;
	ssize_t n;
	int status = 0;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	close(fd);
	if (n == 1)
		return pid;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFSIGNALED(status))
		log_error("the daemon: ended by signal %d while starting: see "
			  "the system log",
		    WTERMSIG(status));
	return -ECHILD;
}

pid_t
daemon_fork(struct daemon *d)
{
	int fds[2];
	pid_t pid;

	d->ready_fd = -1;
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0) {
		log_error("cannot start a daemon: %s: try kvfs -f",
		    strerror(errno));
		return -EAGAIN;
	}
	if (pid > 0) {
		close(fds[1]);
		return await_ready(fds[0], pid);
	}
	/* The parent holds the claim until the daemon is ready. */
	process_close_inherited(fds[1]);
	d->claim_fd = -1;
	d->ready_fd = fds[1];
	(void)setsid();
	return 0;
}

void
daemon_ready(struct daemon *d)
{
	int null;
	ssize_t n;

	claim_drop(d->claim_fd);
	d->claim_fd = -1;
	if (d->ready_fd < 0)
		return;
	(void)log_flush(FLUSH_MS);
	log_to_syslog();
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		if (null > STDERR_FILENO)
			close(null);
	}
	/* The parent may have been killed: SIGPIPE is ignored. */
	n = write(d->ready_fd, "", 1);
	(void)n;
	close(d->ready_fd);
	d->ready_fd = -1;
}
