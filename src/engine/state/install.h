/* SPDX-License-Identifier: ISC */
/* Installs a new version of the tree: in the manifest, then in memory. */
#ifndef KVFS_ENGINE_STATE_INSTALL_H
#define KVFS_ENGINE_STATE_INSTALL_H

#include "engine/state/db_state.h"

/* Write an edit to the manifest and apply it. flushed is the memtable that it
 * replaces, or NULL. Drops mu while it writes. Empties e. -ENOSPC and
 * -ENOMEM leave the tree as it was; other failures of the manifest are a
 * fault. */
int db_install_locked(struct db *db, struct version_edit *e,
    struct memtable *flushed) REQUIRES(&db->mu);
/* Begin a new manifest with the whole state. The caller does not hold mu. One
 * caller at a time. */
int db_manifest_renew(struct db *db);
/* Drop an edit that will not be installed, and the new files that it names. */
void db_edit_abandon(struct db *db, struct version_edit *e);
/* The table_file_drop_fn of all versions. */
void db_table_dropped(void *arg, struct table_file *f);

#endif
