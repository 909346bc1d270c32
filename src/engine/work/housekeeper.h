/* SPDX-License-Identifier: ISC */
/* The flush thread: the background work of an open store, other than compaction
 * and syncs. */
#ifndef KVFS_ENGINE_WORK_HOUSEKEEPER_H
#define KVFS_ENGINE_WORK_HOUSEKEEPER_H

/* The thread's function; arg is the db. Returns when db.work.stop is set. */
void *db_housekeeper(void *arg);

#endif
