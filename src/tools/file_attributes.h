/* SPDX-License-Identifier: ISC */
#ifndef KVFS_TOOLS_FILE_ATTRIBUTES_H
#define KVFS_TOOLS_FILE_ATTRIBUTES_H

#include <sys/stat.h>

/*
 * Give the open file to the mode, the extended attributes and, where that
 * is allowed, the owner of the file from, of which like is the state. from
 * <0: a file that one may not read, which has its extended attributes for
 * itself. 0, or a negative errno.
 */
int file_copy_attributes(int from, int to, const struct stat *like);

#endif
