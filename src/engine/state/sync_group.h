/* SPDX-License-Identifier: ISC */
/*
 * The group of threads that wait for the same disk sync. It is counted, so that
 * the sync waits for as many threads as it can serve, and no longer. The counts
 * are hints: no order is needed between them, and sequential consistency is
 * kept since a sync costs far more.
 * Threading: any thread.
 */
#ifndef KVFS_ENGINE_STATE_SYNC_GROUP_H
#define KVFS_ENGINE_STATE_SYNC_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* What a waiter wants to be durable: all commits up to seq; or, which is
 * enough, so many commits since opening. */
struct sync_goal {
	uint64_t seq, commits;
};

struct sync_group {
	_Atomic uint64_t planned_seq, planned_commits; /* the last sync's */
	_Atomic uint32_t served; /* waiters of the last sync */
	_Atomic uint32_t next; /* waiters of the next sync, so far */
	_Atomic uint32_t size; /* how many are worth waiting for */
};

/* Count a waiter for the running sync if that covers its goal, else for the
 * next one. */
void sync_group_join(struct sync_group *g, struct sync_goal goal);
/* Whether as many threads wait as did for the last sync or came while it
 * ran. */
bool sync_group_is_complete(struct sync_group *g);
/* A sync with this goal begins. It serves the waiters that have joined. */
void sync_group_begin(struct sync_group *g, struct sync_goal plan);
/* The sync has ended: the next group may be as large. */
void sync_group_end(struct sync_group *g);

#endif
