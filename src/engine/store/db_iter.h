/* SPDX-License-Identifier: ISC */
/* Ordered scans: functions of kv.h. One thread an iterator. */
#ifndef KVFS_ENGINE_STORE_DB_ITER_H
#define KVFS_ENGINE_STORE_DB_ITER_H

#include "kvfs/kv.h"

int db_iter_open(struct kv *kv, const struct kv_key *from, enum kv_scope scope,
    struct kv_snapshot *snap, struct kv_iter **iterp);
int db_iter_next(struct kv_iter *it);
struct kv_key db_iter_key(const struct kv_iter *it);
int db_iter_value(struct kv_iter *it, struct slice *valuep);
void db_iter_close(struct kv_iter *it);

#endif
