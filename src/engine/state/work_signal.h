/* SPDX-License-Identifier: ISC */
/* What others ask of the background threads. Any thread. */
#ifndef KVFS_ENGINE_STATE_WORK_SIGNAL_H
#define KVFS_ENGINE_STATE_WORK_SIGNAL_H

struct db;

/* Soon remove what is deleted: scans suffer from it. */
void db_want_tidy(struct db *db);

#endif
