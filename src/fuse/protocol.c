/* SPDX-License-Identifier: ISC */
/*
 * Raw messages; see protocol.h. The first request of a connection is INIT,
 * and nothing else is sent before it is answered, so what is kept of it
 * needs no lock.
 */
#include "fuse/protocol.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdatomic.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "fuse/fuse_api.h"

/* Up to the flags; older kernels send no more. */
#define INIT_IN_MIN 16

static struct {
	uint64_t unique;
	uint32_t offered; /* flags of the kernel */
	atomic_bool pending; /* INIT was read, not answered yet */
} init;

static _Thread_local bool kill_suid;

bool
protocol_kill_suid(void)
{
	return kill_suid;
}

static enum request_kind
kind_of(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_GETATTR:
	case FUSE_GETXATTR:
	case FUSE_STATFS:
	case FUSE_INTERRUPT:
		return REQUEST_BRIEF;
	case FUSE_CREATE:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
	case FUSE_UNLINK:
	case FUSE_RMDIR:
	case FUSE_RENAME:
	case FUSE_RENAME2:
	case FUSE_SETATTR:
	case FUSE_SETXATTR:
	case FUSE_REMOVEXATTR:
	case FUSE_FLUSH:
		return REQUEST_COMMIT;
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
	case FUSE_FALLOCATE:
	case FUSE_COPY_FILE_RANGE:
		return REQUEST_SLOW;
	default:
		return REQUEST_USUAL;
	}
}

static void
peek_init(const struct fuse_in_header *in, const struct fuse_init_in *arg)
{
	init.unique = in->unique;
	init.offered = arg->flags;
	atomic_store_explicit(&init.pending, true, memory_order_relaxed);
}

enum request_kind
protocol_peek(const void *request, size_t len)
{
	const struct fuse_in_header *in = request;
	const union {
		struct fuse_write_in write;
		struct fuse_open_in open;
		struct fuse_init_in init;
	} *arg = (const void *)(in + 1);
	size_t left = len - sizeof(*in);

	kill_suid = false;
	if (len < sizeof(*in))
		return REQUEST_BRIEF;
	if (in->opcode == FUSE_WRITE && left >= sizeof(arg->write)) {
		kill_suid = arg->write.write_flags & FUSE_WRITE_KILL_SUIDGID;
		if (arg->write.flags & O_DSYNC)
			return REQUEST_SLOW;
	} else if (in->opcode == FUSE_OPEN && left >= sizeof(arg->open)) {
		kill_suid = arg->open.open_flags & FUSE_OPEN_KILL_SUIDGID;
		if (arg->open.flags & O_TRUNC)
			return REQUEST_COMMIT;
	} else if (in->opcode == FUSE_INIT && left >= INIT_IN_MIN) {
		peek_init(in, &arg->init);
	}
	return kind_of(in->opcode);
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
}

static ssize_t
write_reply(int fd, struct iovec *iov, int count, void *arg)
{
	(void)arg;
	if (atomic_load_explicit(&init.pending, memory_order_relaxed))
		edit_init_reply(iov, count);
	return writev(fd, iov, count);
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
