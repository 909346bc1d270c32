/* SPDX-License-Identifier: ISC */
/*
 * Examines a path that may lie on a mount that hangs, where calls may never
 * return. A child process does it, and is abandoned when it takes too long.
 */
#ifndef KVFS_UTIL_PATH_PROBE_H
#define KVFS_UTIL_PATH_PROBE_H

#include <limits.h>
#include <stdbool.h>

/* How long a file system may take to answer. A busy one still answers such a
 * request in time. */
#define PATH_PROBE_MS 1700

struct path_probe {
	int rc; /* 0: it answers; -ETIMEDOUT: it does not; or another errno */
	/* Canonical. If that is not known, the canonical parent and the last
	 * component; "" if that is not known either. */
	char path[PATH_MAX];
	bool is_kvfs; /* it answers, and is the root of a kvfs */
};

/* Call it while there is one thread. Returns p->rc. */
int path_probe(const char *name, struct path_probe *p);

#endif
