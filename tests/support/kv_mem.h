/* SPDX-License-Identifier: ISC */
/*
 * A kv.h store in memory: simple, thread-safe, with snapshots. Tests of the
 * file system run on it, and other stores are compared with it. It can keep all
 * versions, so that the state after any commit can be restored, and make calls
 * fail.
 */
#ifndef KVFS_TESTS_KV_MEM_H
#define KVFS_TESTS_KV_MEM_H

#include "kvfs/kv.h"

/* kv_close() frees it. All functions abort without memory. */
struct kv *kv_mem_create(void);

/* Keep all versions from now on: see kv_mem_copy_at(). */
void kv_mem_keep_history(struct kv *kv);
/* The number of commits, which is the seq of the last one. */
uint64_t kv_mem_commits(struct kv *kv);
/* Returns owned (kv_close): the store as it was after commit seq. */
struct kv *kv_mem_copy_at(struct kv *kv, uint64_t seq);

/* After after more commits, all fail with error (a negative errno), until it is
 * set to 0. */
void kv_mem_fail_commits(struct kv *kv, int error, unsigned after);
/* The next commit alone fails with error. */
void kv_mem_fail_commit_once(struct kv *kv, int error);
/*
 * Block calls from now on: commits before they are visible; commits after they
 * are visible, before they return; waits for the disk, which are kv_settle()
 * and commits without settles_later. 0 lets all blocked calls go on.
 */
#define KV_MEM_COMMITS 1u
#define KV_MEM_ANSWERS 2u
#define KV_MEM_SETTLES 4u
void kv_mem_hold(struct kv *kv, unsigned what);
/* Return when this many calls are blocked. */
void kv_mem_await_held(struct kv *kv, unsigned count);
/* From now on each commit yields to other threads, before it and before it
 * returns. */
void kv_mem_lag(struct kv *kv);
/* All waits for the disk fail with error, until it is set to 0. */
void kv_mem_fail_settles(struct kv *kv, int error);
/* The position of the last commit that a caller has waited for. */
uint64_t kv_mem_settled(struct kv *kv);
/* All reads fail with error, until it is set to 0. */
void kv_mem_fail_reads(struct kv *kv, int error);
/* Set the bytes that fit. Small batches are accepted even when it is full. */
void kv_mem_set_limit(struct kv *kv, uint64_t bytes);
/* The highest position that kv_sync() made durable. */
uint64_t kv_mem_synced(struct kv *kv);
/* The number of rows of a space. */
uint64_t kv_mem_rows(struct kv *kv, uint8_t space);
/* Do both have the same rows? */
bool kv_mem_equal(struct kv *a, struct kv *b);
/* The number of open snapshots and iterators. */
unsigned kv_mem_views(struct kv *kv);

#endif
