/* SPDX-License-Identifier: ISC */
/*
 * struct fs and what the sources of src/fs share beyond inodes: counting
 * inodes, checks at the door of each operation, and the removal of a name.
 */
#ifndef KVFS_FS_FS_INTERNAL_H
#define KVFS_FS_FS_INTERNAL_H

#include "fs/content.h"
#include "fs/fs.h"
#include "fs/inode.h"
#include "fs/listing.h"
#include "fs/schema.h"
#include "fs/txn.h"
#include "fs/writeback.h"
#include "util/log.h"
#include "util/mutex.h"
#include "util/stats.h"

struct fs_counters {
	struct counter commits, lookups, creates, removes, renames;
	struct counter reads, read_bytes, writes, write_bytes;
	struct counter writebacks; /* commits of contents */
};

/* An inode without a name that nobody knows any more, and its rows. */
struct orphan {
	uint64_t ino, alloc;
	uint32_t flags, nxattrs;
};

struct orphan_list {
	struct mutex reap_mu; /* held while rows are deleted */
	struct mutex mu;
	struct orphan *all GUARDED_BY(mu);
	size_t count GUARDED_BY(mu), cap GUARDED_BY(mu);
	uint64_t due_ns GUARDED_BY(mu); /* UINT64_MAX: there are none */
};

struct fs {
	struct kv *kv; /* constant, borrowed */
	bool read_only; /* constant */
	bool acl; /* constant */
	bool keep_times; /* see fs_options */
	_Atomic bool flush_on_close;
	_Atomic bool atime;
	struct inode *root; /* constant, pinned */
	/* Outermost lock: changes of the tree's shape, see inode.h. */
	struct mutex rename_mu;
	struct inode_table table;
	struct listing_pool listings;
	struct txn_pool txns;
	struct writeback wb;
	struct orphan_list orphans;
	_Atomic uint64_t last_seq; /* highest position of any commit */

	struct mutex ino_mu; /* innermost but for the kv */
	uint64_t next_ino GUARDED_BY(ino_mu);
	uint64_t ino_limit GUARDED_BY(ino_mu); /* reserved in the store */

	/* How many inodes there are; see count.c. */
	_Atomic uint64_t inodes;
	_Atomic bool count_is_exact;
	_Atomic bool count_stop;
	uint64_t count_assumed; /* what inodes began with */
	bool has_counter;
	pthread_t counter;
	struct kv_snapshot *count_snap;

	struct fs_counters counters;
};

/* ---- fs.c ---- */

struct timespec fs_now(void);
/* Attributes of a file or directory that is made now. */
struct attr_rec fs_new_rec(uint32_t mode, uid_t uid, gid_t gid);
/* What a change of contents sets as times: *now, or NULL, to keep them. */
const struct timespec *fs_change_time(const struct fs *fs,
    struct timespec *now);
/* A number that was never used; reserved in the store. */
int fs_next_ino(struct fs *fs, uint64_t *inop);

/* ---- space.c ---- */

/* -ENOSPC when the store has no room for len more bytes, of contents or of a
 * row, also after what is dead has made some, which it waits for: no lock is
 * held. */
int space_ask(struct fs *fs, enum kv_room kind, size_t len);

/* ---- count.c ---- */

/* Begin with the stored count, and count anew beside when the last user
 * did not close the store; no operation may run yet. */
int count_start(struct fs *fs);
/* Stop counting, and store the count when it is exact. */
int count_stop(struct fs *fs);
void count_add(struct fs *fs, int64_t n);
uint64_t count_read(struct fs *fs);

/* ---- orphan.c ---- */

/* Finish the deletions that a crash interrupted. */
int orphan_sweep(struct fs *fs);
/* A lookup or an open of in was given back: without a name it ends with the
 * last of them. Call without locks. */
void orphan_forgotten(struct fs *fs, struct inode *in);
/* All of them end, whoever knows them: the file system is closing. */
int orphan_end_all(struct fs *fs);
/* Delete the rows of all that have ended. Call without locks, and
 * txn_settle() after it. */
void orphan_reap(struct fs *fs);
/* When that is due; UINT64_MAX: not. */
uint64_t orphan_due_ns(struct fs *fs);
/* Delete contents and extended attributes, as far as there are any. */
void orphan_stage_groups(struct txn *t, uint64_t ino,
    const struct attr_rec *rec);

/* ---- removal.c ---- */

/* One link of an inode is going away in a batch. */
struct removal {
	struct inode *in;
	struct attr_rec rec;
	enum {
		REMOVAL_LINK, /* others are left */
		REMOVAL_ORPHAN, /* rows stay until nobody knows it */
		REMOVAL_ROWLESS, /* the same, but all of it is in memory */
		REMOVAL_DELETE, /* nobody knows it */
	} how;
	struct slice data; /* inline bytes, in the txn */
};
/* Add it to t; the dentry itself is the caller's. */
int removal_stage(struct fs *fs, struct txn *t, struct inode *in,
    const struct timespec *now, struct removal *r)
    REQUIRES(&in->change_mu, &in->mu);
/* It was committed at seq, with the inode locked still. Returns an inode
 * to put once unlocked. */
struct inode *removal_commit(struct fs *fs, struct removal *r, uint64_t seq);

/* ---- dir.c ---- */

/* A directory's row with other counts, in a batch. */
struct dir_change {
	struct inode *dir;
	struct attr_rec rec;
	uint32_t tombs;
	struct slice gone; /* the entry that is deleted; borrowed */
};
/* Begin: times become now. */
void dir_begin(struct dir_change *c, struct inode *dir,
    const struct timespec *now) REQUIRES(&dir->mu);
/* An entry more (+1) or less (-1); subdirs in the same way. -EMLINK. */
int dir_count(struct dir_change *c, int entries, int subdirs);
/* Delete the entry's row: with its group when it was the last of many. Not
 * counted; call after dir_count(). */
void dir_delete_entry(struct dir_change *c, struct txn *t, struct slice name);
/* With the directory locked still. */
int dir_stage(struct fs *fs, struct txn *t, struct dir_change *c);
void dir_commit(struct fs *fs, struct dir_change *c, uint64_t seq);

/* A directory by number, with a reference, or -ESTALE, -ENOTDIR. */
int dir_get(struct fs *fs, uint64_t ino, struct inode **dirp);
/* Any inode by number: -ESTALE. */
int file_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* A regular file: -EISDIR, -EINVAL. */
int regular_get(struct fs *fs, uint64_t ino, struct inode **inp);
/* -EINVAL, -ENAMETOOLONG for what cannot be a new name. */
int name_check(struct slice name);
/* -EEXIST when dir has name. */
int dir_has_no(struct fs *fs, struct inode *dir, struct slice name)
    REQUIRES(&dir->change_mu);

#endif
