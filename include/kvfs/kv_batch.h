/* SPDX-License-Identifier: ISC */
/* Batches: lists of changes that kv_commit() (kvfs/kv.h) applies atomically.
 * One thread at a time uses a batch. */
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
	/* The batch may use the space that the store keeps free: see
	 * kv_reserve(). A batch with a deletion may always do so. */
	bool is_reserved;
	/* On a full disk the commit returns -ENOSPC at once, instead of waiting
	 * until space of deleted data is freed: the caller holds locks that
	 * others need. It releases them and calls kv_reserve(). */
	bool no_reclaim;
	/* The commit does not wait for the disk: the caller releases locks that
	 * others need, and then calls kv_settle(). */
	bool settles_later;
};

void kv_batch_init(struct kv_batch *b);
void kv_batch_clear(struct kv_batch *b);
void kv_batch_fini(struct kv_batch *b);

/*
 * Add one change. A later change of the same key replaces an earlier one.
 * Copies the key; borrows the value until the commit has returned. An error is
 * stored in the batch, and kv_commit() returns it.
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
/* The same, with an estimate of the bytes that it frees: the store reclaims
 * the space of large deletions first. */
void kv_batch_delete_group_hint(struct kv_batch *b, uint8_t space,
    uint64_t group, uint64_t bytes);

#endif
