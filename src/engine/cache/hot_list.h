/* SPDX-License-Identifier: ISC */
/*
 * The hot list: the blocks that were used most when the store was closed, so
 * that they can be read again after the next opening. Format: kvfs-format(5),
 * "HOT LIST". The store does not need it.
 */
#ifndef KVFS_ENGINE_CACHE_HOT_LIST_H
#define KVFS_ENGINE_CACHE_HOT_LIST_H

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "util/buf.h"

#define HOT_LIST_VERSION 1
/* Blocks in a list: 8 GiB of blocks, 24 MiB of memory. */
#define HOT_LIST_MAX (1u << 20)

struct hot_list {
	/* Owned. Hottest first; with the same heat by file, then by offset.
	 * Each block occurs once. The sizes of blocks in the cache are not
	 * stored. */
	struct block_place *places;
	size_t count;
};

void hot_list_fini(struct hot_list *l);
/* Sort it, and drop what goes beyond max_bytes in the cache or beyond
 * HOT_LIST_MAX. */
void hot_list_trim(struct hot_list *l, uint64_t max_bytes);
/* l has to be sorted. A failure is remembered in out. */
void hot_list_encode(const struct hot_list *l, struct buf *out);
/* Decode untrusted bytes. -KVFS_ECORRUPT, -KVFS_ECHECKSUM, -EPROTO (a newer
 * version) or -ENOMEM; then l is empty. */
int hot_list_decode(struct slice file, struct hot_list *l);

/* Replace the list of the store in dir by renaming a temporary file with that
 * number. Not synced: a torn file fails its checksum. Logs nothing. */
int hot_list_write(struct env_dir *dir, uint64_t temp_number,
    const struct hot_list *l);
/* As hot_list_decode(); -ENOENT if there is no list. Logs nothing. */
int hot_list_read(struct env_dir *dir, struct hot_list *l);

#endif
