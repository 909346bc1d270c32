/* SPDX-License-Identifier: ISC */
/* A file that keeps room, for the time when there is none. Any thread; no lock
 * is held. */
#ifndef KVFS_ENGINE_WORK_SLACK_H
#define KVFS_ENGINE_WORK_SLACK_H

#include <stdbool.h>

struct db;

/* Have the file, if there is room for it. */
void db_slack_keep(struct db *db);
/* Give that room up: false when there is none. */
bool db_slack_spend(struct db *db);
/* The store closes: the file stays only where room is short. */
void db_slack_close(struct db *db);

#endif
