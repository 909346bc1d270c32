/* SPDX-License-Identifier: ISC */
/*
 * Snapshots: sequence numbers whose entries compaction has to keep. Guarded by
 * the state lock.
 */
#ifndef KVFS_ENGINE_STATE_SNAPSHOT_H
#define KVFS_ENGINE_STATE_SNAPSHOT_H

#include <stddef.h>

#include "kvfs/kv.h"
#include "util/mutex.h"

struct kv_snapshot {
	struct kv_snapshot *prev, *next;
	uint64_t seq;
	uint64_t taken_ns;
};

struct snapshots {
	struct mutex *mu; /* the state lock */
	struct kv_snapshot head; /* of a ring; head.next is the oldest */
};

void snapshots_init(struct snapshots *s, struct mutex *mu);
/* List the sequence numbers of open snapshots, oldest first. The caller frees
 * the list. The state lock is held. -ENOMEM. */
int snapshots_list_locked(struct snapshots *s, uint64_t **seqsp,
    size_t *countp);

/* Functions of kv.h. */
int db_snapshot(struct kv *kv, struct kv_snapshot **snapp);
void db_snapshot_release(struct kv *kv, struct kv_snapshot *snap);

#endif
