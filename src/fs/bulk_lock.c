/* SPDX-License-Identifier: ISC */
/*
 * Bulk changes: the locks of a batch. Names are looked up first, without locks;
 * then the directories are locked, upper ones first, under rename_mu if there
 * are several, so that no other thread can hold two unrelated ones; then what
 * is replaced, directories before files, then by number. If a name has changed
 * meanwhile, it begins anew.
 */
#include "fs/bulk_batch.h"

#include <stdlib.h>

#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_lookup.h"

/* Can the new thing at n take the place of old? */
static int
bulk_may_replace(const struct bulk_name *n, const struct inode *old)
{
	bool is_dir = old != NULL && inode_is_dir(old);

	if (n->kind == BULK_REMOVE)
		return old == NULL ? -ENOENT : is_dir ? -EISDIR : 0;
	if (n->is_value && old != NULL && !S_ISREG(old->type))
		return is_dir ? -EISDIR : S_ISLNK(old->type) ? -ELOOP : -EEXIST;
	return 0;
}

/* A directory was made meanwhile where one is staged: that one is used. */
static void
bulk_merge(struct fs_bulk *b, struct bulk_name *n, struct inode *there)
{
	struct bulk_dir *d;

	SLIST_FOREACH (d, &b->dirs, by_ino)
		if (d->live == there)
			break;
	if (d != NULL) {
		/* Reached by two paths: what is staged in both would clash. */
		inode_put(b->fs, there);
		n->rc = -EBUSY;
		return;
	}
	n->kind = BULK_KNOWN;
	n->sub->live = there;
	n->sub->ino = there->ino;
	SLIST_INSERT_HEAD(&b->dirs, n->sub, by_ino);
}

/* Look up one name. */
static int
bulk_look_up_name(struct fs_bulk *b, struct bulk_name *n)
{
	int rc;

	n->rc = n->dir->rc;
	if (n->rc == 0 && n->dir->live != NULL && n->kind != BULK_KNOWN) {
		rc = inode_lookup(b->fs, n->dir->live, n->name, &n->old);
		if (rc < 0 && rc != -ENOENT)
			return rc;
		if (n->kind == BULK_DIR && n->old != NULL &&
		    inode_is_dir(n->old)) {
			bulk_merge(b, n, n->old);
			n->old = NULL;
		} else {
			n->rc = bulk_may_replace(n, n->old);
		}
	}
	if (n->rc < 0 && n->sub != NULL)
		n->sub->rc = n->rc;
	return 0;
}

static int
bulk_look_up(struct fs_bulk *b)
{
	struct bulk_name *n;
	struct bulk_dir *d;
	int rc = 0;

	SLIST_FOREACH (d, &b->touched, touched)
		d->rc = 0;
	SLIST_FOREACH (d, &b->dirs, by_ino)
		d->seen_change = atomic_load_explicit(&d->live->commits.change,
		    memory_order_seq_cst);
	STAILQ_FOREACH (n, &b->names, link)
		if (!n->is_dropped && rc == 0)
			rc = bulk_look_up_name(b, n);
	return rc;
}

static int
bulk_order_dirs(const void *a, const void *z)
{
	const struct bulk_dir *x = *(struct bulk_dir *const *)a;
	const struct bulk_dir *y = *(struct bulk_dir *const *)z;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

int
bulk_inode_order(const struct inode *x, const struct inode *y)
{
	if (inode_is_dir(x) != inode_is_dir(y))
		return inode_is_dir(x) ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

static int
bulk_order_olds(const void *a, const void *z)
{
	return bulk_inode_order(((const struct bulk_old *)a)->in,
	    ((const struct bulk_old *)z)->in);
}

/* The directories to lock. */
static int
bulk_list_dirs(struct fs_bulk *b, struct bulk_locks *l)
{
	struct bulk_dir *d;
	size_t n = 0;

	SLIST_FOREACH (d, &b->touched, touched)
		n += d->live != NULL;
	l->ndirs = 0;
	l->dirs = calloc(n + 1, sizeof(struct bulk_dir *));
	if (l->dirs == NULL)
		return -ENOMEM;
	SLIST_FOREACH (d, &b->touched, touched)
		if (d->live != NULL)
			l->dirs[l->ndirs++] = d;
	l->has_topology = l->ndirs > 1;
	return 0;
}

/* What is replaced or removed, each once. One that is a directory in which
 * names are staged cannot be: it was reached by another path. */
static int
bulk_list_olds(struct fs_bulk *b, struct bulk_locks *l)
{
	struct bulk_name *n;
	struct bulk_dir *d;
	size_t k = 0;

	l->nolds = 0;
	l->olds = calloc(b->count + 1, sizeof(*l->olds));
	if (l->olds == NULL)
		return -ENOMEM;
	STAILQ_FOREACH (n, &b->names, link) {
		if (n->is_dropped || n->rc < 0 || n->old == NULL)
			continue;
		if (inode_is_dir(n->old))
			SLIST_FOREACH (d, &b->dirs, by_ino)
				if (d->live == n->old)
					n->rc = -EBUSY;
		if (n->rc == 0)
			l->olds[l->nolds++].in = n->old;
	}
	qsort(l->olds, l->nolds, sizeof(*l->olds), bulk_order_olds);
	for (size_t i = 0; i < l->nolds; i++)
		if (k == 0 || l->olds[k - 1].in != l->olds[i].in)
			l->olds[k++].in = l->olds[i].in;
	l->nolds = k;
	return 0;
}

void
bulk_lock_fields(const struct bulk_locks *l) NO_THREAD_SAFETY
{
	for (size_t i = 0; i < l->ndirs; i++) {
		mutex_assert_held(&l->dirs[i]->live->change_mu);
		mutex_lock(&l->dirs[i]->live->mu);
	}
}

void
bulk_unlock_fields(const struct bulk_locks *l) NO_THREAD_SAFETY
{
	for (size_t i = l->ndirs; i-- != 0;) {
		mutex_assert_held(&l->dirs[i]->live->mu);
		mutex_unlock(&l->dirs[i]->live->mu);
	}
}

static void
bulk_lock_dirs(struct fs_bulk *b, struct bulk_locks *l) NO_THREAD_SAFETY
{
	const struct inode *up;

	if (l->has_topology) {
		mutex_lock(&b->fs->rename_mu);
		mutex_assert_held(&b->fs->rename_mu);
		for (size_t i = 0; i < l->ndirs; i++) {
			l->dirs[i]->depth = 0;
			for (up = l->dirs[i]->live; up != NULL; up = up->parent)
				l->dirs[i]->depth++;
		}
		qsort(l->dirs, l->ndirs, sizeof(struct bulk_dir *),
		    bulk_order_dirs);
	}
	for (size_t i = 0; i < l->ndirs; i++)
		mutex_lock(&l->dirs[i]->live->change_mu);
}

static void
bulk_unlock_dirs(struct fs_bulk *b, struct bulk_locks *l) NO_THREAD_SAFETY
{
	for (size_t i = l->ndirs; i-- != 0;) {
		mutex_assert_held(&l->dirs[i]->live->change_mu);
		mutex_unlock(&l->dirs[i]->live->change_mu);
	}
	if (l->has_topology)
		mutex_unlock(&b->fs->rename_mu);
}

/* Do all names still mean what was found? The directories are locked. */
static int
bulk_check_names(struct fs_bulk *b)
{
	const struct bulk_name *n;
	int rc = 0;

	STAILQ_FOREACH (n, &b->names, link) {
		if (n->is_dropped || n->rc < 0 || n->dir->live == NULL ||
		    n->kind == BULK_KNOWN ||
		    atomic_load_explicit(&n->dir->live->commits.change,
			memory_order_seq_cst) == n->dir->seen_change)
			continue;
		rc = dir_check_name(b->fs, n->dir->live, n->name, n->old);
		if (rc < 0)
			break;
	}
	return rc;
}

/* Lock what is replaced, and the fields of all; then what could change until
 * now is known: whether directories can take names, and are empty. */
static void
bulk_lock_olds(struct fs_bulk *b, struct bulk_locks *l) NO_THREAD_SAFETY
{
	struct bulk_name *n;

	for (size_t i = 0; i < l->nolds; i++)
		mutex_lock(&l->olds[i].in->change_mu);
	bulk_lock_fields(l);
	for (size_t i = 0; i < l->nolds; i++) {
		mutex_lock(&l->olds[i].in->mu);
		mutex_assert_held(&l->olds[i].in->mu);
		l->olds[i].names = 0;
	}
	for (size_t i = 0; i < l->ndirs; i++)
		if (!inode_takes_names(l->dirs[i]->live))
			l->dirs[i]->rc = -ENOENT;
	STAILQ_FOREACH (n, &b->names, link) {
		if (n->rc == 0)
			n->rc = n->dir->rc;
		if (n->rc == 0 && n->old != NULL && inode_is_dir(n->old) &&
		    n->old->rec.entries != 0)
			n->rc = -EISDIR;
		if (n->rc < 0 && n->sub != NULL)
			n->sub->rc = n->rc;
	}
}

int
bulk_lock(struct fs_bulk *b, struct bulk_locks *l)
{
	int rc;

	*l = (struct bulk_locks){ 0 };
	do {
		bulk_locks_fini(b, l);
		rc = bulk_look_up(b);
		if (rc == 0)
			rc = bulk_list_dirs(b, l);
		if (rc == 0)
			rc = bulk_list_olds(b, l);
		if (rc < 0)
			return rc;
		bulk_lock_dirs(b, l);
		rc = bulk_check_names(b);
		if (rc == 0)
			bulk_lock_olds(b, l);
		else
			bulk_unlock_dirs(b, l);
	} while (rc == -EAGAIN);
	return rc;
}

void
bulk_unlock(struct fs_bulk *b, struct bulk_locks *l) NO_THREAD_SAFETY
{
	for (size_t i = l->nolds; i-- != 0;) {
		mutex_assert_held(&l->olds[i].in->mu);
		mutex_unlock(&l->olds[i].in->mu);
	}
	bulk_unlock_fields(l);
	for (size_t i = l->nolds; i-- != 0;)
		mutex_unlock(&l->olds[i].in->change_mu);
	bulk_unlock_dirs(b, l);
}

void
bulk_locks_fini(struct fs_bulk *b, struct bulk_locks *l)
{
	struct bulk_name *n;

	STAILQ_FOREACH (n, &b->names, link) {
		inode_put(b->fs, n->old);
		n->old = NULL;
	}
	free(l->dirs);
	free(l->olds);
	*l = (struct bulk_locks){ 0 };
}
