/* SPDX-License-Identifier: ISC */
/* Latencies by operation; see request_stats.h. */
#include "fuse/serve/request_stats.h"

#include <stdio.h>

#include <linux/fuse.h>

enum request_ops {
	OP_OTHER,
	OP_LOOKUP,
	OP_GETATTR,
	OP_SETATTR,
	OP_CREATE,
	OP_OPEN,
	OP_READ,
	OP_WRITE,
	OP_FLUSH,
	OP_FSYNC,
	OP_RELEASE,
	OP_READDIR,
	OP_REMOVE,
	OP_RENAME,
	OP_XATTR,
};

static const char *const names[REQUEST_OPS] = {
	[OP_OTHER] = "other",
	[OP_LOOKUP] = "lookup",
	[OP_GETATTR] = "getattr",
	[OP_SETATTR] = "setattr",
	[OP_CREATE] = "create",
	[OP_OPEN] = "open",
	[OP_READ] = "read",
	[OP_WRITE] = "write",
	[OP_FLUSH] = "flush",
	[OP_FSYNC] = "fsync",
	[OP_RELEASE] = "release",
	[OP_READDIR] = "readdir",
	[OP_REMOVE] = "remove",
	[OP_RENAME] = "rename",
	[OP_XATTR] = "xattr",
};

static enum request_ops
op_of(uint32_t opcode)
{
	switch (opcode) {
	case FUSE_LOOKUP:
		return OP_LOOKUP;
	case FUSE_GETATTR:
		return OP_GETATTR;
	case FUSE_SETATTR:
		return OP_SETATTR;
	case FUSE_CREATE:
	case FUSE_MKNOD:
	case FUSE_MKDIR:
	case FUSE_SYMLINK:
	case FUSE_LINK:
		return OP_CREATE;
	case FUSE_OPEN:
	case FUSE_OPENDIR:
		return OP_OPEN;
	case FUSE_READ:
		return OP_READ;
	case FUSE_WRITE:
		return OP_WRITE;
	case FUSE_FLUSH:
		return OP_FLUSH;
	case FUSE_FSYNC:
	case FUSE_FSYNCDIR:
		return OP_FSYNC;
	case FUSE_RELEASE:
	case FUSE_RELEASEDIR:
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
		return OP_RELEASE;
	case FUSE_READDIR:
	case FUSE_READDIRPLUS:
		return OP_READDIR;
	case FUSE_UNLINK:
	case FUSE_RMDIR:
		return OP_REMOVE;
	case FUSE_RENAME:
	case FUSE_RENAME2:
		return OP_RENAME;
	case FUSE_GETXATTR:
	case FUSE_SETXATTR:
	case FUSE_LISTXATTR:
	case FUSE_REMOVEXATTR:
		return OP_XATTR;
	default:
		return OP_OTHER;
	}
}

unsigned
request_op(const void *request, size_t len)
{
	const struct fuse_in_header *in = request;

	return len >= sizeof(*in) ? op_of(in->opcode) : OP_OTHER;
}

const char *
request_op_name(uint32_t opcode)
{
	return names[op_of(opcode)];
}

void
request_stats_report(const struct request_stats *s, struct report *r)
{
	char title[40], label[32];

	for (unsigned i = 0; i < REQUEST_OPS; i++) {
		snprintf(label, sizeof(label), "op=\"%s\"", names[i]);
		snprintf(title, sizeof(title), "Request %s", names[i]);
		report_times(r,
		    r->format == REPORT_TEXT ? title : "Requests by operation",
		    "request", label, &s->ns[i]);
	}
}
