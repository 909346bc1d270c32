/* SPDX-License-Identifier: ISC */
/*
 * MOUNT/.kvfs: a directory of files by which the running store is read and
 * controlled, in the manner of /proc. It is found by name only: listings of
 * the root do not show it.
 *
 *   stats    figures, for all users; metrics: the same for Prometheus
 *   options  those in force; writing "sync=full" changes that option
 *   check    the first read verifies everything; the report ends in
 *            "Problems: N"
 *   sync     writing makes everything durable before it returns
 *   flush    writing turns the memtables into tables
 *   compact  writing merges all tables
 *   backup   the store as of the first read, as a tar archive; writing ends all
 *            that are being read (ECANCELED)
 *
 * Each open of a file by its path has a text of its own, which does not change
 * (control_node.h). Work that may take long runs on a thread of its own, so that
 * other requests go on; one of each kind at a time (EBUSY for the next). All
 * files except stats and metrics are for the owner of the mount only, which the
 * kernel sees to; what a file cannot do fails with EACCES, even for root.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_DIR_H
#define KVFS_FUSE_CONTROL_CONTROL_DIR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "fs/fs.h"
#include "fuse/control/control_node.h"
#include "fuse/fuse_api.h"
#include "kvfs/slice.h"

#define CONTROL_DIR_NAME ".kvfs"

/* Does this inode belong to the control directory? */
static inline bool
control_owns(uint64_t ino)
{
	return ino >= CONTROL_INO_MIN;
}

/* Is this the name of the control directory, or a name in it? */
static inline bool
control_reserves(uint64_t parent, const char *name)
{
	return control_owns(parent) ||
	    (parent == FS_ROOT_INO && name[0] == '.' &&
		strcmp(name, CONTROL_DIR_NAME) == 0);
}

/* Each answers the request, now or later, except control_forget(). */
void control_lookup(fuse_req_t req, uint64_t parent, const char *name);
/* n lookups are taken back. */
void control_forget(fuse_req_t req, uint64_t ino, uint64_t n);
/* is_open: the request is of an open file. */
void control_getattr(fuse_req_t req, uint64_t ino, bool is_open);
/* to_set: of FUSE_SET_ATTR_*. */
void control_setattr(fuse_req_t req, uint64_t ino, int to_set, off_t size);
void control_open(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi);
void control_read(fuse_req_t req, uint64_t ino, size_t size, off_t off);
void control_write(fuse_req_t req, uint64_t ino, struct slice text);
void control_opendir(fuse_req_t req, uint64_t ino, struct fuse_file_info *fi);
void control_readdir(fuse_req_t req, size_t size, off_t off, bool plus);

#endif
