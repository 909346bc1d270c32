/* SPDX-License-Identifier: ISC */
/*
 * Room: what commits may still add, beside what the store needs for itself.
 * Bytes throughout. Any thread, without locks of the store.
 */
#ifndef KVFS_ENGINE_WORK_ROOM_H
#define KVFS_ENGINE_WORK_ROOM_H

#include <stdint.h>

#include "engine/env/env.h"
#include "kvfs/kv.h"

struct db;

/* Another bound of all files, 0 for none. */
void db_room_set_max(struct db *db, uint64_t max_bytes);
/* What commits may still add in such a space. */
uint64_t db_room(struct db *db, const struct env_space *space);
/* The same as it is now. */
int db_room_look(struct db *db, enum kv_room kind, uint64_t *roomp);
/* Others may have filled the disk meanwhile: look anew. */
void db_room_forget(struct db *db);

#endif
