/* SPDX-License-Identifier: ISC */
/*
 * The list of inodes with something to commit, the thread that commits
 * them in time, and the bound of their memory; see writeback.h.
 */
#include "fs/writeback.h"

#include <string.h>

#include "fs/fs_internal.h"

#define NS_PER_MS 1000000ULL
/* Inodes that one round takes up at once. */
#define ROUND_MAX 64

static bool
is_over(struct fs *fs, uint64_t limit)
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

/* To the tail, to be tried again later. */
static void
requeue(struct fs *fs, struct inode *in)
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

/* Say once that commits fail, and once that they work again. */
static void
report(struct fs *fs, int rc)
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

/* Commit what in has: contents, or nothing but its atime. */
static int
commit_inode(struct fs *fs, struct inode *in) REQUIRES(&in->mu)
{
	struct txn *t;
	uint64_t seq;
	int rc;

	if (in->state != INODE_LIVE)
		return 0;
	if (in->content != NULL)
		return content_commit(fs, in);
	if (!in->atime_dirty)
		return 0;
	t = txn_begin(fs);
	if (t == NULL)
		return -ENOMEM;
	rc = inode_put_row(fs, t, in, &in->rec, NULL);
	if (rc == 0)
		rc = txn_commit(fs, t, &seq);
	if (rc == 0)
		inode_row_committed(fs, in, &in->rec, seq);
	txn_end(fs, t);
	return rc;
}

/*
 * Commit the atimes of several inodes in one batch. Locks are only tried,
 * so that holding many of them cannot block anyone for good.
 */
static void
commit_atimes(struct fs *fs, struct inode **ins, size_t n) NO_THREAD_SAFETY
{
	struct txn *t = txn_begin(fs);
	struct inode *locked[ROUND_MAX];
	size_t nlocked = 0;
	uint64_t seq;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct inode *in = ins[i];

		if (t == NULL || !mutex_trylock(&in->mu)) {
			requeue(fs, in);
			continue;
		}
		if (in->state == INODE_LIVE && in->content == NULL &&
		    in->atime_dirty &&
		    inode_put_row(fs, t, in, &in->rec, NULL) == 0) {
			locked[nlocked++] = in;
		} else {
			requeue(fs, in);
			mutex_unlock(&in->mu);
		}
	}
	if (nlocked != 0)
		rc = txn_commit(fs, t, &seq);
	for (size_t i = 0; i < nlocked; i++) {
		if (rc == 0)
			inode_row_committed(fs, locked[i], &locked[i]->rec,
			    seq);
		else
			requeue(fs, locked[i]);
		mutex_unlock(&locked[i]->mu);
	}
	if (nlocked != 0)
		report(fs, rc);
	txn_end(fs, t);
}

/* One after the other; inodes that have only an atime go together. Returns
 * the first error. */
static int
commit_round(struct fs *fs, struct inode **ins, size_t n)
{
	struct inode *atimes[ROUND_MAX];
	size_t natimes = 0;
	int rc, first = 0;

	for (size_t i = 0; i < n; i++) {
		struct inode *in = ins[i];

		mutex_lock(&in->mu);
		if (in->content == NULL && in->atime_dirty) {
			atimes[natimes++] = in;
		} else if (in->rec.nlink == 0 &&
		    !is_over(fs, fs->wb.limit_bytes / 4)) {
			/* Most of them go without ever being stored. */
			requeue(fs, in);
		} else {
			rc = commit_inode(fs, in);
			if (rc < 0)
				requeue(fs, in);
			if (first == 0)
				first = rc;
			report(fs, rc);
		}
		mutex_unlock(&in->mu);
	}
	if (natimes != 0)
		commit_atimes(fs, atimes, natimes);
	return first;
}

/* Inodes to commit now, each referenced and marked busy. */
static size_t
pick(struct fs *fs, struct inode **ins, size_t max, bool is_pressed)
    REQUIRES(&fs->wb.mu)
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

static void
unpick(struct fs *fs, struct inode **ins, size_t n)
{
	mutex_lock(&fs->wb.mu);
	for (size_t i = 0; i < n; i++)
		ins[i]->wb_busy = false;
	mutex_unlock(&fs->wb.mu);
	for (size_t i = 0; i < n; i++)
		inode_put(fs, ins[i]);
}

/*
 * Sleep until something is due. The clock wakes the thread while there is
 * work, so that adding to an empty list costs a signal only after a quiet
 * time. *seen: the last ticket at the previous sleep.
 */
static void
sleep_until_due(struct fs *fs, uint64_t *seen) REQUIRES(&fs->wb.mu)
{
	struct writeback *wb = &fs->wb;
	struct inode *head = TAILQ_FIRST(&wb->dirty);
	uint64_t age = (uint64_t)atomic_load_explicit(&wb->age_ms,
			   memory_order_relaxed) *
	    NS_PER_MS;
	uint64_t now = clock_now_ns(), due = now + age;

	if (head == NULL && wb->ticket == *seen) {
		wb->is_idle = true;
		cond_wait(&wb->wake, &wb->mu);
		wb->is_idle = false;
		return;
	}
	*seen = wb->ticket;
	if (head != NULL && !head->wb_busy)
		due = head->wb_since_ns + age;
	if (due < now + NS_PER_MS)
		due = now + NS_PER_MS;
	cond_wait_until(&wb->wake, &wb->mu, due);
}

static void *
run(void *arg)
{
	struct fs *fs = arg;
	struct writeback *wb = &fs->wb;
	struct inode *ins[ROUND_MAX];
	uint64_t seen = 0;
	size_t n;
	int rc;

	mutex_lock(&wb->mu);
	while (!wb->stop) {
		n = pick(fs, ins, wb->is_pressed ? 1 : ROUND_MAX,
		    wb->is_pressed);
		if (n == 0) {
			wb->is_pressed = false;
			sleep_until_due(fs, &seen);
			continue;
		}
		mutex_unlock(&wb->mu);
		rc = commit_round(fs, ins, n);
		unpick(fs, ins, n);
		mutex_lock(&wb->mu);
		if (rc < 0 || !is_over(fs, wb->limit_bytes / 4))
			wb->is_pressed = false;
	}
	mutex_unlock(&wb->mu);
	return NULL;
}

int
writeback_throttle(struct fs *fs)
{
	struct writeback *wb = &fs->wb;
	size_t tries, n;
	struct inode *in;
	int rc, first = 0;

	if (!is_over(fs, wb->limit_bytes / 2))
		return 0;
	mutex_lock(&wb->mu);
	if (!wb->is_pressed) {
		wb->is_pressed = true;
		cond_signal(&wb->wake);
	}
	tries = wb->count;
	mutex_unlock(&wb->mu);
	/* Each writer works off what all of them have piled up. */
	for (; tries != 0 && is_over(fs, wb->limit_bytes); tries--) {
		mutex_lock(&wb->mu);
		n = pick(fs, &in, 1, true);
		mutex_unlock(&wb->mu);
		if (n == 0)
			break;
		mutex_lock(&in->mu);
		rc = commit_inode(fs, in);
		if (rc < 0) {
			requeue(fs, in);
			if (first == 0)
				first = rc;
		}
		mutex_unlock(&in->mu);
		report(fs, rc);
		unpick(fs, &in, 1);
	}
	return is_over(fs, wb->limit_bytes) ? first : 0;
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
	while ((in = TAILQ_FIRST(&wb->dirty)) != NULL &&
	    in->wb_ticket <= end) {
		inode_ref(in);
		mutex_unlock(&wb->mu);
		mutex_lock(&in->mu);
		rc = in->rec.nlink != 0 ? commit_inode(fs, in) : 0;
		/* Still there: it failed, has no name, or is new again. */
		requeue(fs, in);
		mutex_unlock(&in->mu);
		inode_put(fs, in);
		if (first == 0)
			first = rc;
		mutex_lock(&wb->mu);
	}
	mutex_unlock(&wb->mu);
	return first;
}

void
writeback_set_age(struct fs *fs, uint32_t age_ms)
{
	atomic_store_explicit(&fs->wb.age_ms, age_ms, memory_order_relaxed);
}

int
writeback_start(struct fs *fs, const struct fs_options *opts)
{
	struct writeback *wb = &fs->wb;
	int rc;

	mutex_init(&wb->mu);
	mutex_init(&wb->space_mu);
	cond_init(&wb->wake);
	TAILQ_INIT(&wb->dirty);
	wb->limit_bytes = opts->writeback_bytes;
	writeback_set_age(fs, opts->writeback_ms);
	if (fs->read_only)
		return 0;
	rc = pthread_create(&wb->thread, NULL, run, fs);
	wb->has_thread = rc == 0;
	return -rc;
}

void
writeback_stop(struct fs *fs)
{
	struct writeback *wb = &fs->wb;

	if (!wb->has_thread)
		return;
	mutex_lock(&wb->mu);
	wb->stop = true;
	cond_signal(&wb->wake);
	mutex_unlock(&wb->mu);
	pthread_join(wb->thread, NULL);
	wb->has_thread = false;
}

/* Contents that could not be committed are lost here. */
void
writeback_fini(struct fs *fs)
{
	struct writeback *wb = &fs->wb;
	struct inode *in;

	while ((in = TAILQ_FIRST(&wb->dirty)) != NULL) {
		mutex_lock(&in->mu);
		content_drop(fs, in);
		in->atime_dirty = false;
		inode_ref(in);
		writeback_remove(fs, in);
		mutex_unlock(&in->mu);
		inode_put(fs, in);
	}
	cond_fini(&wb->wake);
	mutex_fini(&wb->space_mu);
	mutex_fini(&wb->mu);
}
