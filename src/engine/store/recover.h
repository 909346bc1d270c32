/* SPDX-License-Identifier: ISC */
/* What an opening finds on the disk. */
#ifndef KVFS_ENGINE_STORE_RECOVER_H
#define KVFS_ENGINE_STORE_RECOVER_H

struct db;

/* Build the state from what is on disk, or make a new store; called once,
 * before any thread. Logs what is damaged. */
int db_recover(struct db *db);

#endif
