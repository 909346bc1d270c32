/* SPDX-License-Identifier: ISC */
/*
 * Views: what readers see, without a lock.
 *
 * Each thread has a slot (shared with others when there are many). A slot
 * holds the current view with a reference, or the mark of the thread that
 * took the view out, or nothing. Installing a view empties all slots, so a
 * reader that gives an old view back finds its mark gone and drops it; a
 * slot therefore never holds an old view. Marks are unique by thread: a
 * reader cannot mistake another's mark for its own.
 */
#include <errno.h>
#include <stdlib.h>

#include "engine/state/db_state.h"

static uintptr_t
my_mark(void)
{
	static _Thread_local uint64_t mark;

	return (uintptr_t)&mark | 1;
}

static struct view_slot *
my_slot(struct db *db)
{
	static _Atomic unsigned next;
	static _Thread_local unsigned mine = UINT_MAX;

	if (mine == UINT_MAX)
		mine = atomic_fetch_add_explicit(&next, 1,
			   memory_order_relaxed) %
		    VIEW_SLOTS;
	return &db->slots[mine];
}

struct view *
view_acquire(struct db *db)
{
	/* Acquire: the view's parts are seen as its maker left them. */
	uintptr_t old = atomic_exchange_explicit(&my_slot(db)->value, my_mark(),
	    memory_order_acq_rel);
	struct view *v;

	if (old != 0 && (old & 1) == 0)
		return (struct view *)old;
	mutex_lock(&db->mu);
	v = view_current_locked(db);
	mutex_unlock(&db->mu);
	return v;
}

void
view_release(struct db *db, struct view *v)
{
	uintptr_t mark = my_mark();

	if (!atomic_compare_exchange_strong_explicit(&my_slot(db)->value, &mark,
		(uintptr_t)v, memory_order_acq_rel, memory_order_relaxed))
		view_unref(v);
}

struct view *
view_current_locked(struct db *db)
{
	atomic_fetch_add_explicit(&db->view->refs, 1, memory_order_relaxed);
	return db->view;
}

void
view_unref(struct view *v)
{
	if (v == NULL ||
	    atomic_fetch_sub_explicit(&v->refs, 1, memory_order_acq_rel) != 1)
		return;
	memtable_unref(v->mem);
	for (unsigned i = 0; i < v->imm_count; i++)
		memtable_unref(v->imm[i]);
	version_unref(v->version);
	free(v);
}

void
view_clear_slots(struct db *db)
{
	for (int i = 0; i < VIEW_SLOTS; i++) {
		uintptr_t old = atomic_exchange_explicit(&db->slots[i].value, 0,
		    memory_order_acq_rel);

		if (old != 0 && (old & 1) == 0)
			view_unref((struct view *)old);
	}
}

int
view_install_locked(struct db *db, struct memtable *mem,
    struct memtable *const *imm, unsigned imm_count, struct version *version)
{
	struct view *v = calloc(1, sizeof(*v)), *old = db->view;

	if (v == NULL)
		return -ENOMEM;
	atomic_init(&v->refs, 1);
	memtable_ref(mem);
	v->mem = mem;
	for (unsigned i = 0; i < imm_count; i++) {
		memtable_ref(imm[i]);
		v->imm[i] = imm[i];
	}
	v->imm_count = imm_count;
	version_ref(version);
	v->version = version;
	db->view = v;
	view_clear_slots(db);
	view_unref(old);
	return 0;
}
