/* SPDX-License-Identifier: ISC */
/*
 * Slows writers down before they would have to stop. They stop where no
 * memtable is free (work/memtables.c); dirty contents have a bound of their
 * own (fs/writeback.c). Also tells whether the store is idle.
 * Threading: any thread.
 */
#ifndef KVFS_ENGINE_STATE_WRITE_DELAY_H
#define KVFS_ENGINE_STATE_WRITE_DELAY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/clock.h"

/* Numbers of tables in level 0 at which writers are slowed down, and slowed
 * down most. */
#define L0_SLOWDOWN_FILES 8
#define L0_STOP_FILES 20
/* After so long without a commit the store is idle. */
#define IDLE_NS (2 * 1000000000ULL)

struct db;
struct db_stats;

/* Relaxed: figures that steer, each read alone. */
struct write_delay {
	_Atomic uint64_t ns_per_kib; /* 0: not slowed down */
	_Atomic uint64_t debt_ns; /* delay that has not been slept yet */
	_Atomic uint64_t last_commit_ns;
};

/* Compute the delay from the shape of the tree. The state lock is held. */
void db_update_delay_locked(struct db *db);
/* Sleep for the delay of a commit with so many bytes. The caller holds no
 * lock. */
void write_delay_sleep(struct db *db, size_t bytes);
/* Count that a writer has waited for so long. */
void write_delay_count(struct db_stats *stats, uint64_t ns);

/* Whether nobody has written recently. */
static inline bool
write_delay_is_idle(const struct write_delay *d)
{
	return clock_now_ns() -
	    atomic_load_explicit(&d->last_commit_ns, memory_order_relaxed) >
	    IDLE_NS;
}

/* A hint: it may be out of date. */
static inline bool
write_delay_is_slowed(const struct write_delay *d)
{
	return atomic_load_explicit(&d->ns_per_kib, memory_order_relaxed) != 0;
}

#endif
