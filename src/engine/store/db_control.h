/* SPDX-License-Identifier: ISC */
/* Maintenance of an open store: functions of kv.h. Threading: any thread. */
#ifndef KVFS_ENGINE_STORE_DB_CONTROL_H
#define KVFS_ENGINE_STORE_DB_CONTROL_H

#include <stdio.h>

#include "kvfs/kv.h"

int db_check(struct kv *kv, enum kv_check_depth depth, FILE *out);
int db_flush(struct kv *kv);
int db_compact(struct kv *kv);
int db_set_sync(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
    uint32_t ms);
int db_set_wal_buffer(struct kv *kv, uint64_t bytes);
int db_set_cache(struct kv *kv, uint64_t bytes);
int db_set_max_size(struct kv *kv, uint64_t bytes);
int db_usage(struct kv *kv, struct kv_usage *usagep);

#endif
