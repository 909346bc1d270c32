/* SPDX-License-Identifier: ISC */
/* The group of threads that wait for the same sync; see sync_group.h. */
#include "engine/state/sync_group.h"

void
sync_group_join(struct sync_group *g, struct sync_goal goal)
{
	/* If a sync begins at the same moment, the waiter may be counted for
	 * the next one, which then begins one commit early. */
	if (goal.seq <=
		atomic_load_explicit(&g->planned_seq, memory_order_seq_cst) ||
	    goal.commits <=
		atomic_load_explicit(&g->planned_commits, memory_order_seq_cst))
		atomic_fetch_add_explicit(&g->served, 1, memory_order_seq_cst);
	else
		atomic_fetch_add_explicit(&g->next, 1, memory_order_seq_cst);
}

bool
sync_group_is_complete(struct sync_group *g)
{
	return atomic_load_explicit(&g->next, memory_order_seq_cst) >=
	    atomic_load_explicit(&g->size, memory_order_seq_cst);
}

void
sync_group_begin(struct sync_group *g, struct sync_goal plan)
{
	/* In this order: a waiter that sees the new goal is counted among the
	 * served. */
	atomic_store_explicit(&g->served,
	    atomic_exchange_explicit(&g->next, 0, memory_order_seq_cst),
	    memory_order_seq_cst);
	atomic_store_explicit(&g->planned_seq, plan.seq, memory_order_seq_cst);
	atomic_store_explicit(&g->planned_commits, plan.commits,
	    memory_order_seq_cst);
}

void
sync_group_end(struct sync_group *g)
{
	atomic_store_explicit(&g->size,
	    atomic_load_explicit(&g->served, memory_order_seq_cst) +
		atomic_load_explicit(&g->next, memory_order_seq_cst),
	    memory_order_seq_cst);
}
