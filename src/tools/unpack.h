/* SPDX-License-Identifier: ISC */
/*
 * Unpacks the archive of a backup to a directory, which becomes a store:
 * durable, and not recognized as a store before it is complete.
 */
#ifndef KVFS_TOOLS_UNPACK_H
#define KVFS_TOOLS_UNPACK_H

#include <stdint.h>

#include "tools/target.h"

struct unpack {
	/* Set by the caller. */
	struct target *from; /* its backup has begun */
	const char *from_name, *to_name; /* for messages */
	int to; /* the directory, open */
	int store; /* the store's directory, to link its files, or -1 */
	/* Results: files linked, files copied, and their bytes. */
	uint64_t linked, copied, copied_bytes;
};

/* From now on SIGINT, SIGTERM and SIGHUP end unpack_run(). */
void unpack_catch_signals(void);
/* The signal that was caught, or 0. */
int unpack_signal(void);

/*
 * 0; a negative errno, which has been reported; or -EINTR after a signal,
 * which has not. After a failure it has removed its files.
 */
int unpack_run(struct unpack *u);

#endif
