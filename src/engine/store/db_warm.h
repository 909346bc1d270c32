/* SPDX-License-Identifier: ISC */
/* The cache, warm again after opening. Who opens and closes the store calls
 * these, but for the report. */
#ifndef KVFS_ENGINE_STORE_DB_WARM_H
#define KVFS_ENGINE_STORE_DB_WARM_H

#include "util/report.h"

struct db;

/* Begin to read back what was hot when the store was closed. What fails is
 * only slower. */
void db_warm_start(struct db *db);
/* End that, at once; a second call is harmless. */
void db_warm_stop(struct db *db);
/* After the last change: write down what is hot now. What fails costs the
 * next opening its warm-up, and nothing else. */
void db_warm_save(struct db *db);
void db_warm_free(struct db *db);
void db_warm_report(struct db *db, struct report *r);

#endif
