/* SPDX-License-Identifier: ISC */
/*
 * Free space: how many bytes commits may still add, after what the store keeps
 * for itself.
 * Threading: any thread, without locks of the store.
 */
#ifndef KVFS_ENGINE_WORK_ROOM_H
#define KVFS_ENGINE_WORK_ROOM_H

#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/kv.h"

struct db;

/* Change the bound on the size of all files; 0: no bound. */
void db_room_set_max(struct db *db, uint64_t max_bytes);
/* How many bytes commits may still add, in this space. */
uint64_t db_room(struct db *db, const struct env_space *space);
/* The same, now. Wakes compaction if the space is short. */
int db_room_look(struct db *db, enum kv_room kind, uint64_t *roomp);
/* Drop the grant, so that the disk is asked again: others may have filled
 * it. */
void db_room_forget(struct db *db);

#endif
