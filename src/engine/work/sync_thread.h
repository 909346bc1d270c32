/* SPDX-License-Identifier: ISC */
/* The thread of the timer (state/sync_timer.h). */
#ifndef KVFS_ENGINE_WORK_SYNC_THREAD_H
#define KVFS_ENGINE_WORK_SYNC_THREAD_H

/* The thread's function; arg is the db. Returns when db.dur.timer.stop is set. */
void *db_sync_thread(void *arg);

#endif
