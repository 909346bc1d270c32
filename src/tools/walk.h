/* SPDX-License-Identifier: ISC */
/*
 * A tree of keys, however deep a path can name: the listings of the
 * directories above the current one are kept on the heap, nothing recurs.
 */
#ifndef KVFS_TOOLS_WALK_H
#define KVFS_TOOLS_WALK_H

#include "tools/target.h"

/* Each gets arg and a path that is valid for the call; other than 0 ends the
 * walk, and is what walk_tree() returns. */
struct walk_calls {
	/* Whether to look at it at all; NULL: always. */
	bool (*wants)(void *arg, const char *path, bool is_dir);
	/* Something other than a directory. */
	int (*visit)(void *arg, const char *path);
	/* A directory, after all that is below it; NULL: nothing to do. */
	int (*leave)(void *arg, const char *path);
	/* A directory that cannot be listed, or a path that is too long, and
	 * which is skipped. */
	int (*failed)(void *arg, const char *path, int rc);
};

/* Walk over what is below the directory key, and it itself; by_path: in byte
 * order of whole paths. */
int walk_tree(struct target *t, const char *key, bool by_path,
    const struct walk_calls *calls, void *arg);

#endif
