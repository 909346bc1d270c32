/* SPDX-License-Identifier: ISC */
/*
 * Warms the cache after opening. A thread opens the tables, newest first, as
 * long as there is space for their indexes and filters, so that no get has to
 * wait for that. Then it reads the hottest blocks from the list that a clean
 * close leaves (hot_list.h), hottest first, in pieces of blocks that lie close
 * together, by the normal path, which verifies everything. It uses free space
 * only and gives way to others: it never evicts a block, pauses after a piece
 * while others miss blocks, and ends when they have missed more blocks than the
 * list has.
 *
 * The list is a hint: if it is missing, damaged or names tables that do not
 * exist any more, it is ignored, and that is counted.
 */
#include "engine/store/db_warm.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/env/filename.h"
#include "engine/env/store_files.h"
#include "engine/state/db_state.h"
#include "engine/cache/hot_list.h"
#include "engine/state/store_dir.h"
#include "engine/state/view.h"
#include "engine/table/table_reader.h"
#include "engine/tree/version.h"
#include "util/clock.h"
#include "util/log.h"

/* How long it pauses while others wait for the disk. */
#define PAUSE_NS (10 * NS_PER_MS)
/* The list gets this part of the cache, so that a new load finds space. */
#define LIST_PART(bytes) ((bytes) / 4 * 3)

enum warm_state {
	WARM_READING,
	WARM_NO_LIST,
	WARM_DONE,
	WARM_FULL, /* the cache is full */
	WARM_BUSY, /* others have missed too many blocks */
	WARM_STOPPED, /* the store was closed before the end */
};

struct warm_up {
	struct db *db;
	/* written by the thread; the figures are relaxed, state is sequentially
	 * consistent and nothing else is read by it */
	_Atomic uint64_t listed, stale, ignored;
	_Atomic int state;
	/* only used by the thread */
	struct hot_list list;
	uint64_t misses, misses_first, kept; /* figures of the cache */
	/* guarded by mu */
	struct mutex mu;
	struct cond wake;
	bool stop;
	/* of the thread that opens and closes the store */
	pthread_t thread;
	bool started;
};

/* Whether it has to stop. With pause, sleeps before it returns. */
static bool
is_stopped(struct warm_up *w, bool pause)
{
	bool stop;

	mutex_lock(&w->mu);
	if (pause && !w->stop)
		cond_wait_until(&w->wake, &w->mu, clock_now_ns() + PAUSE_NS);
	stop = w->stop;
	mutex_unlock(&w->mu);
	return stop;
}

/* ---- Opening tables ---- */

/* Open the i-th table of a level. False if there are no more. Errors are
 * logged, and a read of the table will get them again. */
static bool
open_table(struct db *db, int level, size_t i)
{
	struct table_handle *handle;
	struct table_reader *reader;
	struct view *v = view_acquire(&db->views);
	const struct level *l = &v->version->levels[level];
	bool is_there = i < l->count;

	if (is_there &&
	    table_cache_table(db->caches.tables, l->files[i]->number, &handle,
		&reader) == 0)
		table_handle_release(handle);
	view_release(&db->views, v);
	return is_there;
}

static void
open_tables(struct warm_up *w)
{
	struct db *db = w->db;

	for (int level = 0; level < LEVELS; level++)
		for (size_t i = 0; open_table(db, level, i); i++)
			if (is_stopped(w, false) ||
			    !table_cache_has_room(db->caches.tables))
				return;
}

/* ---- Reading blocks ---- */

/* After a piece of so many blocks: whether to go on, or why not. */
static enum warm_state
state_after_piece(struct warm_up *w, size_t blocks)
{
	uint64_t misses, kept;
	bool others_miss, is_full;

	block_cache_get_progress(w->db->caches.blocks, &misses, &kept);
	others_miss = misses != w->misses;
	/* Compare with a half: the shards do not fill evenly. */
	is_full = kept - w->kept < blocks / 2;
	w->misses = misses;
	w->kept = kept;
	if (is_full)
		return WARM_FULL;
	if (misses - w->misses_first > w->list.count)
		return WARM_BUSY;
	return is_stopped(w, others_miss) ? WARM_STOPPED : WARM_READING;
}

/* Find the open reader of a table, and pin it. NULL if the store has no such
 * table any more. */
static struct table_reader *
find_table(struct db *db, uint64_t number, struct table_handle **handlep)
{
	struct table_reader *reader = NULL;
	struct view *v = view_acquire(&db->views);

	*handlep = NULL;
	for (int i = 0; i < LEVELS && reader == NULL; i++) {
		struct table_file *f = level_find_number(&v->version->levels[i],
		    number);

		if (f != NULL)
			(void)table_cache_table(db->caches.tables, f->number,
			    handlep, &reader);
	}
	view_release(&db->views, v);
	return reader;
}

/* Read blocks of one table, in order of their offsets. */
static enum warm_state
read_table(struct warm_up *w, const struct block_place *places, size_t count)
{
	struct table_handle *handle;
	struct table_reader *t = find_table(w->db, places->file, &handle);
	enum warm_state state = WARM_READING;

	if (t == NULL) {
		atomic_fetch_add_explicit(&w->stale, count,
		    memory_order_relaxed);
		return state_after_piece(w, 0);
	}
	for (size_t i = 0; i < count && state == WARM_READING;) {
		struct table_warm done;
		int rc = table_reader_warm(t, places + i, count - i, &done);

		/* The error is logged; the other blocks of the table may be as
		 * bad: skip them. */
		i = rc < 0 ? count : i + done.seen;
		atomic_fetch_add_explicit(&w->stale, done.stale,
		    memory_order_relaxed);
		state = state_after_piece(w, done.read);
	}
	table_handle_release(handle);
	return state;
}

static enum warm_state
read_list(struct warm_up *w)
{
	const struct hot_list *l = &w->list;
	enum warm_state state = state_after_piece(w, 0);
	size_t n;

	for (size_t i = 0; i < l->count && state == WARM_READING; i += n) {
		const struct block_place *p = l->places + i;

		for (n = 1; i + n < l->count && p[n].file == p->file &&
		     p[n].heat == p->heat;)
			n++;
		state = read_table(w, p, n);
	}
	return state == WARM_READING ? WARM_DONE : state;
}

static void
remove_list(struct store_dir *store)
{
	(void)store_file_unlink(store->dir, FILE_HOT, 0);
}

/* Remove a list that cannot be used; it will not become usable later. */
static void
drop_list(struct warm_up *w)
{
	atomic_fetch_add_explicit(&w->ignored, 1, memory_order_relaxed);
	if (!w->db->read_only)
		remove_list(&w->db->store);
}

static void *
warm_thread(void *arg)
{
	struct warm_up *w = arg;
	struct db *db = w->db;
	enum warm_state state = WARM_NO_LIST;
	size_t bytes;
	int rc;

	open_tables(w);
	rc = hot_list_read(db->store.dir, &w->list);
	if (rc < 0 && rc != -ENOENT)
		drop_list(w);
	if (rc == 0) {
		atomic_store_explicit(&w->listed, w->list.count,
		    memory_order_relaxed);
		bytes = w->list.count * sizeof(*w->list.places);
		block_cache_reserve(db->caches.blocks, bytes);
		state = read_list(w);
		block_cache_unreserve(db->caches.blocks, bytes);
		if (state == WARM_DONE && w->list.count != 0 &&
		    atomic_load_explicit(&w->stale, memory_order_relaxed) ==
			w->list.count)
			drop_list(w);
	}
	hot_list_fini(&w->list);
	atomic_store_explicit(&w->state, state, memory_order_seq_cst);
	return NULL;
}

/* ---- Life cycle ---- */

void
db_warm_start(struct db *db)
{
	struct warm_up *w;

	if (!db->opts.warm_up)
		return;
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return;
	w->db = db;
	mutex_init(&w->mu);
	cond_init(&w->wake);
	block_cache_get_progress(db->caches.blocks, &w->misses, &w->kept);
	w->misses_first = w->misses;
	w->started = pthread_create(&w->thread, NULL, warm_thread, w) == 0;
	if (!w->started)
		atomic_store_explicit(&w->state, WARM_STOPPED,
		    memory_order_seq_cst);
	db->caches.warm_up = w;
}

void
db_warm_stop(struct db *db)
{
	struct warm_up *w = db->caches.warm_up;

	if (w == NULL || !w->started)
		return;
	mutex_lock(&w->mu);
	w->stop = true;
	cond_broadcast(&w->wake);
	mutex_unlock(&w->mu);
	pthread_join(w->thread, NULL);
	w->started = false;
}

void
db_warm_free(struct db *db)
{
	struct warm_up *w = db->caches.warm_up;

	if (w == NULL)
		return;
	db_warm_stop(db);
	cond_fini(&w->wake);
	mutex_fini(&w->mu);
	free(w);
	db->caches.warm_up = NULL;
}

/* ---- Writing the list ---- */

static int
cmp_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Remove blocks of tables that do not exist any more. -ENOMEM. */
static int
drop_stale_places(const struct version *v, struct hot_list *l)
{
	size_t tables = 0, n = 0;
	uint64_t *numbers;

	for (int i = 0; i < LEVELS; i++)
		tables += v->levels[i].count;
	numbers = malloc((tables + 1) * sizeof(*numbers));
	if (numbers == NULL)
		return -ENOMEM;
	tables = 0;
	for (int i = 0; i < LEVELS; i++)
		for (size_t j = 0; j < v->levels[i].count; j++)
			numbers[tables++] = v->levels[i].files[j]->number;
	qsort(numbers, tables, sizeof(*numbers), cmp_number);
	for (size_t i = 0; i < l->count; i++)
		if (bsearch(&l->places[i].file, numbers, tables,
			sizeof(*numbers), cmp_number) != NULL)
			l->places[n++] = l->places[i];
	l->count = n;
	free(numbers);
	return 0;
}

void
db_warm_save(struct db *db)
{
	struct hot_list l = { 0 };
	struct block_cache_stats st;
	struct view *v;
	int rc;

	/* A warm-up that was stopped early would leave a shorter list than it
	 * has found: keep that one. */
	if (db->caches.warm_up == NULL ||
	    atomic_load_explicit(&db->caches.warm_up->state,
		memory_order_seq_cst) == WARM_STOPPED)
		return;
	block_cache_get_stats(db->caches.blocks, &st);
	rc = block_cache_list_hot(db->caches.blocks, &l.places, &l.count);
	if (rc == 0) {
		v = view_acquire(&db->views);
		rc = drop_stale_places(v->version, &l);
		view_release(&db->views, v);
	}
	if (rc == 0) {
		hot_list_trim(&l, LIST_PART(st.capacity_bytes));
		if (l.count == 0)
			remove_list(&db->store);
		else
			rc = hot_list_write(db->store.dir,
			    store_new_file_number(&db->store), &l);
	}
	if (rc < 0)
		log_debug("%s: the list of hot blocks is not kept: %s",
		    db->store.path, strerror(-rc));
	hot_list_fini(&l);
}

/* ---- Statistics ---- */

void
db_warm_report(struct db *db, struct report *r)
{
	static const char *const states[] = {
		[WARM_READING] = "reading",
		[WARM_NO_LIST] = "no list",
		[WARM_DONE] = "done",
		[WARM_FULL] = "done, the cache is full",
		[WARM_BUSY] = "given up, others read much",
		[WARM_STOPPED] = "stopped",
	};
	struct warm_up *w = db->caches.warm_up;
	uint64_t misses, ahead;

	if (w == NULL)
		return;
	block_cache_get_progress(db->caches.blocks, &misses, &ahead);
	report_text(r, "Warm-up", "%s",
	    states[atomic_load_explicit(&w->state, memory_order_seq_cst)]);
	report_counter(r, "Warm-up blocks", "warm_up_blocks", ahead);
	report_gauge(r, "Warm-up blocks listed", "warm_up_listed_blocks",
	    atomic_load_explicit(&w->listed, memory_order_relaxed));
	report_counter(r, "Warm-up blocks gone", "warm_up_stale_blocks",
	    atomic_load_explicit(&w->stale, memory_order_relaxed));
	report_counter(r, "Warm-up lists ignored", "warm_up_ignored_lists",
	    atomic_load_explicit(&w->ignored, memory_order_relaxed));
}
