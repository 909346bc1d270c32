/* SPDX-License-Identifier: ISC */
/* Point reads. Any thread, without a lock. */
#ifndef KVFS_ENGINE_STORE_DB_READ_H
#define KVFS_ENGINE_STORE_DB_READ_H

#include "engine/state/db_state.h"
#include "engine/state/view.h"

/* Function of kv.h. */
int db_get(struct kv *kv, const struct kv_key *key, struct kv_snapshot *snap,
    struct kv_value *valuep);
/* Newest deletion of the group of user, not newer than seq; 0: none. */
int view_group_deletion(struct db *db, const struct view *v, struct slice user,
    uint64_t seq, uint64_t *seqp);

#endif
