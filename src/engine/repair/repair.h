/* SPDX-License-Identifier: ISC */
/* Repair of a damaged store on any env, for kv_repair() and for tests. */
#ifndef KVFS_ENGINE_REPAIR_REPAIR_H
#define KVFS_ENGINE_REPAIR_REPAIR_H

#include <stdio.h>

#include "engine/env/env.h"
#include "kvfs/store.h"

/* As kv_repair(), on env. */
int db_repair(struct env *env, const char *dir, const char *dest,
    kv_lost_fn lost, void *arg, FILE *report);

#endif
