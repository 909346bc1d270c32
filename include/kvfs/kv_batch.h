/* SPDX-License-Identifier: ISC */
/* Batches: lists of changes that happen together or not at all. One thread
 * a batch; kv_commit() of kvfs/kv.h applies one. */
#ifndef KVFS_KV_BATCH_H
#define KVFS_KV_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kvfs/kv_key.h"
#include "kvfs/slice.h"

enum kv_op_type {
	KV_OP_PUT,
	KV_OP_DELETE,
	KV_OP_DELETE_GROUP, /* every key of (space, group), in one record */
};

struct kv_op {
	enum kv_op_type type;
	uint8_t space;
	uint64_t group;
	size_t name_off; /* into kv_batch.names */
	size_t name_len;
	struct slice value; /* borrowed until the commit returns */
	uint64_t bytes_hint; /* of a group deletion */
};

/* Owned by the caller; ops and names grow as needed and are kept by
 * kv_batch_clear() for reuse. */
struct kv_batch {
	struct kv_op *ops;
	size_t count, cap;
	char *names;
	size_t names_len, names_cap;
	int error; /* first -ENOMEM/-EINVAL/-E2BIG; commit returns it */
	size_t bytes; /* keys and values, for limits */
	/* It passes on a disk that is full but for what the store keeps free:
	 * see kv_reserve(). A batch with a deletion passes anyway. */
	bool is_reserved;
	/* Without room the commit ends with -ENOSPC at once, instead of waiting
	 * for dead data to make some: the caller holds locks that others wait
	 * for, and calls kv_reserve() without them. */
	bool no_reclaim;
	/* The commit does not wait for the disk: the caller calls kv_settle()
	 * once it has let go of the locks that others wait for. */
	bool settles_later;
};

void kv_batch_init(struct kv_batch *b);
void kv_batch_clear(struct kv_batch *b);
void kv_batch_fini(struct kv_batch *b);

/*
 * Add one change. Later changes of a batch win over earlier ones. Copies
 * the key, borrows the value until the commit has returned. Errors are
 * remembered in the batch and returned by kv_commit().
 */
void kv_batch_put(struct kv_batch *b, const struct kv_key *key,
    struct slice value);
void kv_batch_delete(struct kv_batch *b, const struct kv_key *key);
/*
 * Delete all keys of a group that exist before this change; costs one
 * record whatever their number (a range tombstone restricted to a prefix;
 * cf. Pebble's range keys and RocksDB's DeleteRange).
 */
void kv_batch_delete_group(struct kv_batch *b, uint8_t space, uint64_t group);
/* The same, with about how many bytes that gives back: the store cleans up
 * large deletions first. */
void kv_batch_delete_group_hint(struct kv_batch *b, uint8_t space,
    uint64_t group, uint64_t bytes);

#endif
