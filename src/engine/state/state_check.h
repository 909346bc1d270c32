/* SPDX-License-Identifier: ISC */
/*
 * Invariants of the parts of an open store, which end the process when they
 * do not hold (util/invariant.h). Each part is checked alone.
 */
#ifndef KVFS_ENGINE_STATE_STATE_CHECK_H
#define KVFS_ENGINE_STATE_STATE_CHECK_H

#include "engine/state/db_state.h"

/* Each segment has a reference; no more uses than references; one that takes
 * appends has a writer; live bytes are never below 0, and within the size of
 * those that this run has written; the active one is of the set and takes
 * appends. */
void segment_set_check(const struct segment_set *set) REQUIRES(&set->mu);
/* Logs are in the order of their numbers, each with a reference. The state
 * lock is held. */
void log_set_check(const struct log_set *set);
/* A ring, the oldest sequence number first. */
void snapshots_check_locked(const struct snapshots *list);
/* Writers are never slowed to less than a megabyte a second. Any thread. */
void write_delay_check(const struct write_delay *d);
/* Nothing was given back that was not taken; when no job runs, jobs have
 * nothing. Any thread. */
void memory_use_check(const struct memory_use *use, bool is_idle);

/* All of these, and the current version. */
void db_state_check_locked(struct db *db) REQUIRES(&db->mu);
/* The same without the lock, and the caches. */
void db_state_check(struct db *db);

#endif
