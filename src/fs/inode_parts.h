/* SPDX-License-Identifier: ISC */
/* Parts of a live inode, grouped by the lock that guards them; see
 * live_inode.h. */
#ifndef KVFS_FS_INODE_PARTS_H
#define KVFS_FS_INODE_PARTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct inode;
struct listing;
struct patch_map;

/* Its place in the dirty list; guarded by dirty_list.mu. */
struct dirty_entry {
	bool is_listed;
	bool is_busy; /* a thread commits it */
	uint64_t since_ns;
	uint64_t ticket; /* orders the list */
	TAILQ_ENTRY(inode) link;
};

/* Its place in the table, and its users; guarded by the shard's lock. */
struct table_entry {
	_Atomic uint64_t refs; /* to 0 only under the shard's lock */
	struct inode *next; /* in the bucket */
	uint64_t nlookup;
	uint32_t nheld; /* opens, of files and directories */
	bool used; /* since the last inode_table_cold() looked at it */
};

/* Counters that commits raise. Sequentially consistent but for hints: who
 * reads a row compares a counter before and after, and who commits raises it
 * between; what comes of a commit is waited for by its seq. */
struct inode_commits {
	/* Of a directory: raised after each commit to a row of its group.
	 * seq_cst: ordered against the reads of rows. */
	_Atomic uint64_t change;
	/* Raised before each commit that moves or changes contents. */
	_Atomic uint64_t content_gen;
	_Atomic uint64_t seq; /* sequence number of its last commit */
	/* That of the last commit of its contents; 0: none since it was
	 * loaded. */
	_Atomic uint64_t content_seq;
};

/* Of a nameless inode: does the store have rows of it? Guarded by inode.mu. */
struct inode_rowless {
	bool is_set; /* it has none */
	uint8_t *data; /* owned, the inline bytes; or NULL */
};

/* Its patches in the store. */
struct inode_patches {
	/* Owned. NULL: it has none, or they were not looked for yet. Guarded
	 * by inode.mu, alone while it is loaded; see patch_map.h. */
	struct patch_map *map;
	/* Its place in the patch list; guarded by patch_list.mu. */
	bool is_listed;
	bool is_settled; /* what it has need not be merged */
	uint64_t since_ns; /* the last patch */
	TAILQ_ENTRY(inode) link;
};

/* Which copies of holes the kernel may have. As long as the file is open for
 * writing, programs may write to such pages through a map, unknown here. */
enum hole_copies {
	HOLE_UNREAD,
	HOLE_READ, /* pages of the file as it was read, up to its end */
	HOLE_LEAVING, /* the same; the kernel is dropping them */
	HOLE_CACHED, /* a write-back cache above us, beyond the end too */
};

/* Which copies of contents the kernel may have. */
struct inode_copies {
	/* Of any contents. Never reset. seq_cst: set before reading, tested
	 * after writing. */
	atomic_bool is_shared;
	/* Relaxed: set before the copy is handed out. Only fs_holes_left()
	 * sets it back. */
	_Atomic enum hole_copies of_holes;
};

/* Its opens; guarded by inode.mu alone. */
struct inode_opens {
	uint32_t n;
	uint32_t nwriters; /* those who may write; 1 if that is unknown */
	/* Of a directory, owned; NULL: it was not opened yet. */
	struct listing *listing;
};

#endif
