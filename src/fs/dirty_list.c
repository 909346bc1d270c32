/* SPDX-License-Identifier: ISC */
/* See dirty_list.h. */
#include "fs/dirty_list.h"

#include "fs/fs.h"
#include "fs/inode_table.h"
#include "fs/live_inode.h"
#include "util/clock.h"
#include "util/mutex.h"

void
dirty_list_init(struct dirty_list *list)
{
	mutex_init(&list->mu);
	cond_init(&list->wake);
	TAILQ_INIT(&list->inodes);
}

void
dirty_list_fini(struct dirty_list *list)
{
	cond_fini(&list->wake);
	mutex_fini(&list->mu);
}

static void
link_tail(struct dirty_list *list, struct inode *in) REQUIRES(&list->mu)
{
	in->dirty.since_ns = clock_now_ns();
	in->dirty.ticket = ++list->ticket;
	TAILQ_INSERT_TAIL(&list->inodes, in, dirty.link);
}

void
dirty_list_add(struct dirty_list *list, struct inode *in)
{
	mutex_lock(&list->mu);
	if (!in->dirty.is_listed) {
		in->dirty.is_listed = true;
		inode_ref(in);
		link_tail(list, in);
		list->count++;
		if (list->is_idle)
			cond_signal(&list->wake);
	}
	mutex_unlock(&list->mu);
}

void
dirty_list_remove(struct dirty_list *list, struct inode *in)
{
	bool was_in;

	mutex_lock(&list->mu);
	was_in = in->dirty.is_listed;
	if (was_in) {
		in->dirty.is_listed = false;
		TAILQ_REMOVE(&list->inodes, in, dirty.link);
		list->count--;
	}
	mutex_unlock(&list->mu);
	if (was_in)
		inode_unref(in);
}

void
dirty_list_requeue(struct dirty_list *list, struct inode *in)
{
	mutex_lock(&list->mu);
	if (in->dirty.is_listed) {
		TAILQ_REMOVE(&list->inodes, in, dirty.link);
		link_tail(list, in);
	}
	mutex_unlock(&list->mu);
}

void
dirty_list_account(struct dirty_list *list, ssize_t mem, ssize_t data)
{
	/* Relaxed: a sum; a negative difference wraps around. */
	if (mem != 0)
		atomic_fetch_add_explicit(&list->bytes, (size_t)mem,
		    memory_order_relaxed);
	if (data != 0)
		atomic_fetch_add_explicit(&list->data_bytes, (size_t)data,
		    memory_order_relaxed);
}

bool
dirty_list_is_over(struct dirty_list *list, uint64_t limit)
{
	/* Relaxed: a slightly old value does no harm. */
	return atomic_load_explicit(&list->bytes, memory_order_relaxed) > limit;
}

size_t
dirty_list_pick(struct dirty_list *list, struct inode **ins, size_t max,
    uint64_t until_ns)
{
	struct inode *in;
	size_t n = 0;

	TAILQ_FOREACH (in, &list->inodes, dirty.link) {
		if (n == max || in->dirty.since_ns > until_ns)
			break;
		if (in->dirty.is_busy)
			continue;
		in->dirty.is_busy = true;
		inode_ref(in);
		ins[n++] = in;
	}
	return n;
}

void
dirty_list_unpick(struct dirty_list *list, struct inode **ins, size_t n)
{
	mutex_lock(&list->mu);
	for (size_t i = 0; i < n; i++)
		ins[i]->dirty.is_busy = false;
	mutex_unlock(&list->mu);
}

void
dirty_list_wake(struct dirty_list *list)
{
	mutex_lock(&list->mu);
	cond_signal(&list->wake);
	mutex_unlock(&list->mu);
}
