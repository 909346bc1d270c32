/* SPDX-License-Identifier: ISC */
/*
 * Decides which entries of a sorted stream a reader can still see (LevelDB's
 * rule, extended to several snapshots and to group deletions).
 *
 * Snapshots divide the sequence numbers into stripes. Of the entries of a key
 * in one stripe only the newest can be seen, and not even that one if a newer
 * group deletion of the same stripe deletes it. A deletion (tombstone) is
 * dropped if no snapshot is older than it and no level below can hold what it
 * deletes.
 * Threading: one thread.
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

	/* deletions of the current group, newest first */
	uint8_t group[KEY_PREFIX_LEN];
	uint64_t *deletions;
	size_t deletion_count, deletion_cap;
	int error; /* -ENOMEM: the caller has to stop */
};

void gc_filter_init(struct gc_filter *f, const uint64_t *snapshots,
    size_t snapshot_count, const struct version *below, int below_level);
void gc_filter_fini(struct gc_filter *f);
/* Whether the next entry of the stream has to be kept. */
bool gc_filter_keep(struct gc_filter *f, struct slice ikey);

#endif
