/* SPDX-License-Identifier: ISC */
/*
 * Views; see view.h.
 *
 * Each thread has a slot; if there are many threads, some share one. A slot
 * holds the current view with a reference, or the mark of a thread that has
 * taken the view out, or nothing. Installing a view empties all slots. A reader
 * that puts an old view back finds that its mark is gone and drops the view, so
 * a slot never holds an old view. Each thread has its own mark, so that a
 * reader cannot take another's mark for its own.
 */
#include "engine/state/view.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

void
views_init(struct views *vs, struct mutex *mu)
{
	*vs = (struct views){ .mu = mu };
}

static uintptr_t
my_mark(void)
{
	static _Thread_local uint64_t mark;

	return (uintptr_t)&mark | 1;
}

static struct view_slot *
my_slot(struct views *vs)
{
	static _Atomic unsigned next;
	static _Thread_local unsigned mine = UINT_MAX;

	if (mine == UINT_MAX)
		mine = atomic_fetch_add_explicit(&next, 1,
			   memory_order_relaxed) %
		    VIEW_SLOTS;
	return &vs->slots[mine];
}

struct view *
view_acquire(struct views *vs)
{
	/* Acquire: the parts of the view are initialised. */
	uintptr_t old = atomic_exchange_explicit(&my_slot(vs)->value, my_mark(),
	    memory_order_acq_rel);
	struct view *v;

	if (old != 0 && (old & 1) == 0)
		return (struct view *)old;
	mutex_lock(vs->mu);
	v = view_current_locked(vs);
	mutex_unlock(vs->mu);
	return v;
}

void
view_release(struct views *vs, struct view *v)
{
	uintptr_t mark = my_mark();

	if (!atomic_compare_exchange_strong_explicit(&my_slot(vs)->value, &mark,
		(uintptr_t)v, memory_order_acq_rel, memory_order_relaxed))
		view_unref(v);
}

struct view *
view_current_locked(struct views *vs)
{
	mutex_assert_held(vs->mu);
	atomic_fetch_add_explicit(&vs->current->refs, 1, memory_order_relaxed);
	return vs->current;
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
view_clear_slots(struct views *vs)
{
	for (int i = 0; i < VIEW_SLOTS; i++) {
		uintptr_t old = atomic_exchange_explicit(&vs->slots[i].value, 0,
		    memory_order_acq_rel);

		if (old != 0 && (old & 1) == 0)
			view_unref((struct view *)old);
	}
}

int
view_install_locked(struct views *vs, struct memtable *mem,
    struct memtable *const *imm, unsigned imm_count, struct version *version)
{
	struct view *v = calloc(1, sizeof(*v)), *old = vs->current;

	mutex_assert_held(vs->mu);
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
	vs->current = v;
	view_clear_slots(vs);
	view_unref(old);
	return 0;
}
