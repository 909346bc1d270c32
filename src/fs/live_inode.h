/* SPDX-License-Identifier: ISC */
/*
 * A live inode: one that the kernel knows, that is open or that is dirty.
 *
 * An inode lives until nobody knows it any more, not until its last name
 * goes: see orphan.c.
 *
 * References keep a struct inode alive: one while it has lookups, one
 * while it is held open, one while the write-back list has it, one for
 * each live inode in it when it is a directory, and one for each thread
 * that works on it. Without any it is clean, and freed.
 *
 * Locks: inode.change_mu is the right to change an inode: its row, its
 * contents and, in a directory, the names. It is held from before the
 * change is staged until it is committed. The order is in util/mutex.h: a
 * directory before what is in it; two directories of which none is above
 * the other only under fs.rename_mu; two files by number, after all
 * directories.
 *
 * inode.mu guards the fields and is held briefly, after change_mu. Who
 * changes a field has both; who only looks has mu alone, so that nobody
 * who looks waits for a commit: inode_commit() gives mu up. Until that
 * takes it back, what is in memory is the state before the change, of which
 * the rows may already be those after it. What is true of both: inline bytes
 * are the same or hidden by a buffer; so is each chunk. Where a row moves or
 * goes (link, rename, unlink) the inode's mu is kept, and only those of the
 * directories are given up. A thread that holds one mu takes another only
 * of inodes of which it holds every change_mu, in any order therefore.
 *
 * Reading a row without the directory's lock: take inode.commits.change of the
 * directory first, read, then lock the inode and look whether change is
 * still the same. Whoever commits a change of any row of the directory's
 * group raises change before it lets go of the inode's change_mu, so a row
 * that was read meanwhile is not believed; or it is of an inode that is
 * live, and then what is in memory counts.
 */
#ifndef KVFS_FS_LIVE_INODE_H
#define KVFS_FS_LIVE_INODE_H

#include <sys/stat.h>

#include "fs/iname.h"
#include "fs/inode_parts.h"
#include "fs/schema.h"
#include "util/mutex.h"

struct content;

/* rec.atime, which who reads moves, with mu alone. */
enum atime_state {
	ATIME_STORED, /* is the row's */
	ATIME_STAGED, /* ahead of the row, but in a batch to be committed */
	ATIME_MOVED, /* ahead of the row and of any batch */
};

enum inode_state {
	INODE_NEW, /* in the table, not read yet: inode_from_row() */
	INODE_LIVE,
	INODE_DELETED, /* rows are gone; lives on in memory */
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
	/* Guarded by mu, and changed only with change_mu too, but for what is
	 * marked. */
	enum inode_state state;
	bool is_linkable; /* a temporary file that may get a name */
	bool is_nameless; /* of no directory (any more); see orphan.c */
	bool is_rowless; /* nameless, and nothing of it is in the store */
	uint8_t *rowless_data; /* rowless: owned, the inline bytes; or NULL */
	enum atime_state atime; /* mu alone */
	uint32_t tombstones; /* directories: deletions since the last group's */
	struct inode_opens opens;
	/*
	 * Where the attributes are: in the dentry row (parent, name), or
	 * in the inode row when parent is NULL or is_nameless. Of a
	 * directory, parent also needs fs.rename_mu to change, and stays
	 * when it is removed.
	 */
	struct inode *parent; /* counted */
	struct iname name;
	struct attr_rec rec; /* as committed, but for atime: mu alone */
	struct content *content; /* what is not committed, or NULL */
};

/* A directory's tombs when its past is unknown. */
#define TOMBSTONES_UNKNOWN 16u
#define TOMBSTONES_MAX 8u

static inline bool
inode_is_dir(const struct inode *in)
{
	return S_ISDIR(in->type);
}

/* Whether its attributes are in a dentry row. */
static inline bool
inode_has_dentry(const struct inode *in) REQUIRES(&in->mu)
{
	return in->parent != NULL && !in->is_nameless;
}

/* Whether a directory can get an entry. */
static inline bool
inode_takes_names(const struct inode *in) REQUIRES(&in->mu)
{
	return in->state == INODE_LIVE && !in->is_nameless;
}

/* With one reference; NULL without memory. */
struct inode *inode_alloc(uint64_t ino);
void inode_free(struct inode *in);

#endif
