/* SPDX-License-Identifier: ISC */
/* The new store, out of what was found; see repair_write.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_WRITE_H
#define KVFS_ENGINE_REPAIR_REPAIR_WRITE_H

#include "engine/key/iter.h"

struct repair;

/* Put the newest version of everything that it gives into the new store. */
int repair_write(struct repair *r, struct iter *it);

#endif
