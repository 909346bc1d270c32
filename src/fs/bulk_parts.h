/* SPDX-License-Identifier: ISC */
/*
 * Parts of what is staged for a bulk change (bulk.h): inodes that are made,
 * names that are added or removed, and the directories that these are in. All
 * are in the arena of their struct fs_bulk, until the next commit.
 */
#ifndef KVFS_FS_BULK_PARTS_H
#define KVFS_FS_BULK_PARTS_H

#include "fs/dir.h"
#include "fs/live_inode.h"

/* A row that belongs to a new inode: a chunk, or an extended attribute. */
struct bulk_row {
	STAILQ_ENTRY(bulk_row) link;
	uint64_t index; /* of a chunk */
	struct slice name; /* of an attribute */
	struct slice value;
};
STAILQ_HEAD(bulk_rows, bulk_row);

/* An inode that is made. */
struct bulk_inode {
	STAILQ_ENTRY(bulk_inode) link;
	uint64_t ino;
	struct attr_rec rec;
	struct slice data; /* inline bytes */
	struct bulk_rows chunks, xattrs;
	uint32_t names; /* set by the commit */
	bool is_spilled; /* it has rows in the store, as an orphan */
	bool was_put; /* its inode row is in the batch */
};

/* A directory in which names are. */
struct bulk_dir {
	SLIST_ENTRY(bulk_dir) by_ino;
	SLIST_ENTRY(bulk_dir) touched;
	uint64_t ino;
	struct inode *live; /* referenced; NULL: it is made here */
	struct bulk_inode *made;
	struct slice acl; /* the default list; empty: none */
	/* For the commit. */
	int rc; /* it cannot take names */
	bool is_touched; /* in bulk.touched */
	uint64_t seen_change; /* commits.change before names were looked up */
	unsigned depth;
	uint64_t changes; /* names that the commit changes */
	struct dir_change change;
};
SLIST_HEAD(bulk_dirs, bulk_dir);

enum bulk_kind {
	BULK_KNOWN, /* a directory that exists: no change */
	BULK_DIR, /* one that is made */
	BULK_FILE, /* all else that is made */
	BULK_REMOVE,
};

struct bulk_name {
	STAILQ_ENTRY(bulk_name) link; /* in order; not for BULK_KNOWN */
	struct bulk_name *next; /* in its bucket */
	struct bulk_dir *dir;
	struct slice name, path;
	uint64_t tag;
	enum bulk_kind kind;
	bool is_value, is_dropped;
	struct bulk_inode *in;
	struct bulk_dir *sub; /* of a directory */
	/* For the commit. */
	int rc; /* why it fails */
	struct inode *old; /* what has the name now, referenced */
};

#endif
