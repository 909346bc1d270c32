/* SPDX-License-Identifier: ISC */
#ifndef KVFS_TOOLS_END_BACKUPS_H
#define KVFS_TOOLS_END_BACKUPS_H

#include "tools/target.h"

/* End the backups that are being made of a mounted store, and wait, for some
 * seconds at most, until none is open. So an unmount after that may still find
 * the mount in use. */
void end_backups(struct target *t);

#endif
