/* SPDX-License-Identifier: ISC */
/* The FUSE connection of a session: capabilities, mount, unmount. */
#ifndef KVFS_FUSE_MOUNT_MOUNT_FUSE_H
#define KVFS_FUSE_MOUNT_MOUNT_FUSE_H

#include "fuse/session.h"

/* Make s->se and mount it. On failure one line was logged. */
int mount_fuse(struct session *s, const struct options *opts);
/* Take the mount off if it is still there, and free s->se. */
void unmount_fuse(struct session *s);

#endif
