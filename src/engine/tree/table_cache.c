/* SPDX-License-Identifier: ISC */
/*
 * Open tables and segments; see table_cache.h. table_handle.c manages the
 * handles; this source opens files for them.
 */
#include "engine/tree/table_cache.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include "engine/env/store_files.h"
#include "engine/tree/table_handle.h"
#include "util/log.h"

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

void
table_cache_destroy(struct table_cache *tc)
{
	struct table_handle *h;

	if (tc == NULL)
		return;
	mutex_lock(&tc->mu);
	while ((h = TAILQ_FIRST(&tc->queue)) != NULL) {
		table_handle_unlist_locked(tc, h);
		assert(
		    atomic_load_explicit(&h->refs, memory_order_relaxed) == 1);
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

/* Open the file of h. The cache's lock is not held: h->state keeps other
 * threads away. */
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
		/* The store needs this file: if it is missing, the store is
		 * damaged. */
		return rc == -ENOENT ? -KVFS_ECORRUPT : rc;
	}
	if (kind == FILE_SEGMENT)
		return segment_reader_open(file, path, h->number, &h->segment);
	env_advise(file, 0, 0, ENV_ADVICE_RANDOM);
	return table_reader_open(file, path, h->number, tc->cache, &h->table);
}

/* Open a handle that table_handle_add_locked() has made. */
static int
open_handle(struct table_cache *tc, struct table_handle *h, enum file_kind kind)
{
	struct handle_queue out = TAILQ_HEAD_INITIALIZER(out);
	int rc = open_file(h, kind);

	mutex_lock(&tc->mu);
	h->state = rc < 0 ? HANDLE_FAILED : HANDLE_OPEN;
	h->error = rc;
	/* Count it under the lock, since table_handles_trim_locked() reads the
	 * sum. */
	if (h->table != NULL)
		h->memory = table_reader_memory(h->table);
	atomic_fetch_add_explicit(&tc->memory, h->memory, memory_order_relaxed);
	if (rc == 0) {
		table_handle_show_locked(tc, h);
	} else if (h->is_listed) {
		table_handle_unlist_locked(tc, h);
		TAILQ_INSERT_TAIL(&out, h, link);
	}
	table_handles_trim_locked(tc, &out);
	cond_broadcast(&tc->opened);
	mutex_unlock(&tc->mu);
	table_handles_release(&out);
	/* That was the list's reference; this is the caller's. */
	if (rc < 0)
		table_handle_release(h); /* NOLINT(*-unix.Malloc) */
	return rc;
}

/* Get a reference to an open handle; opens the file if necessary. */
static int
get_handle(struct table_cache *tc, uint64_t number, enum file_kind kind,
    struct table_handle **handlep)
{
	struct table_handle *h = table_handle_find_open(tc, number);
	int rc;

	*handlep = h;
	if (h != NULL)
		return 0;
	mutex_lock(&tc->mu);
	h = table_handle_find_locked(tc, number);
	if (h == NULL) {
		h = table_handle_add_locked(tc, number);
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
		table_handle_show_locked(tc, h);
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
	h = table_handle_find_locked(tc, number);
	if (h != NULL)
		table_handle_unlist_locked(tc, h);
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
