/* SPDX-License-Identifier: ISC */
/*
 * Looking at a path that may lie on a mount which hangs. Whoever asks such
 * a mount may never come back, so a child process does it, and is left
 * behind when it takes too long.
 */
#ifndef KVFS_UTIL_PATH_PROBE_H
#define KVFS_UTIL_PATH_PROBE_H

#include <limits.h>
#include <stdbool.h>

/* How long a file system may take for its answer. One that works for long
 * answers this beside. */
#define PATH_PROBE_MS 1700

struct path_probe {
	int rc; /* 0: it answers; -ETIMEDOUT: it does not; or another errno */
	/* Canonical. Where that could not be found out, the last component
	 * below its canonical parent; "" where that failed, too. */
	char path[PATH_MAX];
	bool is_kvfs; /* it answers, and it is the root of a kvfs */
};

/* Call while there is one thread. Returns p->rc. */
int path_probe(const char *name, struct path_probe *p);

#endif
