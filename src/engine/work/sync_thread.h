/* SPDX-License-Identifier: ISC */
/* The thread behind the timer (state/sync_timer.h). */
#ifndef KVFS_ENGINE_WORK_SYNC_THREAD_H
#define KVFS_ENGINE_WORK_SYNC_THREAD_H

/* Of the thread; arg is the db. Until db.timer.stop. */
void *db_sync_thread(void *arg);

#endif
