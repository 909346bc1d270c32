/* SPDX-License-Identifier: ISC */
/* The life of a mount; see session.h. */
#include "fuse/session.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuse/request/adapt.h"
#include "fuse/fuse_api.h"
#include "fuse/serve/loop.h"
#include "fuse/mount/mount_fuse.h"
#include "fuse/mount/mountpoint.h"
#include "fuse/prune.h"
#include "util/daemon_note.h"
#include "util/log.h"

/* How long an unmounted connection may go on elsewhere (a bind mount, a
 * mount namespace) after a signal. */
#define LINGER_MS 2000

static int
open_fs(struct session *s)
{
	struct kv_options kv = s->opts.kv;
	char owner[DAEMON_NOTE_MAX];
	int rc;

	daemon_note_make(owner, sizeof(owner), s->mountpoint);
	kv.owner = owner;
	rc = kv_open(s->store, &kv, &s->kv);
	if (rc < 0)
		return rc;
	s->opts.fs.keep_times = s->kernel_writeback;
	return fs_open(s->kv, &s->opts.fs, &s->fs);
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

int
session_open(struct session *s, const struct options *opts, const char *store,
    const char *mountpoint, int watcher_fd)
{
	struct prune_limits limits = { opts->inode_bytes, opts->memory_bytes,
		opts->kv.cache_bytes };
	dev_t dev;
	int rc;

	*s = (struct session){ .store = store,
		.mountpoint = mountpoint,
		.watcher_fd = watcher_fd };
	s->mount.id = -1;
	s->done_fd = s->signal_fd = -1;
	s->opts = *opts;
	s->noxattr = opts->noxattr;
	s->kernel_writeback = opts->kernel_writeback;
	s->max_inodes = opts->inode_bytes / fs_inode_bytes();
	s->uid = geteuid();
	s->gid = getegid();
	atomic_init(&s->flush_lazy, !opts->fs.flush_on_close);
	atomic_init(&s->backup_ends, 0);
	atomic_init(&s->backups, 0);
	clock_gettime(CLOCK_BOOTTIME, &s->started);
	mutex_init(&s->change_mu);
	mutex_init(&s->mu);
	cond_init(&s->idle);
	LIST_INIT(&s->handles);
	kernel_cache_init(&s->kernel_cache);
	rc = open_fds(s);
	if (rc == 0)
		rc = open_fs(s);
	if (rc == 0)
		rc = mount_fuse(s, &s->opts);
	if (rc == 0)
		rc = loop_start(s->se, opts, s->done_fd, &s->loop);
	if (rc == 0)
		rc = prune_start(s->kv, s->fs, s->se, &limits, &s->prune);
	if (rc == 0)
		loop_set_commits_wait(s->loop, opts->kv.sync == KV_SYNC_FULL);
	if (rc == 0 && !mountpoint_answers(mountpoint, &dev)) {
		log_error("%s: mounted, but does not answer: see the lines "
			  "before",
		    mountpoint);
		rc = -EIO;
	}
	return rc;
}

bool
session_is_crowded(struct session *s)
{
	return fs_inode_count(s->fs) > s->max_inodes;
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

/* Let the kernel hand over what it has gathered. */
static int
sync_mount(const struct session *s)
{
	int fd = own_mount_open(&s->mount, O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		return fd;
	(void)syncfs(fd);
	close(fd);
	return 0;
}

/*
 * A signal asks us to end. Unmounting while requests are still served lets
 * the kernel write back what it has. A mount that is in use ends all the
 * same; one with another mount on it stays, without us, and so does one whose
 * path leads through a mount that hangs.
 */
static void
leave(struct session *s)
{
	int rc = sync_mount(s);

	if (rc != -ETIMEDOUT)
		rc = own_mount_end(&s->mount, false);
	if (rc == -EBUSY) {
		log_warn("%s: in use: ending all the same, open files are "
			 "lost to their programs",
		    s->mountpoint);
		rc = own_mount_end(&s->mount, true);
	}
	/* Left alone from here on. */
	if (rc == -ENOTEMPTY || rc == -ETIMEDOUT)
		s->fuse_mounted = false;
	if (rc == 0)
		(void)wait_readable(s->done_fd, LINGER_MS);
	else if (rc == -ETIMEDOUT)
		log_warn("%s: cannot unmount: what it lies in hangs: the mount "
			 "stays, without its daemon: umount -l it later",
		    s->mountpoint);
	else if (rc != -ENOENT && rc != -ENOTEMPTY)
		log_warn("%s: cannot unmount: %s", s->mountpoint,
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
		leave(s);
	setproctitle(DAEMON_ENDING "%s on %s", s->store, s->mountpoint);
	return 0;
}

static void
await_jobs(struct session *s)
{
	mutex_lock(&s->mu);
	while (s->job_threads != 0)
		cond_wait(&s->idle, &s->mu);
	mutex_unlock(&s->mu);
}

static int
first(int a, int b)
{
	return a < 0 ? a : b;
}

int
session_close(struct session *s)
{
	int rc;

	/* Their messages may wait for requests to be served. */
	prune_stop(s->prune);
	kernel_cache_end(&s->kernel_cache);
	rc = loop_stop(s->loop);
	await_jobs(s);
	unmount_fuse(s);
	handle_end_all(s);
	kernel_cache_fini(&s->kernel_cache);
	rc = first(rc, fs_close(s->fs));
	rc = first(rc, kv_close(s->kv));
	if (s->done_fd >= 0)
		close(s->done_fd);
	if (s->signal_fd >= 0)
		close(s->signal_fd);
	if (s->watcher_fd >= 0)
		close(s->watcher_fd);
	cond_fini(&s->idle);
	mutex_fini(&s->mu);
	mutex_fini(&s->change_mu);
	return rc;
}
