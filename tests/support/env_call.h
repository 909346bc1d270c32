/* SPDX-License-Identifier: ISC */
/* The calls of an env that can fail, for counting and choosing them. */
#ifndef KVFS_SUPPORT_ENV_CALL_H
#define KVFS_SUPPORT_ENV_CALL_H

enum env_call {
	ENV_CALL_OPEN,
	ENV_CALL_CREATE, /* open with ENV_CREATE */
	ENV_CALL_RENAME,
	ENV_CALL_UNLINK,
	ENV_CALL_NAMES,
	ENV_CALL_OPEN_DIR,
	ENV_CALL_MKDIR,
	ENV_CALL_SYNC_DIR,
	ENV_CALL_LOCK_DIR,
	ENV_CALL_LIST,
	ENV_CALL_SPACE,
	ENV_CALL_READ,
	ENV_CALL_WRITE,
	ENV_CALL_SYNC,
	ENV_CALL_ALLOCATE,
	ENV_CALL_MAP,
	ENV_CALL_TRUNCATE,
	ENV_CALL_SIZE,
	ENV_CALL_LOCK,
	ENV_CALL_COUNT,
};

#define ENV_CALL_BIT(call) (1u << (call))
#define ENV_CALL_ANY (ENV_CALL_BIT(ENV_CALL_COUNT) - 1)
/* The calls that change the disk, or make a change durable. */
#define ENV_CALL_CHANGING                                                      \
	(ENV_CALL_BIT(ENV_CALL_CREATE) | ENV_CALL_BIT(ENV_CALL_RENAME) |       \
	    ENV_CALL_BIT(ENV_CALL_UNLINK) | ENV_CALL_BIT(ENV_CALL_MKDIR) |     \
	    ENV_CALL_BIT(ENV_CALL_SYNC_DIR) | ENV_CALL_BIT(ENV_CALL_WRITE) |   \
	    ENV_CALL_BIT(ENV_CALL_SYNC) | ENV_CALL_BIT(ENV_CALL_ALLOCATE) |    \
	    ENV_CALL_BIT(ENV_CALL_TRUNCATE))

#endif
