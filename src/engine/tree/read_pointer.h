/* SPDX-License-Identifier: ISC */
/* Reads values in segments by the pointers to them. Threading: any thread. */
#ifndef KVFS_ENGINE_TREE_READ_POINTER_H
#define KVFS_ENGINE_TREE_READ_POINTER_H

#include "engine/tree/table_cache.h"
#include "kvfs/kv.h"

/*
 * Read and verify the value of user that pointer leads to. The caller releases
 * it. The caller also keeps the segment from being removed meanwhile; a view
 * does that. dir is the store's path, for messages. -KVFS_ECORRUPT if pointer
 * is not a pointer or its segment is missing.
 */
int read_pointer(struct table_cache *files, const char *dir, struct slice user,
    struct slice pointer, struct kv_value *valuep);

#endif
