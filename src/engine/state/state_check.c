/* SPDX-License-Identifier: ISC */
/* Invariants of the parts of an open store; see state_check.h. */
#include "engine/state/state_check.h"

#include "util/invariant.h"

/* A sum of differences above it has gone below 0. */
#define SUM_MAX (1ULL << 62)
#define DELAY_NS_PER_KIB_MAX 1000000

typedef unsigned long long ull;

static void
check_segment(const struct segment_ref *s)
{
	ull number = s->number;

	invariant(s->refs != 0, "segments: nobody holds %llu", number);
	invariant(s->users <= s->refs,
	    "segments: %llu has more uses than references", number);
	invariant(s->sealed || s->writer != NULL,
	    "segments: %llu takes appends and has no writer", number);
	invariant(s->live_bytes < SUM_MAX,
	    "segments: %llu has fewer than 0 live bytes", number);
	invariant(s->writer == NULL || s->live_bytes <= s->size,
	    "segments: %llu has %llu live bytes of %llu", number,
	    (ull)s->live_bytes, (ull)s->size);
}

void
segment_set_check(const struct segment_set *set)
{
	struct segment_tree tree = set->tree;
	const struct segment_ref *last = NULL;
	struct segment_ref *s;
	bool has_active = set->active == NULL;

	mutex_assert_held(&set->mu);
	RB_FOREACH (s, segment_tree, &tree) {
		check_segment(s);
		invariant(last == NULL || last->number < s->number,
		    "segments: %llu comes after %llu", (ull)s->number,
		    (ull)(last != NULL ? last->number : 0));
		has_active |= s == set->active;
		last = s;
	}
	invariant(has_active, "segments: the active one is not in the set");
	invariant(set->active == NULL || !set->active->sealed,
	    "segments: the active one is sealed");
}

void
log_set_check(const struct log_set *set)
{
	invariant(set->count <= set->cap, "logs: %zu, with room for %zu",
	    set->count, set->cap);
	for (size_t i = 0; i < set->count; i++) {
		const struct db_log *log = set->all[i];

		invariant(atomic_load_explicit(&log->refs,
			      memory_order_relaxed) != 0,
		    "logs: nobody holds %llu", (ull)log->number);
		invariant(i == 0 || set->all[i - 1]->number < log->number,
		    "logs: %llu comes after %llu", (ull)log->number,
		    (ull)set->all[i > 0 ? i - 1 : 0]->number);
	}
}

void
snapshots_check_locked(const struct snapshots *list)
{
	const struct kv_snapshot *s;

	mutex_assert_held(list->mu);
	for (s = list->head.next; s != &list->head; s = s->next) {
		invariant(s->next->prev == s && s->prev->next == s,
		    "snapshots: the ring is broken at %llu", (ull)s->seq);
		invariant(s->prev == &list->head || s->prev->seq <= s->seq,
		    "snapshots: %llu comes after %llu", (ull)s->seq,
		    (ull)s->prev->seq);
	}
}

void
write_delay_check(const struct write_delay *d)
{
	uint64_t ns = atomic_load_explicit(&d->ns_per_kib,
	    memory_order_relaxed);

	invariant(ns <= DELAY_NS_PER_KIB_MAX,
	    "write delay: %llu ns for each KiB", (ull)ns);
}

void
memory_use_check(const struct memory_use *use, bool is_idle)
{
	uint64_t waiting = atomic_load_explicit(&use->waiting_bytes,
	    memory_order_relaxed);
	uint64_t work = atomic_load_explicit(&use->work_bytes,
	    memory_order_relaxed);

	invariant(waiting < SUM_MAX,
	    "memory: full memtables have fewer than 0 bytes");
	invariant(work < SUM_MAX, "memory: jobs have fewer than 0 bytes");
	invariant(!is_idle || work == 0,
	    "memory: no job runs, and jobs have %llu bytes", (ull)work);
}

void
db_state_check_locked(struct db *db)
{
	mutex_assert_held(&db->mu);
	version_check(db->views.current->version);
	log_set_check(&db->logs);
	snapshots_check_locked(&db->snapshots);
	write_delay_check(&db->delay);
	memory_use_check(&db->caches.memory, false);
	mutex_lock(&db->segs.mu);
	segment_set_check(&db->segs);
	mutex_unlock(&db->segs.mu);
}

void
db_state_check(struct db *db)
{
	mutex_lock(&db->mu);
	db_state_check_locked(db);
	mutex_unlock(&db->mu);
	block_cache_check(db->caches.blocks);
	table_cache_check(db->caches.tables);
}
