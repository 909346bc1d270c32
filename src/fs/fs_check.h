/* SPDX-License-Identifier: ISC */
/* Checking the rows of a store, and repairing them. A part of fs.h, which has
 * the rules. */
#ifndef KVFS_FS_FS_CHECK_H
#define KVFS_FS_FS_CHECK_H

#include <stdio.h>

#include "kvfs/kv.h"

struct fs;

/*
 * Walk all rows of a snapshot and verify every cross-reference. Each problem
 * is one line "problem: PATH or row: what" on out. Returns the number of
 * problems, or a negative errno. Works on a running file system.
 */
int fs_verify(struct kv *kv, FILE *out);
/* The same after a check of the store's tables (kv_check()), if the store has
 * one. Returns the number of problems of both. */
int fs_check(struct kv *kv, FILE *out);

/*
 * Repair the rows of a store that nobody else has open, after others were
 * lost, until fs_verify() finds nothing. An inode without a name gets one in
 * the directory lost+found. lost, or NULL: what the store has lost, printed as
 * lines "lost: PATH or row: why". Each change other than of a count is one
 * line "repaired: PATH or row: what" on out. Returns the number of changes, or
 * a negative errno; -EPROTO: there are rows of a newer version.
 */
struct finding_list;
int fs_mend(struct kv *kv, struct finding_list *lost, FILE *out);
/* A list of what was lost; fs_losses_add() is a kv_lost_fn. All accept NULL,
 * which fs_losses_create() returns without memory. */
struct finding_list *fs_losses_create(void);
void fs_losses_add(void *losses, const struct kv_key *key,
    const struct kv_key *last, const char *why);
void fs_losses_destroy(struct finding_list *losses);

#endif
