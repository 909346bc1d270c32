/* SPDX-License-Identifier: ISC */
/* The invariants of a shard of the block cache; see block_shard.h. */
#include "engine/cache/block_shard.h"
#include "util/invariant.h"

static void
check_entry(struct block_shard *s, struct block_entry *e)
{
	uint64_t meta = atomic_load_explicit(&e->meta, memory_order_relaxed);

	mutex_assert_held(&s->mu);
	invariant((meta & META_VISIBLE) != 0,
	    "block cache: a block is in a queue, and its entry is free");
	invariant(e->block->entry == e,
	    "block cache: a block and its entry do not agree");
	invariant(block_table_find_locked(&s->table,
		      block_hash(e->file, e->off), e->file, e->off) == e,
	    "block cache: the block %llu:%llu is in a queue and not found",
	    (unsigned long long)e->file, (unsigned long long)e->off);
}

void
block_shard_check(struct block_shard *s)
{
	uint64_t bytes = 0;
	size_t count = 0;

	mutex_assert_held(&s->mu);
	for (int i = 0; i < BLOCK_PARTS; i++) {
		uint64_t part_bytes = 0;
		struct block_entry *e;

		TAILQ_FOREACH (e, &s->part[i].queue, link) {
			invariant(e->part == i,
			    "block cache: a block of part %d in part %d",
			    e->part, i);
			check_entry(s, e);
			part_bytes += e->charge;
			count++;
		}
		invariant(s->part[i].bytes == part_bytes,
		    "block cache: part %d has %llu bytes, not %llu", i,
		    (unsigned long long)part_bytes,
		    (unsigned long long)s->part[i].bytes);
		bytes += part_bytes;
	}
	invariant(s->bytes == bytes,
	    "block cache: a shard has %llu bytes, not %llu",
	    (unsigned long long)bytes, (unsigned long long)s->bytes);
	invariant(s->table.count == count,
	    "block cache: %zu blocks in queues, %zu in the table", count,
	    s->table.count);
	invariant(s->warm_share >= s->split.least &&
		s->warm_share <= s->split.most,
	    "block cache: the warm part's share is out of bounds");
}
