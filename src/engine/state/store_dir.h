/* SPDX-License-Identifier: ISC */
/* Numbers and names of files in the store's directory. Any thread. */
#ifndef KVFS_ENGINE_STATE_STORE_DIR_H
#define KVFS_ENGINE_STATE_STORE_DIR_H

#include <stdint.h>

struct db;

/* A number that no file of the store has had. */
uint64_t db_new_file_number(struct db *db);
/* Make all names durable that were made before the call. Waits for the disk. */
int db_sync_names(struct db *db);

#endif
