/* SPDX-License-Identifier: ISC */
/* Parts of a live inode, by who guards them; see live_inode.h. */
#ifndef KVFS_FS_INODE_PARTS_H
#define KVFS_FS_INODE_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct inode;
struct listing;

/* Its place in the dirty list; guarded by dirty_list.mu. */
struct dirty_entry {
	bool is_listed;
	bool is_busy; /* somebody commits it */
	uint64_t since_ns;
	uint64_t ticket; /* the list is in this order */
	TAILQ_ENTRY(inode) link;
};

/* Its place in the table, and who knows it; guarded by the shard. */
struct table_entry {
	_Atomic uint64_t refs; /* to 0 only under the shard's lock */
	struct inode *next; /* in the bucket */
	uint64_t nlookup;
	uint32_t nheld; /* opens, of files and directories */
	bool used; /* since prune last came by */
};

/* What commits have raised. */
struct inode_commits {
	/* Directories: raised after each commit to a row of its group.
	 * seq_cst: ordered against the reads of rows. */
	_Atomic uint64_t change;
	/* Raised before each commit that moves or changes contents. */
	_Atomic uint64_t content_gen;
	_Atomic uint64_t seq; /* of the last commit that touched it */
	/* Of the last commit of its contents; 0: not since it is live. */
	_Atomic uint64_t content_seq;
};

/* Who may have a copy of a hole as memory, and write there without our
 * knowledge: as long as there are writers, data may be anywhere. */
enum hole_copies {
	HOLE_UNREAD,
	HOLE_READ, /* pages of the file as it was read, up to its end */
	HOLE_CACHED, /* a write-back cache above us, beyond the end too */
};

/* Who may have a copy of what was read. */
struct inode_copies {
	/* Somebody may have one of anything. Never reset. seq_cst: set
	 * before reading, looked at after writing. */
	atomic_bool is_shared;
	/* Never lowered. Relaxed: raised before the copy is handed out. */
	_Atomic enum hole_copies of_holes;
};

/* Who has it open; guarded by inode.mu alone. */
struct inode_opens {
	uint32_t n;
	uint32_t nwriters; /* of n, those who may write */
	/* Of a directory; owned; NULL: was never open. */
	struct listing *listing;
};

#endif
