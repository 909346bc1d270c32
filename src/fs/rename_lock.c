/* SPDX-License-Identifier: ISC */
/* What a rename locks, and in which order; see rename.h. */
#include "fs/rename.h"

bool
rename_is_above(const struct inode *upper, const struct inode *dir)
{
	for (; dir != NULL; dir = dir->parent)
		if (dir == upper)
			return true;
	return false;
}

static void
assert_two(const struct mutex *a, const struct mutex *b)
{
	mutex_assert_held(a);
	if (b != NULL)
		mutex_assert_held(b);
}

static void
lock_two(struct mutex *a, struct mutex *b) NO_THREAD_SAFETY
{
	mutex_lock(a);
	if (b != NULL && b != a)
		mutex_lock(b);
	assert_two(a, b);
}

static void
unlock_two(struct mutex *a, struct mutex *b) NO_THREAD_SAFETY
{
	assert_two(a, b);
	if (b != NULL && b != a)
		mutex_unlock(b);
	mutex_unlock(a);
}

/* The lock of in; NULL if in is NULL. */
static struct mutex *
mu_of(struct inode *in)
{
	return in != NULL ? &in->mu : NULL;
}

static struct mutex *
change_mu_of(struct inode *in)
{
	return in != NULL ? &in->change_mu : NULL;
}

void
rename_lock_parents(const struct rename *r)
{
	if (r->from != r->to &&
	    (rename_is_above(r->to, r->from) ||
		(!rename_is_above(r->from, r->to) &&
		    r->to->ino < r->from->ino)))
		lock_two(&r->to->change_mu, &r->from->change_mu);
	else
		lock_two(&r->from->change_mu, &r->to->change_mu);
}

void
rename_lock_named(const struct rename *r)
{
	bool swap = false;

	if (r->dst != NULL) {
		if (inode_is_dir(r->src) != inode_is_dir(r->dst))
			swap = inode_is_dir(r->dst);
		else
			swap = r->dst->ino < r->src->ino;
	}
	if (swap)
		lock_two(&r->dst->change_mu, &r->src->change_mu);
	else
		lock_two(&r->src->change_mu, change_mu_of(r->dst));
}

void
rename_unlock_parents(const struct rename *r)
{
	unlock_two(&r->from->change_mu, &r->to->change_mu);
}

void
rename_unlock_named(const struct rename *r)
{
	unlock_two(&r->src->change_mu, change_mu_of(r->dst));
}

void
rename_lock_parent_fields(const struct rename *r)
{
	lock_two(&r->from->mu, &r->to->mu);
}

void
rename_unlock_parent_fields(const struct rename *r)
{
	unlock_two(&r->from->mu, &r->to->mu);
}

void
rename_lock_named_fields(const struct rename *r)
{
	lock_two(&r->src->mu, mu_of(r->dst));
}

void
rename_unlock_named_fields(const struct rename *r)
{
	unlock_two(&r->src->mu, mu_of(r->dst));
}

void
rename_assert_parents(const struct rename *r)
{
	assert_two(&r->from->change_mu, &r->to->change_mu);
}

void
rename_assert_all(const struct rename *r)
{
	rename_assert_parents(r);
	assert_two(&r->src->change_mu, change_mu_of(r->dst));
	assert_two(&r->from->mu, &r->to->mu);
	assert_two(&r->src->mu, mu_of(r->dst));
}
