/* SPDX-License-Identifier: ISC */
/* The invariants of the table cache; see table_handle.h. */
#include "engine/tree/table_handle.h"
#include "util/invariant.h"

static void
check_handle(struct table_cache *tc, const struct table_handle *h)
{
	uint32_t refs = atomic_load_explicit(&h->refs, memory_order_relaxed);
	unsigned long long number = h->number;

	mutex_assert_held(&tc->mu);
	invariant(h->is_listed && h->tc == tc,
	    "table cache: file %llu is in the queue and not listed", number);
	invariant((refs & ~REFS_VISIBLE) != 0,
	    "table cache: nobody holds file %llu", number);
	invariant(((refs & REFS_VISIBLE) != 0) == (h->state == HANDLE_OPEN),
	    "table cache: file %llu is open or is found, not both", number);
	invariant(h->state != HANDLE_FAILED,
	    "table cache: file %llu failed to open and is listed", number);
	invariant(table_handle_find_locked(tc, h->number) == h,
	    "table cache: file %llu is in the queue and not found", number);
}

void
table_cache_check(struct table_cache *tc)
{
	struct table_handle *h;
	size_t memory = 0;
	unsigned count = 0;

	mutex_lock(&tc->mu);
	TAILQ_FOREACH (h, &tc->queue, link) {
		check_handle(tc, h);
		if (h->state == HANDLE_OPEN)
			memory += h->memory;
		count++;
	}
	invariant(count == tc->count,
	    "table cache: %u files in the queue, %u counted", count, tc->count);
	/* Those that were closed and are still in use come on top. */
	invariant(memory <=
		atomic_load_explicit(&tc->memory, memory_order_relaxed),
	    "table cache: files have more memory than is counted");
	TAILQ_FOREACH (h, &tc->unused, link)
		invariant(!h->is_listed && h->table == NULL &&
			h->segment == NULL,
		    "table cache: an unused handle has a file");
	mutex_unlock(&tc->mu);
}
