/* SPDX-License-Identifier: ISC */
/* Who wants the same sync; see sync_group.h. */
#include "engine/state/sync_group.h"

void
sync_group_join(struct sync_group *g, struct sync_goal goal)
{
	/* If the plan is made just now, he may count for the sync after it:
	 * that one then begins one commit early. */
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
	/* In this order: who sees the plan counts among those it serves. */
	atomic_store(&g->served, atomic_exchange(&g->next, 0));
	atomic_store(&g->planned_seq, plan.seq);
	atomic_store(&g->planned_commits, plan.commits);
}

void
sync_group_end(struct sync_group *g)
{
	atomic_store(&g->size, atomic_load(&g->served) + atomic_load(&g->next));
}
