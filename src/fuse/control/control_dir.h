/* SPDX-License-Identifier: ISC */
/*
 * MOUNT/.kvfs: the store itself as files, as /proc does. It is looked up by
 * name only, listings of the root do not show it, and its inode numbers
 * are the highest ones, which the file system never gives out.
 *
 *   stats    figures, for everybody
 *   options  those in force; writing "sync=full" changes what can change
 *   check    opening verifies everything; the report ends in "Problems: N"
 *   sync     writing makes everything durable before it returns
 *   flush    writing turns the memtables into tables
 *   compact  writing merges all tables
 *   backup   the store as of its opening, as a tar archive; writing ends all
 *            that are being read (ECANCELED)
 *
 * A file's text is made when it is opened. What may take long runs on a
 * thread of its own, each kind once at a time (EBUSY for the next), so that
 * it holds up no other request. All but stats and metrics are for the owner.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_DIR_H
#define KVFS_FUSE_CONTROL_CONTROL_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fs/fs.h"
#include "fuse/fuse_api.h"
#include "kvfs/slice.h"

#define CONTROL_INO_MIN (UINT64_MAX - 255)
#define CONTROL_DIR_NAME ".kvfs"

/* Is this inode one of the control directory's? */
static inline bool
control_owns(uint64_t ino)
{
	return ino >= CONTROL_INO_MIN;
}

/* Is this name the control directory's, or in it? */
static inline bool
control_reserves(uint64_t parent, const char *name)
{
	return control_owns(parent) ||
	    (parent == FS_ROOT_INO && name[0] == '.' &&
		strcmp(name, CONTROL_DIR_NAME) == 0);
}

/* Each answers the request, now or later, except control_release(). */
void control_lookup(fuse_req_t req, uint64_t parent, const char *name);
void control_getattr(fuse_req_t req, uint64_t ino);
void control_open(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi);
void control_read(fuse_req_t req, size_t size, off_t off,
    struct fuse_file_info *fi);
void control_write(fuse_req_t req, uint64_t ino, struct slice text);
void control_release(fuse_req_t req, const struct fuse_file_info *fi);
void control_opendir(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi);
void control_readdir(fuse_req_t req, uint64_t ino, size_t size, off_t off,
    bool plus);

#endif
