/* SPDX-License-Identifier: ISC */
/* Commits. Threading: any thread, without locks of the store. */
#ifndef KVFS_ENGINE_STORE_COMMIT_H
#define KVFS_ENGINE_STORE_COMMIT_H

#include "kvfs/kv.h"

/* Function of kv.h. */
int db_commit(struct kv *kv, struct kv_batch *batch, uint64_t *seqp);

#endif
