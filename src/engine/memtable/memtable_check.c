/* SPDX-License-Identifier: ISC */
/* The invariants of a memtable; see memtable.h. */
#include "engine/memtable/memtable.h"
#include "util/invariant.h"

void
memtable_check(const struct memtable *m)
{
	size_t count = skiplist_check(&m->list);
	uint64_t entries = atomic_load_explicit(&m->entries,
	    memory_order_relaxed);
	const struct skip_node *n;

	invariant(entries >= count,
	    "memtable: %zu entries, and %llu were counted", count,
	    (unsigned long long)entries);
	for (n = skiplist_first(&m->list); n != NULL; n = skip_node_next(n)) {
		struct slice key = skip_node_key(n);
		uint64_t seq = key_seq(key);

		invariant(seq >= m->min_seq && seq <= m->max_seq,
		    "memtable: sequence number %llu outside of %llu to %llu",
		    (unsigned long long)seq, (unsigned long long)m->min_seq,
		    (unsigned long long)m->max_seq);
		invariant(memtable_may_contain(m, key_hash(key_user(key))),
		    "memtable: the filter denies a key that is there");
	}
}
