/* SPDX-License-Identifier: ISC */
/*
 * The entries of a directory, collected and sorted, so that a command can walk
 * over them while it changes the directory.
 */
#ifndef KVFS_TOOLS_LISTING_H
#define KVFS_TOOLS_LISTING_H

#include <stddef.h>

#include "tools/target.h"

struct listing_entry {
	mode_t type;
	char *name;
};

struct listing {
	struct listing_entry *entries;
	size_t count, cap;
};

/*
 * Fill l, which is zeroed, with the entries of the directory key, in byte order
 * of names. by_path: a directory is sorted as "name/", so that a walk gives
 * whole paths in order. 0 or a negative errno; the caller calls listing_fini()
 * either way.
 */
int listing_read(struct listing *l, struct target *t, const char *key,
    bool by_path);
void listing_fini(struct listing *l);

/* Write DIR/NAME to dst; -ENAMETOOLONG. */
int listing_path(char dst[KEY_MAX], const char *dir, const char *name);

#endif
