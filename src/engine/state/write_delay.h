/* SPDX-License-Identifier: ISC */
/*
 * How much writers are slowed down, so that they need not be stopped, and
 * whether there are any.
 */
#ifndef KVFS_ENGINE_STATE_WRITE_DELAY_H
#define KVFS_ENGINE_STATE_WRITE_DELAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/clock.h"

/* Tables of level 0 from which on writers are slowed, and at which they are
 * slowest. */
#define L0_SLOWDOWN_FILES 8
#define L0_STOP_FILES 20
/* After so long without a commit the store tidies up. */
#define IDLE_NS (2 * 1000000000ULL)

struct db;

struct write_delay {
	_Atomic uint64_t ns_per_kib; /* 0: nobody is slowed down */
	_Atomic uint64_t debt_ns; /* earned and not slept yet */
	_Atomic uint64_t last_commit_ns;
};

/* Set the writers' delay from the shape of the tree; the state lock is
 * held. */
void db_update_delay_locked(struct db *db);
/* Sleep off the slowdown that a commit of so many bytes has earned. No lock
 * is held. */
void write_delay_sleep(struct db *db, size_t bytes);
/* A writer has waited for so long. */
void write_delay_count(struct db *db, uint64_t ns);

/* Whether nobody has written lately. */
static inline bool
write_delay_is_idle(const struct write_delay *d)
{
	return clock_now_ns() - atomic_load(&d->last_commit_ns) > IDLE_NS;
}

/* A hint. */
static inline bool
write_delay_is_slowed(const struct write_delay *d)
{
	return atomic_load_explicit(&d->ns_per_kib, memory_order_relaxed) != 0;
}

#endif
