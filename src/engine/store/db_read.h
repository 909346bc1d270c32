/* SPDX-License-Identifier: ISC */
/* Reads of single keys. Threading: any thread, without a lock. */
#ifndef KVFS_ENGINE_STORE_DB_READ_H
#define KVFS_ENGINE_STORE_DB_READ_H

#include "engine/state/view.h"
#include "kvfs/kv.h"

struct caches;

/* Function of kv.h. */
int db_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep);
/* The newest deletion of the group of user that is not newer than seq: *seqp is
 * its sequence number, 0 if there is none. */
int view_group_deletion(struct caches *caches, const struct view *v,
    struct slice user, uint64_t seq, uint64_t *seqp);

#endif
