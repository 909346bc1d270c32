/* SPDX-License-Identifier: ISC */
/*
 * What the sources of fs_mend() share. The walk of verify.c finds the
 * faults; each is put right by a batch of its own as soon as it is found,
 * from rows as they are at that time, while the walk goes on in its
 * snapshot. Then comes the next walk, until one finds nothing: a change may
 * bring another to light, such as the count of a directory that lost an
 * entry. One thread, and nobody else has the store.
 */
#ifndef KVFS_FS_MEND_H
#define KVFS_FS_MEND_H

#include "fs/txn.h"
#include "fs/verify.h"

struct mend {
	struct verify v; /* the walk that goes on */
	struct verify_map suspects; /* see struct verify */
	struct txn txn; /* the change that is being made */
	struct finding_list reported;
	bool is_first_walk; /* the first walk changes nothing */
	bool has_wrong_dirs; /* of which the row is to be found */
	uint64_t changes; /* in all */
	uint64_t changes_before; /* this walk */
	struct verify_map
	    reported_lost; /* SET_CHUNKS, SET_XATTRS: is told of */
	uint64_t next_ino;
	uint64_t lost_found; /* its inode; 0: not yet looked for */
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

/* What key holds now: 1, 0 when there is none that can be read, or errno.
 * Release r->pin. */
int mend_load(struct mend *m, const struct kv_key *key, struct mend_row *r);
/* Whether key is taken, by whatever row. */
int mend_has(struct mend *m, const struct kv_key *key);
/* Add r's attributes to the change, where it was loaded from. */
void mend_put(struct mend *m, const struct mend_row *r);
/* Make the change. */
int mend_commit(struct mend *m);
/* A number that no row speaks of. */
uint64_t mend_number(struct mend *m);
/* The key in parent that is a name of directory ino, into r: as
 * mend_load(). except is one that does not count, or NULL. */
int mend_find_dir(struct mend *m, uint64_t parent, uint64_t ino,
    const struct kv_key *except, struct mend_row *r, char name[KV_NAME_MAX]);
/* Give every row of one group to another, in batches. */
int mend_move_group(struct mend *m, enum space space, uint64_t from,
    uint64_t to);
/* Attributes of a file or directory of which nothing is known. */
struct attr_rec mend_new_rec(uint32_t mode);
/* Attributes that the chunks of ino stand for: 1, 0 when it has none, or
 * errno. */
int mend_rec_of_chunks(struct mend *m, uint64_t ino, struct attr_rec *recp);
/* Add a name in lost+found to the change: of r's attributes when r is not a
 * reference, else of its inode. */
int mend_attach(struct mend *m, const struct mend_row *r, const char *why);

/* ---- Faults of names and groups (mend_name.c, mend_group.c) ---- */

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

#endif
