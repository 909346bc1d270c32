/* SPDX-License-Identifier: ISC */
/*
 * A live inode: an inode in memory, since it has lookups, is open or is dirty.
 *
 * An inode lives until it has no lookups and no opens, not until its last name
 * is removed: see orphan.c.
 *
 * References keep a struct inode alive: one while it has lookups, one while
 * it is open, one while it is on the dirty list, one for each live inode in
 * it if it is a directory, and one for each thread that works on it. The last
 * release frees it.
 *
 * Locks: inode.change_mu is held by the thread that changes the inode: its
 * row, its contents and, in a directory, the names. It is held from before
 * the change is staged until it is committed. The order is in util/mutex.h: a
 * directory before what is in it; two directories of which none is above the
 * other only under fs.rename_mu; two files by number, after all directories.
 *
 * inode.mu guards the fields, and is held for short times, after change_mu. A
 * thread that changes a field has both; one that only reads has mu alone, so
 * that readers do not wait for commits: inode_commit() releases mu meanwhile.
 * During that time memory has the state before the change, while rows may
 * already have the state after it. Reads are right in both: inline bytes and
 * chunks are the same, or a buffer hides them. Where a row moves or is deleted
 * (link, rename, unlink) the inode's mu is kept, and only those of the
 * directories are released. A thread that holds one mu takes another only of
 * inodes whose change_mu it all holds, so their order does not matter.
 *
 * To read a row without the directory's lock: load commits.change of the
 * directory, read the row, lock the inode, and compare change again. A thread
 * that commits a change of a row of the directory's group raises change
 * before it releases the inode's change_mu. So a row that was changed
 * meanwhile is noticed; or its inode is live, and then memory is right.
 */
#ifndef KVFS_FS_LIVE_INODE_H
#define KVFS_FS_LIVE_INODE_H

#include <sys/stat.h>

#include "fs/iname.h"
#include "fs/inode_parts.h"
#include "fs/schema.h"
#include "util/mutex.h"

struct content;

/* The state of rec.atime, which a read changes with mu alone. */
enum atime_state {
	ATIME_STORED, /* as in the row */
	ATIME_STAGED, /* newer than the row; in a batch to be committed */
	ATIME_MOVED, /* newer than the row and any batch */
};

enum inode_state {
	INODE_NEW, /* in the table, not loaded yet: inode_from_row() */
	INODE_LIVE,
	INODE_DELETED, /* its rows are deleted; it may still be in use */
};

struct inode {
	uint64_t ino; /* constant */
	uint32_t type; /* S_IFMT bits; constant once live */
	struct inode_copies copies;
	struct dirty_entry dirty;
	struct table_entry table;
	struct inode_commits commits;

	struct mutex change_mu;
	struct mutex mu;
	/* Guarded by mu; to change them takes change_mu too, unless "mu alone"
	 * is said. */
	enum inode_state state;
	bool is_linkable; /* an O_TMPFILE file that may get a name */
	bool is_nameless; /* it has no name (any more); see orphan.c */
	struct inode_rowless rowless;
	enum atime_state atime; /* mu alone */
	uint32_t tombstones; /* of a directory: entries deleted since its group
	                        was last deleted as a whole */
	struct inode_opens opens;
	/*
	 * Where the attributes are: in the dentry row (parent, name), or in the
	 * inode row if parent is NULL or is_nameless. To change the parent of a
	 * directory takes fs.rename_mu too; it stays when the directory is
	 * removed.
	 */
	struct inode *parent; /* referenced */
	struct iname name;
	struct attr_rec rec; /* as committed, except atime: mu alone */
	struct content *content; /* dirty contents, or NULL */
	struct inode_patches patches;
};

/* The value of tombstones of a directory that was loaded from its row. */
#define TOMBSTONES_UNKNOWN 16u
#define TOMBSTONES_MAX 8u

static inline bool
inode_is_dir(const struct inode *in)
{
	return S_ISDIR(in->type);
}

/* Are its attributes in a dentry row? */
static inline bool
inode_has_dentry(const struct inode *in) REQUIRES(&in->mu)
{
	return in->parent != NULL && !in->is_nameless;
}

/* Can the directory get an entry? */
static inline bool
inode_takes_names(const struct inode *in) REQUIRES(&in->mu)
{
	return in->state == INODE_LIVE && !in->is_nameless;
}

/* With one reference; NULL without memory. */
struct inode *inode_alloc(uint64_t ino);
void inode_free(struct inode *in);

#endif
