/* SPDX-License-Identifier: ISC */
/*
 * Commits of dirty inodes by writers and at a sync; see writeback.h. The
 * write-back thread is in writeback_thread.c.
 */
#include "fs/writeback.h"

#include <string.h>

#include "fs/content.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "util/log.h"

void
writeback_report(struct fs *fs, int rc)
{
	bool is_news = atomic_exchange_explicit(&fs->wb.is_failing, rc < 0,
			   memory_order_relaxed) != (rc < 0);

	if (is_news && rc < 0)
		log_error("contents cannot be committed: %s; they stay in "
			  "memory and are tried again%s",
		    strerror(-rc), rc == -ENOSPC ? ": make room" : "");
	else if (is_news)
		log_info("contents are committed again");
}

int
writeback_commit(struct fs *fs, struct inode *in)
{
	struct txn *t;
	uint64_t seq;
	int rc;

	if (in->state != INODE_LIVE)
		return 0;
	if (in->content != NULL)
		return content_commit(fs, in);
	if (in->atime == ATIME_STORED)
		return 0;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	rc = inode_put_row(fs, t, in, &in->rec, NULL);
	txn_reserve(t);
	if (rc == 0)
		rc = inode_commit(fs, in, t, &seq);
	if (rc == 0)
		inode_row_committed(fs, in, &in->rec, seq);
	txn_end(fs, t);
	return rc;
}

int
writeback_throttle(struct fs *fs)
{
	struct dirty_list *list = &fs->dirty;
	uint64_t limit = fs->wb.limit_bytes;
	size_t tries, n;
	struct inode *in;
	int rc, first = 0;

	if (!dirty_list_is_over(list, limit / 2))
		return 0;
	mutex_lock(&list->mu);
	if (!list->is_urgent) {
		list->is_urgent = true;
		cond_signal(&list->wake);
	}
	tries = list->count;
	mutex_unlock(&list->mu);
	/* Each writer commits dirty inodes of all writers. */
	for (; tries != 0 && dirty_list_is_over(list, limit); tries--) {
		mutex_lock(&list->mu);
		n = dirty_list_pick(list, &in, 1, UINT64_MAX);
		mutex_unlock(&list->mu);
		if (n == 0)
			break;
		inode_begin_change(in);
		rc = writeback_commit(fs, in);
		if (rc < 0) {
			dirty_list_requeue(list, in);
			if (first == 0)
				first = rc;
		}
		inode_end_change(in);
		writeback_report(fs, rc);
		dirty_list_unpick(list, &in, 1);
		inode_put(fs, in);
	}
	return dirty_list_is_over(list, limit) ? first : 0;
}

int
writeback_all(struct fs *fs)
{
	struct dirty_list *list = &fs->dirty;
	struct inode *in;
	uint64_t end;
	int rc, first = 0;

	mutex_lock(&list->mu);
	end = list->ticket;
	/* Also inodes that another thread is committing: wait for it. */
	while ((in = TAILQ_FIRST(&list->inodes)) != NULL &&
	    in->dirty.ticket <= end) {
		inode_ref(in);
		mutex_unlock(&list->mu);
		inode_begin_change(in);
		rc = in->is_nameless ? 0 : writeback_commit(fs, in);
		/* Still on the list: its commit failed, it has no name, or it
		 * is dirty again. */
		dirty_list_requeue(list, in);
		inode_end_change(in);
		inode_put(fs, in);
		if (first == 0)
			first = rc;
		mutex_lock(&list->mu);
	}
	mutex_unlock(&list->mu);
	return first;
}
