/* SPDX-License-Identifier: ISC */
/*
 * Raw messages; see protocol.h. The first request of a connection is INIT,
 * and the kernel sends no other before it is answered, so the data of INIT
 * need no lock.
 */
#include "fuse/serve/protocol.h"

#include <assert.h>
#include <fcntl.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "fuse/fuse_api.h"
#include "fuse/serve/affinity.h"

/* Bytes of INIT up to its flags; older kernels send no more. */
#define INIT_IN_MIN 16

static struct {
	uint64_t unique;
	uint32_t offered; /* flags of the kernel */
	_Atomic uint32_t minor; /* relaxed */
	atomic_bool pending; /* INIT was read, not answered yet */
} init;

#define STATX_IN_BYTES 24u

/* struct fuse_setxattr_in with FUSE_SETXATTR_EXT, and without. */
#define SETXATTR_IN_BYTES 16u
#define SETXATTR_IN_OLD_BYTES 8u

static bool has_acl; /* constant once mounted */

/* What libfuse does not pass on of this thread's current request. */
static _Thread_local bool kill_suid, is_tmpfile, is_statx;

bool
protocol_kill_suid(void)
{
	return kill_suid;
}

bool
protocol_is_tmpfile(void)
{
	return is_tmpfile;
}

bool
protocol_is_statx(void)
{
	return is_statx;
}

uint32_t
protocol_kernel_minor(void)
{
	return atomic_load_explicit(&init.minor, memory_order_relaxed);
}

static void
peek_init(const struct fuse_in_header *in, const struct fuse_init_in *arg)
{
	init.unique = in->unique;
	init.offered = arg->flags;
	atomic_store_explicit(&init.minor, arg->minor, memory_order_relaxed);
	atomic_store_explicit(&init.pending, true, memory_order_relaxed);
}

/* Turn the long form of SETXATTR (FUSE_SETXATTR_EXT) into the short one, the
 * only one that libfuse knows. */
static void
shorten_setxattr(struct fuse_in_header *in, uint8_t *arg, size_t left)
{
	uint32_t flags;

	memcpy(&flags, arg + SETXATTR_IN_OLD_BYTES, sizeof(flags));
	kill_suid = (flags & FUSE_SETXATTR_ACL_KILL_SGID) != 0;
	memmove(arg + SETXATTR_IN_OLD_BYTES, arg + SETXATTR_IN_BYTES,
	    left - SETXATTR_IN_BYTES);
	in->len -= SETXATTR_IN_BYTES - SETXATTR_IN_OLD_BYTES;
}

enum request_kind
protocol_peek(void *request, size_t len)
{
	struct fuse_in_header *in = request;
	union {
		struct fuse_write_in write;
		struct fuse_open_in open;
		struct fuse_init_in init;
		uint8_t bytes[SETXATTR_IN_BYTES];
	} *arg = (void *)(in + 1);
	size_t left = len - sizeof(*in);

	kill_suid = is_tmpfile = is_statx = false;
	if (len < sizeof(*in))
		return REQUEST_BRIEF;
	if (in->opcode == FUSE_WRITE && left >= sizeof(arg->write)) {
		kill_suid = arg->write.write_flags & FUSE_WRITE_KILL_SUIDGID;
		if (arg->write.flags & O_DSYNC)
			return REQUEST_SYNC;
	} else if (in->opcode == FUSE_OPEN && left >= sizeof(arg->open)) {
		kill_suid = arg->open.open_flags & FUSE_OPEN_KILL_SUIDGID;
		if (arg->open.flags & O_TRUNC)
			return REQUEST_COMMIT;
	} else if (in->opcode == OPCODE_TMPFILE) {
		is_tmpfile = true;
		in->opcode = FUSE_CREATE;
	} else if (in->opcode == OPCODE_STATX && left >= STATX_IN_BYTES) {
		is_statx = true;
		in->opcode = FUSE_GETATTR;
	} else if (in->opcode == FUSE_SETXATTR && has_acl &&
	    left >= SETXATTR_IN_BYTES) {
		shorten_setxattr(in, arg->bytes, left);
	} else if (in->opcode == FUSE_INIT && left >= INIT_IN_MIN) {
		peek_init(in, &arg->init);
	}
	return opcode_get(in->opcode)->kind;
}

uint32_t
protocol_caller(const void *request, size_t len)
{
	const struct fuse_in_header *in = request;

	if (len < sizeof(*in) || opcode_get(in->opcode)->is_unanswered)
		return 0;
	return in->pid;
}

/* struct fuse_statx_out of <linux/fuse.h> since 6.6. */
struct statx_time {
	int64_t sec;
	uint32_t nsec;
	int32_t reserved;
};

struct statx_device {
	uint32_t major, minor;
};

struct statx_attr {
	uint32_t mask, blksize;
	uint64_t attributes;
	uint32_t nlink, uid, gid;
	uint16_t mode, reserved;
	uint64_t ino, size, blocks, attributes_mask;
	struct statx_time atime, btime, ctime, mtime;
	struct statx_device rdev, dev;
	uint64_t reserved2[14];
};

struct statx_out {
	uint64_t attr_valid;
	uint32_t attr_valid_nsec, flags;
	uint64_t reserved[2];
	struct statx_attr attr;
};
static_assert(sizeof(struct statx_out) == 288, "laid out as the kernel does");

static struct statx_time
statx_time(const struct timespec *t)
{
	return (struct statx_time){
		.sec = t->tv_sec,
		.nsec = (uint32_t)t->tv_nsec,
	};
}

void
protocol_reply_statx(struct fuse_req *req, const struct stat *st,
    const struct timespec *btime, double timeout)
{
	struct statx_out out = {
		.attr_valid = (uint64_t)timeout,
		.attr = {
			.mask = STATX_BASIC_STATS | STATX_BTIME,
			.blksize = (uint32_t)st->st_blksize,
			.nlink = (uint32_t)st->st_nlink,
			.uid = st->st_uid,
			.gid = st->st_gid,
			.mode = (uint16_t)st->st_mode,
			.ino = st->st_ino,
			.size = (uint64_t)st->st_size,
			.blocks = (uint64_t)st->st_blocks,
			.atime = statx_time(&st->st_atim),
			.btime = statx_time(btime),
			.ctime = statx_time(&st->st_ctim),
			.mtime = statx_time(&st->st_mtim),
			.rdev = { major(st->st_rdev), minor(st->st_rdev) },
		},
	};

	fuse_reply_buf(req, (const char *)&out, sizeof(out));
}

static ssize_t
read_request(int fd, void *buf, size_t len, void *arg)
{
	(void)arg;
	return read(fd, buf, len);
}

static void
edit_init_reply(struct iovec *iov, int count)
{
	const struct fuse_out_header *out = iov[0].iov_base;
	struct fuse_init_out *reply;

	if (out->unique != init.unique)
		return;
	atomic_store_explicit(&init.pending, false, memory_order_relaxed);
	if (out->error != 0 || count != 2 ||
	    iov[1].iov_len < FUSE_COMPAT_22_INIT_OUT_SIZE)
		return;
	reply = iov[1].iov_base;
	reply->flags |= init.offered &
	    (FUSE_PARALLEL_DIROPS | FUSE_HANDLE_KILLPRIV_V2);
	/* No other request is served now, so has_acl may change here. */
	has_acl = (reply->flags & FUSE_POSIX_ACL) != 0 &&
	    (init.offered & FUSE_SETXATTR_EXT) != 0;
	if (has_acl)
		reply->flags |= FUSE_SETXATTR_EXT;
}

static ssize_t
write_reply(int fd, struct iovec *iov, int count, void *arg)
{
	const struct fuse_out_header *out = iov[0].iov_base;

	(void)arg;
	if (atomic_load_explicit(&init.pending, memory_order_relaxed))
		edit_init_reply(iov, count);
	/* A notification: no caller waits for it. */
	if (out->unique == 0)
		return writev(fd, iov, count);
	return affinity_writev(fd, iov, count);
}

int
protocol_install(struct fuse_session *se)
{
	static const struct fuse_custom_io io = {
		.writev = write_reply,
		.read = read_request,
	};

	return fuse_session_custom_io(se, &io, fuse_session_fd(se));
}
