/* SPDX-License-Identifier: ISC */
/* Ordered scans: kv_iter_open(). Threading: one thread for each iterator. */
#ifndef KVFS_ENGINE_STORE_DB_ITER_H
#define KVFS_ENGINE_STORE_DB_ITER_H

#include "kvfs/kv.h"

int db_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp);

#endif
