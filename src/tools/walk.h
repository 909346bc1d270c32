/* SPDX-License-Identifier: ISC */
/*
 * A walk over a tree of keys of any depth. The listings of the directories
 * above the current one are on the heap; there is no recursion.
 */
#ifndef KVFS_TOOLS_WALK_H
#define KVFS_TOOLS_WALK_H

#include "tools/target.h"

/* Each function gets arg, and a path that is valid during the call. A result
 * other than 0 ends the walk and is returned by walk_tree(). */
struct walk_calls {
	/* Is path to be visited? NULL: always. */
	bool (*wants)(void *arg, const char *path, bool is_dir);
	/* Called for all keys that are not directories. */
	int (*visit)(void *arg, const char *path);
	/* Called for a directory, after all that is below it; may be NULL. */
	int (*leave)(void *arg, const char *path);
	/* Called for what is skipped: a directory that cannot be listed, or a
	 * path that is too long. */
	int (*failed)(void *arg, const char *path, int rc);
};

/* Walk over all keys below the directory key, and then key itself; by_path: in
 * byte order of whole paths. */
int walk_tree(struct target *t, const char *key, bool by_path,
    const struct walk_calls *calls, void *arg);

#endif
