/* SPDX-License-Identifier: ISC */
/*
 * Slows writers down before they would have to stop: because of the number of
 * tables in level 0, or because memtables fill faster than flushes empty them.
 */
#include "engine/state/write_delay.h"

#include <time.h>

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/view.h"
#include "util/clock.h"
#include "util/stats.h"

/* A shorter sleep takes more time than it asks for. */
#define DELAY_MIN_NS 200000
#define DELAY_MAX_NS 20000000
/* Bounds for write_delay.ns_per_kib: 50 MB and 1 MB a second. */
#define FLUSH_NS_PER_KIB_MIN 20000
#define FLUSH_NS_PER_KIB_MAX 1000000

void
write_delay_count(struct db_stats *stats, uint64_t ns)
{
	counter_add(&stats->stalls, 1);
	counter_add(&stats->stall_ns, ns);
	histogram_add(&stats->one_stall_ns, ns);
}

void
write_delay_sleep(struct db *db, size_t bytes)
{
	uint64_t per_kib = atomic_load_explicit(&db->delay.ns_per_kib,
	    memory_order_relaxed);
	uint64_t debt;
	struct timespec ts = { 0 };

	if (per_kib == 0)
		return;
	debt = atomic_fetch_add_explicit(&db->delay.debt_ns,
		   per_kib * (bytes + 64) / 1024, memory_order_relaxed) +
	    per_kib * (bytes + 64) / 1024;
	if (debt < DELAY_MIN_NS)
		return;
	debt = atomic_exchange_explicit(&db->delay.debt_ns, 0,
	    memory_order_relaxed);
	if (debt > DELAY_MAX_NS)
		debt = DELAY_MAX_NS;
	ts.tv_nsec = (long)debt;
	nanosleep(&ts, NULL);
	write_delay_count(&db->stats, debt);
}

/* The rate of flushes, from the last one or the running one. */
static uint64_t
flush_ns_per_kib_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t took = db->work.flush.took_ns, so_far = 0, per_kib;

	mutex_assert_held(&db->mu);
	if (db->work.flush.began_ns != 0)
		so_far = clock_now_ns() - db->work.flush.began_ns;
	if (took < so_far)
		took = so_far;
	per_kib = took / (db->opts.memtable_bytes / 1024 + 1);
	if (per_kib < FLUSH_NS_PER_KIB_MIN)
		return FLUSH_NS_PER_KIB_MIN;
	return per_kib < FLUSH_NS_PER_KIB_MAX ? per_kib : FLUSH_NS_PER_KIB_MAX;
}

void
db_update_delay_locked(struct db *db)
{
	uint64_t l0 = db->views.current->version->levels[0].count;
	uint64_t over, range = L0_STOP_FILES - L0_SLOWDOWN_FILES;
	uint64_t per_kib = 0;

	mutex_assert_held(&db->mu);
	if (l0 > L0_SLOWDOWN_FILES) {
		/* Grows with the square of the nearness to the limit (Speedb's
		 * dynamic delay): at the limit a megabyte takes a second. */
		over = l0 - L0_SLOWDOWN_FILES;
		if (over > range)
			over = range;
		per_kib = 1000000 * over * over / (range * range);
	}
	/* Let the last free memtable fill no faster than flushes empty one. */
	if (db->views.current->imm_count >= IMM_MAX - 1) {
		uint64_t flush = flush_ns_per_kib_locked(db);

		if (per_kib < flush)
			per_kib = flush;
	}
	atomic_store_explicit(&db->delay.ns_per_kib, per_kib,
	    memory_order_relaxed);
}
