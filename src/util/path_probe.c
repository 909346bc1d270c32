/* SPDX-License-Identifier: ISC */
/* See path_probe.h. */
#include "util/path_probe.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/mutex.h"
#include "util/process.h"

#define FUSE_MAGIC 0x65735546
#define KVFS_FILE ".kvfs/stats"

/* realpath(3) of the parent, and the last component. */
static bool
resolve_by_parent(const char *name, char out[PATH_MAX])
{
	char one[PATH_MAX], two[PATH_MAX], parent[PATH_MAX];
	const char *last;

	if (strlcpy(one, name, sizeof(one)) >= sizeof(one))
		return false;
	strlcpy(two, name, sizeof(two));
	last = basename(two);
	if (strcmp(last, ".") == 0 || strcmp(last, "..") == 0 ||
	    realpath(dirname(one), parent) == NULL)
		return false;
	return snprintf(out, PATH_MAX, "%s/%s",
		   strcmp(parent, "/") != 0 ? parent : "",
		   strcmp(last, "/") != 0 ? last : "") < PATH_MAX;
}

/* Sent as one message, so that the parent gets all of it or nothing. */
static void
path_probe_send(int fd, const struct path_probe *p)
{
	(void)send(fd, p, sizeof(*p), MSG_NOSIGNAL);
}

static bool
has_control(const char *path)
{
	char file[PATH_MAX + 16];

	snprintf(file, sizeof(file), "%s/%s", path, KVFS_FILE);
	return faccessat(AT_FDCWD, file, F_OK, AT_EACCESS) == 0;
}

/* Runs in the child: sends what is known after each step. */
static void
path_probe_run(int fd, const char *name)
{
	struct path_probe p = { .rc = -ETIMEDOUT };
	struct statfs sf;

	if (!resolve_by_parent(name, p.path))
		p.path[0] = '\0';
	path_probe_send(fd, &p);
	if (realpath(name, p.path) == NULL) {
		p.rc = -errno;
		(void)resolve_by_parent(name, p.path);
		path_probe_send(fd, &p);
		return;
	}
	path_probe_send(fd, &p);
	/* The kernel may answer stat(2) from its cache; for statfs(2) it asks
	 * the file system. */
	p.rc = statfs(p.path, &sf) == 0 ? 0 : -errno;
	/* It answers, but this user may not enter. */
	if (p.rc == -EACCES)
		p.rc = 0;
	else if (p.rc == 0 && sf.f_type == FUSE_MAGIC)
		p.is_kvfs = has_control(p.path);
	path_probe_send(fd, &p);
}

/* Receive messages until the child ends: false when time is up. */
static bool
path_probe_receive(int fd, struct path_probe *p)
{
	uint64_t end = clock_now_ns() + PATH_PROBE_MS * NS_PER_MS;
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct path_probe step;

	for (;;) {
		uint64_t now = clock_now_ns();
		ssize_t n;

		if (now >= end)
			return false;
		if (poll(&pfd, 1, (int)((end - now) / NS_PER_MS + 1)) <= 0)
			continue;
		n = read(fd, &step, sizeof(step));
		if (n == 0)
			return true;
		if (n == sizeof(step))
			*p = step;
	}
}

int
path_probe(const char *name, struct path_probe *p)
{
	int fds[2], rc;
	pid_t pid;

	*p = (struct path_probe){ .rc = -ETIMEDOUT };
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0)
		return p->rc = -errno;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(fds[0]);
		close(fds[1]);
		return p->rc = rc;
	}
	if (pid == 0) {
		/* The child may live on: it must not keep a pipe or lock of
		 * this process open. */
		if (dup2(fds[1], STDIN_FILENO) < 0)
			_exit(1);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		process_close_inherited(-1);
		path_probe_run(STDIN_FILENO, name);
		_exit(0);
	}
	close(fds[1]);
	if (path_probe_receive(fds[0], p)) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	} else {
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, WNOHANG);
	}
	close(fds[0]);
	return p->rc;
}
