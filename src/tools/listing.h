/* SPDX-License-Identifier: ISC */
/*
 * A directory's entries, collected and sorted, so that a command can walk
 * them while it changes the directory. Memory is one listing's.
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
 * Fill l, which is zeroed, with the directory key in byte order of names.
 * by_path: a directory stands where "name/" does, so that walking it there
 * gives whole paths in order. The caller calls listing_fini().
 */
int listing_read(struct listing *l, struct target *t, const char *key,
    bool by_path);
void listing_fini(struct listing *l);

/* Write DIR/NAME to dst; -ENAMETOOLONG. */
int listing_path(char dst[KEY_MAX], const char *dir, const char *name);

#endif
