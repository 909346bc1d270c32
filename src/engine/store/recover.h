/* SPDX-License-Identifier: ISC */
/* Recovery: builds the state of a store from its files. */
#ifndef KVFS_ENGINE_STORE_RECOVER_H
#define KVFS_ENGINE_STORE_RECOVER_H

struct db;

/* Build the state from the files, or make a new store. Called once, before any
 * other thread runs. Logs damage. */
int db_recover(struct db *db);

#endif
