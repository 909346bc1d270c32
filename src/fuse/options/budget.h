/* SPDX-License-Identifier: ISC */
/*
 * One budget of memory, and its parts: what memory= gives, the others are
 * derived from, unless they are given themselves.
 *
 *   15 %   requests under way, buffers of threads, what malloc cannot use
 *   10 %   inodes (256M at most), an eighth of it for listings
 *   1/8    writeback_size (64M at most)
 *   1/8    memtable (64M at most): the one that is written to
 *   rest   cache: blocks, indexes, memtables that wait, compactions
 */
#ifndef KVFS_FUSE_OPTIONS_BUDGET_H
#define KVFS_FUSE_OPTIONS_BUDGET_H

struct options;

/*
 * Fill in what is not among given (GIVEN_*). Without memory= the budget
 * becomes what the parts add up to. -EINVAL: the parts that were given take
 * more than the budget; a line was logged.
 */
int budget_derive(struct options *o, unsigned given);

#endif
