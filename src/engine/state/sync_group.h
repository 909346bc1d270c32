/* SPDX-License-Identifier: ISC */
/*
 * The crowd: those who want the same disk sync, counted, so that a sync waits
 * for as many as it can serve and no longer. Hints, in any order; any thread.
 */
#ifndef KVFS_ENGINE_STATE_SYNC_GROUP_H
#define KVFS_ENGINE_STATE_SYNC_GROUP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* All commits up to seq, or else the first so many of them. */
struct sync_goal {
	uint64_t seq, commits;
};

struct sync_group {
	_Atomic uint64_t planned_seq, planned_commits; /* covered by the last */
	_Atomic uint32_t served; /* who wanted the last one */
	_Atomic uint32_t next; /* who want the next, so far */
	_Atomic uint32_t size; /* so many are worth waiting for */
};

/* Count him among those whom the sync under way serves, or the next. */
void sync_group_join(struct sync_group *g, struct sync_goal goal);
/* As many as wanted the last sync, or came while it ran. */
bool sync_group_is_complete(struct sync_group *g);
/* A sync begins that covers so much: it serves those who have joined. */
void sync_group_begin(struct sync_group *g, struct sync_goal plan);
/* It has ended: the next crowd may be as large. */
void sync_group_end(struct sync_group *g);

#endif
