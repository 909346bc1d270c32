/* SPDX-License-Identifier: ISC */
/* The flush thread, which does all that an open store needs done. */
#ifndef KVFS_ENGINE_WORK_HOUSEKEEPER_H
#define KVFS_ENGINE_WORK_HOUSEKEEPER_H

/* Of the thread; arg is the db. Until db.stop. */
void *db_housekeeper(void *arg);

#endif
