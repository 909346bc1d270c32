/* SPDX-License-Identifier: ISC */
/*
 * A key's name outside the mount: its path there, "users/42". "" and "/"
 * are the root directory; "/" at the beginning, at the end and twice in a
 * row say nothing.
 */
#ifndef KVFS_TOOLS_KEY_PATH_H
#define KVFS_TOOLS_KEY_PATH_H

#include <stddef.h>

/* No key is as long. Longer than PATH_MAX, for trees that were made step by
 * step; the time to walk over one grows with the square of its depth. */
#define KEY_MAX (32 << 10)

/*
 * The next component of a key: skips "/", returns its length (0 at the
 * end) and moves *pathp behind it; *namep is where it begins.
 */
size_t key_component(const char **pathp, const char **namep);

/* Whether a key names what a key can name: 0; -EINVAL for "." and "..",
 * -ENAMETOOLONG. */
int key_check(const char *key);

#endif
