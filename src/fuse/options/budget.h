/* SPDX-License-Identifier: ISC */
/*
 * The memory budget and its parts. Each part that is not given as an option
 * is derived from memory=.
 *
 *   15 %   requests under way, buffers of threads, what malloc cannot use
 *   10 %   inodes (256M at most), an eighth of it for listings
 *   1/8    writeback_size (64M at most)
 *   1/8    memtable (64M at most): the one that is written to
 *   rest   cache: blocks, indexes, immutable memtables, compactions
 */
#ifndef KVFS_FUSE_OPTIONS_BUDGET_H
#define KVFS_FUSE_OPTIONS_BUDGET_H

struct options;

/*
 * Fill in the parts that are not among given (GIVEN_*). Without memory= the
 * budget becomes the sum of the parts. -EINVAL, logged: the given parts are
 * larger than the budget.
 */
int budget_derive(struct options *o, unsigned given);

#endif
