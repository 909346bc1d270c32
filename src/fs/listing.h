/* SPDX-License-Identifier: ISC */
/*
 * What listings of a directory have shown, so that a place in one of them
 * can be found again in another, later view of the directory: the kernel
 * keeps listings, and asks whoever reads on to go on where one that it has
 * kept, of somebody else, has ended.
 *
 * A place is the number of the listing and an ordinal in it. A listing
 * remembers a hash of each name, and each so many entries a name.
 *
 * The kernel's copy of a listing lies in pages, and where it ends just with
 * one, Linux (fuse_readdir_cached(), 4.20 to 6.18 at least) takes whoever
 * comes with a place that is not in the copy to be at its end, instead of
 * asking us. So we reckon where copies end: see listing_is_safe().
 *
 * Locks: the set of a directory is guarded by its inode's lock; what a
 * listing remembers by one of its own, below that.
 */
#ifndef KVFS_FS_LISTING_H
#define KVFS_FS_LISTING_H

#include <sys/queue.h>

#include "fs/inode.h"

#define LISTING_MARK_EVERY 1024u
#define LISTING_NUMBER_MAX 0x3fffffu

/* What all listings of a file system take. */
struct listing_pool {
	_Atomic size_t bytes; /* relaxed */
	size_t max_bytes; /* constant: those of closed directories go then */
};

struct listing {
	TAILQ_ENTRY(listing) link;
	unsigned nusers;
	bool is_kept; /* in the set */
	uint32_t number; /* constant, from 1 */
	uint64_t change; /* constant: of the directory, when it was as listed */
	struct listing_pool *pool; /* constant */

	struct mutex mu;
	bool is_joined GUARDED_BY(mu); /* see listing_set_joined() */
	size_t tail GUARDED_BY(mu); /* of a copy: used bytes of its last page */
	uint32_t *hashes GUARDED_BY(mu); /* by ordinal */
	size_t count GUARDED_BY(mu), cap GUARDED_BY(mu);
	struct iname *marks GUARDED_BY(mu); /* of i * LISTING_MARK_EVERY */
	size_t nmarks GUARDED_BY(mu), marks_cap GUARDED_BY(mu);
};

/*
 * The listing for a view of dir, taken under its lock, when dir->change was
 * as it is now: the one of the same names, or a new one. NULL without
 * memory. End with listing_put().
 */
struct listing *listing_get(struct listing_pool *pool, struct inode *dir)
    REQUIRES(&dir->mu);
/* One that is still remembered, or own, which may be NULL; or NULL. */
struct listing *listing_find(struct inode *dir, uint32_t number,
    struct listing *own) REQUIRES(&dir->mu);
/* NULL is accepted. Forgets those that nobody is likely to need. */
void listing_put(struct inode *dir, struct listing *l) REQUIRES(&dir->mu);
/* Whatever is left, with the inode. */
void listing_free_all(struct inode *dir);

/* The name of ordinal index: remembered when it is the next one. */
int listing_add(struct listing *l, uint64_t index, struct slice name);
/* Somebody reads it who began with another one: a copy may be of both. */
void listing_set_joined(struct listing *l);
/* Of one that was read to its end: may the kernel keep a copy? */
bool listing_is_safe(struct listing *l);
/* The last mark at or before index: its name, and which ordinal it has. */
int listing_mark(struct listing *l, uint64_t index, struct iname *namep,
    uint64_t *ordinalp);

/* What surrounds a place, for looking it up by listing_compare(). */
struct listing_place {
	struct iname first; /* the mark before; none when has_first is false */
	struct iname end; /* the mark behind, when has_end */
	bool has_first, has_end;
	uint32_t hashes[LISTING_MARK_EVERY];
	size_t count; /* of them */
	size_t before; /* so many of them are before the place */
};

/* End with listing_place_fini(). */
int listing_get_place(struct listing *l, uint64_t index,
    struct listing_place *placep);
void listing_place_fini(struct listing_place *place);
/* Is name before the place (-1), behind it (1), or not known (0)? */
int listing_compare(const struct listing_place *place, struct slice name);

#endif
