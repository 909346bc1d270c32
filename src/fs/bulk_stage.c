/* SPDX-License-Identifier: ISC */
/*
 * Bulk changes: the rows of a batch. Names are counted first, since the rows of
 * directories and of files with several names have the counts.
 */
#include "fs/bulk_batch.h"

#include <stdlib.h>

#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"

/* Begin the changes of a directory. If an entry of this work has set its times,
 * which shows by a mtime that differs from a ctime of this work, mtime stays. */
static void
bulk_begin_dir(struct fs_bulk *b, struct bulk_dir *d,
    const struct timespec *now) NO_THREAD_SAFETY
{
	const struct attr_rec *rec = &d->live->rec;

	mutex_assert_held(&d->live->mu);
	dir_begin(&d->change, d->live, now);
	if ((b->opts.flags & FS_BULK_DIR_TIMES) != 0 &&
	    fs_time_cmp(&rec->ctime, &b->began) >= 0 &&
	    fs_time_cmp(&rec->mtime, &rec->ctime) != 0)
		d->change.rec.mtime = rec->mtime;
	d->changes = 0;
}

static struct bulk_old *
bulk_find_old(const struct bulk_locks *l, const struct inode *in)
{
	for (size_t lo = 0, hi = l->nolds; lo < hi;) {
		size_t mid = lo + (hi - lo) / 2;
		const struct inode *at = l->olds[mid].in;

		if (at == in)
			return &l->olds[mid];
		if (bulk_inode_order(at, in) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* A name that a directory gets, loses, or that changes its meaning. */
static int
bulk_count_name(struct bulk_name *n, const struct bulk_locks *l)
{
	bool is_dir = n->kind == BULK_DIR;
	struct bulk_dir *d = n->dir;
	int rc = 0;

	if (n->in != NULL)
		n->in->names++;
	if (d->live == NULL) {
		d->made->rec.entries++;
		d->made->rec.nlink += is_dir;
		return 0;
	}
	d->changes++;
	if (n->kind != BULK_REMOVE)
		rc = dir_count(&d->change, 1, is_dir);
	if (rc == 0 && n->old != NULL) {
		bulk_find_old(l, n->old)->names++;
		rc = dir_count(&d->change, -1, inode_is_dir(n->old) ? -1 : 0);
	}
	if (n->kind == BULK_REMOVE && d->change.tombstones < UINT32_MAX)
		d->change.tombstones++;
	return rc;
}

static int
bulk_count(struct fs_bulk *b, const struct bulk_locks *l)
{
	struct bulk_inode *in;
	struct bulk_name *n;
	int rc = 0;

	STAILQ_FOREACH (in, &b->inodes, link) {
		in->names = 0;
		in->was_put = false;
		if (S_ISDIR(in->rec.mode)) {
			in->rec.entries = 0;
			in->rec.nlink = 2;
		}
	}
	STAILQ_FOREACH (n, &b->names, link)
		if (bulk_is_staged(n) && rc == 0)
			rc = bulk_count_name(n, l);
	STAILQ_FOREACH (in, &b->inodes, link)
		if (!S_ISDIR(in->rec.mode))
			in->rec.nlink = in->names;
	return rc;
}

/* The new value of a key keeps mode, owner and extended attributes. */
static int
bulk_keep_old(struct fs_bulk *b, struct bulk_inode *in,
    struct inode *old) NO_THREAD_SAFETY
{
	struct kv_key key = key_xattr(old->ino, (struct slice){ 0 });
	struct kv_iter *it = NULL;
	struct bulk_row *row;
	struct slice value;
	int rc = 0;

	mutex_assert_held(&old->mu);
	in->rec.mode = old->rec.mode;
	in->rec.uid = old->rec.uid;
	in->rec.gid = old->rec.gid;
	in->rec.nxattrs = 0;
	STAILQ_INIT(&in->xattrs);
	if (old->rec.nxattrs != 0)
		rc = kv_iter_open(b->fs->kv, &key, KV_SCOPE_GROUP, NULL, &it);
	while (it != NULL && rc >= 0 && (rc = kv_iter_next(it)) == 1) {
		rc = kv_iter_value(it, &value);
		if (rc == 0)
			rc = schema_get_bytes(value, &value);
		row = rc == 0 ? bulk_alloc(b, sizeof(*row)) : NULL;
		if (row == NULL)
			break;
		row->name = bulk_copy(b, kv_iter_key(it).name);
		row->value = bulk_copy(b, value);
		STAILQ_INSERT_TAIL(&in->xattrs, row, link);
		in->rec.nxattrs++;
		rc = b->error;
	}
	kv_iter_close(it);
	return b->error < 0 ? b->error : rc;
}

/* All rows of a new inode but its attributes. */
static void
bulk_put_rows(struct txn *t, const struct bulk_inode *in)
{
	const struct bulk_row *row;
	uint8_t space[8];
	struct kv_key key;

	STAILQ_FOREACH (row, &in->chunks, link) {
		key = key_chunk(in->ino, row->index, space);
		kv_batch_put(&t->batch, &key, row->value);
	}
	STAILQ_FOREACH (row, &in->xattrs, link)
		txn_put_xattr(t, in->ino, row->name, row->value);
	if (!in->is_spilled)
		return;
	txn_del_orphan(t, in->ino);
	if (in->names == 1)
		txn_del_inode(t, in->ino);
}

static void
bulk_put_name(struct txn *t, const struct bulk_name *n)
{
	struct bulk_inode *in = n->in;

	if (n->kind == BULK_REMOVE) {
		txn_del_dentry(t, n->dir->ino, n->name);
		return;
	}
	if (in->names == 1) {
		txn_put_dentry(t, n->dir->ino, n->name, in->ino, &in->rec,
		    in->data);
	} else {
		txn_put_ref(t, n->dir->ino, n->name, in->ino,
		    in->rec.mode & S_IFMT);
		if (!in->was_put)
			txn_put_inode(t, in->ino, &in->rec, in->data);
	}
	if (!in->was_put)
		bulk_put_rows(t, in);
	in->was_put = true;
}

int
bulk_stage(struct fs_bulk *b, struct bulk_locks *l) NO_THREAD_SAFETY
{
	struct timespec now = fs_now();
	struct txn *t = b->txn;
	struct bulk_name *n;
	int rc;

	kv_batch_clear(&t->batch);
	for (size_t i = 0; i < l->ndirs; i++) {
		mutex_assert_held(&l->dirs[i]->live->mu);
		bulk_begin_dir(b, l->dirs[i], &now);
	}
	rc = bulk_count(b, l);
	STAILQ_FOREACH (n, &b->names, link) {
		if (rc < 0 || !bulk_is_staged(n))
			continue;
		if (n->is_value && n->old != NULL)
			rc = bulk_keep_old(b, n->in, n->old);
		bulk_put_name(t, n);
	}
	for (size_t i = 0; i < l->nolds && rc == 0; i++)
		if (l->olds[i].names != 0)
			rc = removal_stage(b->fs, t, l->olds[i].in, &now,
			    l->olds[i].names, &l->olds[i].removal);
	for (size_t i = 0; i < l->ndirs && rc == 0; i++)
		if (l->dirs[i]->changes != 0)
			rc = dir_stage(b->fs, t, &l->dirs[i]->change);
	return rc;
}
