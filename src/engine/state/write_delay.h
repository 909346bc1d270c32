/* SPDX-License-Identifier: ISC */
/*
 * How much writers are slowed down, so that they need not be stopped, and
 * whether there are any.
 */
#ifndef KVFS_ENGINE_STATE_WRITE_DELAY_H
#define KVFS_ENGINE_STATE_WRITE_DELAY_H

#include "engine/state/db_state.h"
#include "util/clock.h"

/* Tables of level 0 from which on writers are slowed, and at which they are
 * slowest. */
#define L0_SLOWDOWN_FILES 8
#define L0_STOP_FILES 20
/* After so long without a commit the store tidies up. */
#define IDLE_NS (2 * 1000000000ULL)

/* Set the writers' delay from the shape of the tree. */
void db_update_delay_locked(struct db *db) REQUIRES(&db->mu);
/* Sleep off the slowdown that a commit of so many bytes has earned. No lock
 * is held. */
void write_delay_sleep(struct db *db, size_t bytes);
/* A writer has waited for so long. */
void write_delay_count(struct db *db, uint64_t ns);

/* Whether nobody has written lately. */
static inline bool
db_is_idle(struct db *db)
{
	return clock_now_ns() - atomic_load(&db->last_commit_ns) > IDLE_NS;
}

/* A hint. */
static inline bool
db_is_slowed(const struct db *db)
{
	return atomic_load_explicit(&db->delay_ns_per_kib,
		   memory_order_relaxed) != 0;
}

#endif
