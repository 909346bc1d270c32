/* SPDX-License-Identifier: ISC */
/*
 * Open tables and segments; see table_cache.h. A handle is a hash table
 * entry: opening (the one thread that made it opens the file, without the
 * lock; others wait for it), open, or failed (waiters get the error, then
 * it is gone).
 *
 * Invariant: the cache holds one reference to each handle in it. Handles
 * are never freed while the cache lives, only used again, so that one that
 * is open is found without the lock: by a hint, and an addition to its
 * references that succeeds only while it is visible. The visible bit goes
 * when it is unlisted; whoever drops the last reference closes the file.
 */
#include "engine/tree/table_cache.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "engine/env/store_files.h"
#include "util/log.h"
#include "util/mutex.h"

#define REFS_VISIBLE (1u << 31) /* beside the count: open and listed */

enum handle_state { HANDLE_OPENING, HANDLE_OPEN, HANDLE_FAILED };

struct table_handle {
	_Atomic uint32_t refs;
	atomic_bool is_used; /* relaxed: since trim_locked() came by */
	/* Set by the opening thread, constant once open. */
	struct table_reader *table;
	struct segment_reader *segment;
	size_t memory;
	struct table_cache *tc;
	uint64_t number;
	/* Guarded by the cache's lock. */
	enum handle_state state;
	int error;
	bool is_listed; /* in bucket and queue, which hold one reference */
	LIST_ENTRY(table_handle) bucket;
	TAILQ_ENTRY(table_handle) link; /* of queue, or of unused */
};
LIST_HEAD(handle_bucket, table_handle);
TAILQ_HEAD(handle_queue, table_handle);

struct table_cache {
	struct env_dir *dir;
	struct block_cache *cache;
	unsigned max_open;
	uint64_t max_memory;
	struct mutex mu;
	struct cond opened; /* some handle is no longer opening */
	/* The handle that a number was last found at; release. */
	_Atomic(struct table_handle *) *hints;
	size_t mask; /* of hints and of buckets */
	_Atomic size_t memory; /* relaxed: a statistic */
	/* The rest is guarded by mu. */
	struct handle_queue queue; /* as a clock: closed at its head */
	struct handle_queue unused; /* for the next file */
	struct handle_bucket *buckets;
	unsigned count;
};

struct table_cache *
table_cache_create(struct env_dir *dir, struct block_cache *cache,
    unsigned max_open, uint64_t max_memory)
{
	struct table_cache *tc = calloc(1, sizeof(*tc));
	size_t buckets = 64;

	if (tc == NULL)
		return NULL;
	while (buckets < max_open && buckets < (1u << 20))
		buckets *= 2;
	tc->dir = dir;
	tc->cache = cache;
	tc->max_open = max_open;
	tc->max_memory = max_memory;
	tc->mask = buckets - 1;
	mutex_init(&tc->mu);
	cond_init(&tc->opened);
	TAILQ_INIT(&tc->queue);
	TAILQ_INIT(&tc->unused);
	tc->hints = calloc(buckets, sizeof(*tc->hints));
	tc->buckets = calloc(buckets, sizeof(*tc->buckets));
	if (tc->hints == NULL || tc->buckets == NULL) {
		table_cache_destroy(tc);
		return NULL;
	}
	return tc;
}

/* ---- The list ---- */

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

static struct table_handle *
find_locked(struct table_cache *tc, uint64_t number)
{
	struct table_handle *h;

	mutex_assert_held(&tc->mu);
	LIST_FOREACH (h, bucket_of(tc, number), bucket)
		if (h->number == number)
			return h;
	return NULL;
}

/* Take h out; the list's reference goes to the caller. */
static void
unlist_locked(struct table_cache *tc, struct table_handle *h)
{
	struct table_handle *hinted = h;

	mutex_assert_held(&tc->mu);
	/* Relaxed: that reference is still to be dropped. */
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

	/* Release: our reads come before the close; acquire: others' too. */
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

void
table_cache_destroy(struct table_cache *tc)
{
	struct table_handle *h;

	if (tc == NULL)
		return;
	mutex_lock(&tc->mu);
	while ((h = TAILQ_FIRST(&tc->queue)) != NULL) {
		unlist_locked(tc, h);
		assert(atomic_load(&h->refs) == 1);
		mutex_unlock(&tc->mu);
		table_handle_release(h);
		mutex_lock(&tc->mu);
	}
	mutex_unlock(&tc->mu);
	while ((h = TAILQ_FIRST(&tc->unused)) != NULL) {
		TAILQ_REMOVE(&tc->unused, h, link);
		free(h);
	}
	cond_fini(&tc->opened);
	mutex_fini(&tc->mu);
	free(tc->hints);
	free(tc->buckets);
	free(tc);
}

/* Take h out if nobody uses it. */
static bool
unlist_idle_locked(struct table_cache *tc, struct table_handle *h)
{
	uint32_t idle = REFS_VISIBLE + 1;

	/* From here on nobody can take a reference without the lock. Acquire:
	 * what the last user did with it is over. */
	if (!atomic_compare_exchange_strong_explicit(&h->refs, &idle, 1,
		memory_order_acquire, memory_order_relaxed))
		return false;
	unlist_locked(tc, h);
	return true;
}

/* Take those out that nobody uses, or has used since the last time round
 * (second chance), until the bounds are kept; they are to be released
 * without the lock. */
static void
trim_locked(struct table_cache *tc, struct handle_queue *out)
{
	uint64_t memory = table_cache_memory(tc);

	/* Twice round at most: the second time finds none used. */
	for (unsigned n = 2 * tc->count;
	     n != 0 && (tc->count > tc->max_open || memory > tc->max_memory);
	     n--) {
		struct table_handle *h = TAILQ_FIRST(&tc->queue);
		size_t freed = h->memory;
		bool is_used = atomic_exchange_explicit(&h->is_used, false,
		    memory_order_relaxed);

		/* A segment gives no memory back. */
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

static void
release_all(struct handle_queue *q)
{
	struct table_handle *h;

	while ((h = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, h, link);
		table_handle_release(h);
	}
}

/* ---- Opening ---- */

/* Open the file of h. Without the lock: h->state keeps others away. */
static int
open_file(struct table_handle *h, enum file_kind kind)
{
	struct table_cache *tc = h->tc;
	struct env_file *file;
	char path[PATH_MAX];
	int rc = store_file_open(tc->dir, kind, h->number, ENV_READ, &file);

	filename_path(path, tc->dir->path, kind, h->number);
	if (rc < 0) {
		log_error("%s: open: %s", path, strerror(-rc));
		/* A file that the store counts on: absence is damage. */
		return rc == -ENOENT ? -KVFS_ECORRUPT : rc;
	}
	if (kind == FILE_SEGMENT)
		return segment_reader_open(file, path, h->number, &h->segment);
	env_advise(file, 0, 0, ENV_ADVICE_RANDOM);
	return table_reader_open(file, path, h->number, tc->cache, &h->table);
}

/* A new handle in the list, being opened by the caller. */
static struct table_handle *
add_locked(struct table_cache *tc, uint64_t number)
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
	/* The list's and the caller's. Relaxed: not visible yet. */
	atomic_store_explicit(&h->refs, 2, memory_order_relaxed);
	LIST_INSERT_HEAD(bucket_of(tc, number), h, bucket);
	TAILQ_INSERT_TAIL(&tc->queue, h, link);
	tc->count++;
	return h;
}

/* Let others find h, which is open, without the lock. */
static void
show_locked(struct table_cache *tc, struct table_handle *h)
{
	if (!h->is_listed)
		return;
	/* Release: who sees the bit sees the reader. */
	atomic_fetch_or_explicit(&h->refs, REFS_VISIBLE, memory_order_release);
	atomic_store_explicit(hint_of(tc, h->number), h, memory_order_release);
}

/* Open a handle that add_locked() made. */
static int
open_handle(struct table_cache *tc, struct table_handle *h, enum file_kind kind)
{
	struct handle_queue out = TAILQ_HEAD_INITIALIZER(out);
	int rc = open_file(h, kind);

	mutex_lock(&tc->mu);
	h->state = rc < 0 ? HANDLE_FAILED : HANDLE_OPEN;
	h->error = rc;
	/* Here, since trim_locked() looks at it. */
	if (h->table != NULL)
		h->memory = table_reader_memory(h->table);
	atomic_fetch_add_explicit(&tc->memory, h->memory, memory_order_relaxed);
	if (rc == 0) {
		show_locked(tc, h);
	} else if (h->is_listed) {
		unlist_locked(tc, h);
		TAILQ_INSERT_TAIL(&out, h, link);
	}
	trim_locked(tc, &out);
	cond_broadcast(&tc->opened);
	mutex_unlock(&tc->mu);
	release_all(&out);
	/* That was the list's reference; this is the caller's. */
	if (rc < 0)
		table_handle_release(h); /* NOLINT(*-unix.Malloc) */
	return rc;
}

/* An open handle where the hint says, with a reference; or NULL. */
static struct table_handle *
find_open(struct table_cache *tc, uint64_t number)
{
	/* Acquire: the handle's memory is seen as it was made. */
	struct table_handle *h = atomic_load_explicit(hint_of(tc, number),
	    memory_order_acquire);
	uint32_t refs;

	if (h == NULL)
		return NULL;
	refs = atomic_load_explicit(&h->refs, memory_order_relaxed);
	do {
		if ((refs & REFS_VISIBLE) == 0)
			return NULL;
		/* Acquire: its fields, as the one who showed it left them. */
	} while (!atomic_compare_exchange_weak_explicit(&h->refs, &refs,
	    refs + 1, memory_order_acquire, memory_order_relaxed));
	if (h->number != number) {
		table_handle_release(h);
		return NULL;
	}
	/* A line that is only read stays in every processor's cache. */
	if (!atomic_load_explicit(&h->is_used, memory_order_relaxed))
		atomic_store_explicit(&h->is_used, true, memory_order_relaxed);
	return h;
}

/* A reference to an open handle. */
static int
get_handle(struct table_cache *tc, uint64_t number, enum file_kind kind,
    struct table_handle **handlep)
{
	struct table_handle *h = find_open(tc, number);
	int rc;

	*handlep = h;
	if (h != NULL)
		return 0;
	mutex_lock(&tc->mu);
	h = find_locked(tc, number);
	if (h == NULL) {
		h = add_locked(tc, number);
		mutex_unlock(&tc->mu);
		if (h == NULL)
			return -ENOMEM;
		rc = open_handle(tc, h, kind);
		if (rc == 0)
			*handlep = h;
		return rc;
	}
	atomic_fetch_add_explicit(&h->refs, 1, memory_order_relaxed);
	while (h->state == HANDLE_OPENING)
		cond_wait(&tc->opened, &tc->mu);
	rc = h->state == HANDLE_FAILED ? h->error : 0;
	if (rc == 0)
		show_locked(tc, h);
	mutex_unlock(&tc->mu);
	if (rc < 0)
		table_handle_release(h);
	else
		*handlep = h;
	return rc;
}

int
table_cache_table(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct table_reader **readerp)
{
	int rc = get_handle(tc, number, FILE_TABLE, handlep);

	*readerp = rc == 0 ? (*handlep)->table : NULL;
	return rc;
}

int
table_cache_segment(struct table_cache *tc, uint64_t number,
    struct table_handle **handlep, struct segment_reader **readerp)
{
	int rc = get_handle(tc, number, FILE_SEGMENT, handlep);

	*readerp = rc == 0 ? (*handlep)->segment : NULL;
	return rc;
}

void
table_cache_evict(struct table_cache *tc, uint64_t number)
{
	struct table_handle *h;

	mutex_lock(&tc->mu);
	h = find_locked(tc, number);
	if (h != NULL)
		unlist_locked(tc, h);
	mutex_unlock(&tc->mu);
	table_handle_release(h);
}

bool
table_cache_has_room(struct table_cache *tc)
{
	unsigned count;

	mutex_lock(&tc->mu);
	count = tc->count;
	mutex_unlock(&tc->mu);
	return count < tc->max_open / 4 * 3 &&
	    table_cache_memory(tc) < tc->max_memory / 4 * 3;
}

uint64_t
table_cache_memory(struct table_cache *tc)
{
	return atomic_load_explicit(&tc->memory, memory_order_relaxed);
}
