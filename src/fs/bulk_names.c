/* SPDX-License-Identifier: ISC */
/*
 * Bulk changes: a table of names. They are found by what is staged, then in the
 * store; directories that were found there are kept until the next commit, so
 * that the next path in one costs no read.
 */
#include "fs/bulk.h"

#include "fs/acl.h"
#include "fs/fs_state.h"
#include "fs/inode_lookup.h"
#include "util/hash.h"

static struct bulk_name **
bulk_bucket(struct fs_bulk *b, const struct bulk_dir *dir, struct slice name)
{
	return &b->buckets[hash_bytes(name.data, name.len, dir->ino) %
	    BULK_BUCKETS];
}

struct bulk_name *
bulk_find(struct fs_bulk *b, const struct bulk_dir *dir, struct slice name)
{
	struct bulk_name *n = *bulk_bucket(b, dir, name);

	while (n != NULL &&
	    (n->is_dropped || n->dir != dir || !slice_eq(n->name, name)))
		n = n->next;
	return n;
}

struct bulk_name *
bulk_add_name(struct fs_bulk *b, struct bulk_dir *dir, struct slice name,
    enum bulk_kind kind)
{
	struct bulk_name **bucket, *n = bulk_alloc(b, sizeof(*n));

	if (n == NULL)
		return NULL;
	n->name = bulk_copy(b, name);
	if (b->error < 0)
		return NULL;
	n->dir = dir;
	n->kind = kind;
	bucket = bulk_bucket(b, dir, name);
	n->next = *bucket;
	*bucket = n;
	if (kind == BULK_KNOWN)
		return n;
	STAILQ_INSERT_TAIL(&b->names, n, link);
	b->count++;
	if (!dir->is_touched)
		SLIST_INSERT_HEAD(&b->touched, dir, touched);
	dir->is_touched = true;
	return n;
}

struct bulk_dir *
bulk_live_dir(struct fs_bulk *b, struct inode *live)
{
	struct buf list = { 0 };
	struct bulk_dir *d;
	int rc;

	/* It may have been moved, and be reached by two paths. */
	SLIST_FOREACH (d, &b->dirs, by_ino) {
		if (d->live == live) {
			inode_put(b->fs, live);
			return d;
		}
	}
	d = bulk_alloc(b, sizeof(*d));
	if (d == NULL) {
		inode_put(b->fs, live);
		return NULL;
	}
	d->live = live;
	d->ino = live->ino;
	SLIST_INSERT_HEAD(&b->dirs, d, by_ino);
	mutex_lock(&live->mu);
	rc = acl_load_default(b->fs, live, &list);
	mutex_unlock(&live->mu);
	if (rc == 0)
		d->acl = bulk_copy(b, buf_slice(&list));
	else
		b->error = rc;
	buf_fini(&list);
	return b->error == 0 ? d : NULL;
}

int
bulk_lookup(struct fs_bulk *b, struct bulk_dir *dir, struct slice name,
    struct bulk_name **np)
{
	struct inode *in;
	struct bulk_dir *sub;
	int rc;

	*np = bulk_find(b, dir, name);
	if (*np != NULL || dir->live == NULL)
		return 0;
	rc = inode_lookup(b->fs, dir->live, name, &in);
	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	if (!inode_is_dir(in)) {
		inode_put(b->fs, in);
		return 0;
	}
	sub = bulk_live_dir(b, in);
	if (sub == NULL)
		return b->error;
	*np = bulk_add_name(b, dir, name, BULK_KNOWN);
	if (*np == NULL)
		return b->error;
	(*np)->sub = sub;
	return 0;
}
