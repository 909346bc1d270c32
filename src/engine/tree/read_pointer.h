/* SPDX-License-Identifier: ISC */
/* Values that lie in segments, by the pointers to them. Any thread. */
#ifndef KVFS_ENGINE_TREE_READ_POINTER_H
#define KVFS_ENGINE_TREE_READ_POINTER_H

#include "engine/tree/table_cache.h"
#include "kvfs/kv.h"

/*
 * Read and verify the value of user to which pointer leads; the caller
 * releases it. Somebody must hold the segment meanwhile (a view does), so
 * that it is not removed. dir: the store's path, for messages. A pointer
 * that is none, or to a segment that is gone: -KVFS_ECORRUPT.
 */
int read_pointer(struct table_cache *files, const char *dir, struct slice user,
    struct slice pointer, struct kv_value *valuep);

#endif
