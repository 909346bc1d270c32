/* SPDX-License-Identifier: ISC */
/*
 * What a walk of verify.c has found: directories, inodes with a row of their
 * own, and sets of inode numbers. Its memory grows with the number of
 * directories and hard links; a set takes about one bit per inode number.
 */
#ifndef KVFS_FS_VERIFY_MAP_H
#define KVFS_FS_VERIFY_MAP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/tree.h>

/* A directory, known by its row, by its entries, or both. */
struct verify_dir {
	RB_ENTRY(verify_dir) link;
	uint64_t ino, parent;
	uint64_t entries, subdirs; /* found */
	uint64_t want_entries, want_nlink; /* as its row says */
	bool has_row;
	bool is_reached; /* known to be below the root */
	uint64_t walk; /* the last upward search that visited it */
};

/* A file whose attributes are in an inode row. */
struct verify_link {
	RB_ENTRY(verify_link) link;
	uint64_t ino;
	uint32_t type;
	uint64_t names, want_names;
	bool is_orphan; /* an orphan row was found */
};

enum verify_set {
	SET_INODES, /* has a row with attributes */
	SET_CHUNKS, /* may have chunk rows */
	SET_XATTRS, /* has xattr rows */
	SET_PATCHES, /* may have patches */
	SET_COUNT,
};

struct verify_page;
RB_HEAD(verify_dirs, verify_dir);
RB_HEAD(verify_links, verify_link);
RB_HEAD(verify_pages, verify_page);
RB_PROTOTYPE(verify_dirs, verify_dir, link, verify_dir_cmp)
RB_PROTOTYPE(verify_links, verify_link, link, verify_link_cmp)

struct verify_map {
	struct verify_dirs dirs;
	struct verify_links links;
	struct verify_pages pages;
	struct verify_page *last;
};

void verify_map_init(struct verify_map *m);
void verify_map_fini(struct verify_map *m);
/* Find, or add if it is missing; NULL without memory. */
struct verify_dir *verify_map_dir(struct verify_map *m, uint64_t ino);
struct verify_link *verify_map_add_link(struct verify_map *m, uint64_t ino);
/* Find; NULL when there is none. */
struct verify_dir *verify_map_find_dir(struct verify_map *m, uint64_t ino);
struct verify_link *verify_map_find_link(struct verify_map *m, uint64_t ino);
/* Add ino to a set: 1 if it was there already, 0 if not, or -ENOMEM. */
int verify_map_put(struct verify_map *m, enum verify_set set, uint64_t ino);
bool verify_map_has(struct verify_map *m, enum verify_set set, uint64_t ino);

#endif
