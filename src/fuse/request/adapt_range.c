/* SPDX-License-Identifier: ISC */
/* Requests on ranges of contents: holes, fallocate(2), copy_file_range(2). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"

/* What one copy_file_range(2) request copies at most, and how much it copies
 * before it looks again whether the caller was interrupted: some 10 ms. */
#define COPY_MAX (64u << 20)
#define COPY_PIECE (4u << 20)

static void
do_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t off, off_t len,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	int rc;

	(void)fi;
	if (control_owns(ino))
		rc = -EOPNOTSUPP;
	else if (off < 0 || len <= 0)
		rc = -EINVAL;
	else
		rc = fs_fallocate(c->fs, ino, mode, (uint64_t)off,
		    (uint64_t)len);
	reply_status(req, rc);
}

/* An lseek that waits until the kernel has dropped its pages. */
struct seek {
	struct page_drop drop; /* first */
	fuse_req_t req;
	off_t off;
	int whence;
};

static void
reply_seek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence)
{
	struct connection *c = request_connection(req);
	int64_t at = fs_lseek(c->fs, ino, (uint64_t)off, whence);

	if (at < 0)
		reply_status(req, (int)at);
	else
		fuse_reply_lseek(req, at);
}

static void
seek_after_drop(struct page_drop *drop)
{
	struct seek *s = (struct seek *)drop;

	fs_holes_left(request_connection(s->req)->fs, drop->ino);
	reply_seek(s->req, drop->ino, s->off, s->whence);
	free(s);
}

/* Programs may have written to pages of holes through a map. Then have the
 * kernel hand over what they wrote, first. */
static void
seek_settled(fuse_req_t req, fuse_ino_t ino, off_t off, int whence)
{
	struct connection *c = request_connection(req);
	struct seek *s = NULL;

	if (fs_holes_leave(c->fs, ino))
		s = malloc(sizeof(*s));
	if (s != NULL) {
		*s = (struct seek){
			.drop = { .ino = ino, .then = seek_after_drop },
			.req = req,
			.off = off,
			.whence = whence,
		};
		if (kernel_cache_drop_pages(c, &s->drop))
			return;
		free(s);
	}
	reply_seek(req, ino, off, whence);
}

static void
do_lseek(fuse_req_t req, fuse_ino_t ino, off_t off, int whence,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	(void)fi;
	/* Dirty pages of the kernel may lie where fs sees a hole. After ENOSYS
	 * the kernel treats the whole file as data, and asks no more. */
	if (c->kernel_writeback)
		reply_status(req, -ENOSYS);
	else if (control_owns(ino))
		reply_status(req, -EINVAL);
	else if (off < 0)
		reply_status(req, -ENXIO);
	else
		seek_settled(req, ino, off, whence);
}

/* Copy piece by piece, and stop early when the caller has got a signal, which
 * may be to kill it. Returns the number of bytes copied. */
static ssize_t
copy_pieces(fuse_req_t req, fuse_ino_t ino_in, uint64_t off_in,
    fuse_ino_t ino_out, uint64_t off_out, size_t len)
{
	struct connection *c = request_connection(req);
	size_t done = 0, part;
	ssize_t n = 0;

	if (len > COPY_MAX)
		len = COPY_MAX;
	while (done < len) {
		part = len - done < COPY_PIECE ? len - done : COPY_PIECE;
		n = fs_copy_range(c->fs, ino_in, off_in + done, ino_out,
		    off_out + done, part);
		if (n > 0)
			done += (size_t)n;
		if (n < (ssize_t)part || fuse_req_interrupted(req))
			break;
	}
	return done != 0 ? (ssize_t)done : n;
}

static void
do_copy_file_range(fuse_req_t req, fuse_ino_t ino_in, off_t off_in,
    struct fuse_file_info *fi_in, fuse_ino_t ino_out, off_t off_out,
    struct fuse_file_info *fi_out, size_t len, int flags)
{
	struct connection *c = request_connection(req);
	ssize_t n;
	int rc;

	(void)fi_in;
	(void)fi_out;
	if (control_owns(ino_in) || control_owns(ino_out) || flags != 0 ||
	    off_in < 0 || off_out < 0)
		n = -EINVAL;
	else
		n = copy_pieces(req, ino_in, (uint64_t)off_in, ino_out,
		    (uint64_t)off_out, len);
	if (n >= 0 && (fi_out->flags & O_DSYNC) != 0) {
		rc = fs_fsync(c->fs, ino_out);
		if (rc < 0)
			n = rc;
	}
	reply_count(req, n);
}

void
adapt_fill_range(struct fuse_lowlevel_ops *ops)
{
	ops->fallocate = do_fallocate;
	ops->lseek = do_lseek;
	ops->copy_file_range = do_copy_file_range;
}
