/* SPDX-License-Identifier: ISC */
/* The table of FUSE's requests; see opcode.h. */
#include "fuse/serve/opcode.h"

#include <stddef.h>

#include <linux/fuse.h>

/* The fields are those of struct opcode, in order. */
static const struct opcode opcodes[] = {
	[FUSE_LOOKUP] = { REQUEST_USUAL, OP_LOOKUP, false },
	[FUSE_GETATTR] = { REQUEST_BRIEF, OP_GETATTR, false },
	[FUSE_SETATTR] = { REQUEST_COMMIT, OP_SETATTR, false },
	[FUSE_CREATE] = { REQUEST_COMMIT, OP_CREATE, false },
	[FUSE_MKNOD] = { REQUEST_COMMIT, OP_CREATE, false },
	[FUSE_MKDIR] = { REQUEST_COMMIT, OP_CREATE, false },
	[FUSE_SYMLINK] = { REQUEST_COMMIT, OP_CREATE, false },
	[FUSE_LINK] = { REQUEST_COMMIT, OP_CREATE, false },
	[FUSE_OPEN] = { REQUEST_USUAL, OP_OPEN, false },
	[FUSE_OPENDIR] = { REQUEST_USUAL, OP_OPEN, false },
	[FUSE_READ] = { REQUEST_USUAL, OP_READ, false },
	[FUSE_WRITE] = { REQUEST_USUAL, OP_WRITE, false },
	[FUSE_FLUSH] = { REQUEST_COMMIT, OP_FLUSH, false },
	[FUSE_FSYNC] = { REQUEST_SYNC, OP_FSYNC, false },
	[FUSE_FSYNCDIR] = { REQUEST_SYNC, OP_FSYNC, false },
	[FUSE_RELEASE] = { REQUEST_BRIEF, OP_RELEASE, true },
	[FUSE_RELEASEDIR] = { REQUEST_BRIEF, OP_RELEASE, true },
	[FUSE_FORGET] = { REQUEST_BRIEF, OP_RELEASE, true },
	[FUSE_BATCH_FORGET] = { REQUEST_BRIEF, OP_RELEASE, true },
	[FUSE_READDIR] = { REQUEST_USUAL, OP_READDIR, false },
	[FUSE_READDIRPLUS] = { REQUEST_USUAL, OP_READDIR, false },
	[FUSE_UNLINK] = { REQUEST_COMMIT, OP_REMOVE, false },
	[FUSE_RMDIR] = { REQUEST_COMMIT, OP_REMOVE, false },
	[FUSE_RENAME] = { REQUEST_COMMIT, OP_RENAME, false },
	[FUSE_RENAME2] = { REQUEST_COMMIT, OP_RENAME, false },
	[FUSE_GETXATTR] = { REQUEST_BRIEF, OP_XATTR, false },
	[FUSE_SETXATTR] = { REQUEST_COMMIT, OP_XATTR, false },
	[FUSE_LISTXATTR] = { REQUEST_USUAL, OP_XATTR, false },
	[FUSE_REMOVEXATTR] = { REQUEST_COMMIT, OP_XATTR, false },
	[FUSE_STATFS] = { REQUEST_BRIEF, OP_OTHER, false },
	[FUSE_FALLOCATE] = { REQUEST_SLOW, OP_OTHER, false },
	[FUSE_COPY_FILE_RANGE] = { REQUEST_SLOW, OP_OTHER, false },
	[FUSE_INTERRUPT] = { REQUEST_BRIEF, OP_OTHER, true },
	[OPCODE_TMPFILE] = { REQUEST_COMMIT, OP_OTHER, false },
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

const struct opcode *
opcode_get(uint32_t number)
{
	static const struct opcode unknown = { REQUEST_USUAL, OP_OTHER, false };

	return number < sizeof(opcodes) / sizeof(opcodes[0]) ?
	    &opcodes[number] :
	    &unknown;
}

const char *
request_op_name(enum request_op op)
{
	return names[op];
}
