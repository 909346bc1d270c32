/* SPDX-License-Identifier: ISC */
/* Repairs rows whose inode is lost, or has no flag or count for them; see
 * mend.h. */
#include "fs/mend.h"

/* Give the rows of group ino of a space an inode with a name in lost+found:
 * with this number if no other inode has it, else with a new number, to which
 * the rows are moved. */
static int
attach_group(struct mend *m, enum space space, uint64_t ino,
    const struct attr_rec *rec, const char *why)
{
	struct mend_row r = { .ino = ino,
		.type = rec->mode & S_IFMT,
		.rec = *rec };
	int rc = 0;

	if (verify_map_has(&m->v.map, SET_INODES, ino)) {
		r.ino = mend_number(m);
		rc = mend_move_group(m, space, ino, r.ino);
		if (rc == 0 && (rec->flags & ATTR_PATCHES) != 0)
			rc = mend_move_group(m, SPACE_PATCH, ino, r.ino);
	}
	/* This walk may still see them at their old place. */
	if (rc == 0 && (rec->flags & ATTR_PATCHES) != 0)
		rc = verify_map_put(&m->v.map, SET_PATCHES, ino);
	if (rc >= 0)
		rc = mend_attach(m, &r, why);
	if (rc == 0)
		rc = verify_map_put(&m->v.map, SET_INODES, r.ino);
	return rc < 0 ? rc : mend_commit(m);
}

int
mend_no_dir(struct mend *m, const struct verify_fault *f)
{
	struct verify_dir *d = verify_map_find_dir(&m->v.map, f->ino);
	struct attr_rec rec = mend_new_rec(S_IFDIR | 0700);

	if (d == NULL)
		return 0;
	rec.entries = d->entries;
	rec.nlink = (uint32_t)d->subdirs + 2;
	return attach_group(m, SPACE_DENTRY, f->ino, &rec,
	    "a directory of which name, owner, mode and times are lost");
}

int
mend_chunks(struct mend *m, const struct verify_fault *f)
{
	struct attr_rec rec;
	int rc = mend_rec_of_chunks(m, f->ino, &rec);

	if (rc < 0)
		return rc;
	if (rc == 1)
		return attach_group(m, SPACE_CHUNK, f->ino, &rec,
		    "contents of which name, owner, mode, times and maybe "
		    "the end are lost");
	/* None of them can be read. */
	kv_batch_delete_group(&m->txn.batch, SPACE_CHUNK, f->ino);
	finding_add(&m->reported, &f->key,
	    "contents that nothing names; removed");
	return mend_commit(m);
}

/* A group of rows that belongs to another row of its inode. If that is there
 * (owner has the inode), the next walk looks at the group when it gets to it
 * (suspect); else the group is removed. */
static int
mend_owned_group(struct mend *m, const struct verify_fault *f,
    enum verify_set owner, enum verify_set suspect, enum space space,
    const char *lost)
{
	if (verify_map_has(&m->v.map, owner, f->ino)) {
		m->changes++;
		return verify_map_put(&m->suspects, suspect, f->ino);
	}
	kv_batch_delete_group(&m->txn.batch, space, f->ino);
	finding_add(&m->reported, &f->key, lost);
	return mend_commit(m);
}

int
mend_patches(struct mend *m, const struct verify_fault *f)
{
	return mend_owned_group(m, f, SET_CHUNKS, SET_PATCHES, SPACE_PATCH,
	    "patches of contents that are lost; removed");
}

/* The chunk is lost, and what was written last over it is not: make an empty
 * one, of a zero, since a chunk has at least a byte. */
int
mend_patch_alone(struct mend *m, const struct verify_fault *f)
{
	static const uint8_t zero[] = { SCHEMA_TAG, 0 };
	struct patch_key place;
	uint8_t space[8];
	struct kv_key key;
	int rc;

	if (key_patch_place(&f->key, &place) < 0)
		return 0;
	key = key_chunk(f->ino, place.index, space);
	rc = mend_has(m, &key);
	if (rc != 0) /* for another patch of it */
		return rc < 0 ? rc : 0;
	kv_batch_put(&m->txn.batch, &key, slice_make(zero, sizeof(zero)));
	finding_add(&m->reported, &key,
	    "lost but for what was written last; the rest reads as zeros");
	return mend_commit(m);
}

int
mend_xattrs(struct mend *m, const struct verify_fault *f)
{
	return mend_owned_group(m, f, SET_INODES, SET_XATTRS, SPACE_XATTR,
	    "extended attributes of what is lost; removed");
}
