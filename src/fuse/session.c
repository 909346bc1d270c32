/* SPDX-License-Identifier: ISC */
/* One mount from start to end; see session.h. */
#include "fuse/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "fuse/fuse_api.h"
#include "fuse/mount/mount_fuse.h"
#include "fuse/mount/mountpoint.h"
#include "fuse/mount/stateless.h"
#include "fuse/prune.h"
#include "fuse/request/adapt.h"
#include "fuse/serve/loop.h"
#include "util/daemon_note.h"
#include "util/log.h"

/* After a signal and the unmount, wait so long for other users of the
 * connection (a bind mount, a mount namespace). */
#define LINGER_MS 2000

static int
open_fs(struct session *s, const struct options *opts)
{
	struct kv_options kv_opts = opts->kv;
	struct fs_options fs_opts = opts->fs;
	char owner[DAEMON_NOTE_MAX];
	int rc;

	daemon_note_make(owner, sizeof(owner), s->mount.mountpoint);
	kv_opts.owner = owner;
	rc = kv_open(s->mount.store, &kv_opts, &s->kv);
	if (rc < 0)
		return rc;
	rc = fs_open(s->kv, &fs_opts, &s->fs);
	s->control.kv = s->kv;
	s->control.fs = s->conn.fs = s->fs;
	return rc;
}

void
session_signals(sigset_t *set)
{
	static const int ends[] = { SIGTERM, SIGINT, SIGHUP };
	struct sigaction now;

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (sigaction(ends[i], NULL, &now) == 0 &&
		    now.sa_handler != SIG_IGN)
			sigaddset(set, ends[i]);
}

static int
open_fds(struct session *s)
{
	sigset_t set;

	session_signals(&set);
	s->done_fd = eventfd(0, EFD_CLOEXEC);
	s->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (s->done_fd < 0 || s->signal_fd < 0) {
		int err = errno;

		log_error("eventfd: %s: raise the limit of open files",
		    strerror(err));
		return -err;
	}
	return 0;
}

static int
mount_and_serve(struct session *s, const struct options *opts)
{
	struct fuse_lowlevel_ops ops;
	int rc;

	adapt_fill(&ops);
	rc = fuse_mount_open(&s->mount, opts, &ops, &s->conn);
	s->conn.se = s->mount.se;
	if (rc == 0)
		rc = loop_start(s->mount.se, opts, s->done_fd,
		    &s->control.loop);
	if (rc == 0)
		loop_set_commits_wait(s->control.loop,
		    opts->kv.sync == KV_SYNC_FULL);
	return rc;
}

int
session_open(struct session *s, const struct options *given, const char *store,
    const char *mountpoint, int watcher_fd)
{
	struct options opts = *given;
	struct prune_limits limits = { opts.inode_bytes, opts.memory_bytes,
		opts.kv.cache_bytes };
	dev_t dev;
	int rc;

	*s = (struct session){ .done_fd = -1, .signal_fd = -1 };
	opts.fs.keep_times = opts.kernel_writeback;
	opts.fs.stateless = stateless_is_possible(&opts);
	fuse_mount_init(&s->mount, store, mountpoint, watcher_fd);
	connection_init(&s->conn, &opts);
	control_init(&s->control, &opts, store, mountpoint, &s->conn);
	s->conn.control = &s->control;
	lane_socket_init(&s->lane);
	s->conn.lane = &s->lane;
	rc = open_fds(s);
	if (rc == 0)
		rc = open_fs(s, &opts);
	if (rc == 0) {
		lane_socket_open(&s->lane, mountpoint, opts.memory_bytes);
		rc = mount_and_serve(s, &opts);
	}
	if (rc == 0)
		lane_socket_start(&s->lane, &s->conn);
	if (rc == 0)
		rc = prune_start(s->kv, s->fs, s->mount.se, &limits, &s->prune);
	if (rc == 0 && !mountpoint_answers(mountpoint, &dev)) {
		log_error("%s: mounted, but does not answer: see the lines "
			  "before",
		    mountpoint);
		rc = -EIO;
	}
	return rc;
}

/* True when fd became readable in time; timeout_ms < 0 waits for ever. */
static bool
wait_readable(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0;
}

/* Have the kernel write back its dirty pages. */
static int
sync_mount(const struct session *s)
{
	int fd = own_mount_open(&s->mount.own, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	(void)syncfs(fd);
	close(fd);
	return 0;
}

/*
 * A signal has come. Unmount while requests are still served, so that the
 * kernel can write back its dirty pages. A mount that is in use is unmounted
 * all the same. It stays, without its daemon, if another mount lies on it or
 * if its path leads through a mount that hangs.
 */
static void
end_mount(struct session *s)
{
	int rc = sync_mount(s);

	if (rc != -ETIMEDOUT)
		rc = own_mount_end(&s->mount.own, false);
	if (rc == -EBUSY) {
		log_warn("%s: in use: ending all the same, open files are "
			 "lost to their programs",
		    s->mount.mountpoint);
		rc = own_mount_end(&s->mount.own, true);
	}
	/* fuse_mount_close() then leaves it alone. */
	if (rc == -ENOTEMPTY || rc == -ETIMEDOUT)
		s->mount.is_mounted = false;
	if (rc == 0)
		(void)wait_readable(s->done_fd, LINGER_MS);
	else if (rc == -ETIMEDOUT)
		log_warn("%s: cannot unmount: what it lies in hangs: the mount "
			 "stays, without its daemon: umount -l it later",
		    s->mount.mountpoint);
	else if (rc != -ENOENT && rc != -ENOTEMPTY)
		log_warn("%s: cannot unmount: %s", s->mount.mountpoint,
		    strerror(-rc));
}

int
session_wait(struct session *s)
{
	struct pollfd p[2] = {
		{ .fd = s->done_fd, .events = POLLIN },
		{ .fd = s->signal_fd, .events = POLLIN },
	};

	while (poll(p, 2, -1) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (p[0].revents == 0)
		end_mount(s);
	setproctitle(DAEMON_ENDING "%s on %s", s->mount.store,
	    s->mount.mountpoint);
	return 0;
}

static int
first_error(int a, int b)
{
	return a < 0 ? a : b;
}

int
session_close(struct session *s)
{
	int rc;

	/* First, since their notifications may wait for requests. */
	prune_stop(s->prune);
	lane_socket_stop(&s->lane);
	kernel_cache_end(&s->conn.kernel_cache);
	rc = loop_stop(s->control.loop);
	control_end(&s->control);
	fuse_mount_close(&s->mount);
	handle_end_all(&s->conn.handles);
	rc = first_error(rc, fs_close(s->fs));
	rc = first_error(rc, kv_close(s->kv));
	if (s->done_fd >= 0)
		close(s->done_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	fuse_mount_fini(&s->mount);
	control_fini(&s->control);
	lane_socket_fini(&s->lane);
	connection_fini(&s->conn);
	return rc;
}
