/* SPDX-License-Identifier: ISC */
/* Repairs names, and the inodes that they refer to; see mend.h. */
#include "fs/mend.h"

static bool
is_newer(const struct attr_rec *a, const struct attr_rec *b)
{
	return a->ctime.tv_sec != b->ctime.tv_sec ?
	    a->ctime.tv_sec > b->ctime.tv_sec :
	    a->ctime.tv_nsec > b->ctime.tv_nsec;
}

static void
drop_name(struct mend *m, const struct kv_key *key, const char *why)
{
	txn_del_dentry(&m->txn, key->group, key->name);
	finding_add(&m->reported, key, why);
}

/* A name that no file can have. */
int
mend_name(struct mend *m, const struct verify_fault *f)
{
	struct mend_row r;
	int rc = mend_load(m, &f->key, &r);

	if (rc == 1) {
		rc = 0;
		if (!r.is_ref)
			rc = mend_attach(m, &r, "had a name that cannot be");
		/* A file with an inode row and no other name gets one in
		 * mend_links(). */
		txn_del_dentry(&m->txn, f->key.group, f->key.name);
		kv_value_release(&r.pin);
	}
	return rc < 0 ? rc : mend_commit(m);
}

/* A directory has two names: keep the one with the newest attributes. */
static int
settle_dir(struct mend *m, const struct mend_row *second)
{
	const char *why = "an old name of a directory; removed";
	struct verify_dir *d = verify_map_find_dir(&m->v.map, second->ino);
	char name[KV_NAME_MAX];
	struct mend_row first;
	int rc = 0;

	if (d == NULL || !d->has_row) {
		/* The inode row of a removed directory. */
		drop_name(m, &second->key, why);
		return 0;
	}
	rc = mend_find_dir(m, d->parent, second->ino, &second->key, &first,
	    name);
	if (rc == 1)
		drop_name(m,
		    is_newer(&second->rec, &first.rec) ? &first.key :
							 &second->key,
		    why);
	kv_value_release(&first.pin);
	return rc < 0 ? rc : 0;
}

/* A file has attributes in several names: make all of them references to an
 * inode row, with the newest attributes. */
static int
settle_file(struct mend *m, const struct mend_row *second)
{
	struct kv_key key = key_inode(second->ino);
	struct mend_row row;
	int rc = mend_load(m, &key, &row);

	if (rc < 0)
		return rc;
	if (rc == 1 && row.type != second->type) {
		drop_name(m, &second->key, "of another file; removed");
	} else {
		if (rc == 0 || is_newer(&second->rec, &row.rec)) {
			struct mend_row moved = *second;

			moved.key = key;
			moved.rec.nlink = rc == 1 ? row.rec.nlink : 2;
			mend_put(m, &moved);
		}
		txn_put_ref(&m->txn, second->key.group, second->key.name,
		    second->ino, second->type);
		finding_add(&m->reported, &second->key,
		    "a file that was found under several names has them all");
	}
	kv_value_release(&row.pin);
	return 0;
}

int
mend_twice(struct mend *m, const struct verify_fault *f)
{
	struct mend_row second;
	int rc = mend_load(m, &f->key, &second);

	if (rc == 1)
		rc = second.is_ref         ? 0 :
		    second.type == S_IFDIR ? settle_dir(m, &second) :
					     settle_file(m, &second);
	kv_value_release(&second.pin);
	return rc < 0 ? rc : mend_commit(m);
}

/* A reference to an inode without a row. The chunks of a regular file may
 * still be there. */
int
mend_ref(struct mend *m, const struct verify_fault *f)
{
	struct kv_key key = key_inode(f->ino);
	struct attr_rec rec;
	struct mend_row r;
	int rc = mend_has(m, &key);

	if (rc != 0)
		return rc < 0 ? rc : 0; /* repaired for another name */
	rc = mend_load(m, &f->key, &r);
	kv_value_release(&r.pin);
	if (rc == 1 && r.type == S_IFREG)
		rc = mend_rec_of_chunks(m, f->ino, &rec);
	else
		rc = rc < 0 ? rc : 0;
	if (rc == 1) {
		txn_put_inode(&m->txn, f->ino, &rec, (struct slice){ 0 });
		finding_add(&m->reported, &f->key,
		    "owner, mode, times and maybe the end are lost");
		rc = verify_map_put(&m->v.map, SET_INODES, f->ino);
		if (rc >= 0)
			rc = verify_map_put(&m->v.map, SET_CHUNKS, f->ino);
	} else if (rc == 0) {
		drop_name(m, &f->key, "lost");
	}
	return rc < 0 ? rc : mend_commit(m);
}

int
mend_ref_type(struct mend *m, const struct verify_fault *f)
{
	if (S_ISDIR(f->number))
		drop_name(m, &f->key, "of a removed directory; removed");
	else
		txn_put_ref(&m->txn, f->key.group, f->key.name, f->ino,
		    (uint32_t)f->number);
	return mend_commit(m);
}

/* The link count of a file with an inode row does not fit the names found. */
int
mend_links(struct mend *m, const struct verify_fault *f)
{
	struct verify_link *l = verify_map_find_link(&m->v.map, f->ino);
	struct mend_row r;
	int rc = mend_load(m, &f->key, &r);

	if (rc != 1 || l == NULL)
		goto out;
	rc = 0;
	if (S_ISDIR(r.type) || (l->names == 0 && r.rec.nlink == 0)) {
		r.rec.nlink = 0;
		txn_put_orphan(&m->txn, f->ino);
	} else {
		struct mend_row name = r;

		name.is_ref = true;
		if (l->names == 0)
			rc = mend_attach(m, &name, "had no name any more");
		r.rec.nlink = l->names != 0 ? (uint32_t)l->names : 1;
		txn_del_orphan(&m->txn, f->ino);
	}
	mend_put(m, &r);
out:
	kv_value_release(&r.pin);
	return rc < 0 ? rc : mend_commit(m);
}

int
mend_misplaced(struct mend *m, const struct verify_fault *f)
{
	struct mend_row r;
	int rc = mend_load(m, &f->key, &r);

	if (rc == 1) {
		txn_del_inode(&m->txn, f->ino);
		rc = mend_attach(m, &r, "a directory that had no name");
	}
	kv_value_release(&r.pin);
	return rc < 0 ? rc : mend_commit(m);
}

/* Cut a circle of directories. */
int
mend_unreached(struct mend *m, const struct verify_fault *f)
{
	struct verify_dir *d = verify_map_find_dir(&m->v.map, f->ino);
	char name[KV_NAME_MAX];
	struct mend_row r;
	int rc = mend_find_dir(m, f->number, f->ino, NULL, &r, name);

	if (rc == 1) {
		txn_del_dentry(&m->txn, r.key.group, r.key.name);
		rc = mend_attach(m, &r, "could not be reached from the root");
	}
	kv_value_release(&r.pin);
	/* The other directories of the circle are below it. */
	if (d != NULL)
		d->is_reached = true;
	return rc < 0 ? rc : mend_commit(m);
}
