/* SPDX-License-Identifier: ISC */
/*
 * Which entries of a sorted stream anybody can still see (LevelDB's rule,
 * extended to several snapshots and to group deletions).
 *
 * Snapshots cut the sequence numbers into stripes. Of the entries of a key
 * in one stripe only the newest can be seen; one that a group deletion of
 * the same stripe follows cannot. A deletion goes when no snapshot is older
 * than it and nothing below can hold what it hides. One thread.
 */
#ifndef KVFS_ENGINE_TREE_GC_FILTER_H
#define KVFS_ENGINE_TREE_GC_FILTER_H

#include "engine/key/key.h"
#include "engine/tree/version.h"

struct gc_filter {
	/* constant */
	const uint64_t *snapshots;
	size_t snapshot_count;
	const struct version *below;
	int below_level;

	/* the last key */
	uint8_t user[KEY_USER_MAX];
	size_t user_len;
	bool is_group;
	size_t stripe;

	/* deletions of the last group that had any, newest first */
	uint8_t group[KEY_PREFIX_LEN];
	uint64_t *deletions;
	size_t deletion_count, deletion_cap;
	int error; /* -ENOMEM: stop */
};

void gc_filter_init(struct gc_filter *f, const uint64_t *snapshots,
    size_t snapshot_count, const struct version *below, int below_level);
void gc_filter_fini(struct gc_filter *f);
/* Whether the next entry of the stream stays. */
bool gc_filter_keep(struct gc_filter *f, struct slice ikey);

#endif
