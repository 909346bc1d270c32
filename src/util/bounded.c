/* SPDX-License-Identifier: ISC */
/* See bounded.h. */
#include "util/bounded.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/clock.h"
#include "util/mutex.h"
#include "util/process.h"

struct opening {
	const char *path;
	int flags;
};

/* The child sends a result, and a descriptor unless fd is -1. */
static void
bounded_send(int sock, int rc, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = &rc, .iov_len = sizeof(rc) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (fd >= 0) {
		msg.msg_control = control.buf;
		msg.msg_controllen = sizeof(control.buf);
		c = CMSG_FIRSTHDR(&msg);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	(void)sendmsg(sock, &msg, MSG_NOSIGNAL);
}

/* Receive the result, and the descriptor or -1. */
static int
bounded_receive(int sock, int *fdp)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control;
	int rc = -ECHILD;
	struct iovec iov = { .iov_base = &rc, .iov_len = sizeof(rc) };
	struct msghdr msg = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf) };
	struct cmsghdr *c;

	*fdp = -1;
	if (recvmsg(sock, &msg, MSG_CMSG_CLOEXEC) != sizeof(rc))
		return -ECHILD;
	c = CMSG_FIRSTHDR(&msg);
	if (c != NULL && c->cmsg_type == SCM_RIGHTS)
		memcpy(fdp, CMSG_DATA(c), sizeof(*fdp));
	return rc;
}

/* Wait for a message: false after timeout_ms; negative: wait for ever. */
static bool
await_message(int sock, int timeout_ms)
{
	uint64_t end = clock_now_ns() + (uint64_t)timeout_ms * NS_PER_MS;
	struct pollfd p = { .fd = sock, .events = POLLIN };
	int left_ms = timeout_ms, n;

	while ((n = poll(&p, 1, left_ms)) < 0 && errno == EINTR) {
		uint64_t now = clock_now_ns();

		if (timeout_ms >= 0)
			left_ms = now < end ? (int)((end - now) / NS_PER_MS) :
					      0;
	}
	return n > 0;
}

/* Close all inherited files except sock: the child may live on, and must keep
 * neither the FUSE connection, nor a lock, nor a pipe whose end a process waits
 * for. */
static void
close_all_files(int sock)
{
	if (dup2(sock, STDIN_FILENO) < 0)
		_exit(1);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	process_close_inherited(-1);
	process_reserve_standard_files();
}

static int
run_child(int (*fn)(void *arg), void *arg, int timeout_ms, int *fdp)
{
	int socks[2], rc;
	pid_t pid;

	*fdp = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, socks) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		rc = -errno;
		close(socks[0]);
		close(socks[1]);
		return rc;
	}
	if (pid == 0) {
		close_all_files(socks[1]);
		rc = fn(arg);
		bounded_send(STDIN_FILENO, rc, rc > 0 ? rc : -1);
		_exit(0);
	}
	close(socks[1]);
	if (await_message(socks[0], timeout_ms)) {
		rc = bounded_receive(socks[0], fdp);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	} else {
		rc = -ETIMEDOUT;
		kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, WNOHANG);
	}
	close(socks[0]);
	return rc;
}

int
bounded_call(int (*fn)(void *arg), void *arg, int timeout_ms)
{
	int fd;

	return run_child(fn, arg, timeout_ms, &fd);
}

static int
open_it(void *arg)
{
	const struct opening *o = arg;
	int fd = open(o->path, o->flags | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
bounded_open(const char *path, int flags)
{
	struct opening o = { path, flags };
	int fd, rc = run_child(open_it, &o, BOUNDED_PATH_MS, &fd);

	if (rc < 0)
		return rc;
	return fd >= 0 ? fd : -EMFILE;
}
