/* SPDX-License-Identifier: ISC */
/*
 * Requests on one file of the control directory. Each answers the request,
 * now or later; the caller keeps its use of the node.
 *
 * The kernel takes a file for as long as its attributes say, so the size of a
 * text that is not made yet has to be told in time. Before a read beyond the
 * end that it knows, and for SEEK_END, the kernel asks for the attributes of
 * an open file; stat(2) and fstat(2) ask for those of an inode. So the first
 * counts as a use, and has the text made; the others see a size of 0 until
 * then, as in /proc. If they came while it is made, the kernel would take the
 * later answer for older than theirs and ignore it: so they wait with it.
 */
#ifndef KVFS_FUSE_CONTROL_CONTROL_FILE_H
#define KVFS_FUSE_CONTROL_CONTROL_FILE_H

#include <sys/stat.h>

#include "fuse/control/control_node.h"

/* The attributes of a node, and how long the kernel may keep them. */
double control_file_stat(struct control *c, const struct control_node *node,
    struct stat *st);

/* is_open: the request is of an open file. */
void control_file_getattr(fuse_req_t req, struct control_node *node,
    bool is_open);
/* to_set: of FUSE_SET_ATTR_*. Owner and mode are fixed, and a change of times
 * or to no size at all has no effect: echo >FILE truncates. */
void control_file_setattr(fuse_req_t req, struct control_node *node, int to_set,
    off_t size);
void control_file_read(fuse_req_t req, struct control_node *node, size_t size,
    off_t off);
void control_file_write(fuse_req_t req, const struct control_node *node,
    struct slice text);

#endif
