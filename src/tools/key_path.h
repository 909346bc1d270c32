/* SPDX-License-Identifier: ISC */
/*
 * A key is a path inside the mount, "users/42". "" and "/" are the root
 * directory. "/" at the beginning, at the end or repeated has no meaning.
 */
#ifndef KVFS_TOOLS_KEY_PATH_H
#define KVFS_TOOLS_KEY_PATH_H

#include <stddef.h>

/* Bytes of the longest key, with its NUL. It is longer than PATH_MAX, since a
 * tree can be made step by step. The time for a walk over a tree grows with
 * the square of its depth. */
#define KEY_MAX (32 << 10)

/*
 * The next component of a key: skips "/", sets *namep to its beginning and
 * *pathp to its end, and returns its length, 0 at the end of the key.
 */
size_t key_component(const char **pathp, const char **namep);

/* 0 if the key is valid; -EINVAL if it has a component "." or "..",
 * -ENAMETOOLONG. */
int key_check(const char *key);

#endif
