/* SPDX-License-Identifier: ISC */
/* What the timer (work/sync_thread.c) is told. Any thread; does not wait. */
#ifndef KVFS_ENGINE_STATE_SYNC_TIMER_H
#define KVFS_ENGINE_STATE_SYNC_TIMER_H

struct db;

/* A commit was made that nobody waits for: have it synced in time. */
void db_timer_arm(struct db *db);
/* After a sync: leave a mark in the log, unless a commit comes first. */
void db_timer_owe_mark(struct db *db);

#endif
