/* SPDX-License-Identifier: ISC */
/*
 * Requests on open files; those on ranges are in adapt_range.c. There are no
 * handles: the inode number suffices, and fs counts the opens, unless the
 * mount is stateless (stateless.h). The kernel keeps O_DIRECT coherent with
 * its cache.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "fuse/control/control_dir.h"
#include "fuse/reply/reply.h"
#include "fuse/request/adapt.h"
#include "fuse/serve/protocol.h"

/* Pieces that one writev(2) takes, without the header. */
#define MAX_PIECES (IOV_MAX - 1)
/* Pieces without an allocation: a read of 1 MiB in chunks of 32 KiB. */
#define STACK_PIECES 40

/* Up to this size a file leaves the kernel's cache when it is opened, so that
 * reads come here and set its access time. Larger files stay: their pages are
 * worth more than the time. */
#define ATIME_REREAD_MAX (128u << 10)

/* Must the file leave the kernel's cache? Reads from there are not seen
 * here, and do not set the access time. */
static bool
must_see_reads(struct connection *c, uint64_t ino,
    const struct fuse_file_info *fi)
{
	uint64_t size;

	return (fi->flags & O_ACCMODE) != O_WRONLY &&
	    (fi->flags & (O_NOATIME | O_TRUNC)) == 0 &&
	    fs_atime_is_due(c->fs, ino, &size) &&
	    (size <= ATIME_REREAD_MAX || c->strictatime);
}

static bool
may_write(const struct fuse_file_info *fi)
{
	return (fi->flags & O_ACCMODE) != O_RDONLY;
}

/* Set what the answer to an open says about caching and closing. */
static void
set_open_flags(struct connection *c, struct fuse_file_info *fi, bool keep_cache)
{
	fi->keep_cache = keep_cache;
	/* close(2) commits contents; after reads alone there are none. */
	fi->noflush = ((fi->flags & O_ACCMODE) == O_RDONLY &&
			  (fi->flags & O_TRUNC) == 0) ||
	    atomic_load_explicit(&c->flush_lazy, memory_order_relaxed);
}

/*
 * Clear set-id bits, as the write or truncation that follows does. The kernel
 * does not expect the mode to change, so its copy of the attributes is
 * dropped. That may be done within the request: it takes no lock of the inode.
 */
static int
kill_suid(fuse_req_t req, uint64_t ino, bool truncates)
{
	struct connection *c = request_connection(req);
	unsigned bits = FS_SET_KILL_SUID;
	struct fs_attr attr;
	int rc;

	if (!protocol_kill_suid())
		return 0;
	rc = fs_getattr(c->fs, ino, &attr);
	if (rc < 0 || (attr.mode & (S_ISUID | S_ISGID)) == 0)
		return rc;
	/* Before a write the kernel has asked for both already. */
	if (truncates)
		bits = adapt_kill_bits(req, &attr);
	rc = fs_setattr(c->fs, ino, &attr, bits, &attr);
	if (rc == 0)
		kernel_cache_forget_attr(c, ino);
	return rc;
}

/* Undo a successful open. Of CREATE's, some kernels send a RELEASE even when
 * OPEN is not used. */
static void
end_open(struct connection *c, uint64_t ino, const struct fuse_file_info *fi)
{
	if (c->stateless)
		return;
	if (may_write(fi) && fs_writer_end(c->fs, ino))
		kernel_cache_forget_attr(c, ino);
	if (may_write(fi))
		kernel_cache_closed(c, fi);
	fs_release(c->fs, ino);
}

static void
do_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	bool truncate = (fi->flags & O_TRUNC) != 0;
	int rc;

	if (c->stateless) {
		reply_status(req, -ENOSYS);
		return;
	}
	if (control_owns(ino)) {
		control_open(req, ino, fi);
		return;
	}
	rc = fs_openfile(c->fs, ino, truncate);
	if (rc == 0 && truncate) {
		rc = kill_suid(req, ino, true);
		if (rc < 0)
			fs_release(c->fs, ino);
	}
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	if (may_write(fi)) {
		if (fs_writer_begin(c->fs, ino))
			kernel_cache_forget_attr(c, ino);
		kernel_cache_opened(c, ino, fi);
	}
	set_open_flags(c, fi, !must_see_reads(c, ino, fi));
	if (fuse_reply_open(req, fi) < 0)
		end_open(c, ino, fi);
}

static void
do_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	struct fs_cred cred = request_creator(req);
	struct fuse_entry_param e;
	struct fs_attr attr;
	int rc;

	if (control_reserves(parent, name)) {
		reply_status(req, -EPERM);
		return;
	}
	mode = (mode & ~(mode_t)S_IFMT) | S_IFREG;
	if (protocol_is_tmpfile()) {
		rc = fs_tmpfile(c->fs, parent, mode, &cred, &attr);
	} else {
		rc = fs_create(c->fs, parent, slice_str(name), mode, 0, &cred,
		    &attr);
	}
	if (rc == 0 && !protocol_is_tmpfile() && !c->stateless) {
		rc = fs_openfile(c->fs, attr.ino, false);
		if (rc < 0)
			fs_forget(c->fs, attr.ino, 1);
	}
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	if (may_write(fi) && !c->stateless) {
		if (fs_writer_begin(c->fs, attr.ino))
			(void)fs_getattr(c->fs, attr.ino, &attr);
		kernel_cache_opened(c, attr.ino, fi);
	}
	reply_fill_entry(c, &attr, &e);
	if (c->stateless)
		fi->keep_cache = 1;
	else
		set_open_flags(c, fi, true);
	if (fuse_reply_create(req, &e, fi) < 0) {
		end_open(c, attr.ino, fi);
		fs_forget(c->fs, attr.ino, 1);
	}
}

static void
do_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	if (!control_owns(ino))
		end_open(c, ino, fi);
	reply_status(req, 0);
}

/* Reply with more pieces than a writev(2) takes, joined in one buffer. */
static void
reply_joined(fuse_req_t req, const struct fs_read *r)
{
	char *all = malloc(r->bytes);
	size_t n = 0;

	if (all == NULL) {
		reply_status(req, -ENOMEM);
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		memcpy(all + n, r->pieces[i].data, r->pieces[i].len);
		n += r->pieces[i].len;
	}
	reply_bytes(req, 0, slice_make(all, n));
	free(all);
}

static void
reply_pieces(fuse_req_t req, const struct fs_read *r)
{
	struct iovec stack[STACK_PIECES];
	struct iovec *iov = stack;

	if (r->count <= 1) {
		reply_bytes(req, 0,
		    r->count == 1 ? r->pieces[0] : (struct slice){ 0 });
		return;
	}
	if (r->count > STACK_PIECES && r->count <= MAX_PIECES)
		iov = calloc(r->count, sizeof(*iov));
	if (r->count > MAX_PIECES || iov == NULL) {
		reply_joined(req, r);
		return;
	}
	for (size_t i = 0; i < r->count; i++) {
		iov[i].iov_base = (void *)(uintptr_t)r->pieces[i].data;
		iov[i].iov_len = r->pieces[i].len;
	}
	fuse_reply_iov(req, iov, (int)r->count);
	if (iov != stack)
		free(iov);
}

static void
do_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	unsigned how = 0;
	struct fs_read r;
	int rc;

	if (control_owns(ino)) {
		control_read(req, ino, size, off);
		return;
	}
	if ((fi->flags & O_NOATIME) != 0)
		how |= FS_READ_NOATIME;
	if ((fi->flags & O_DIRECT) != 0)
		how |= FS_READ_DIRECT;
	rc = fs_read_how(c->fs, ino, (uint64_t)off, size, how, &r);
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	if (r.blocks_changed)
		kernel_cache_forget_attr(c, ino);
	reply_pieces(req, &r);
	fs_read_done(&r);
}

static void
do_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size,
    off_t off, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);
	ssize_t n;
	int rc;

	if (control_owns(ino)) {
		control_write(req, ino, slice_make(data, size));
		return;
	}
	rc = kill_suid(req, ino, false);
	if (rc < 0) {
		reply_status(req, rc);
		return;
	}
	/* O_APPEND needs no care: the kernel knows the size. */
	n = fs_write(c->fs, ino, (uint64_t)off, slice_make(data, size));
	/* O_SYNC includes the bit of O_DSYNC. */
	if (n >= 0 && (fi->flags & O_DSYNC) != 0 && !fi->writepage) {
		rc = fs_fsync(c->fs, ino);
		if (rc < 0)
			n = rc;
	}
	if (n > 0 && (fi->flags & O_DIRECT) != 0 && !fi->writepage &&
	    fs_is_shared(c->fs, ino))
		kernel_cache_direct_written(req, ino, (uint64_t)off, (size_t)n);
	else
		reply_count(req, n);
}

static void
do_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	(void)fi;
	if (c->stateless)
		reply_status(req, -ENOSYS);
	else
		reply_status(req, control_owns(ino) ? 0 : fs_flush(c->fs, ino));
}

static void
do_fsync(fuse_req_t req, fuse_ino_t ino, int datasync,
    struct fuse_file_info *fi)
{
	struct connection *c = request_connection(req);

	(void)datasync;
	(void)fi;
	reply_status(req, control_owns(ino) ? 0 : fs_fsync(c->fs, ino));
}

void
adapt_fill_io(struct fuse_lowlevel_ops *ops)
{
	ops->open = do_open;
	ops->create = do_create;
	ops->release = do_release;
	ops->read = do_read;
	ops->write = do_write;
	ops->flush = do_flush;
	ops->fsync = do_fsync;
}
