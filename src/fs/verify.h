/* SPDX-License-Identifier: ISC */
/*
 * The consistency walk over all rows. fs_verify() (verify.c) prints the faults
 * that it finds, fs_mend() (mend.c) repairs them. One thread.
 */
#ifndef KVFS_FS_VERIFY_H
#define KVFS_FS_VERIFY_H

#include "fs/finding.h"
#include "fs/fs.h"
#include "fs/schema.h"
#include "fs/verify_map.h"

/* Kinds of faults; each needs another repair. */
enum verify_kind {
	FAULT_FOREIGN, /* a row of a newer version or an unknown kind */
	FAULT_ROW, /* a row that cannot be read */
	FAULT_FORMAT, /* the format row is wrong or missing */
	FAULT_NEXT_INO, /* next inode number not above all in use */
	FAULT_COUNT, /* wrong inode count; number: the right one */
	FAULT_ROOT, /* no root directory */
	FAULT_MISPLACED, /* a directory in an inode row */
	FAULT_NAME, /* not a valid name */
	FAULT_TWICE, /* a second row with attributes of the same inode */
	FAULT_REF, /* a reference to an inode without a row */
	FAULT_REF_TYPE, /* a reference with another type than the inode */
	FAULT_ALLOC, /* wrong alloc; number: the right one */
	FAULT_SIZE, /* contents beyond the size; number: their end */
	FAULT_XATTRS, /* wrong number of attributes; number: the right one */
	FAULT_LINK_ONE, /* attributes in a name, with a link count above 1 */
	FAULT_LINKS, /* wrong link count of a file with an inode row */
	FAULT_DIR_COUNTS, /* wrong number of entries or subdirectories */
	FAULT_NO_DIR, /* entries of an inode that is no directory */
	FAULT_UNREACHED, /* ino, in directory number: not below the root */
	FAULT_PATCHES, /* patches, and no flag for them */
	FAULT_PATCH_ALONE, /* a patch of a chunk without a row */
	FAULT_CHUNKS_ALONE, /* chunks without an inode that has chunks */
	FAULT_XATTRS_ALONE, /* the same for extended attributes */
	FAULT_PATCHES_ALONE, /* and for patches */
};

struct verify_fault {
	enum verify_kind kind;
	struct kv_key key; /* the row; without a name: the group */
	uint64_t ino; /* the inode in question */
	uint64_t number;
};

struct verify {
	struct kv *kv;
	struct kv_snapshot *snap; /* what the walk reads */
	struct verify_map map; /* what it has found */
	uint64_t problems;
	uint64_t next_ino;
	uint64_t max_ino; /* the highest in any row */
	uint64_t inodes; /* counted */
	bool has_count;
	struct count_row count;
	bool has_patches; /* seen */
	bool is_declared; /* the format row says that there may be */

	/* Called for each fault; a negative result ends the walk. text
	 * describes the fault, or is NULL without memory. Borrows both. */
	int (*fault)(struct verify *v, const struct verify_fault *f,
	    const char *text);
	/* NULL, or: the inodes in its SET_XATTRS have their extended attributes
	 * counted even if their number is stored as 0, and those in SET_PATCHES
	 * their patches checked even without the flag. */
	struct verify_map *suspects;
	int error; /* of fault() */

	/* The last row that the walk has read, and its name. */
	struct kv_key at;
	uint8_t at_name[KV_NAME_MAX];
};

/* Walk all rows: 0, or the error that ended it. A damaged table is a fault. */
int verify_walk(struct verify *v);
/* Free the map. */
void verify_fini(struct verify *v);

/* ---- For the sources of the walk only ---- */

/* Report a fault. The text continues a line that begins with the path. */
void verify_problem(struct verify *v, const struct verify_fault *f,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Reading row key gave rc: damage is a fault, 0 is returned; other errors are
 * returned. */
int verify_bad_row(struct verify *v, const struct kv_key *key, int rc);
/* Check the inode whose attributes were found in row key. */
int verify_inode(struct verify *v, const struct kv_key *key, uint64_t ino,
    const struct attr_rec *rec);
/* Check its chunks, and patches if it may have some. */
int verify_chunks(struct verify *v, const struct kv_key *row, uint64_t ino,
    const struct attr_rec *rec, bool has_patches);
/* Call visit for each row of one space. */
typedef int (*verify_visit_fn)(struct verify *v, const struct kv_key *key,
    struct slice value);
int verify_space(struct verify *v, enum space space, verify_visit_fn visit);
/* Check the tree, after all names were read. */
void verify_tree(struct verify *v);
/* Check the rows about the store: format and next inode number; and at the
 * end, the number of inodes. */
int verify_store(struct verify *v);
void verify_count(struct verify *v);
void verify_declared(struct verify *v);
/* Report rows of kinds that this version does not know. */
int verify_unknown(struct verify *v);

#endif
