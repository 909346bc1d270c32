/* SPDX-License-Identifier: ISC */
#ifndef KVFS_TOOLS_END_BACKUPS_H
#define KVFS_TOOLS_END_BACKUPS_H

#include "tools/target.h"

/* End the backups that are being made of a mounted store, and wait until
 * nobody has one open, or for a while: an unmount that follows may still
 * find the mount in use. */
void end_backups(struct target *t);

#endif
