/* SPDX-License-Identifier: ISC */
/*
 * The repair of inconsistent rows, fs_mend(): what its sources share. The walk
 * of verify.c finds the faults. Each fault is repaired at once, by a batch of
 * its own, from the rows as they are then, while the walk goes on in its
 * snapshot. Walks are repeated until one finds nothing, since a repair may
 * cause another fault, such as a wrong count in a directory that lost an
 * entry. One thread; nobody else has the store open.
 */
#ifndef KVFS_FS_MEND_H
#define KVFS_FS_MEND_H

#include "fs/txn.h"
#include "fs/verify.h"

struct mend {
	struct verify v; /* the current walk */
	struct verify_map suspects; /* see struct verify */
	struct txn txn; /* the current change */
	struct finding_list reported;
	bool is_first_walk; /* the first walk changes nothing */
	bool has_wrong_dirs; /* directories whose row is to be found */
	uint64_t changes; /* in all walks */
	uint64_t changes_before; /* before the current walk */
	/* SET_CHUNKS, SET_XATTRS: their losses were reported already. */
	struct verify_map reported_lost;
	uint64_t next_ino;
	uint64_t lost_found; /* the inode of lost+found; 0: not known yet */
};

/* A row with attributes, or a name that is a reference. */
struct mend_row {
	struct kv_key key; /* borrowed from the caller of mend_load() */
	uint64_t ino;
	uint32_t type;
	bool is_ref;
	struct attr_rec rec;
	struct slice data; /* inline; pin holds it */
	struct kv_value pin;
};

/* ---- Rows (mend_row.c) ---- */

/* Read the row of key: 1; 0 when there is none that can be used; or a negative
 * errno. The caller releases r->pin. */
int mend_load(struct mend *m, const struct kv_key *key, struct mend_row *r);
/* Is there a row of this key, of whatever value? 1, 0 or a negative errno. */
int mend_has(struct mend *m, const struct kv_key *key);
/* Add r to the change, at the key that it was loaded from. */
void mend_put(struct mend *m, const struct mend_row *r);
/* Commit the change. */
int mend_commit(struct mend *m);
/* An inode number that no row uses. */
uint64_t mend_number(struct mend *m);
/* Find the entry of directory ino in parent, other than except, which may be
 * NULL; load it as mend_load() does. */
int mend_find_dir(struct mend *m, uint64_t parent, uint64_t ino,
    const struct kv_key *except, struct mend_row *r, char name[KV_NAME_MAX]);
/* Move every row of one group to another, in batches. */
int mend_move_group(struct mend *m, enum space space, uint64_t from,
    uint64_t to);
/* Default attributes, for a file or directory whose own are lost. */
struct attr_rec mend_new_rec(uint32_t mode);
/* Attributes that fit the chunks and patches of ino: 1, 0 when it has none, or a negative
 * errno. */
int mend_rec_of_chunks(struct mend *m, uint64_t ino, struct attr_rec *recp);
/* Add a name in lost+found to the change: of r's attributes when r is not a
 * reference, else of its inode. */
int mend_attach(struct mend *m, const struct mend_row *r, const char *why);

/* ---- Faults of names and groups (mend_name.c, mend_group.c): each repairs
 * one kind. 0 or a negative errno. ---- */

int mend_name(struct mend *m, const struct verify_fault *f);
int mend_twice(struct mend *m, const struct verify_fault *f);
int mend_ref(struct mend *m, const struct verify_fault *f);
int mend_ref_type(struct mend *m, const struct verify_fault *f);
int mend_links(struct mend *m, const struct verify_fault *f);
int mend_misplaced(struct mend *m, const struct verify_fault *f);
int mend_unreached(struct mend *m, const struct verify_fault *f);
int mend_no_dir(struct mend *m, const struct verify_fault *f);
int mend_chunks(struct mend *m, const struct verify_fault *f);
int mend_xattrs(struct mend *m, const struct verify_fault *f);
int mend_patches(struct mend *m, const struct verify_fault *f);
int mend_patch_alone(struct mend *m, const struct verify_fault *f);

#endif
