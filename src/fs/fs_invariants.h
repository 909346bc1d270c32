/* SPDX-License-Identifier: ISC */
/*
 * Invariants of what the file system keeps in memory, which end the process
 * when they do not hold (util/invariant.h). What is in the store is checked
 * by fs_check.h, and is no invariant: it may be damaged.
 */
#ifndef KVFS_FS_FS_INVARIANTS_H
#define KVFS_FS_FS_INVARIANTS_H

#include "fs/dirty_list.h"
#include "fs/inode_table.h"

/* Each inode is in the bucket of its number, once, and has a reference for
 * its lookups and one for its opens; its directory is in the table too; what
 * is counted is there. No other thread uses the table. */
void inode_table_check(struct inode_table *table);

/* Listed inodes know it, are referenced, and are in the order of their
 * tickets; as many as are counted. Any thread. */
void dirty_list_check(struct dirty_list *list);
/* The memory and the contents that are counted are those of the listed
 * inodes. No other thread changes one. */
void dirty_list_check_sums(struct dirty_list *list);

#endif
