/* SPDX-License-Identifier: ISC */
/*
 * Offsets in a directory, for readdir. Entries are listed in the order of
 * their names, and an offset is a hash of the name before it, so it is the
 * same for all readers at all times. A reader holds no snapshot: its next read
 * continues with what is in the directory then.
 *
 * The name for an offset is found by its hash while it exists. A removed name
 * is kept as long as the directory is open, since a reader may have got that
 * far. Beyond the memory limit the oldest are dropped; a reader with such an
 * offset starts at the beginning.
 *
 * The kernel caches a listing in pages. Where it ends exactly at the end of a
 * page, Linux (fuse_readdir_cached(), 4.20 to 6.18 at least) takes a reader
 * with an offset that is not in the cache to be at the end of the directory,
 * instead of sending a request. So it is computed here where cached listings
 * end: see listing_is_safe().
 *
 * The directory's lock guards everything here.
 */
#ifndef KVFS_FS_LISTING_H
#define KVFS_FS_LISTING_H

#include <sys/queue.h>

#include "fs/live_inode.h"

/* The offsets after "." and ".."; those of names are larger. */
#define LISTING_DOTS 2

/* The memory of all removed names of a file system. */
struct listing_pool {
	_Atomic size_t bytes; /* relaxed */
	size_t max_bytes; /* constant */
};

/* A removed name. */
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
	/* About the listing that the kernel caches. */
	uint64_t begun_change; /* commits.change when the last scan began */
	bool is_whole; /* that scan came to the end */
	bool is_mixed; /* the cache may have names of different times */
};

/* One scan by one descriptor, for listing_is_safe(). */
struct listing_scan {
	bool is_sequential; /* from the beginning, without a seek */
	uint64_t change; /* commits.change at the beginning */
	size_t tail; /* used bytes of the last page of a cached copy */
};

/* The offset after name. */
int64_t listing_offset(struct slice name);

/* dir is opened; until listing_close() removed names are kept. -ENOMEM. */
int listing_open(struct listing_pool *pool, struct inode *dir)
    REQUIRES(&dir->mu);
void listing_close(struct inode *dir) REQUIRES(&dir->mu);
/* The inode is freed. */
void listing_free(struct inode *dir);

/* name was removed from dir. */
void listing_note_removal(struct inode *dir, struct slice name)
    REQUIRES(&dir->mu);
/* The removed name of this offset, valid until the lock is released; false
 * when there is none. */
bool listing_find_gone(const struct inode *dir, int64_t offset,
    struct slice *namep) REQUIRES(&dir->mu);

/* A scan begins at offset 0. */
void listing_begin(struct inode *dir, struct listing_scan *scan)
    REQUIRES(&dir->mu);
/* The scan has returned one more entry. */
void listing_advance(struct listing_scan *scan, struct slice name);
/* The scan has come to the end: may the kernel keep the cached listing? */
bool listing_is_safe(struct inode *dir, const struct listing_scan *scan)
    REQUIRES(&dir->mu);

#endif
