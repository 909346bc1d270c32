/* SPDX-License-Identifier: ISC */
/*
 * The rate of a compaction job while the store is in use; see
 * compact_pace.c. A job's pace belongs to the job; its threads share it.
 */
#ifndef KVFS_ENGINE_COMPACT_COMPACT_PACE_H
#define KVFS_ENGINE_COMPACT_COMPACT_PACE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct compact_state;
struct counter;
struct flush_state;
struct level;
struct room_state;
struct write_delay;

/* Shorter sleeps are added up. Longer ones are divided, so that a change of the
 * state is noticed. */
#define PACE_SLEEP_MIN_NS 1000000
#define PACE_SLEEP_MAX_NS 10000000

/* What a pace depends on, and the statistic of its sleeps. Borrowed. */
struct pace_state {
	const struct compact_state *compact;
	const struct write_delay *delay;
	const struct room_state *room;
	struct counter *slept_ns;
};

/* The progress of a job. */
struct compact_pace {
	/* constant */
	struct pace_state state;
	bool is_off; /* run at full speed */
	uint64_t start_ns;
	uint64_t total; /* uncompressed bytes of its inputs */
	/* own synchronisation */
	_Atomic uint64_t done; /* how many of them are merged; relaxed */
};

/* Call it when a flush has been installed, which leaves level 0 as l0. The
 * state lock is held. */
void compact_pace_flushed(struct flush_state *flush,
    struct compact_state *compact, const struct level *l0);
/* Call it when a job with inputs of so many bytes begins. is_off stays. */
void compact_pace_begin(struct compact_pace *p, const struct pace_state *state,
    uint64_t total);
/* The time at which a job that has merged done bytes should be there; 0: run at
 * full speed. */
uint64_t compact_pace_due_ns(const struct compact_pace *p, uint64_t done);
/* Report bytes more as merged, and sleep until it is time for the next. Any of
 * the job's threads. */
void compact_pace(struct compact_pace *p, uint64_t bytes);

#endif
