/* SPDX-License-Identifier: ISC */
/*
 * What an implementation of a store provides: tables of functions. Each
 * function is described at the call of the same name in kvfs/kv.h and the
 * headers that it includes.
 *
 * An implementation embeds struct kv, kv_iter and kv_backup as the first
 * members of its own structures. Functions of maintenance and backup that it
 * does not have are NULL.
 */
#ifndef KVFS_KV_OPS_H
#define KVFS_KV_OPS_H

#include <stdio.h>
#include <sys/types.h>

#include "kvfs/kv_batch.h"
#include "kvfs/kv_key.h"
#include "kvfs/kv_types.h"
#include "kvfs/report_format.h"

struct kv;
struct kv_backup;
struct kv_iter;
struct kv_snapshot;
struct kv_control_ops;

struct kv_ops {
	int (*get)(struct kv *kv, const struct kv_key *key,
	    struct kv_snapshot *snap, struct kv_value *valuep);
	int (*commit)(struct kv *kv, struct kv_batch *batch, uint64_t *seqp);
	int (*settle)(struct kv *kv, uint64_t seq);
	int (*sync)(struct kv *kv, uint64_t seq);
	int (*iter_open)(struct kv *kv, const struct kv_key *from,
	    enum kv_scope scope, struct kv_snapshot *snap,
	    struct kv_iter **iterp);
	int (*snapshot)(struct kv *kv, struct kv_snapshot **snapp);
	void (*snapshot_release)(struct kv *kv, struct kv_snapshot *snap);
	int (*usage)(struct kv *kv, struct kv_usage *usagep);
	void (*memory)(struct kv *kv, struct kv_memory *memoryp);
	int (*reserve)(struct kv *kv, enum kv_room kind, uint64_t bytes);
	int (*backup_open)(struct kv *kv, struct kv_backup **backupp);
	int (*close)(struct kv *kv);
	const struct kv_control_ops *control;
};

/* Maintenance of a running store. */
struct kv_control_ops {
	int (*report)(struct kv *kv, enum report_format format, FILE *out);
	int (*check)(struct kv *kv, enum kv_check_depth depth, FILE *out);
	int (*flush)(struct kv *kv);
	int (*compact)(struct kv *kv);
	int (*set_sync)(struct kv *kv, enum kv_sync_mode mode, uint32_t commits,
	    uint32_t ms);
	int (*set_wal_buffer)(struct kv *kv, uint64_t bytes);
	int (*set_cache)(struct kv *kv, uint64_t bytes);
	int (*set_max_size)(struct kv *kv, uint64_t bytes);
};

struct kv_iter_ops {
	int (*next)(struct kv_iter *it);
	struct kv_key (*key)(const struct kv_iter *it);
	int (*value)(struct kv_iter *it, struct slice *valuep);
	void (*close)(struct kv_iter *it);
};

struct kv_backup_ops {
	ssize_t (
	    *read)(struct kv_backup *b, void *buf, size_t len, uint64_t off);
	void (*close)(struct kv_backup *b);
};

struct kv {
	const struct kv_ops *ops;
	uint32_t caps;
};
struct kv_iter {
	const struct kv_iter_ops *ops;
};
struct kv_backup {
	const struct kv_backup_ops *ops;
	uint64_t size; /* of the archive */
};

#endif
