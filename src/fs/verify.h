/* SPDX-License-Identifier: ISC */
/*
 * The consistency walk, for those who tell of faults (verify.c's
 * fs_verify()) and those who put them right (mend.c).
 */
#ifndef KVFS_FS_VERIFY_H
#define KVFS_FS_VERIFY_H

#include "fs/finding.h"
#include "fs/fs.h"
#include "fs/schema.h"
#include "fs/verify_map.h"

/* What is wrong, by what puts it right. */
enum verify_kind {
	FAULT_FOREIGN, /* of a newer version, or not known: left alone */
	FAULT_ROW, /* no row, or none of any use */
	FAULT_FORMAT, /* the store's description */
	FAULT_NEXT_INO, /* not above all numbers in use */
	FAULT_COUNT, /* number: how many inodes there are */
	FAULT_ROOT, /* there is no root directory */
	FAULT_MISPLACED, /* a directory that is no dentry row */
	FAULT_NAME, /* no file can have it */
	FAULT_TWICE, /* attributes of an inode that has some elsewhere */
	FAULT_REF, /* to an inode without a row */
	FAULT_REF_TYPE, /* to an inode of another type */
	FAULT_ALLOC, /* number: bytes that the contents take */
	FAULT_SIZE, /* number: where the contents end */
	FAULT_XATTRS, /* number: how many there are */
	FAULT_LINK_ONE, /* attributes in the only name say several */
	FAULT_LINKS, /* of a file with an inode row */
	FAULT_DIR_COUNTS, /* of entries and directories in it */
	FAULT_NO_DIR, /* entries of what is no directory */
	FAULT_UNREACHED, /* ino, in the directory number: not below the root */
	FAULT_CHUNKS_ALONE, /* contents that no inode says it has */
	FAULT_XATTRS_ALONE,
};

struct verify_fault {
	enum verify_kind kind;
	struct kv_key key; /* the row; for messages of a group, nameless */
	uint64_t ino; /* the inode in question */
	uint64_t number;
};

struct verify {
	struct kv *kv;
	struct kv_snapshot *snap; /* of the walk */
	struct verify_map map; /* what was seen */
	uint64_t problems;
	uint64_t next_ino;
	uint64_t max_ino; /* highest that any row speaks of */
	uint64_t inodes; /* counted */
	bool has_count;
	struct count_row count;

	/* Called for each fault; what it returns ends the walk when negative.
	 * text describes it, or is NULL without memory. Borrows both. */
	int (*fault)(struct verify *v, const struct verify_fault *f,
	    const char *text);
	/* Inodes whose extended attributes are counted though they say that
	 * they have none: SET_XATTRS of it; or NULL. */
	struct verify_map *suspects;
	int error; /* of fault() */

	/* The last row that the walk came by, and its name. */
	struct kv_key at;
	uint8_t at_name[KV_NAME_MAX];
};

/* Walk all rows: 0, or what ended it. A damaged table is a fault. */
int verify_walk(struct verify *v);
/* Frees what the walk remembered. */
void verify_fini(struct verify *v);

/* ---- Among the sources of the walk ---- */

/* A fault of row key; the text begins behind what the row belongs to. */
void verify_problem(struct verify *v, const struct verify_fault *f,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A row that cannot be read is a problem; other errors end the walk. */
int verify_bad_row(struct verify *v, const struct kv_key *key, int rc);
/* Attributes found in row key. */
int verify_inode(struct verify *v, const struct kv_key *key, uint64_t ino,
    const struct attr_rec *rec);
/* The rows of one space, each value to visit. */
typedef int (*verify_visit_fn)(struct verify *v, const struct kv_key *key,
    struct slice value);
int verify_space(struct verify *v, enum space space, verify_visit_fn visit);
/* What can be said of the tree when all names were seen. */
void verify_tree(struct verify *v);
/* The format, the next inode number, and the number of inodes, which can be
 * compared at the end. */
int verify_store(struct verify *v);
void verify_count(struct verify *v);
/* Rows of kinds that this version does not know. */
int verify_unknown(struct verify *v);

#endif
