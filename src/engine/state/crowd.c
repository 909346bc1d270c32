/* SPDX-License-Identifier: ISC */
/* Who wants the same sync; see crowd.h. */
#include "engine/state/crowd.h"

void
crowd_join(struct crowd *c, struct sync_goal goal)
{
	/* If the plan is made just now, he may count for the sync after it:
	 * that one then begins one commit early. */
	if (goal.seq <= atomic_load(&c->planned_seq) ||
	    goal.commits <= atomic_load(&c->planned_commits))
		atomic_fetch_add(&c->served, 1);
	else
		atomic_fetch_add(&c->next, 1);
}

bool
crowd_is_here(struct crowd *c)
{
	return atomic_load(&c->next) >= atomic_load(&c->size);
}

void
crowd_plan(struct crowd *c, struct sync_goal plan)
{
	/* In this order: who sees the plan counts among those it serves. */
	atomic_store(&c->served, atomic_exchange(&c->next, 0));
	atomic_store(&c->planned_seq, plan.seq);
	atomic_store(&c->planned_commits, plan.commits);
}

void
crowd_note(struct crowd *c)
{
	atomic_store(&c->size, atomic_load(&c->served) + atomic_load(&c->next));
}
