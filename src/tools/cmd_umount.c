/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl umount: end a mount, and return when its daemon has ended and
 * everything is on disk. The daemon is watched through a pidfd that is
 * taken before the unmount, so that no other process of that number can be
 * mistaken for it.
 */
#include "tools/command.h"
#include "tools/mounts.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kvfs/kv.h"

/* How long the mount may go on in other namespaces. */
#define COPIES_MS 3000

#define OWNER_MOUNTED "mounted at "

/* What name says: a mountpoint, or a store that is mounted. */
static int
find_mount(const char *name, struct mount *m)
{
	struct kv_owner owner;
	char path[PATH_MAX];
	int rc = mount_realpath(name, path);

	if (rc < 0)
		return command_failed(name, rc);
	if (mount_at(path, m) > 0)
		return 0;
	rc = kv_owner(path, &owner);
	if (rc > 0 &&
	    strncmp(owner.note, OWNER_MOUNTED, strlen(OWNER_MOUNTED)) == 0 &&
	    mount_at(owner.note + strlen(OWNER_MOUNTED), m) > 0)
		return 0;
	if (rc > 0) {
		warnx("%s: in use by process %d%s%s, but not mounted", name,
		    owner.pid, owner.note[0] != '\0' ? ", " : "", owner.note);
		return 1;
	}
	/* A daemon that died leaves its mount behind. */
	if (rc == 0 && mount_of_source(path, m) > 0)
		return 0;
	if (rc == 0)
		warnx("%s: not mounted", name);
	else if (rc == -ENOENT || rc == -ENOTDIR)
		warnx("%s: neither a store nor a mountpoint of kvfs", name);
	else
		command_failed(name, rc);
	return 1;
}

/* The daemon's process id, as it says itself. */
static int
ask_pid(struct target *t)
{
	char *text = NULL, *line;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc = -ENOMEM;

	if (out == NULL)
		return rc;
	rc = target_control(t, "stats", out);
	if (fclose(out) != 0 && rc >= 0)
		rc = -ENOMEM;
	if (rc >= 0) {
		line = strstr(text, "\nPid: ");
		rc = line != NULL ? atoi(line + strlen("\nPid: ")) : 0;
		if (rc <= 0)
			rc = -EPROTO;
	}
	free(text);
	return rc;
}

static int
daemon_pidfd(struct target *t)
{
	int pid = ask_pid(t), fd;

	if (pid < 0)
		return pid;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	/* It still answers under that number: the pidfd is of it. */
	if (ask_pid(t) == pid)
		return fd;
	close(fd);
	return -ESRCH;
}

/*
 * The daemon ends when the last copy of its mount has gone. Other mount
 * namespaces (a service with a private /tmp, a container) may hold copies
 * for as long as they live: after a while it is asked to end all the same,
 * which makes everything durable first.
 */
static int
wait_for_daemon(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int timeout_ms = COPIES_MS, n;

	while ((n = poll(&p, 1, timeout_ms)) <= 0) {
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0) {
			(void)syscall(SYS_pidfd_send_signal, pidfd, SIGTERM,
			    NULL, 0);
			timeout_ms = -1;
		}
	}
	return 0;
}

/* fusermount3(1) is set-uid root and checks that the mount is ours. */
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
	/* It has said why. */
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

static int
detach(const char *path, bool lazy)
{
	if (geteuid() != 0)
		return run_fusermount(path, lazy);
	if (umount2(path, UMOUNT_NOFOLLOW | (lazy ? MNT_DETACH : 0)) == 0)
		return 0;
	if (errno == EBUSY)
		warnx("%s: in use: a process has files open there or stands "
		      "in it (fuser -vm %s lists them)",
		    path, path);
	else
		warn("%s", path);
	return 1;
}

/* A mount whose daemon has died: there is nothing to wait for. */
static int
unmount_dead(const struct mount *m)
{
	return detach(m->path, true);
}

static int
unmount(const struct mount *m, bool force)
{
	struct target *t;
	int pidfd, rc = target_open_mount(m->path, &t), status = 0;

	if (rc == -ENOTCONN)
		return unmount_dead(m);
	if (rc < 0)
		return command_failed(m->path, rc);
	pidfd = daemon_pidfd(t);
	rc = target_control(t, "sync", stdout);
	/* The mount is in use as long as it is held open. */
	target_close(t);
	if (rc < 0 && rc != -EROFS) {
		warnx("%s: the last changes could not be made durable: %s%s",
		    m->path, strerror(-rc),
		    force ? "" : "; still mounted, -f ends it all the same");
		status = 1;
		if (!force)
			goto out;
	}
	if (detach(m->path, force) != 0) {
		status = 1;
		goto out;
	}
	rc = pidfd < 0 ? pidfd : wait_for_daemon(pidfd);
	if (rc < 0) {
		warnx("%s: unmounted, but cannot see when the daemon has "
		      "ended: %s",
		    m->path, strerror(-rc));
		status = 1;
	}
out:
	if (pidfd >= 0)
		close(pidfd);
	return status;
}

static int
run(const struct command *cmd, int argc, char **argv)
{
	struct mount *m;
	bool force = false;
	int o, status;

	while ((o = getopt(argc, argv, "+f")) != -1) {
		if (o != 'f')
			return command_misuse(cmd);
		force = true;
	}
	if (argc - optind != 1)
		return command_misuse(cmd);
	m = calloc(1, sizeof(*m));
	if (m == NULL)
		return command_failed(argv[optind], -ENOMEM);
	status = find_mount(argv[optind], m);
	if (status == 0)
		status = unmount(m, force);
	free(m);
	return status;
}

const struct command cmd_umount = {
	.name = "umount",
	.summary = "unmount, and wait until everything is on disk",
	.usage = "umount [-f] MOUNTPOINT|STORE\n"
		 "  -f  also when it is in use or cannot be made durable",
	.run = run,
};
