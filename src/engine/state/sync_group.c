/* SPDX-License-Identifier: ISC */
/* The group of threads that wait for the same sync; see sync_group.h. */
#include "engine/state/sync_group.h"

void
sync_group_join(struct sync_group *g, struct sync_goal goal)
{
	/* If a sync begins at the same moment, the waiter may be counted for
	 * the next one, which then begins one commit early. */
	if (goal.seq <= atomic_load(&g->planned_seq) ||
	    goal.commits <= atomic_load(&g->planned_commits))
		atomic_fetch_add(&g->served, 1);
	else
		atomic_fetch_add(&g->next, 1);
}

bool
sync_group_is_complete(struct sync_group *g)
{
	return atomic_load(&g->next) >= atomic_load(&g->size);
}

void
sync_group_begin(struct sync_group *g, struct sync_goal plan)
{
	/* In this order: a waiter that sees the new goal is counted among the
	 * served. */
	atomic_store(&g->served, atomic_exchange(&g->next, 0));
	atomic_store(&g->planned_seq, plan.seq);
	atomic_store(&g->planned_commits, plan.commits);
}

void
sync_group_end(struct sync_group *g)
{
	atomic_store(&g->size, atomic_load(&g->served) + atomic_load(&g->next));
}
