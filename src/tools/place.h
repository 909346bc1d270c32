/* SPDX-License-Identifier: ISC */
/*
 * Finds out what an operand STORE|MOUNTPOINT names: the store, its mount and
 * its daemon. Does not wait for a daemon that hangs. One thread.
 */
#ifndef KVFS_TOOLS_PLACE_H
#define KVFS_TOOLS_PLACE_H

#include <stdbool.h>
#include <sys/types.h>

#include "tools/mounts.h"

enum place_kind {
	PLACE_STORE, /* a store's directory, not mounted */
	PLACE_MOUNT, /* a kvfs is mounted, and answers */
	PLACE_HUNG, /* a kvfs is mounted, and does not answer in time */
	PLACE_DEAD, /* a mount whose daemon has died */
	PLACE_USED, /* not mounted, but another process has the store open */
};

struct place {
	enum place_kind kind;
	char path[PATH_MAX]; /* name, canonical */
	struct mount mount; /* not for PLACE_STORE and PLACE_USED */
	pid_t pid; /* the process that has the store open; 0: not known */
	char note[PATH_MAX + 64]; /* that process's note in LOCK, or "" */
};

/* 0, or a negative errno after a line that says what is wrong. */
int place_find(const char *name, struct place *p);

/* For a store that no process has open: find the mount that a killed daemon has
 * left, and set p->mount. False: there is none. */
bool place_find_dead(struct place *p);

/* Print why the place cannot be used: its daemon does not answer or has died,
 * or another process has the store open. Returns a negative errno. */
int place_report(const char *name, const struct place *p);

#endif
