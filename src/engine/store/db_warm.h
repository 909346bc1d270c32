/* SPDX-License-Identifier: ISC */
/* Warms the cache after opening. Threading: only the thread that opens and
 * closes the store, except for the report. */
#ifndef KVFS_ENGINE_STORE_DB_WARM_H
#define KVFS_ENGINE_STORE_DB_WARM_H

#include "util/report.h"

struct db;

/* Begin to read the blocks that were hot when the store was closed. Failures
 * only make later reads slower. */
void db_warm_start(struct db *db);
/* Stop at once. May be called twice. */
void db_warm_stop(struct db *db);
/* After the last change: write the list of blocks that are hot now. A failure
 * only costs the next opening its warm-up. */
void db_warm_save(struct db *db);
void db_warm_free(struct db *db);
void db_warm_report(struct db *db, struct report *r);

#endif
