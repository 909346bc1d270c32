/* SPDX-License-Identifier: ISC */
/* Writes the new store; see repair_write.c. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_WRITE_H
#define KVFS_ENGINE_REPAIR_REPAIR_WRITE_H

#include "engine/key/iter.h"

struct repair;

/* Write the newest version of each key of it into the new store. */
int repair_write(struct repair *r, struct iter *it);

#endif
