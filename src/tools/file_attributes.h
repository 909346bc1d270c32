/* SPDX-License-Identifier: ISC */
#ifndef KVFS_TOOLS_FILE_ATTRIBUTES_H
#define KVFS_TOOLS_FILE_ATTRIBUTES_H

#include <sys/stat.h>

/*
 * Give the open file to the mode, the extended attributes and, where that is
 * allowed, the owner of the open file from. like: the state of from. If from
 * is negative, since the file may not be read, its extended attributes are not
 * copied. 0, or a negative errno.
 */
int file_copy_attributes(int from, int to, const struct stat *like);

#endif
