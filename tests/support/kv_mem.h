/* SPDX-License-Identifier: ISC */
/*
 * A store in memory behind kv.h: simple, correct, thread-safe, with
 * snapshots. Tests of the file system run on it, and it is the model that
 * other stores are compared with. It can keep every version, so that the
 * state after any commit can be had again, and fail on demand.
 */
#ifndef KVFS_TESTS_KV_MEM_H
#define KVFS_TESTS_KV_MEM_H

#include "kvfs/kv.h"

/* Aborts without memory, as everything here. kv_close() frees it. */
struct kv *kv_mem_create(void);

/* Keep all versions from now on: see kv_mem_copy_at(). */
void kv_mem_keep_history(struct kv *kv);
/* How many commits there were: the seq of the last one. */
uint64_t kv_mem_commits(struct kv *kv);
/* Returns owned (kv_close): the store as it was after commit seq. */
struct kv *kv_mem_copy_at(struct kv *kv, uint64_t seq);

/* From the after-th next commit on, every one fails with error (a negative
 * errno); 0 ends it. */
void kv_mem_fail_commits(struct kv *kv, int error, unsigned after);
/* The next commit alone fails with error. */
void kv_mem_fail_commit_once(struct kv *kv, int error);
/*
 * What waits from now on: commits, before anything of them is there; commits,
 * when all of them is there but the caller does not know; and waits for the
 * disk: kv_settle(), and commits without settles_later. All that wait go on
 * when it is changed to 0.
 */
#define KV_MEM_COMMITS 1u
#define KV_MEM_ANSWERS 2u
#define KV_MEM_SETTLES 4u
void kv_mem_hold(struct kv *kv, unsigned what);
/* Return once so many wait. */
void kv_mem_await_held(struct kv *kv, unsigned count);
/* Each commit lets other threads run before it and before it returns. */
void kv_mem_lag(struct kv *kv);
/* Every wait for the disk fails with error while it is not 0. */
void kv_mem_fail_settles(struct kv *kv, int error);
/* Position of the last commit that somebody has waited for. */
uint64_t kv_mem_settled(struct kv *kv);
/* Every read fails with error while it is not 0. */
void kv_mem_fail_reads(struct kv *kv, int error);
/* Bytes that fit in. Batches that put little pass even when it is full. */
void kv_mem_set_limit(struct kv *kv, uint64_t bytes);
/* Highest position that a kv_sync() made durable. */
uint64_t kv_mem_synced(struct kv *kv);
/* Rows of a space that are there now. */
uint64_t kv_mem_rows(struct kv *kv, uint8_t space);
/* Whether both hold the same rows. */
bool kv_mem_equal(struct kv *a, struct kv *b);
/* Snapshots and iterators that were not given back. */
unsigned kv_mem_views(struct kv *kv);

#endif
