/* SPDX-License-Identifier: ISC */
/*
 * What fs_bulk.h stages, as its sources share it: see bulk_parts.h for inodes
 * that are made, names, and the directories that these are in.
 *
 * bulk.c and bulk_link.c have the calls, bulk_contents.c the contents of files,
 * bulk_path.c and bulk_names.c find directories, bulk_entry.c makes inodes of
 * entries, bulk_state.c has what all use; bulk_batch.h has the commit.
 *
 * Nothing is locked between calls. A directory that exists is referenced; a new
 * one, and new files, are known here alone until the commit. Then all names
 * that the batch changes are looked up, their directories and what they replace
 * are locked, and the names are compared once more.
 */
#ifndef KVFS_FS_BULK_H
#define KVFS_FS_BULK_H

#include "fs/bulk_parts.h"
#include "fs/fs_bulk.h"
#include "fs/txn.h"
#include "util/arena.h"
#include "util/buf.h"

/* Contents up to this size are in the batch that has the name. */
#define BULK_RIDE_BYTES (1u << 20)
/* At most so many names in a batch, and bytes in one that is atomic. */
#define BULK_NAMES_MAX 4096u
#define BULK_ATOMIC_BYTES (32u << 20)
#define BULK_BATCH_BYTES (4u << 20)
#define BULK_BUCKETS 4096u

struct bulk_file {
	struct bulk_name *name; /* NULL: none is being written */
	uint64_t end; /* of what was written */
	uint64_t index; /* of the chunk in data */
	struct buf data;
	size_t spill_bytes; /* in its chunks, not committed */
	uint64_t spilled_end;
};

struct fs_bulk {
	struct fs *fs;
	struct fs_bulk_options opts;
	struct inode *base; /* referenced */
	struct timespec began;
	struct bulk_file file;
	struct txn *txn; /* has the memory of values */
	struct arena arena; /* all else that is staged */
	struct bulk_name **buckets;
	STAILQ_HEAD(, bulk_name) names;
	STAILQ_HEAD(, bulk_inode) inodes;
	struct bulk_dirs dirs, touched;
	struct bulk_dir *top; /* of base, until the next commit */
	size_t count, bytes; /* of names; staged */
	uint64_t stored, failures;
	int error; /* the work has ended */
};

/* ---- bulk_state.c ---- */

/* Memory until the next commit; NULL is an error in b. */
void *bulk_alloc(struct fs_bulk *b, size_t n);
struct slice bulk_copy(struct fs_bulk *b, struct slice s);
void bulk_fail(struct fs_bulk *b, struct slice path, uint64_t tag, int rc);
/* Forget all that is staged; orphans that no name refers to are deleted. */
void bulk_reset(struct fs_bulk *b);
/* rc: of that name. A failure of an entry is reported; one of the store, or
 * without memory, ends the work. */
int bulk_end_name(struct fs_bulk *b, struct slice path, uint64_t tag, int rc);
void bulk_free_chunks(struct bulk_inode *in);

/* ---- bulk_names.c ---- */

struct bulk_name *bulk_find(struct fs_bulk *b, const struct bulk_dir *dir,
    struct slice name);
/* Add it to the bucket, and to the order unless it is BULK_KNOWN. */
struct bulk_name *bulk_add_name(struct fs_bulk *b, struct bulk_dir *dir,
    struct slice name, enum bulk_kind kind);
/* A directory that exists; takes the reference. */
struct bulk_dir *bulk_live_dir(struct fs_bulk *b, struct inode *live);
/* The name as it is staged, or as a directory that exists; NULL: neither. */
int bulk_lookup(struct fs_bulk *b, struct bulk_dir *dir, struct slice name,
    struct bulk_name **np);

/* ---- bulk_entry.c ---- */

/* A new inode in dir, with the attributes of e. */
int bulk_make_inode(struct fs_bulk *b, struct bulk_dir *dir,
    const struct fs_bulk_entry *e, struct bulk_inode **inp);
/* A new directory of this name; its path is for failed(). */
int bulk_make_dir(struct fs_bulk *b, struct bulk_dir *dir, struct slice name,
    const struct fs_bulk_entry *e, struct bulk_name **np);
/* Give a directory that exists the attributes of e. */
int bulk_set_live(struct fs_bulk *b, struct inode *in,
    const struct fs_bulk_entry *e);

/* ---- bulk_path.c ---- */

/* The directory that path is in, and its last component. may_make: makes
 * directories that are missing, if b does. *dirp NULL: path is the base. */
int bulk_parent(struct fs_bulk *b, struct slice path, bool may_make,
    struct bulk_dir **dirp, struct slice *namep);

/* ---- bulk_commit.c ---- */

/* Make room for one more name: commit, if enough is staged. */
int bulk_begin_name(struct fs_bulk *b, struct slice path);
/* Others may have to forget what they know of name in dir. */
void bulk_notify_name(struct fs_bulk *b, struct inode *dir, struct slice name);

/* ---- bulk.c ---- */

/* Find where path is to be. A file that is staged there is dropped; a directory
 * is committed first, and is in *np. */
int bulk_place(struct fs_bulk *b, struct slice path, struct bulk_dir **dirp,
    struct slice *namep, struct bulk_name **np);

#endif
