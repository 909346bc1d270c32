/* SPDX-License-Identifier: ISC */
/*
 * An open file system: its parts, each described in its own header, and its
 * settings.
 */
#ifndef KVFS_FS_FS_STATE_H
#define KVFS_FS_FS_STATE_H

#include "fs/inode_count.h"
#include "fs/dirty_list.h"
#include "fs/fs.h"
#include "fs/inode_table.h"
#include "fs/listing.h"
#include "fs/new_inode.h"
#include "fs/orphan.h"
#include "fs/space.h"
#include "fs/txn.h"
#include "fs/writeback.h"
#include "util/mutex.h"
#include "util/stats.h"

struct fs_counters {
	struct counter commits, lookups, creates, removes, renames;
	struct counter reads, read_bytes, writes, write_bytes;
	struct counter writebacks; /* commits of contents */
	struct counter patches, merges; /* written; patched chunks rewritten */
};

/* What the caller does; see struct fs_options. */
struct fs_caller {
	bool keeps_times;
	bool stateless;
};

struct fs {
	struct kv *kv; /* constant, borrowed */
	bool read_only; /* constant */
	bool acl; /* constant */
	struct fs_caller caller; /* constant */
	enum fs_atime atime; /* constant */
	_Atomic bool flush_on_close; /* relaxed: a live option */
	struct inode *root; /* constant, pinned */
	/* The outermost lock, held while directories move; see live_inode.h. */
	struct mutex rename_mu;
	struct inode_table table;
	struct listing_pool listings;
	struct txn_pool txns;
	struct dirty_list dirty;
	struct writeback wb;
	struct space_left space;
	struct orphan_list orphans;
	struct ino_source numbers;
	struct inode_count count;
	_Atomic uint64_t last_seq; /* highest position of any commit */
	/* Commits under way of files that are not in memory; see bulk_commit.c.
	 * seq_cst: ordered against reads of their rows and of last_seq. */
	_Atomic unsigned bulk_commits;
	struct fs_counters counters;
};

#endif
