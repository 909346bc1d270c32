/* SPDX-License-Identifier: ISC */
/*
 * What STORE|MOUNTPOINT means: finds the store, its mount and its daemon,
 * and does not wait for a daemon that hangs.
 */
#ifndef KVFS_TOOLS_PLACE_H
#define KVFS_TOOLS_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/mounts.h"

enum place_kind {
	PLACE_STORE, /* a store's directory, not mounted */
	PLACE_MOUNT, /* a kvfs is mounted, and answers */
	PLACE_HUNG, /* it is mounted, and does not answer */
	PLACE_DEAD, /* its daemon has died */
	PLACE_USED, /* another process has the store, and it is not mounted */
};

struct place {
	enum place_kind kind;
	char path[PATH_MAX]; /* name, canonical */
	struct mount mount; /* but for PLACE_STORE and PLACE_USED */
	pid_t pid; /* of who has the store, if that is known, else 0 */
	char note[PATH_MAX + 64]; /* what it says of itself, or "" */
};

/* 0, or a negative errno after a line that says what is wrong. */
int place_find(const char *name, struct place *p);

/* For a store that nobody has: the mount that a daemon left when it was
 * killed, in p->mount. False: there is none. */
bool place_find_dead(struct place *p);

/* Say that its daemon does not answer, or is gone, or who has it: for those
 * who need one that answers. Returns a negative errno. */
int place_report(const char *name, const struct place *p);

#endif
