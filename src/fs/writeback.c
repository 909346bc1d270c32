/* SPDX-License-Identifier: ISC */
/*
 * The list of inodes with something to commit, and the bound of their
 * memory; see writeback.h. The thread is in writeback_thread.c.
 */
#include "fs/writeback.h"

#include <string.h>

#include "fs/fs_internal.h"
#include "util/clock.h"

#define NS_PER_MS 1000000ULL

bool
writeback_is_over(struct fs *fs, uint64_t limit)
{
	/* Relaxed: a steering figure. */
	return atomic_load_explicit(&fs->wb.bytes, memory_order_relaxed) >
	    limit;
}

static void
link_tail(struct writeback *wb, struct inode *in) REQUIRES(&wb->mu)
{
	in->wb_since_ns = clock_now_ns();
	in->wb_ticket = ++wb->ticket;
	TAILQ_INSERT_TAIL(&wb->dirty, in, wb_link);
}

void
writeback_add(struct fs *fs, struct inode *in)
{
	struct writeback *wb = &fs->wb;

	mutex_lock(&wb->mu);
	if (!in->in_wb) {
		in->in_wb = true;
		inode_ref(in);
		link_tail(wb, in);
		wb->count++;
		if (wb->is_idle)
			cond_signal(&wb->wake);
	}
	mutex_unlock(&wb->mu);
}

void
writeback_remove(struct fs *fs, struct inode *in)
{
	struct writeback *wb = &fs->wb;
	bool was_in;

	mutex_lock(&wb->mu);
	was_in = in->in_wb;
	if (was_in) {
		in->in_wb = false;
		TAILQ_REMOVE(&wb->dirty, in, wb_link);
		wb->count--;
	}
	mutex_unlock(&wb->mu);
	if (was_in)
		inode_put(fs, in);
}

void
writeback_requeue(struct fs *fs, struct inode *in)
{
	struct writeback *wb = &fs->wb;

	mutex_lock(&wb->mu);
	if (in->in_wb) {
		TAILQ_REMOVE(&wb->dirty, in, wb_link);
		link_tail(wb, in);
	}
	mutex_unlock(&wb->mu);
}

void
writeback_account(struct fs *fs, ssize_t mem, ssize_t data)
{
	/* Relaxed: a sum of differences; wraps back. */
	if (mem != 0)
		atomic_fetch_add_explicit(&fs->wb.bytes, (size_t)mem,
		    memory_order_relaxed);
	if (data != 0)
		atomic_fetch_add_explicit(&fs->wb.data_bytes, (size_t)data,
		    memory_order_relaxed);
}

void
writeback_report(struct fs *fs, int rc)
{
	struct writeback *wb = &fs->wb;
	bool is_news;

	mutex_lock(&wb->mu);
	is_news = wb->is_failing != (rc < 0);
	wb->is_failing = rc < 0;
	mutex_unlock(&wb->mu);
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

size_t
writeback_pick(struct fs *fs, struct inode **ins, size_t max, bool is_pressed)
{
	uint64_t age = (uint64_t)atomic_load_explicit(&fs->wb.age_ms,
			   memory_order_relaxed) *
	    NS_PER_MS;
	uint64_t now = clock_now_ns();
	struct inode *in;
	size_t n = 0;

	TAILQ_FOREACH (in, &fs->wb.dirty, wb_link) {
		if (n == max || (!is_pressed && now - in->wb_since_ns < age))
			break;
		if (in->wb_busy)
			continue;
		in->wb_busy = true;
		inode_ref(in);
		ins[n++] = in;
	}
	return n;
}

void
writeback_unpick(struct fs *fs, struct inode **ins, size_t n)
{
	mutex_lock(&fs->wb.mu);
	for (size_t i = 0; i < n; i++)
		ins[i]->wb_busy = false;
	mutex_unlock(&fs->wb.mu);
	for (size_t i = 0; i < n; i++)
		inode_put(fs, ins[i]);
}

int
writeback_throttle(struct fs *fs)
{
	struct writeback *wb = &fs->wb;
	size_t tries, n;
	struct inode *in;
	int rc, first = 0;

	if (!writeback_is_over(fs, wb->limit_bytes / 2))
		return 0;
	mutex_lock(&wb->mu);
	if (!wb->is_pressed) {
		wb->is_pressed = true;
		cond_signal(&wb->wake);
	}
	tries = wb->count;
	mutex_unlock(&wb->mu);
	/* Each writer works off what all of them have piled up. */
	for (; tries != 0 && writeback_is_over(fs, wb->limit_bytes); tries--) {
		mutex_lock(&wb->mu);
		n = writeback_pick(fs, &in, 1, true);
		mutex_unlock(&wb->mu);
		if (n == 0)
			break;
		inode_begin_change(in);
		rc = writeback_commit(fs, in);
		if (rc < 0) {
			writeback_requeue(fs, in);
			if (first == 0)
				first = rc;
		}
		inode_end_change(in);
		writeback_report(fs, rc);
		writeback_unpick(fs, &in, 1);
	}
	return writeback_is_over(fs, wb->limit_bytes) ? first : 0;
}

int
writeback_all(struct fs *fs)
{
	struct writeback *wb = &fs->wb;
	struct inode *in;
	uint64_t end;
	int rc, first = 0;

	mutex_lock(&wb->mu);
	end = wb->ticket;
	/* Also those that another thread is at: wait for it. */
	while ((in = TAILQ_FIRST(&wb->dirty)) != NULL && in->wb_ticket <= end) {
		inode_ref(in);
		mutex_unlock(&wb->mu);
		inode_begin_change(in);
		rc = in->is_nameless ? 0 : writeback_commit(fs, in);
		/* Still there: it failed, has no name, or is new again. */
		writeback_requeue(fs, in);
		inode_end_change(in);
		inode_put(fs, in);
		if (first == 0)
			first = rc;
		mutex_lock(&wb->mu);
	}
	mutex_unlock(&wb->mu);
	return first;
}
