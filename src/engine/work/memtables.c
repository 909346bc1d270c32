/* SPDX-License-Identifier: ISC */
/*
 * The current memtable and the immutable ones, which wait for their flush. A
 * writer that needs a place for another immutable one waits here, and nowhere
 * else.
 */
#include "engine/work/memtables.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/fault.h"
#include "engine/state/log_make.h"
#include "engine/state/memory_use.h"
#include "engine/state/segment_set.h"
#include "engine/state/view.h"
#include "engine/state/write_delay.h"
#include "engine/tree/version.h"
#include "util/arena.h"
#include "util/clock.h"

static void
memtable_release(void *arg, struct memtable *m)
{
	for (size_t i = 0; i < m->segment_count; i++)
		segment_put(arg, m->segments[i]);
	m->segment_count = 0;
	db_memory_uncount(arg, m);
}

struct memtable *
db_memtable_create(struct db *db, uint64_t first_log)
{
	struct memtable *m = memtable_create(first_log,
	    db->opts.memtable_bytes);

	if (m != NULL) {
		arena_expect(&m->arena, db->opts.memtable_bytes,
		    &db->caches.memory.pages);
		m->on_free = memtable_release;
		m->on_free_arg = db;
	}
	return m;
}

uint64_t
db_memtable_superseded_locked(struct db *db)
{
	const struct memtable *m = db->views.current->mem;

	mutex_assert_held(&db->mu);
	/* Relaxed: an estimate. */
	return atomic_load_explicit(&m->reclaim_bytes, memory_order_relaxed) +
	    atomic_load_explicit(&m->segment_bytes, memory_order_relaxed) +
	    atomic_load_explicit(&m->deletes, memory_order_relaxed) *
	    version_entry_bytes(db->views.current->version);
}

bool
db_memtable_is_full(struct db *db, const struct memtable *m)
{
	return memtable_bytes(m) >= db->opts.memtable_bytes ||
	    atomic_load_explicit(&m->segment_bytes, memory_order_relaxed) >=
	    atomic_load_explicit(&db->space.sizes.memtable_segment_bytes,
		memory_order_relaxed);
}

int
db_memtable_next(struct db *db, uint64_t first_log)
{
	struct memtable *mem = db_memtable_create(db, first_log);
	struct memtable *imm[IMM_MAX + 1];
	struct view *old;
	unsigned n;
	int rc;

	if (mem == NULL)
		return -ENOMEM;
	mutex_lock(&db->mu);
	old = db->views.current;
	n = old->imm_count;
	imm[0] = old->mem;
	memcpy(imm + 1, old->imm, n * sizeof(imm[0]));
	rc = view_install_locked(&db->views, mem, imm, n + 1, old->version);
	db_update_delay_locked(db);
	cond_broadcast(&db->work.wanted);
	mutex_unlock(&db->mu);
	if (rc < 0) {
		memtable_unref(mem);
		return rc;
	}
	db_memory_count(db, db->commits.mem);
	memtable_unref(db->commits.mem);
	db->commits.mem = mem;
	return 0;
}

/* Switch to a new log, and to a memtable that begins with it. */
static int
rotate_locked(struct db *db) REQUIRES(&db->commits.mu)
{
	int rc = db_log_switch(db, 0);

	mutex_assert_held(&db->commits.mu);
	return rc == 0 ? db_memtable_next(db, db->logs.current->number) : rc;
}

int
db_await_flush_locked(struct db *db, uint64_t tries)
{
	mutex_assert_held(&db->mu);
	if (fault_error(&db->fault) < 0)
		return -EIO;
	if (db->work.flush.error == -ENOSPC) {
		if (db->work.flush.tries != tries)
			return -ENOSPC;
		/* That was an earlier flush; there may be space now: try
		 * again. */
		cond_broadcast(&db->work.wanted);
	}
	cond_wait(&db->work.progress, &db->mu);
	return 0;
}

/* Drop the commit lock, and wait until a memtable may become immutable. */
static int
wait_for_flush(struct db *db) REQUIRES(&db->commits.mu)
{
	uint64_t start = clock_now_ns(), tries;
	int rc = 0;

	mutex_unlock(&db->commits.mu);
	mutex_lock(&db->mu);
	tries = db->work.flush.tries;
	while (db->views.current->imm_count >= IMM_MAX && rc == 0)
		rc = db_await_flush_locked(db, tries);
	mutex_unlock(&db->mu);
	write_delay_count(&db->stats, clock_now_ns() - start);
	mutex_lock(&db->commits.mu);
	return rc;
}

static unsigned
imm_count(struct db *db)
{
	unsigned n;

	mutex_lock(&db->mu);
	n = db->views.current->imm_count;
	mutex_unlock(&db->mu);
	return n;
}

int
db_memtable_make_room(struct db *db)
{
	int rc = 0;

	while (rc == 0 && db_memtable_is_full(db, db->commits.mem)) {
		if (imm_count(db) >= IMM_MAX)
			rc = wait_for_flush(db);
		else
			rc = rotate_locked(db);
	}
	return rc;
}

int
db_rotate(struct db *db)
{
	int rc = 0;

	mutex_lock(&db->commits.mu);
	while (rc == 0 && imm_count(db) >= IMM_MAX)
		rc = wait_for_flush(db);
	if (rc == 0 && !memtable_is_empty(db->commits.mem))
		rc = rotate_locked(db);
	mutex_unlock(&db->commits.mu);
	return rc;
}
