/* SPDX-License-Identifier: ISC */
/*
 * Bulk changes: commits a batch, and then updates what is in memory. The fields
 * of the directories are not locked during the commit, so that others can read
 * them; those of what is replaced are, as in removal.c.
 */
#include "fs/bulk_batch.h"

#include "fs/fs_state.h"
#include "fs/inode_commit.h"
#include "util/stats.h"

/* What a name costs in memory and in the batch, beside its path. */
#define NAME_BYTES 512u

static bool
bulk_has_failed(const struct fs_bulk *b)
{
	const struct bulk_name *n;

	STAILQ_FOREACH (n, &b->names, link)
		if (!n->is_dropped && n->rc < 0)
			return true;
	return false;
}

/* The batch was committed at seq; everything is locked. */
static void
bulk_committed(struct fs_bulk *b, struct bulk_locks *l,
    uint64_t seq) NO_THREAD_SAFETY
{
	struct bulk_inode *in;
	struct bulk_name *n;
	int64_t made = 0;

	for (size_t i = 0; i < l->nolds; i++)
		if (l->olds[i].names != 0)
			l->olds[i].parent = removal_commit(b->fs,
			    &l->olds[i].removal, seq);
	for (size_t i = 0; i < l->ndirs; i++) {
		mutex_assert_held(&l->dirs[i]->live->mu);
		if (l->dirs[i]->changes != 0)
			dir_commit(b->fs, &l->dirs[i]->change, seq);
	}
	STAILQ_FOREACH (n, &b->names, link) {
		if (!bulk_is_staged(n))
			continue;
		b->stored++;
		if (n->kind == BULK_REMOVE)
			listing_note_removal(n->dir->live, n->name);
	}
	STAILQ_FOREACH (in, &b->inodes, link) {
		if (in->names == 0)
			continue;
		made += !in->is_spilled;
		in->is_spilled = false;
	}
	inode_count_add(b->fs, made);
	counter_add(&b->fs->counters.creates, (uint64_t)made);
	space_use(&b->fs->space, b->bytes);
}

/* Commit what is locked and staged. */
static int
bulk_write(struct fs_bulk *b, struct bulk_locks *l, uint64_t *seqp)
{
	struct fs *fs = b->fs;
	int rc;

	bulk_unlock_fields(l);
	/* Who reads one of the new rows before its position is known takes all
	 * for what it has to sync; see inode_fill(). */
	atomic_fetch_add_explicit(&fs->bulk_commits, 1, memory_order_seq_cst);
	rc = txn_commit(fs, b->txn, seqp);
	atomic_fetch_sub_explicit(&fs->bulk_commits, 1, memory_order_seq_cst);
	bulk_lock_fields(l);
	return rc;
}

void
bulk_notify_name(struct fs_bulk *b, struct inode *dir, struct slice name)
{
	if (b->opts.name_changed == NULL || !inode_is_in_use(b->fs, dir))
		return;
	b->opts.name_changed(b->opts.arg, dir->ino, name);
	b->opts.inode_changed(b->opts.arg, dir->ino, true);
}

/* Tell those who cache: names first, since they wait for who looks at a
 * directory at the moment; then listings; and files with other names. */
static void
bulk_notify(struct fs_bulk *b, const struct bulk_locks *l)
{
	const struct bulk_name *n;
	struct inode *in;

	if (b->opts.name_changed == NULL)
		return;
	for (size_t i = 0; i < l->ndirs; i++) {
		in = l->dirs[i]->live;
		l->dirs[i]->changes *= inode_is_in_use(b->fs, in);
	}
	STAILQ_FOREACH (n, &b->names, link)
		if (bulk_is_staged(n) && n->dir->live != NULL &&
		    n->dir->changes != 0)
			b->opts.name_changed(b->opts.arg, n->dir->ino, n->name);
	for (size_t i = 0; i < l->ndirs; i++)
		if (l->dirs[i]->changes != 0)
			b->opts.inode_changed(b->opts.arg, l->dirs[i]->ino,
			    true);
	for (size_t i = 0; i < l->nolds; i++) {
		in = l->olds[i].in;
		if (l->olds[i].names != 0 && inode_is_in_use(b->fs, in))
			b->opts.inode_changed(b->opts.arg, in->ino, false);
	}
}

/* Names that others made meanwhile get the attributes; those that failed are
 * reported. */
static void
bulk_report(struct fs_bulk *b)
{
	struct fs_bulk_entry e = {
		.valid = FS_SET_UID | FS_SET_GID | FS_SET_ATIME | FS_SET_MTIME,
	};
	const struct bulk_name *n;
	int rc;

	STAILQ_FOREACH (n, &b->names, link) {
		rc = n->rc;
		if (!n->is_dropped && rc == 0 && n->kind == BULK_KNOWN) {
			e.mode = n->in->rec.mode;
			e.uid = n->in->rec.uid;
			e.gid = n->in->rec.gid;
			e.atime = n->in->rec.atime;
			e.mtime = n->in->rec.mtime;
			rc = bulk_set_live(b, n->sub->live, &e);
		}
		if (!n->is_dropped && rc < 0)
			bulk_fail(b, n->path, n->tag, rc);
	}
}

static int
bulk_try(struct fs_bulk *b, bool *is_donep)
{
	bool is_refused;
	struct bulk_locks l;
	uint64_t seq;
	int rc = bulk_lock(b, &l);

	*is_donep = false;
	if (rc < 0) {
		bulk_locks_fini(b, &l);
		return rc;
	}
	is_refused = (b->opts.flags & FS_BULK_ATOMIC) != 0 &&
	    bulk_has_failed(b);
	if (!is_refused) {
		rc = bulk_stage(b, &l);
		if (rc == 0 && b->txn->batch.count != 0)
			rc = bulk_write(b, &l, &seq);
		if (rc == 0 && b->txn->batch.count != 0)
			bulk_committed(b, &l, seq);
		*is_donep = rc == 0;
	}
	bulk_unlock(b, &l);
	for (size_t i = 0; i < l.nolds; i++)
		inode_put(b->fs, l.olds[i].parent);
	if (*is_donep)
		bulk_notify(b, &l);
	bulk_locks_fini(b, &l);
	return rc;
}

/* Commit all names; those that fail are reported. */
static int
bulk_commit_names(struct fs_bulk *b)
{
	unsigned tries = 0;
	bool is_done;
	int rc = space_ask(b->fs, KV_ROOM_ADD, b->bytes);

	if (rc < 0)
		return rc;
	do
		rc = bulk_try(b, &is_done);
	while (space_retry(b->fs, rc, &tries));
	if (rc == 0)
		bulk_report(b);
	return rc;
}

int
fs_bulk_commit(struct fs_bulk *b)
{
	int rc = b->error;

	if (rc == 0 && b->count != 0 &&
	    ((b->opts.flags & FS_BULK_ATOMIC) == 0 || b->failures == 0))
		rc = bulk_commit_names(b);
	bulk_reset(b);
	rc = txn_settle(b->fs, rc);
	if (rc < 0)
		b->error = rc;
	return rc;
}

int
bulk_begin_name(struct fs_bulk *b, struct slice path)
{
	bool is_atomic = (b->opts.flags & FS_BULK_ATOMIC) != 0;

	if (b->error == 0 && is_atomic && b->bytes > BULK_ATOMIC_BYTES)
		b->error = -E2BIG;
	if (b->error < 0)
		return b->error;
	if (!is_atomic &&
	    (b->count >= BULK_NAMES_MAX || b->bytes >= b->opts.batch_bytes))
		(void)fs_bulk_commit(b);
	b->bytes += NAME_BYTES + path.len;
	return b->error;
}
