/* SPDX-License-Identifier: ISC */
/*
 * From one version of the tree to the next: an edit goes to the manifest, and
 * then to memory.
 */
#ifndef KVFS_ENGINE_STATE_INSTALL_H
#define KVFS_ENGINE_STATE_INSTALL_H

#include "engine/state/db_state.h"

/* Write an edit to the manifest and apply it to the tree, less the memtable
 * that it replaces (or NULL); drops mu while it writes. Empties e. */
int db_install_locked(struct db *db, struct version_edit *e,
    struct memtable *flushed) REQUIRES(&db->mu);
/* Begin a new manifest that holds the whole state. mu is not held; one
 * caller at a time. */
int db_manifest_renew(struct db *db);
/* Undo what an edit that will not be installed has made. */
void db_edit_abandon(struct db *db, struct version_edit *e);
/* table_file_drop_fn of all versions. */
void db_table_dropped(void *arg, struct table_file *f);

#endif
