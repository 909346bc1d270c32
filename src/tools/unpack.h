/* SPDX-License-Identifier: ISC */
/*
 * A backup's archive made into the directory of a store: durable, and no
 * store until it is whole.
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
	int store; /* where the store's files lie, to be linked to, or -1 */
	/* Counted. */
	uint64_t linked, copied, copied_bytes;
};

/* From now on SIGINT, SIGTERM and SIGHUP end unpack_run(). */
void unpack_catch_signals(void);
/* The signal that came, or 0. */
int unpack_signal(void);

/*
 * 0, or a negative errno that has been reported, -EINTR after a signal,
 * which is not. Then the files that it made are gone again.
 */
int unpack_run(struct unpack *u);

#endif
