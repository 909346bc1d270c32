/* SPDX-License-Identifier: ISC */
/*
 * Open tables and segments; see table_cache.h. A handle is a hash table
 * entry: opening (the one thread that made it opens the file, without the
 * lock; others wait for it), open, or failed (waiters get the error, then
 * it is gone).
 *
 * Invariant: the cache holds one reference to each handle in it. References
 * are taken under the lock, so that a handle with one reference, seen under
 * the lock, is in nobody's use.
 */
#include "engine/table_cache.h"

#include <assert.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "engine/filename.h"
#include "util/log.h"
#include "util/mutex.h"

enum handle_state { HANDLE_OPENING, HANDLE_OPEN, HANDLE_FAILED };

struct table_handle {
	_Atomic uint32_t refs;
	/* Set by the opening thread, constant once open. */
	struct table_reader *table;
	struct segment_reader *segment;
	size_t memory;
	struct table_cache *tc;
	uint64_t number;
	/* Guarded by the cache's lock. */
	enum handle_state state;
	int error;
	bool is_listed; /* in bucket and lru, which hold one reference */
	LIST_ENTRY(table_handle) bucket;
	TAILQ_ENTRY(table_handle) lru;
};
LIST_HEAD(handle_bucket, table_handle);
TAILQ_HEAD(handle_queue, table_handle);

struct table_cache {
	struct env *env;
	char *dir;
	struct block_cache *cache;
	unsigned max_open;
	uint64_t max_memory;
	struct mutex mu;
	struct cond opened; /* some handle is no longer opening */
	/* The rest is guarded by mu. */
	struct handle_queue lru; /* least recently used first */
	struct handle_bucket *buckets;
	size_t mask;
	unsigned count;
	_Atomic size_t memory; /* relaxed: a statistic */
};

struct table_cache *
table_cache_create(struct env *env, const char *dir, struct block_cache *cache,
    unsigned max_open, uint64_t max_memory)
{
	struct table_cache *tc = calloc(1, sizeof(*tc));
	size_t buckets = 64;

	if (tc == NULL)
		return NULL;
	while (buckets < max_open && buckets < (1u << 20))
		buckets *= 2;
	tc->env = env;
	tc->cache = cache;
	tc->max_open = max_open;
	tc->max_memory = max_memory;
	tc->mask = buckets - 1;
	mutex_init(&tc->mu);
	cond_init(&tc->opened);
	TAILQ_INIT(&tc->lru);
	tc->dir = strdup(dir);
	tc->buckets = calloc(buckets, sizeof(*tc->buckets));
	if (tc->dir == NULL || tc->buckets == NULL) {
		table_cache_destroy(tc);
		return NULL;
	}
	return tc;
}

void
table_cache_destroy(struct table_cache *tc)
{
	struct table_handle *h;

	if (tc == NULL)
		return;
	while ((h = TAILQ_FIRST(&tc->lru)) != NULL) {
		assert(atomic_load(&h->refs) == 1);
		TAILQ_REMOVE(&tc->lru, h, lru);
		table_handle_release(h);
	}
	cond_fini(&tc->opened);
	mutex_fini(&tc->mu);
	free(tc->buckets);
	free(tc->dir);
	free(tc);
}

void
table_handle_release(struct table_handle *h)
{
	/* Release: our reads come before the close; acquire: others' too. */
	if (h == NULL ||
	    atomic_fetch_sub_explicit(&h->refs, 1, memory_order_acq_rel) != 1)
		return;
	atomic_fetch_sub_explicit(&h->tc->memory, h->memory,
	    memory_order_relaxed);
	table_reader_close(h->table);
	segment_reader_close(h->segment);
	free(h);
}

/* ---- The list ---- */

static struct handle_bucket *
bucket_of(struct table_cache *tc, uint64_t number)
{
	return &tc->buckets[number & tc->mask];
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
	mutex_assert_held(&tc->mu);
	LIST_REMOVE(h, bucket);
	TAILQ_REMOVE(&tc->lru, h, lru);
	h->is_listed = false;
	tc->count--;
}

/* Take the least recently used ones out that nobody uses, until the bounds
 * are kept; they are to be released without the lock. */
static void
trim_locked(struct table_cache *tc, struct handle_queue *out)
{
	struct table_handle *h, *next;
	uint64_t memory = table_cache_memory(tc);

	for (h = TAILQ_FIRST(&tc->lru);
	     h != NULL && (tc->count > tc->max_open || memory > tc->max_memory);
	     h = next) {
		next = TAILQ_NEXT(h, lru);
		/* A segment gives no memory back. */
		if (tc->count <= tc->max_open && h->memory == 0)
			continue;
		if (atomic_load_explicit(&h->refs, memory_order_acquire) > 1)
			continue;
		unlist_locked(tc, h);
		TAILQ_INSERT_TAIL(out, h, lru);
		memory -= h->memory < memory ? h->memory : memory;
	}
}

static void
release_all(struct handle_queue *q)
{
	struct table_handle *h;

	while ((h = TAILQ_FIRST(q)) != NULL) {
		TAILQ_REMOVE(q, h, lru);
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
	int rc = filename_make(path, sizeof(path), tc->dir, kind, h->number);

	if (rc < 0) {
		log_error("%s: path is too long", tc->dir);
		return rc;
	}
	rc = env_open(tc->env, path, ENV_READ, &file);
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
	struct table_handle *h = calloc(1, sizeof(*h));

	mutex_assert_held(&tc->mu);
	if (h == NULL)
		return NULL;
	atomic_init(&h->refs, 2); /* the list's and the caller's */
	h->tc = tc;
	h->number = number;
	h->state = HANDLE_OPENING;
	h->is_listed = true;
	LIST_INSERT_HEAD(bucket_of(tc, number), h, bucket);
	TAILQ_INSERT_TAIL(&tc->lru, h, lru);
	tc->count++;
	return h;
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
	if (rc < 0 && h->is_listed) {
		unlist_locked(tc, h);
		TAILQ_INSERT_TAIL(&out, h, lru);
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

/* A reference to an open handle. */
static int
get_handle(struct table_cache *tc, uint64_t number, enum file_kind kind,
    struct table_handle **handlep)
{
	struct table_handle *h;
	int rc;

	*handlep = NULL;
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
	if (TAILQ_NEXT(h, lru) != NULL) {
		TAILQ_REMOVE(&tc->lru, h, lru);
		TAILQ_INSERT_TAIL(&tc->lru, h, lru);
	}
	while (h->state == HANDLE_OPENING)
		cond_wait(&tc->opened, &tc->mu);
	rc = h->state == HANDLE_FAILED ? h->error : 0;
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

uint64_t
table_cache_memory(struct table_cache *tc)
{
	return atomic_load_explicit(&tc->memory, memory_order_relaxed);
}
