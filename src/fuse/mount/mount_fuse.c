/* SPDX-License-Identifier: ISC */
/*
 * The FUSE connection; see mount_fuse.h. When a mount fails, libfuse and
 * fusermount3 write several lines to stderr. These are captured, and become
 * one line of the log.
 */
#include "fuse/mount/mount_fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fuse/fuse_api.h"
#include "fuse/mount/watcher.h"
#include "fuse/serve/protocol.h"
#include "util/log.h"

void
fuse_mount_init(struct fuse_mount *m, const char *store, const char *mountpoint,
    int watcher_fd)
{
	*m = (struct fuse_mount){ .store = store,
		.mountpoint = mountpoint,
		.watcher_fd = watcher_fd };
	m->own.id = -1;
}

static int
add_options(const struct fuse_mount *m, const struct options *opts,
    struct fuse_args *args)
{
	char *list = NULL, *fsname = NULL, *subtype = NULL;
	int rc = -ENOMEM;

	if (asprintf(&fsname, "fsname=%s",
		opts->fsname[0] != '\0' ? opts->fsname : m->store) < 0)
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
	    (opts->fs.atime != FS_ATIME_NEVER ||
		fuse_opt_add_opt(&list, "noatime") == 0) &&
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

/* stderr, redirected into a pipe for a while. */
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

/* Restore stderr; buf gets what was written to it, as one line. */
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
do_mount(struct fuse_mount *m)
{
	struct capture c;
	char said[1024];
	int rc;

	fflush(stderr);
	capture_begin(&c);
	rc = fuse_session_mount(m->se, m->mountpoint);
	capture_end(&c, said, sizeof(said));
	if (rc != 0) {
		log_error("%s: cannot mount: %s", m->mountpoint,
		    said[0] != '\0' ? said : "see the system log");
		return -EPERM;
	}
	if (said[0] != '\0')
		log_warn("%s: %s", m->mountpoint, said);
	return 0;
}

/* libfuse may log during any request. */
static void __attribute__((format(printf, 2, 0)))
log_libfuse(enum fuse_log_level level, const char *fmt, va_list ap)
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
fuse_mount_open(struct fuse_mount *m, const struct options *opts,
    const struct fuse_lowlevel_ops *ops, void *userdata)
{
	struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
	int rc;

	rc = add_options(m, opts, &args);
	if (rc == 0) {
		m->se = fuse_session_new(&args, ops, sizeof(*ops), userdata);
		if (m->se == NULL)
			rc = -ENOMEM;
	}
	fuse_opt_free_args(&args);
	if (rc < 0) {
		log_error("libfuse: cannot make a session: %s", strerror(-rc));
		return rc;
	}
	rc = do_mount(m);
	if (rc < 0)
		return rc;
	fuse_set_log_func(log_libfuse);
	m->is_mounted = true;
	/* Without /proc the mount is not known, and not taken off at the end. */
	if (own_mount_find(m->mountpoint, &m->own) < 0)
		log_warn("%s: cannot find the mount in /proc/self/mountinfo",
		    m->mountpoint);
	watcher_set_mount(m->watcher_fd, &m->own);
	rc = protocol_install(m->se);
	if (rc != 0) {
		log_error("libfuse: cannot install the message hooks: %s",
		    strerror(abs(rc)));
		return -abs(rc);
	}
	return 0;
}

/* Has the kernel ended the connection, since no copy of the mount is left? */
static bool
has_ended(const struct fuse_mount *m)
{
	struct pollfd p = { .fd = fuse_session_fd(m->se), .events = POLLIN };

	return poll(&p, 1, 0) == 1 && (p.revents & POLLERR) != 0;
}

/*
 * libfuse would unmount whatever is mounted topmost at the path; it does not
 * when the connection has ended. Otherwise the connection is closed first,
 * since no thread answers any more, and then this mount alone is taken off.
 * Programs that still have files open in it get ENOTCONN.
 */
void
fuse_mount_close(struct fuse_mount *m)
{
	if (m->se != NULL) {
		if (m->is_mounted && has_ended(m))
			fuse_session_unmount(m->se);
		fuse_session_destroy(m->se);
		/* An aborted connection leaves its mount, too. */
		if (m->is_mounted)
			(void)own_mount_end(&m->own, true);
		m->se = NULL;
	}
}

void
fuse_mount_fini(struct fuse_mount *m)
{
	if (m->watcher_fd >= 0)
		close(m->watcher_fd);
}
