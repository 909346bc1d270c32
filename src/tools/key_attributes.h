/* SPDX-License-Identifier: ISC */
/* Attributes of keys, in a file system that runs in this process. They return
 * 0 or a negative errno. */
#ifndef KVFS_TOOLS_KEY_ATTRIBUTES_H
#define KVFS_TOOLS_KEY_ATTRIBUTES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

struct fs;

/* As lstat(2). */
int key_stat(struct fs *fs, const char *key, struct stat *stp);

/* Give the inode to the mode, the extended attributes and, if give_away, the
 * owner of key. like: the state of key. */
int key_copy_attributes(struct fs *fs, const char *key, uint64_t to,
    const struct stat *like, bool give_away);

#endif
