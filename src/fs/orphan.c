/* SPDX-License-Identifier: ISC */
/*
 * Inodes without a name. An inode that has lost its last name lives until it
 * has no lookups and no opens: the kernel may have it open, or only a
 * reference to it (O_PATH, a working directory, an open(2) under way), and
 * every operation on it still works. removal.c removes its name.
 *
 * A rowless inode is in memory alone, and its end changes no row. The others
 * have an inode row and an orphan row; these are deleted in the background by
 * the write-back thread, many inodes in one batch.
 *
 * Invariant: an inode row has nlink 0 exactly while there is an orphan row
 * for it.
 */
#include "fs/orphan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "util/log.h"
#include "util/clock.h"
#include "util/mutex.h"

/* Orphans deleted in one batch at most. */
#define SWEEP_MAX 256u
/* Deletions wait so long for others in the same batch, unless there are many,
 * or large ones. */
#define REAP_WAIT_NS 20000000ULL
#define REAP_MANY 64u
#define REAP_LARGE_BYTES (1u << 20)

void
orphan_stage_groups(struct txn *t, uint64_t ino, const struct attr_rec *rec)
{
	if ((rec->flags & ATTR_CHUNKS) != 0)
		kv_batch_delete_group_hint(&t->batch, SPACE_CHUNK, ino,
		    rec->alloc);
	if ((rec->flags & ATTR_PATCHES) != 0)
		kv_batch_delete_group(&t->batch, SPACE_PATCH, ino);
	if (rec->nxattrs != 0)
		kv_batch_delete_group(&t->batch, SPACE_XATTR, ino);
}

static void
stage_orphan(struct txn *t, uint64_t ino, const struct attr_rec *rec)
{
	orphan_stage_groups(t, ino, rec);
	txn_del_inode(t, ino);
	txn_del_orphan(t, ino);
}

/* Delete n orphans in one batch; if it fails, the next mount does it. */
static void
delete_some(struct fs *fs, const struct orphan *all, size_t n)
{
	struct txn *t = txn_begin(fs);
	uint64_t seq;
	int rc = -ENOMEM;

	for (size_t i = 0; t != NULL && i < n; i++) {
		const struct attr_rec rec = {
			.flags = all[i].flags,
			.nxattrs = all[i].nxattrs,
			.alloc = all[i].alloc,
		};

		stage_orphan(t, all[i].ino, &rec);
	}
	if (t != NULL)
		rc = txn_commit_reserved(fs, t, &seq);
	txn_end(fs, t);
	if (rc == 0)
		inode_count_add(fs, -(int64_t)n);
	else
		log_warn("%zu deleted files keep their space until the next "
			 "mount: %s",
		    n, strerror(-rc));
}

void
orphan_reap(struct fs *fs)
{
	struct orphan_list *list = &fs->orphans;
	struct orphan *all;
	size_t n;

	/* A caller that needs room also waits for the orphans that another
	 * thread is deleting. */
	mutex_lock(&list->reap_mu);
	mutex_lock(&list->mu);
	all = list->all;
	n = list->count;
	list->all = NULL;
	list->count = list->cap = 0;
	list->due_ns = UINT64_MAX;
	mutex_unlock(&list->mu);
	for (size_t i = 0; i < n; i += SWEEP_MAX)
		delete_some(fs, all + i, n - i < SWEEP_MAX ? n - i : SWEEP_MAX);
	mutex_unlock(&list->reap_mu);
	free(all);
}

uint64_t
orphan_due_ns(struct fs *fs)
{
	uint64_t due;

	mutex_lock(&fs->orphans.mu);
	due = fs->orphans.due_ns;
	mutex_unlock(&fs->orphans.mu);
	return due;
}

static bool
add_locked(struct orphan_list *list, const struct orphan *o) REQUIRES(&list->mu)
{
	size_t cap = list->cap != 0 ? list->cap * 2 : REAP_MANY;
	struct orphan *all;

	mutex_assert_held(&list->mu);
	if (list->count == list->cap) {
		all = realloc(list->all, cap * sizeof(*all));
		if (all == NULL)
			return false;
		list->all = all;
		list->cap = cap;
	}
	list->all[list->count++] = *o;
	return true;
}

/* Queue o: its rows are deleted soon. */
static void
queue_orphan(struct fs *fs, const struct orphan *o)
{
	struct orphan_list *list = &fs->orphans;
	bool is_added, is_urgent, is_first;

	mutex_lock(&list->mu);
	is_first = list->count == 0;
	is_added = add_locked(list, o);
	is_urgent = o->alloc >= REAP_LARGE_BYTES || list->count == REAP_MANY;
	if (is_added && is_urgent)
		list->due_ns = 0;
	else if (is_added && is_first)
		list->due_ns = clock_now_ns() + REAP_WAIT_NS;
	mutex_unlock(&list->mu);
	if (!is_added) {
		delete_some(fs, o, 1);
		(void)txn_settle(fs, 0); /* the next operation gets the error */
	} else if (is_first || is_urgent)
		dirty_list_wake(&fs->dirty);
}

static struct orphan
orphan_of(uint64_t ino, const struct attr_rec *rec)
{
	return (struct orphan){
		.ino = ino,
		.alloc = rec->alloc,
		.flags = rec->flags,
		.nxattrs = rec->nxattrs,
	};
}

void
orphan_enqueue(struct fs *fs, uint64_t ino, const struct attr_rec *rec)
{
	const struct orphan o = orphan_of(ino, rec);

	queue_orphan(fs, &o);
}

/* in has ended. Does it have rows? Then *o describes them. */
static bool
end_locked(struct fs *fs, struct inode *in, struct orphan *o)
    REQUIRES(&in->change_mu, &in->mu)
{
	bool has_rows = !in->rowless.is_set;

	mutex_assert_held(&in->change_mu);
	mutex_assert_held(&in->mu);
	*o = orphan_of(in->ino, &in->rec);
	inode_set_deleted(fs, in);
	return has_rows;
}

static void
orphan_end(struct fs *fs, struct inode *in, bool is_closing)
{
	struct orphan o;
	bool may_end, has_rows = false;

	/* An inode with a name does not wait for change_mu. */
	mutex_lock(&in->mu);
	may_end = in->is_nameless && in->state == INODE_LIVE && !fs->read_only;
	mutex_unlock(&in->mu);
	if (!may_end)
		return;
	inode_begin_change(in);
	/* Test again: it may have got a name. */
	if (in->is_nameless && in->state == INODE_LIVE &&
	    (is_closing || !inode_is_in_use(fs, in)))
		has_rows = end_locked(fs, in, &o);
	inode_end_change(in);
	if (has_rows)
		queue_orphan(fs, &o);
}

void
orphan_forgotten(struct fs *fs, struct inode *in)
{
	/* Without a name it cannot come into use again. */
	if (!inode_is_in_use(fs, in))
		orphan_end(fs, in, false);
}

static int
end_at_close(struct fs *fs, struct inode *in)
{
	orphan_end(fs, in, true);
	return 0;
}

int
orphan_end_all(struct fs *fs)
{
	int rc = inode_table_each(fs, end_at_close);

	orphan_reap(fs);
	return rc;
}

/* Stage the deletion of one orphan that was found in the store. */
static int
sweep_one(struct fs *fs, struct txn *t, uint64_t ino, uint64_t *deletedp)
{
	struct kv_key key = key_inode(ino);
	struct attr_rec rec;
	struct kv_value v;
	struct slice data;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == -ENOENT) {
		txn_del_orphan(t, ino);
		return 0;
	}
	if (rc < 0)
		return rc;
	rc = schema_get_inode(v.data, &rec, &data);
	kv_value_release(&v);
	if (rc < 0)
		return inode_bad_row(ino, (struct slice){ 0 }, rc);
	if (rec.nlink != 0) {
		log_warn("inode %" PRIu64 " is listed as deleted but has %u "
			 "names; it is kept",
		    ino, rec.nlink);
		txn_del_orphan(t, ino);
		return 0;
	}
	stage_orphan(t, ino, &rec);
	(*deletedp)++;
	return 0;
}

/* One batch of the sweep, from *nextp on. 1: there may be more. */
static int
sweep_some(struct fs *fs, uint64_t *nextp, uint64_t *deletedp)
{
	struct kv_key key = key_orphan(*nextp);
	struct kv_iter *it = NULL;
	struct txn *t = txn_begin(fs);
	unsigned n = 0;
	uint64_t seq;
	int rc = -ENOMEM;

	if (t == NULL)
		goto out;
	rc = kv_iter_open(fs->kv, &key, KV_SCOPE_SPACE, NULL, &it);
	while (rc >= 0 && n < SWEEP_MAX && (rc = kv_iter_next(it)) == 1) {
		key = kv_iter_key(it);
		*nextp = key.group + 1;
		rc = sweep_one(fs, t, key.group, deletedp);
		/* A damaged orphan row must not prevent the mount. */
		if (rc == -KVFS_ECORRUPT || rc == -EPROTO)
			rc = 0;
		n++;
	}
	if (rc >= 0 && t->batch.count != 0)
		rc = txn_commit_reserved(fs, t, &seq);
	if (rc >= 0)
		rc = n == SWEEP_MAX && *nextp != 0;
out:
	kv_iter_close(it);
	txn_end(fs, t);
	return rc;
}

int
orphan_sweep(struct fs *fs)
{
	uint64_t next = 0, deleted = 0;
	int rc;

	do {
		rc = sweep_some(fs, &next, &deleted);
	} while (rc == 1);
	if (deleted != 0) {
		log_info("%" PRIu64 " files that were deleted while open are "
			 "gone now",
		    deleted);
		inode_count_add(fs, -(int64_t)deleted);
	}
	return rc;
}
