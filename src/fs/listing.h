/* SPDX-License-Identifier: ISC */
/*
 * Places in a directory. Rows are listed in the order of their names, and
 * the offset of a place is a hash of the name before it: the same in every
 * listing, whoever asks, however long ago. A listing holds no view of the
 * store; what is in the directory at its next read is what it goes on with.
 *
 * A name that is there can be found by its hash. One that has gone is
 * remembered for as long as somebody has the directory open: he may have
 * read that far. When there is no room for more, the oldest are forgotten,
 * and who comes back to such a place begins anew.
 *
 * The kernel's copy of a listing lies in pages, and where it ends just with
 * one, Linux (fuse_readdir_cached(), 4.20 to 6.18 at least) takes whoever
 * comes with a place that is not in the copy to be at its end, instead of
 * asking us. So we reckon where copies end: see listing_is_safe().
 *
 * Guarded by the directory's lock.
 */
#ifndef KVFS_FS_LISTING_H
#define KVFS_FS_LISTING_H

#include <sys/queue.h>

#include "fs/live_inode.h"

/* Offsets of the directory itself and of its parent; names come behind. */
#define LISTING_DOTS 2

/* What all remembered names of a file system take. */
struct listing_pool {
	_Atomic size_t bytes; /* relaxed */
	size_t max_bytes; /* constant */
};

/* A name that has gone. */
struct listing_gone {
	TAILQ_ENTRY(listing_gone) link;
	int64_t offset;
	uint8_t len;
	char name[];
};

struct listing {
	struct listing_pool *pool;
	unsigned nopen;
	TAILQ_HEAD(listing_gone_list, listing_gone) gone; /* oldest first */
	size_t ngone;
	/* Of what the kernel copies. */
	uint64_t begun_change; /* of the directory, when last begun */
	bool is_whole; /* that came to its end */
	bool is_mixed; /* the copy may be of names of different times */
};

/* How one descriptor reads; for listing_is_safe(). */
struct listing_scan {
	bool is_sequential; /* from the beginning, without a leap */
	uint64_t change; /* of the directory, at the beginning */
	size_t tail; /* of a copy: used bytes of its last page */
};

/* The offset behind name. */
int64_t listing_offset(struct slice name);

/* Somebody opens dir; until listing_close(). -ENOMEM. */
int listing_open(struct listing_pool *pool, struct inode *dir)
    REQUIRES(&dir->mu);
void listing_close(struct inode *dir) REQUIRES(&dir->mu);
/* With the inode. */
void listing_free(struct inode *dir);

/* name has gone from dir. */
void listing_note_removal(struct inode *dir, struct slice name)
    REQUIRES(&dir->mu);
/* The gone name before offset; false when none is remembered. Valid until
 * the lock is given up. */
bool listing_find_gone(const struct inode *dir, int64_t offset,
    struct slice *namep) REQUIRES(&dir->mu);

/* Somebody begins to read at offset 0. */
void listing_begin(struct inode *dir, struct listing_scan *scan)
    REQUIRES(&dir->mu);
/* He has read one more entry. */
void listing_advance(struct listing_scan *scan, struct slice name);
/* He has come to the end: may the kernel keep a copy? */
bool listing_is_safe(struct inode *dir, const struct listing_scan *scan)
    REQUIRES(&dir->mu);

#endif
