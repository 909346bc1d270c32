/* SPDX-License-Identifier: ISC */
/*
 * The FUSE connection; see mount_fuse.h. What libfuse and fusermount3 have
 * to say when a mount fails goes to stderr in their own form; it is caught
 * and becomes one line of ours.
 */
#include "fuse/mount/mount_fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/request/adapt.h"
#include "fuse/fuse_api.h"
#include "fuse/mount/own_mount.h"
#include "fuse/serve/protocol.h"
#include "fuse/mount/watcher.h"
#include "util/log.h"

void
session_init_conn(void *userdata, struct fuse_conn_info *conn)
{
	struct session *s = userdata;
	unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC |
	    FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_READDIRPLUS |
	    FUSE_CAP_READDIRPLUS_AUTO | FUSE_CAP_ASYNC_DIO |
	    FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPLICIT_INVAL_DATA;

	/*
	 * Nobody else changes the store, so the kernel's copies stay true
	 * (EXPLICIT_INVAL_DATA, no AUTO_INVAL_DATA). Values are memory, so
	 * splicing only costs. HANDLE_KILLPRIV would make us drop set-id
	 * bits even for root; protocol.c asks for its second version.
	 * EXPORT_SUPPORT needs inodes to be found by number alone, which
	 * the rows do not offer.
	 */
	if (s->opts.fs.acl)
		want |= FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK;
	if (s->opts.kernel_writeback)
		want |= FUSE_CAP_WRITEBACK_CACHE;
	conn->want = want & conn->capable;
	conn->max_write = s->opts.request_bytes;
	conn->max_background = s->opts.max_background;
	conn->congestion_threshold = s->opts.max_background * 3 / 4;
	if (conn->congestion_threshold == 0)
		conn->congestion_threshold = 1;
	conn->time_gran = 1;
}

static int
add_options(struct session *s, const struct options *opts,
    struct fuse_args *args)
{
	char *list = NULL, *fsname = NULL, *subtype = NULL;
	int rc = -ENOMEM;

	if (asprintf(&fsname, "fsname=%s",
		opts->fsname[0] != '\0' ? opts->fsname : s->store) < 0)
		fsname = NULL;
	if (asprintf(&subtype, "subtype=%s",
		opts->subtype[0] != '\0' ? opts->subtype : "kvfs") < 0)
		subtype = NULL;
	if (fsname != NULL && subtype != NULL &&
	    fuse_opt_add_opt(&list, "default_permissions") == 0 &&
	    fuse_opt_add_opt_escaped(&list, subtype) == 0 &&
	    fuse_opt_add_opt_escaped(&list, fsname) == 0 &&
	    fuse_opt_add_opt(&list, opts->nosuid ? "nosuid" : "suid") == 0 &&
	    fuse_opt_add_opt(&list, opts->nodev ? "nodev" : "dev") == 0 &&
	    (!opts->noexec || fuse_opt_add_opt(&list, "noexec") == 0) &&
	    (!opts->read_only || fuse_opt_add_opt(&list, "ro") == 0) &&
	    (opts->fs.atime || fuse_opt_add_opt(&list, "noatime") == 0) &&
	    (!opts->allow_other ||
		fuse_opt_add_opt(&list, "allow_other") == 0) &&
	    fuse_opt_add_arg(args, "kvfs") == 0 &&
	    fuse_opt_add_arg(args, "-o") == 0 &&
	    fuse_opt_add_arg(args, list) == 0 &&
	    (!opts->debug || fuse_opt_add_arg(args, "-d") == 0))
		rc = 0;
	free(subtype);
	free(fsname);
	free(list);
	return rc;
}

/* stderr, led into a pipe for a while. */
struct capture {
	int saved, read_fd;
};

static void
capture_begin(struct capture *c)
{
	int fds[2];

	c->saved = c->read_fd = -1;
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return;
	c->saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (c->saved >= 0 && dup2(fds[1], STDERR_FILENO) >= 0)
		c->read_fd = fds[0];
	else
		close(fds[0]);
	close(fds[1]);
}

/* Restores stderr; what was written to it, as one line, in buf. */
static void
capture_end(struct capture *c, char *buf, size_t len)
{
	ssize_t n = 0;

	buf[0] = '\0';
	if (c->saved >= 0) {
		dup2(c->saved, STDERR_FILENO);
		close(c->saved);
	}
	if (c->read_fd < 0)
		return;
	n = read(c->read_fd, buf, len - 1);
	close(c->read_fd);
	buf[n > 0 ? n : 0] = '\0';
	for (char *p = buf; *p != '\0'; p++) {
		if (*p == '\n')
			*p = p[1] != '\0' ? ';' : '\0';
	}
}

static int
do_mount(struct session *s)
{
	struct capture c;
	char said[1024];
	int rc;

	fflush(stderr);
	capture_begin(&c);
	rc = fuse_session_mount(s->se, s->mountpoint);
	capture_end(&c, said, sizeof(said));
	if (rc != 0) {
		log_error("%s: cannot mount: %s", s->mountpoint,
		    said[0] != '\0' ? said : "see the system log");
		return -EPERM;
	}
	if (said[0] != '\0')
		log_warn("%s: %s", s->mountpoint, said);
	return 0;
}

/* From then on it may have something to say in the middle of a request. */
static void __attribute__((format(printf, 2, 0)))
say(enum fuse_log_level level, const char *fmt, va_list ap)
{
	char line[1024];
	int n = vsnprintf(line, sizeof(line), fmt, ap);

	if (n > 0)
		line[strcspn(line, "\n")] = '\0';
	if (level <= FUSE_LOG_ERR)
		log_error("libfuse: %s", line);
	else if (level <= FUSE_LOG_WARNING)
		log_warn("libfuse: %s", line);
	else
		log_debug("libfuse: %s", line);
}

int
mount_fuse(struct session *s, const struct options *opts)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_lowlevel_ops ops;
	int rc;

	rc = add_options(s, opts, &args);
	if (rc == 0) {
		adapt_fill(&ops);
		s->se = fuse_session_new(&args, &ops, sizeof(ops), s);
		if (s->se == NULL)
			rc = -ENOMEM;
	}
	fuse_opt_free_args(&args);
	if (rc < 0) {
		log_error("libfuse: cannot make a session: %s", strerror(-rc));
		return rc;
	}
	rc = do_mount(s);
	if (rc < 0)
		return rc;
	fuse_set_log_func(say);
	s->fuse_mounted = true;
	/* Without /proc it stays unknown, and is not taken off by us. */
	if (own_mount_find(s->mountpoint, &s->mount) < 0)
		log_warn("%s: cannot find the mount in /proc/self/mountinfo",
		    s->mountpoint);
	watcher_tell(s->watcher_fd, &s->mount);
	rc = protocol_install(s->se);
	if (rc != 0) {
		log_error("libfuse: cannot install the message hooks: %s",
		    strerror(abs(rc)));
		return -abs(rc);
	}
	return 0;
}

/* True when the kernel has ended the connection: the last copy of the
 * mount has gone. */
static bool
has_ended(const struct session *s)
{
	struct pollfd p = { .fd = fuse_session_fd(s->se), .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/*
 * libfuse unmounts whatever lies uppermost at the path, so it may do so only
 * where it does not: the connection has ended. Otherwise the connection is
 * closed, since nobody answers any more, and then our mount alone is taken
 * off. What is still open elsewhere gets ENOTCONN.
 */
void
unmount_fuse(struct session *s)
{
	if (s->se == NULL)
		return;
	if (s->fuse_mounted && has_ended(s))
		fuse_session_unmount(s->se);
	fuse_session_destroy(s->se);
	/* An aborted connection, too, leaves its mount behind. */
	if (s->fuse_mounted)
		(void)own_mount_end(&s->mount, true);
	s->se = NULL;
}

void
session_forget_attr(struct session *s, uint64_t ino)
{
	(void)fuse_lowlevel_notify_inval_inode(s->se, ino, -1, 0);
}

void
session_forget_range(struct session *s, uint64_t ino, uint64_t off, size_t n)
{
	(void)fuse_lowlevel_notify_inval_inode(s->se, ino, (off_t)off,
	    (off_t)n);
}

void
session_forget_pages(struct session *s, uint64_t ino)
{
	(void)fuse_lowlevel_notify_inval_inode(s->se, ino, 0, 0);
}
