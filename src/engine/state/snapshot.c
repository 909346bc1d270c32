/* SPDX-License-Identifier: ISC */
/* Snapshots: sequence numbers whose entries compaction has to keep. */
#include "engine/state/snapshot.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/state/db_state.h"
#include "util/clock.h"

void
snapshots_init(struct snapshots *s, struct mutex *mu)
{
	*s = (struct snapshots){ .mu = mu };
	s->head.prev = s->head.next = &s->head;
}

int
db_snapshot(struct kv *kv, struct kv_snapshot **snapp)
{
	struct db *db = db_of(kv);
	struct kv_snapshot *s = calloc(1, sizeof(*s)),
			   *head = &db->snapshots.head;

	if (s == NULL)
		return -ENOMEM;
	s->taken_ns = clock_now_ns();
	mutex_lock(&db->mu);
	/* The number is read under the lock under which compaction jobs read
	 * the list. So a job that has started before can only drop entries that
	 * this snapshot does not see either. */
	s->seq = atomic_load_explicit(&db->commits.last_seq,
	    memory_order_acquire);
	s->prev = head->prev;
	s->next = head;
	head->prev->next = s;
	head->prev = s;
	mutex_unlock(&db->mu);
	*snapp = s;
	return 0;
}

void
db_snapshot_release(struct kv *kv, struct kv_snapshot *snap)
{
	struct db *db = db_of(kv);

	mutex_lock(&db->mu);
	snap->prev->next = snap->next;
	snap->next->prev = snap->prev;
	mutex_unlock(&db->mu);
	free(snap);
}

int
snapshots_list_locked(struct snapshots *list, uint64_t **seqsp, size_t *countp)
{
	size_t n = 0;
	struct kv_snapshot *s;

	mutex_assert_held(list->mu);
	for (s = list->head.next; s != &list->head; s = s->next)
		n++;
	*countp = 0;
	*seqsp = calloc(n + 1, sizeof(**seqsp));
	if (*seqsp == NULL)
		return -ENOMEM;
	for (s = list->head.next; s != &list->head; s = s->next)
		(*seqsp)[(*countp)++] = s->seq;
	return 0;
}
