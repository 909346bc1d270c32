/* SPDX-License-Identifier: ISC */
/* Frees space that dead data takes. */
#ifndef KVFS_ENGINE_WORK_RECLAIM_H
#define KVFS_ENGINE_WORK_RECLAIM_H

#include <stdint.h>

#include "kvfs/kv.h"

struct db;

/* Free at least bytes of dead data and wait for it, for some seconds. Returns 0
 * and the space that there is then, -ENOSPC or another error. The caller holds
 * no lock of the store. */
int db_reclaim(struct db *db, enum kv_room kind, uint64_t bytes,
    uint64_t *roomp);

#endif
