/* SPDX-License-Identifier: ISC */
/* Handles of open files; see table_handle.h. */
#include "engine/tree/table_handle.h"

#include <stdlib.h>

static struct handle_bucket *
bucket_of(struct table_cache *tc, uint64_t number)
{
	return &tc->buckets[number & tc->mask];
}

static _Atomic(struct table_handle *) *
hint_of(struct table_cache *tc, uint64_t number)
{
	return &tc->hints[number & tc->mask];
}

struct table_handle *
table_handle_find_locked(struct table_cache *tc, uint64_t number)
{
	struct table_handle *h;

	mutex_assert_held(&tc->mu);
	LIST_FOREACH (h, bucket_of(tc, number), bucket)
		if (h->number == number)
			return h;
	return NULL;
}

struct table_handle *
table_handle_find_open(struct table_cache *tc, uint64_t number)
{
	/* Acquire: the handle's memory is initialised. */
	struct table_handle *h = atomic_load_explicit(hint_of(tc, number),
	    memory_order_acquire);
	uint32_t refs;

	if (h == NULL)
		return NULL;
	refs = atomic_load_explicit(&h->refs, memory_order_relaxed);
	do {
		if ((refs & REFS_VISIBLE) == 0)
			return NULL;
		/* Acquire: its members are as the thread that made it visible
		 * left them. */
	} while (!atomic_compare_exchange_weak_explicit(&h->refs, &refs,
	    refs + 1, memory_order_acquire, memory_order_relaxed));
	if (h->number != number) {
		table_handle_release(h);
		return NULL;
	}
	/* Write only if needed: a cache line that is only read stays in the
	 * cache of every processor. */
	if (!atomic_load_explicit(&h->is_used, memory_order_relaxed))
		atomic_store_explicit(&h->is_used, true, memory_order_relaxed);
	return h;
}

struct table_handle *
table_handle_add_locked(struct table_cache *tc, uint64_t number)
{
	struct table_handle *h = TAILQ_FIRST(&tc->unused);

	mutex_assert_held(&tc->mu);
	if (h != NULL)
		TAILQ_REMOVE(&tc->unused, h, link);
	else
		h = calloc(1, sizeof(*h));
	if (h == NULL)
		return NULL;
	h->tc = tc;
	h->number = number;
	h->memory = 0;
	h->state = HANDLE_OPENING;
	h->error = 0;
	h->is_listed = true;
	atomic_store_explicit(&h->is_used, false, memory_order_relaxed);
	/* One reference for the list, one for the caller. Relaxed: not visible
	 * yet. */
	atomic_store_explicit(&h->refs, 2, memory_order_relaxed);
	LIST_INSERT_HEAD(bucket_of(tc, number), h, bucket);
	TAILQ_INSERT_TAIL(&tc->queue, h, link);
	tc->count++;
	return h;
}

void
table_handle_show_locked(struct table_cache *tc, struct table_handle *h)
{
	mutex_assert_held(&tc->mu);
	if (!h->is_listed)
		return;
	/* Release: whoever sees the bit sees the reader. */
	atomic_fetch_or_explicit(&h->refs, REFS_VISIBLE, memory_order_release);
	atomic_store_explicit(hint_of(tc, h->number), h, memory_order_release);
}

void
table_handle_unlist_locked(struct table_cache *tc, struct table_handle *h)
{
	struct table_handle *hinted = h;

	mutex_assert_held(&tc->mu);
	/* Relaxed: the list's reference is still to be dropped. */
	atomic_fetch_and_explicit(&h->refs, ~REFS_VISIBLE,
	    memory_order_relaxed);
	(void)atomic_compare_exchange_strong_explicit(hint_of(tc, h->number),
	    &hinted, NULL, memory_order_relaxed, memory_order_relaxed);
	LIST_REMOVE(h, bucket);
	TAILQ_REMOVE(&tc->queue, h, link);
	h->is_listed = false;
	tc->count--;
}

void
table_handle_release(struct table_handle *h)
{
	struct table_cache *tc;

	/* Release: our reads come before the close. Acquire: and those of
	 * others. */
	if (h == NULL ||
	    atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1)
		return;
	tc = h->tc;
	atomic_fetch_sub_explicit(&tc->memory, h->memory, memory_order_relaxed);
	table_reader_close(h->table);
	segment_reader_close(h->segment);
	h->table = NULL;
	h->segment = NULL;
	mutex_lock(&tc->mu);
	TAILQ_INSERT_HEAD(&tc->unused, h, link);
	mutex_unlock(&tc->mu);
}

/* Remove h from the list if nobody uses it. */
static bool
unlist_idle_locked(struct table_cache *tc, struct table_handle *h)
{
	uint32_t idle = REFS_VISIBLE + 1;

	mutex_assert_held(&tc->mu);
	/* From here on nobody gets a reference without the lock. Acquire: all
	 * that the last user did with it has ended. */
	if (!atomic_compare_exchange_strong_explicit(&h->refs, &idle, 1,
		memory_order_acquire, memory_order_relaxed))
		return false;
	table_handle_unlist_locked(tc, h);
	return true;
}

void
table_handles_trim_locked(struct table_cache *tc, struct handle_queue *out)
{
	uint64_t memory = atomic_load_explicit(&tc->memory,
	    memory_order_relaxed);

	mutex_assert_held(&tc->mu);
	/* At most two rounds: in the second one no handle is marked as used. */
	for (unsigned n = 2 * tc->count;
	     n != 0 && (tc->count > tc->max_open || memory > tc->max_memory);
	     n--) {
		struct table_handle *h = TAILQ_FIRST(&tc->queue);
		size_t freed = h->memory;
		bool is_used = atomic_exchange_explicit(&h->is_used, false,
		    memory_order_relaxed);

		/* Closing a segment frees no memory. */
		if (!is_used && (tc->count > tc->max_open || freed != 0) &&
		    unlist_idle_locked(tc, h)) {
			TAILQ_INSERT_TAIL(out, h, link);
			memory -= freed < memory ? freed : memory;
			continue;
		}
		TAILQ_REMOVE(&tc->queue, h, link);
		TAILQ_INSERT_TAIL(&tc->queue, h, link);
	}
}

void
table_handles_release(struct handle_queue *q)
{
	struct table_handle *h;

	while ((h = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, h, link);
		table_handle_release(h);
	}
}
