/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl umount: unmount, and return when the daemon has ended and everything
 * is on disk. The daemon is watched by a pidfd, opened before the unmount, so
 * that a later process with the same process id is not taken for it.
 */
#include "tools/command.h"
#include "tools/detach.h"
#include "tools/end_backups.h"
#include "tools/place.h"
#include "util/daemon_note.h"

#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long to wait for a daemon that goes on serving, since other namespaces,
 * bind mounts or, after -f, open files use the mount. */
#define COPIES_MS 3000
/* How often to look whether it is about to end. */
#define POLL_MS 100
/* How long a daemon that did not answer may take to end by itself after
 * SIGTERM. */
#define HUNG_END_MS 1000

/* The daemon's process id, from its stats. */
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
daemon_pidfd(struct target *t, int *pidp)
{
	int pid = ask_pid(t), fd;

	if (pid < 0)
		return pid;
	*pidp = pid;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	/* It still answers with this process id, so the pidfd is right. */
	if (ask_pid(t) == pid)
		return fd;
	close(fd);
	return -ESRCH;
}

/* Has the process ended within that time? */
static bool
has_ended(int pidfd, int timeout_ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, timeout_ms) > 0;
}

/*
 * Wait until the daemon has ended; it may take long to write its data to disk.
 * It ends when nothing uses the mount any more: open files after a forced
 * unmount, which are waited for, and bind mounts and other namespaces, for
 * which it waits COPIES_MS only.
 */
static void
wait_for_daemon(const struct mount *m, int pidfd, int pid, bool for_files)
{
	int waited_ms = 0;

	while (!has_ended(pidfd, POLL_MS)) {
		if (daemon_is_ending(pid))
			continue;
		waited_ms += POLL_MS;
		if (waited_ms == COPIES_MS)
			warnx("%s: unmounted; its daemon, process %d, goes on "
			      "until %s",
			    m->path, pid,
			    for_files ?
				"the last file there is closed: waiting" :
				"the last copy of the mount has gone");
		if (waited_ms >= COPIES_MS && !for_files)
			return;
	}
}

/*
 * A mount that does not answer. Its daemon gets a signal, by which one that is
 * only slow ends in order. Then the mount is taken off, and calls that wait for
 * the daemon fail.
 */
static int
unmount_hung(const struct place *p)
{
	int pidfd = -1;

	if (p->pid > 0)
		pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	if (pidfd >= 0 && has_ended(pidfd, HUNG_END_MS)) {
		close(pidfd);
		return 0;
	}
	if (detach_hung(&p->mount) != 0) {
		if (pidfd >= 0)
			close(pidfd);
		return 1;
	}
	if (pidfd < 0)
		warnx("%s: unmounted; its daemon, which does not answer, is "
		      "not known: it ends when it goes on",
		    p->mount.path);
	else if (!has_ended(pidfd, POLL_MS))
		warnx("%s: unmounted; its daemon, process %d, does not answer: "
		      "it ends when it goes on",
		    p->mount.path, (int)p->pid);
	if (pidfd >= 0)
		close(pidfd);
	return 0;
}

static int
unmount_live(const struct mount *m, bool force)
{
	struct target *t;
	int pid = 0, pidfd, rc = target_open_mount(m->path, &t), status = 0;

	if (rc == -ENOTCONN)
		return detach_mount(m, true);
	if (rc < 0)
		return command_failed(m->path, rc);
	pidfd = daemon_pidfd(t, &pid);
	rc = target_control(t, "sync", stdout);
	if (rc >= 0)
		end_backups(t);
	if (rc < 0 && rc != -EROFS) {
		warnx("%s: the last changes could not be made durable: %s%s",
		    m->path, strerror(-rc),
		    force ? "" : "; still mounted, -f ends it all the same");
		status = 1;
	}
	/* The open target would keep the mount in use. */
	if (!force)
		target_close(t);
	if (status != 0 && !force)
		goto out;
	if (detach_mount(m, force) != 0) {
		status = 1;
		force = false;
	} else if (force) {
		/* Contents may have been written during the unmount. */
		(void)target_control(t, "sync", stdout);
	}
	if (force)
		target_close(t);
	if (status == 0 && pidfd >= 0) {
		wait_for_daemon(m, pidfd, pid, force);
	} else if (status == 0) {
		warnx("%s: unmounted, but cannot see when the daemon has "
		      "ended: %s",
		    m->path, strerror(-pidfd));
		status = 1;
	}
out:
	if (pidfd >= 0)
		close(pidfd);
	return status;
}

/* The operand is a store that is not mounted; but a killed daemon may have left
 * its mount. */
static int
unmount_store(const char *name, struct place *p)
{
	if (place_find_dead(p))
		return detach_mount(&p->mount, true);
	warnx("%s: not mounted", name);
	return 1;
}

static int
unmount_place(const char *name, bool force)
{
	struct place *p = calloc(1, sizeof(*p));
	int status = 1;

	if (p == NULL)
		return command_failed(name, -ENOMEM);
	if (place_find(name, p) < 0) {
		free(p);
		return 1;
	}
	switch (p->kind) {
	case PLACE_MOUNT:
		status = unmount_live(&p->mount, force);
		break;
	case PLACE_DEAD:
		status = detach_mount(&p->mount, true);
		break;
	case PLACE_HUNG:
		if (force)
			status = unmount_hung(p);
		else
			place_report(name, p);
		break;
	case PLACE_STORE:
		status = unmount_store(name, p);
		break;
	case PLACE_USED:
		place_report(name, p);
		break;
	}
	free(p);
	return status;
}

static int
umount_run(const struct command *cmd, int argc, char **argv)
{
	bool force = false;
	int o;

	while ((o = getopt(argc, argv, "+f")) != -1) {
		if (o != 'f')
			return command_misuse(cmd);
		force = true;
	}
	if (argc - optind != 1)
		return command_misuse(cmd);
	return unmount_place(argv[optind], force);
}

const struct command cmd_umount = {
	.name = "umount",
	.summary = "unmount, and wait until everything is on disk",
	.usage =
	    "umount [-f] MOUNTPOINT|STORE\n"
	    "  -f  also when it is in use, cannot be made durable or hangs",
	.run = umount_run,
};
