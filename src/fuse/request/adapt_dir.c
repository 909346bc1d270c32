/* SPDX-License-Identifier: ISC */
/*
 * Requests on open directories. The kernel caches listings, and drops them
 * itself when it changes the directory. A handle is a directory stream of fs
 * with a lock, since threads may share one descriptor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/handle.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"
#include "util/mutex.h"

struct dir_handle {
	struct handle base;
	struct fs *fs;
	struct mutex mu;
	struct fs_dir *dir GUARDED_BY(mu);
};

/* The smallest entry of a readdirplus reply; bounds how many fit. */
#define ENTRY_PLUS_MIN 152

struct listing {
	fuse_req_t req;
	bool plus;
	char *buf;
	size_t len, cap;
	uint64_t *counted; /* readdirplus: inodes with a lookup counted */
	size_t ncounted;
};

static struct dir_handle *
dir_handle(const struct fuse_file_info *fi)
{
	return (struct dir_handle *)(uintptr_t)fi->fh;
}

static void
dir_handle_close(struct handle *base) UNSHARED
{
	struct dir_handle *h = (struct dir_handle *)base;

	fs_closedir(h->fs, h->dir);
	mutex_fini(&h->mu);
	free(h);
}

static int
dir_handle_open(struct connection *c, uint64_t ino, struct dir_handle **hp)
{
	struct dir_handle *h = calloc(1, sizeof(*h));
	int rc;

	*hp = NULL;
	if (h == NULL)
		return -ENOMEM;
	rc = fs_opendir(c->fs, ino, &h->dir);
	if (rc < 0) {
		free(h);
		return rc;
	}
	h->fs = c->fs;
	mutex_init(&h->mu);
	h->base.close = dir_handle_close;
	handle_add(&c->handles, &h->base);
	*hp = h;
	return 0;
}

static void
do_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	struct dir_handle *h;
	int rc;

	if (control_owns(ino)) {
		control_opendir(req, ino, fi);
		return;
	}
	rc = dir_handle_open(c, ino, &h);
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	fi->fh = (uint64_t)(uintptr_t)h;
	fi->cache_readdir = 1;
	fi->keep_cache = 1;
	if (fuse_reply_open(req, fi) < 0)
		handle_end(&c->handles, &h->base);
}

static void
do_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	if (!control_owns(ino))
		handle_end(&c->handles, &dir_handle(fi)->base);
	reply_status(req, 0);
}

/* Copies the name, since libfuse wants it NUL-terminated. */
static bool
add_entry(void *arg, const struct fs_dirent *d)
{
	struct listing *l = arg;
	char name[FS_NAME_MAX + 1];
	struct fuse_entry_param e = { 0 };
	size_t left = l->cap - l->len;
	size_t need;

	if (d->name.len > FS_NAME_MAX)
		return true; /* longer than a name can be: leave it out */
	memcpy(name, d->name.data, d->name.len);
	name[d->name.len] = '\0';
	if (l->plus && d->attr != NULL) {
		reply_fill_entry(request_connection(l->req), d->attr, &e);
	} else {
		e.attr.st_ino = d->ino;
		e.attr.st_mode = d->type;
	}
	if (l->plus)
		need = fuse_add_direntry_plus(l->req, l->buf + l->len, left,
		    name, &e, d->next);
	else
		need = fuse_add_direntry(l->req, l->buf + l->len, left, name,
		    &e.attr, d->next);
	if (need > left)
		return false;
	l->len += need;
	if (e.ino != 0)
		l->counted[l->ncounted++] = e.ino;
	return true;
}

static void
adapt_list(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi, bool plus)
{
	struct connection *c = request_connection(req);
	struct dir_handle *h = dir_handle(fi);
	struct listing l = { .req = req, .plus = plus, .cap = size };
	bool is_safe = true;
	int rc = -ENOMEM;

	if (control_owns(ino)) {
		control_readdir(req, size, off, plus);
		return;
	}
	l.buf = malloc(size);
	if (plus)
		l.counted = malloc(
		    (size / ENTRY_PLUS_MIN + 1) * sizeof(*l.counted));
	if (l.buf != NULL && (!plus || l.counted != NULL)) {
		mutex_lock(&h->mu);
		rc = fs_readdir(c->fs, h->dir, off,
		    plus && !connection_is_over_limit(c), add_entry, &l);
		is_safe = l.len != 0 || fs_dir_is_safe(h->dir);
		mutex_unlock(&h->mu);
	}
	/* After an empty reply the kernel takes its cached listing for
	 * complete. This one is not, so its pages are dropped. */
	if (!is_safe)
		kernel_cache_forget_pages(c, ino);
	/* Entries found before an error are still returned; the error comes
	 * again with the next call. */
	if (rc < 0 && l.len == 0)
		reply_status(req, rc);
	else if (fuse_reply_buf(req, l.buf, l.len) < 0)
		for (size_t i = 0; i < l.ncounted; i++)
			fs_forget(c->fs, l.counted[i], 1);
	free(l.counted);
	free(l.buf);
}

static void
do_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	adapt_list(req, ino, size, off, fi, false);
}

static void
do_readdirplus(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	adapt_list(req, ino, size, off, fi, true);
}

static void
do_fsyncdir(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	(void)datasync;
	(void)fi;
	if (ino == FS_ROOT_INO)
		kernel_cache_sync(req, 0);
	else
		reply_status(req, control_owns(ino) ? 0 : fs_fsync(c->fs, ino));
}

void
adapt_fill_dir(struct fuse_lowlevel_ops *ops)
{
	ops->opendir = do_opendir;
	ops->releasedir = do_releasedir;
	ops->readdir = do_readdir;
	ops->readdirplus = do_readdirplus;
	ops->fsyncdir = do_fsyncdir;
}
