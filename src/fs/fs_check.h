/* SPDX-License-Identifier: ISC */
/* Checking a store, and putting right what is inconsistent. A part of fs.h,
 * which has the rules. */
#ifndef KVFS_FS_FS_CHECK_H
#define KVFS_FS_FS_CHECK_H

#include <stdio.h>

#include "kvfs/kv.h"

struct fs;

/*
 * Walk all rows of a view of the store and verify every cross-reference:
 * each problem is one line "problem: PATH or row: what" on out. Returns
 * the number of problems, or errno. Works on a running file system.
 */
int fs_verify(struct kv *kv, FILE *out);
/* The same after a check of the store's tables (kv_check(); its values are
 * read here), where there is one: the problems of both. */
int fs_check(struct kv *kv, FILE *out);

/*
 * Put right what rows that are missing leave inconsistent, in a store that
 * nobody else has open, until fs_verify() finds nothing. What no name
 * reaches gets one in the directory lost+found. lost, or NULL, is what the
 * store lost: lines "lost: PATH or row: why". Each change that is more than a
 * count is one line "repaired: PATH or row: what" on out. Returns
 * how many changes there were, or errno: -EPROTO when rows of a newer
 * version are among them.
 */
struct finding_list;
int fs_mend(struct kv *kv, struct finding_list *lost, FILE *out);
/* What was lost, gathered by fs_losses_add() as a kv_lost_fn. All accept
 * NULL, which create returns without memory. */
struct finding_list *fs_losses_create(void);
void fs_losses_add(void *losses, const struct kv_key *key,
    const struct kv_key *last, const char *why);
void fs_losses_destroy(struct finding_list *losses);

#endif
