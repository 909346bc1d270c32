/* SPDX-License-Identifier: ISC */
/* See detach.h. */
#include "tools/detach.h"
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

/* The longest that an unmount may take: it may wait for a daemon that
 * hangs. */
#define HUNG_MS 2000

/* fusermount3(1) is set-uid root, and checks that the user made the mount. */
static int
run_fusermount(const char *path, bool lazy)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return command_failed("fork", -errno);
	if (pid == 0) {
		if (lazy)
			execlp("fusermount3", "fusermount3", "-u", "-z", "--",
			    path, (char *)NULL);
		else
			execlp("fusermount3", "fusermount3", "-u", "--", path,
			    (char *)NULL);
		err(127, "fusermount3");
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return command_failed("fusermount3", -errno);
	/* fusermount3 has printed why it failed. */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

/* Is m still the topmost mount at its path, with nothing mounted on it? A lazy
 * unmount would take that off, too. */
static bool
may_detach(const struct mount *m)
{
	struct mount now;

	if (mount_at(m->path, &now) <= 0 || now.id != m->id ||
	    now.dev != m->dev) {
		warnx("%s: something else has been mounted there meanwhile",
		    m->path);
		return false;
	}
	if (now.on_it[0] != '\0') {
		warnx("%s: %s is mounted on it: unmount that first", m->path,
		    now.on_it);
		return false;
	}
	return true;
}

static int
detach_by(const struct mount *m, int flags)
{
	if (geteuid() != 0)
		return run_fusermount(m->path, (flags & MNT_DETACH) != 0);
	if (umount2(m->path, UMOUNT_NOFOLLOW | flags) == 0)
		return 0;
	if (errno == EBUSY)
		warnx("%s: in use: a process has files open there or stands "
		      "in it (fuser -vm %s lists them)",
		    m->path, m->path);
	else
		warn("%s", m->path);
	return 1;
}

int
detach_mount(const struct mount *m, bool lazy)
{
	return may_detach(m) ? detach_by(m, lazy ? MNT_DETACH : 0) : 1;
}

/* Abort the connection by its file, which its user owns; MNT_FORCE takes
 * privileges. */
static void
abort_connection(dev_t dev)
{
	char name[64];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "/sys/fs/fuse/connections/%u/abort",
	    minor(dev));
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = write(fd, "1", 1);
	(void)n;
	close(fd);
}

int
detach_hung(const struct mount *m)
{
	struct pollfd p = { .events = POLLIN };
	int status = 0;
	pid_t pid;

	if (!may_detach(m))
		return 1;
	pid = fork();
	if (pid < 0)
		return command_failed("fork", -errno);
	if (pid == 0) {
		abort_connection(m->dev);
		_exit(detach_by(m, MNT_FORCE | MNT_DETACH));
	}
	p.fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (p.fd >= 0 && poll(&p, 1, HUNG_MS) <= 0) {
		warnx("%s: does not let go within %d s", m->path,
		    HUNG_MS / 1000);
		kill(pid, SIGKILL);
		close(p.fd);
		return 1;
	}
	if (p.fd >= 0)
		close(p.fd);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 1;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}
