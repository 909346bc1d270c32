/* SPDX-License-Identifier: ISC */
/* What is dead makes room. */
#ifndef KVFS_ENGINE_WORK_RECLAIM_H
#define KVFS_ENGINE_WORK_RECLAIM_H

#include <stdint.h>

#include "kvfs/kv.h"

struct db;

/* Have what is dead make room for so many bytes, and wait for it, for some
 * seconds: 0 and the room there is then, -ENOSPC or another error. No lock
 * is held. */
int db_reclaim(struct db *db, enum kv_room kind, uint64_t bytes,
    uint64_t *roomp);

#endif
