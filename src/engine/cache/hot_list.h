/* SPDX-License-Identifier: ISC */
/*
 * The hot list: which blocks the cache held that were used most when the
 * store was closed, so that they can be read back after the next opening.
 * Format: kvfs-format(5), "HOT LIST". The store is whole without it.
 */
#ifndef KVFS_ENGINE_CACHE_HOT_LIST_H
#define KVFS_ENGINE_CACHE_HOT_LIST_H

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "util/buf.h"

#define HOT_LIST_VERSION 1
/* Blocks in a list: 8 GiB of them, and 24 MiB of memory for the list. */
#define HOT_LIST_MAX (1u << 20)

struct hot_list {
	/* Owned. Hottest first; of one heat by file, then by offset, each
	 * block once. What they take in the cache is not stored. */
	struct block_place *places;
	size_t count;
};

void hot_list_fini(struct hot_list *l);
/* Put it in its order, less all that goes beyond max_bytes in the cache, or
 * beyond HOT_LIST_MAX. */
void hot_list_trim(struct hot_list *l, uint64_t max_bytes);
/* l is in its order. A failure is remembered in out. */
void hot_list_encode(const struct hot_list *l, struct buf *out);
/* Untrusted file: -KVFS_ECORRUPT, -KVFS_ECHECKSUM, -EPROTO (of a newer
 * version) or -ENOMEM; l is empty then. */
int hot_list_decode(struct slice file, struct hot_list *l);

/* Replace the list of the store in dir, by way of a temporary file of that
 * number. It is not synced: a torn one is noticed. Logs nothing. */
int hot_list_write(struct env_dir *dir, uint64_t temp_number,
    const struct hot_list *l);
/* As hot_list_decode(); -ENOENT when there is none. Logs nothing. */
int hot_list_read(struct env_dir *dir, struct hot_list *l);

#endif
