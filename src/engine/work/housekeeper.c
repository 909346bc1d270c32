/* SPDX-License-Identifier: ISC */
/*
 * The flush thread. It flushes memtables to tables of level 0, makes logs ahead
 * of use and recycles old ones, unlinks obsolete files, and tidies an idle
 * store.
 */
#include "engine/work/housekeeper.h"

#include "engine/env/env.h"
#include "engine/memtable/memtable.h"
#include "engine/state/db_state.h"
#include "engine/state/obsolete.h"
#include "engine/state/fault.h"
#include "engine/state/log_make.h"
#include "engine/state/work_signal.h"
#include "engine/state/write_delay.h"
#include "engine/tree/version.h"
#include "engine/work/flush.h"
#include "engine/work/memtables.h"
#include "engine/work/room.h"
#include "engine/work/slack.h"
#include "util/clock.h"
#include "util/page_pool.h"

/* An idle store flushes a memtable that has at least this size, or is a good
 * part of the store, or frees a lot. */
#define IDLE_FLUSH_BYTES (1u << 20)
#define IDLE_FLUSH_RECLAIM (4u << 20)
#define IDLE_FLUSH_LEAST (64u << 10)
/* A store that is short of space flushes a memtable that supersedes at least so
 * much. */
#define SHORT_FLUSH_BYTES (4u << 20)
/* The shortest time between two compactions that scans over deleted keys ask
 * for. */
#define TIDY_EVERY_NS 1000000000ULL

static uint64_t
tree_bytes(const struct version *v)
{
	uint64_t n = 0;

	for (int i = 0; i < LEVELS; i++)
		n += v->levels[i].bytes;
	return n;
}

/* Scans pass over many deleted keys: start compaction of deletions. Returns
 * whether the memtable should be flushed before. */
static bool
begin_tidying_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t now = clock_now_ns();

	mutex_assert_held(&db->mu);
	if (!atomic_load_explicit(&db->work.tidy.is_wanted,
		memory_order_seq_cst) ||
	    db->views.current->imm_count != 0 ||
	    now - db->work.tidy.began_ns < TIDY_EVERY_NS)
		return false;
	atomic_store_explicit(&db->work.tidy.is_wanted, false,
	    memory_order_seq_cst);
	db->work.tidy.began_ns = now;
	db->work.tidy.is_under_way = true;
	cond_broadcast(&db->work.wanted);
	return memtable_bytes(db->views.current->mem) >= IDLE_FLUSH_BYTES;
}

/* Whether an idle store should flush its memtable. */
static bool
is_worth_flushing_locked(struct db *db) REQUIRES(&db->mu)
{
	const struct memtable *m = db->views.current->mem;
	uint64_t bytes = memtable_bytes(m), superseded, tree;

	mutex_assert_held(&db->mu);
	if (memtable_is_empty(m) || db->views.current->imm_count != 0)
		return false;
	/* Superseded values in segments are freed only by a flush. */
	superseded = db_memtable_superseded_locked(db);
	if (atomic_load_explicit(&db->room.is_short, memory_order_seq_cst) &&
	    superseded >= SHORT_FLUSH_BYTES)
		return true;
	if (!write_delay_is_idle(&db->delay))
		return false;
	tree = tree_bytes(db->views.current->version);
	return bytes >= IDLE_FLUSH_BYTES || bytes >= tree / 8 ||
	    superseded >= IDLE_FLUSH_RECLAIM ||
	    (superseded >= IDLE_FLUSH_LEAST && superseded >= tree / 8) ||
	    atomic_exchange_explicit(&db->work.tidy.is_wanted, false,
		memory_order_seq_cst);
}

/* An idle store needs no large spare logs. */
static void
shrink_logs_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t least = atomic_load_explicit(&db->space.sizes.log_min_bytes,
	    memory_order_relaxed);

	mutex_assert_held(&db->mu);
	if (db->logs.next_bytes > least)
		db_log_drop_spares_locked(db);
	db->logs.next_bytes = least;
}

/* If the store is idle, make its logs small. Returns whether the memtable
 * should be flushed. */
static bool
begin_idle_locked(struct db *db) REQUIRES(&db->mu)
{
	mutex_assert_held(&db->mu);
	if (!is_worth_flushing_locked(db))
		return false;
	shrink_logs_locked(db);
	return true;
}

/* Whether the oldest immutable memtable is full, not flushed early. */
static bool
is_oldest_full_locked(struct db *db) REQUIRES(&db->mu)
{
	const struct memtable *m =
	    db->views.current->imm[db->views.current->imm_count - 1];

	mutex_assert_held(&db->mu);
	return memtable_bytes(m) >= db->opts.memtable_bytes / 2;
}

/* Have large pages ready for the rest of the memtable. Drops mu meanwhile. */
static void
prepare_pages_locked(struct db *db) REQUIRES(&db->mu)
{
	uint64_t have = memtable_bytes(db->views.current->mem);
	uint64_t want = db->opts.memtable_bytes;
	size_t keep = want > have ? (want - have) / PAGE_POOL_PAGE : 0;

	mutex_assert_held(&db->mu);
	mutex_unlock(&db->mu);
	page_pool_fill(&db->caches.memory.pages, keep, want / PAGE_POOL_PAGE);
	mutex_lock(&db->mu);
}

/* ---- Chores: one at a time, the first that is due ---- */

/* The thread's own state. */
struct housekeeper {
	struct db *db;
	bool waits_for_room; /* the last flush found no space: wait before
	                        the next try */
};

static bool
flush_is_due_locked(const struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	return h->db->views.current->imm_count > 0 && !h->waits_for_room;
}

static void
flush_locked(struct housekeeper *h) REQUIRES(&h->db->mu)
{
	bool was_full = is_oldest_full_locked(h->db);

	mutex_assert_held(&h->db->mu);
	h->waits_for_room = db_flush_oldest_locked(h->db) < 0;
	/* The next memtable may become as large. */
	if (was_full && !h->waits_for_room)
		prepare_pages_locked(h->db);
}

static bool
log_is_due_locked(const struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	return h->db->logs.spare_wanted && h->db->logs.spare == NULL &&
	    !h->waits_for_room;
}

static void
make_log_locked(struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	db_log_prepare_locked(h->db);
}

static bool
rotation_is_due_locked(const struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	return begin_tidying_locked(h->db) || begin_idle_locked(h->db);
}

static void
rotate_locked(struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	mutex_unlock(&h->db->mu);
	(void)db_rotate(h->db);
	mutex_lock(&h->db->mu);
}

/* Both are called with mu, which do_locked may drop. */
static const struct chore {
	bool (*is_due_locked)(const struct housekeeper *h);
	void (*do_locked)(struct housekeeper *h);
} chores[] = {
	{ flush_is_due_locked, flush_locked },
	{ log_is_due_locked, make_log_locked },
	{ rotation_is_due_locked, rotate_locked },
};

/* Do the first chore that is due. False: no chore is due, or the store has
 * failed. */
static bool
do_chore_locked(struct housekeeper *h) REQUIRES(&h->db->mu)
{
	mutex_assert_held(&h->db->mu);
	if (fault_error(&h->db->fault) < 0)
		return false;
	for (size_t i = 0; i < sizeof(chores) / sizeof(chores[0]); i++) {
		if (chores[i].is_due_locked(h)) {
			chores[i].do_locked(h);
			return true;
		}
	}
	return false;
}

/* ---- Rounds: what is done each time when no chore is due ---- */

static void
give_back_idle(struct db *db)
{
	if (!write_delay_is_idle(&db->delay))
		return;
	page_pool_fill(&db->caches.memory.pages, 0, 0);
	/* Report freed space soon. */
	if (atomic_exchange_explicit(&db->store.obsolete.has_removed, false,
		memory_order_seq_cst))
		env_dir_settle(db->store.dir);
}

static void (*const rounds[])(struct db *db) = {
	obsolete_files_remove,
	give_back_idle,
	db_room_forget,
	db_slack_keep,
	db_watch_directory,
};

void *
db_housekeeper(void *arg)
{
	struct housekeeper h = { .db = arg };

	mutex_lock(&h.db->mu);
	while (!h.db->work.stop) {
		if (do_chore_locked(&h))
			continue;
		/* Threads that wait check the error (db_poison()). */
		if (fault_error(&h.db->fault) < 0)
			cond_broadcast(&h.db->work.progress);
		mutex_unlock(&h.db->mu);
		for (size_t i = 0; i < sizeof(rounds) / sizeof(rounds[0]); i++)
			rounds[i](h.db);
		mutex_lock(&h.db->mu);
		if (h.db->work.stop)
			break;
		cond_wait_until(&h.db->work.wanted, &h.db->mu,
		    clock_now_ns() + WORK_TICK_NS);
		h.waits_for_room = false;
	}
	mutex_unlock(&h.db->mu);
	return NULL;
}
