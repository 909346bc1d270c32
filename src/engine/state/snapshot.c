/* SPDX-License-Identifier: ISC */
/* Snapshots: sequence numbers whose entries compaction must keep. */
#include <errno.h>
#include <stdlib.h>

#include "engine/state/db_state.h"
#include "util/clock.h"

int
db_snapshot(struct kv *kv, struct kv_snapshot **snapp)
{
	struct db *db = db_of(kv);
	struct kv_snapshot *s = calloc(1, sizeof(*s)), *head = &db->snapshots;

	if (s == NULL)
		return -ENOMEM;
	s->taken_ns = clock_now_ns();
	mutex_lock(&db->mu);
	/* Taken under the lock under which jobs read the list: whatever a
	 * job started before may drop is hidden from this number too. */
	s->seq = atomic_load_explicit(&db->last_seq, memory_order_acquire);
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
db_snapshot_list_locked(struct db *db, uint64_t **seqsp, size_t *countp)
{
	size_t n = 0;
	struct kv_snapshot *s;

	for (s = db->snapshots.next; s != &db->snapshots; s = s->next)
		n++;
	*countp = 0;
	*seqsp = calloc(n + 1, sizeof(**seqsp));
	if (*seqsp == NULL)
		return -ENOMEM;
	for (s = db->snapshots.next; s != &db->snapshots; s = s->next)
		(*seqsp)[(*countp)++] = s->seq;
	return 0;
}
