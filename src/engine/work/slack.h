/* SPDX-License-Identifier: ISC */
/* A file that reserves space for when there is none. Threading: any thread; the
 * caller holds no lock. */
#ifndef KVFS_ENGINE_WORK_SLACK_H
#define KVFS_ENGINE_WORK_SLACK_H

#include <stdbool.h>

struct db;

/* Create the file if there is enough space. */
void db_slack_keep(struct db *db);
/* Remove the file. False if there was none. */
bool db_slack_spend(struct db *db);
/* Call it when the store closes: the file stays only if space is short. */
void db_slack_close(struct db *db);

#endif
