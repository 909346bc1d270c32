/* SPDX-License-Identifier: ISC */
/* The write-back thread; see writeback.h. */
#include "fs/content.h"
#include "fs/fs_state.h"
#include "fs/inode.h"
#include "fs/inode_commit.h"
#include "fs/patch_merge.h"
#include "util/clock.h"
#include "util/mutex.h"

/* Inodes in one round at most. */
#define ROUND_MAX 64

/* If in has nothing to commit but its atime, stage that, and return true. */
static bool
stage_atime(struct fs *fs, struct txn *t, struct inode *in)
    REQUIRES(&in->change_mu)
{
	bool is_staged;

	mutex_lock(&in->mu);
	is_staged = in->state == INODE_LIVE && in->content == NULL &&
	    in->atime != ATIME_STORED &&
	    inode_put_row(fs, t, in, &in->rec, NULL) == 0;
	mutex_unlock(&in->mu);
	return is_staged;
}

/* The commit of the batch with its atime has returned rc. */
static void
end_atime(struct fs *fs, struct inode *in, int rc, uint64_t seq)
    RELEASE(&in->change_mu)
{
	mutex_lock(&in->mu);
	if (rc == 0)
		inode_row_committed(fs, in, &in->rec, seq);
	else
		dirty_list_requeue(&fs->dirty, in);
	inode_end_change(in);
}

/*
 * Commit the atimes of several inodes in one batch. Their change_mu are only
 * tried, so that holding many of them cannot cause a deadlock.
 */
static void
commit_atimes(struct fs *fs, struct inode **ins, size_t n) NO_THREAD_SAFETY
{
	struct txn *t = txn_begin(fs);
	struct inode *held[ROUND_MAX];
	size_t nheld = 0;
	uint64_t seq = 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++) {
		struct inode *in = ins[i];

		if (t == NULL || !mutex_trylock(&in->change_mu)) {
			dirty_list_requeue(&fs->dirty, in);
		} else if (stage_atime(fs, t, in)) {
			held[nheld++] = in;
		} else {
			dirty_list_requeue(&fs->dirty, in);
			mutex_unlock(&in->change_mu);
		}
	}
	if (nheld != 0)
		rc = txn_commit_reserved(fs, t, &seq);
	for (size_t i = 0; i < nheld; i++) {
		mutex_assert_held(&held[i]->change_mu);
		end_atime(fs, held[i], rc, seq);
	}
	if (nheld != 0)
		writeback_report(fs, rc);
	txn_end(fs, t);
}

/* Commit the inodes one after the other; those with only an atime in one
 * batch. Returns the first error. */
static int
commit_round(struct fs *fs, struct inode **ins, size_t n)
{
	struct inode *atimes[ROUND_MAX];
	size_t natimes = 0;
	int rc, first = 0;

	for (size_t i = 0; i < n; i++) {
		struct inode *in = ins[i];

		inode_begin_change(in);
		if (in->content == NULL && in->atime != ATIME_STORED) {
			atimes[natimes++] = in;
		} else if (in->is_nameless &&
		    !dirty_list_is_over(&fs->dirty, fs->wb.limit_bytes / 4)) {
			/* It has no name: most such files end before they need
			 * to be stored. */
			dirty_list_requeue(&fs->dirty, in);
		} else {
			rc = writeback_commit(fs, in);
			if (rc < 0)
				dirty_list_requeue(&fs->dirty, in);
			if (first == 0)
				first = rc;
			writeback_report(fs, rc);
		}
		inode_end_change(in);
	}
	if (natimes != 0)
		commit_atimes(fs, atimes, natimes);
	return first;
}

static uint64_t
age_ns(const struct writeback *wb)
{
	return atomic_load_explicit(&wb->age_ms, memory_order_relaxed) *
	    NS_PER_MS;
}

/* Pick inodes to commit now; all of them if it is urgent. */
static size_t
pick_due(struct dirty_list *list, uint64_t age, struct inode **ins)
    REQUIRES(&list->mu)
{
	uint64_t now = clock_now_ns();

	if (list->is_urgent)
		return dirty_list_pick(list, ins, 1, UINT64_MAX);
	return now < age ? 0 : dirty_list_pick(list, ins, ROUND_MAX, now - age);
}

/*
 * Sleep until something is due. While inodes get dirty the thread sleeps with
 * a timeout, so that adding to an empty list needs a signal only after a time
 * without any. *seen: the last ticket at the previous sleep.
 */
static void
sleep_until_due(struct fs *fs, uint64_t *seen)
{
	struct dirty_list *list = &fs->dirty;
	struct inode *head = TAILQ_FIRST(&list->inodes);
	uint64_t age = age_ns(&fs->wb);
	uint64_t now = clock_now_ns(), due = now + age;
	uint64_t other_due = orphan_due_ns(fs);
	uint64_t patches_due = patch_list_due_ns(&fs->wb.patches);

	mutex_assert_held(&list->mu);
	if (patches_due < other_due)
		other_due = patches_due;
	if (head == NULL && list->ticket == *seen && other_due == UINT64_MAX) {
		list->is_idle = true;
		cond_wait(&list->wake, &list->mu);
		list->is_idle = false;
		return;
	}
	*seen = list->ticket;
	if (head != NULL && !head->dirty.is_busy)
		due = head->dirty.since_ns + age;
	if (other_due < due)
		due = other_due;
	if (due < now + NS_PER_MS)
		due = now + NS_PER_MS;
	cond_wait_until(&list->wake, &list->mu, due);
}

static void *
writeback_thread(void *arg)
{
	struct fs *fs = arg;
	struct dirty_list *list = &fs->dirty;
	struct inode *ins[ROUND_MAX];
	uint64_t seen = 0;
	size_t n;
	int rc;

	mutex_lock(&list->mu);
	while (!list->stop) {
		if (orphan_due_ns(fs) <= clock_now_ns()) {
			mutex_unlock(&list->mu);
			orphan_reap(fs);
			(void)txn_settle(fs, 0); /* its failure is logged */
			mutex_lock(&list->mu);
		}
		n = pick_due(list, age_ns(&fs->wb), ins);
		if (n == 0) {
			list->is_urgent = false;
			if (patch_list_due_ns(&fs->wb.patches) <=
			    clock_now_ns()) {
				mutex_unlock(&list->mu);
				patch_merge_some(fs);
				(void)txn_settle(fs, 0);
				mutex_lock(&list->mu);
				continue;
			}
			sleep_until_due(fs, &seen);
			continue;
		}
		mutex_unlock(&list->mu);
		rc = txn_settle(fs, commit_round(fs, ins, n));
		dirty_list_unpick(list, ins, n);
		for (size_t i = 0; i < n; i++)
			inode_put(fs, ins[i]);
		mutex_lock(&list->mu);
		if (rc < 0 || !dirty_list_is_over(list, fs->wb.limit_bytes / 4))
			list->is_urgent = false;
	}
	mutex_unlock(&list->mu);
	return NULL;
}

void
writeback_set_age(struct fs *fs, uint32_t age_ms)
{
	atomic_store_explicit(&fs->wb.age_ms, age_ms, memory_order_relaxed);
	/* The thread may be asleep for the old age. */
	dirty_list_wake(&fs->dirty);
}

int
writeback_start(struct fs *fs, const struct fs_options *opts)
{
	struct writeback *wb = &fs->wb;
	int rc;

	dirty_list_init(&fs->dirty);
	wb->limit_bytes = opts->writeback_bytes;
	writeback_set_age(fs, opts->writeback_ms);
	if (fs->read_only)
		return 0;
	rc = pthread_create(&wb->thread, NULL, writeback_thread, fs);
	wb->has_thread = rc == 0;
	return -rc;
}

void
writeback_stop(struct fs *fs)
{
	struct writeback *wb = &fs->wb;

	if (!wb->has_thread)
		return;
	mutex_lock(&fs->dirty.mu);
	fs->dirty.stop = true;
	cond_signal(&fs->dirty.wake);
	mutex_unlock(&fs->dirty.mu);
	pthread_join(wb->thread, NULL);
	wb->has_thread = false;
}

void
writeback_fini(struct fs *fs)
{
	struct dirty_list *list = &fs->dirty;
	struct inode *in;

	while ((in = TAILQ_FIRST(&list->inodes)) != NULL) {
		inode_begin_change(in);
		content_drop(fs, in);
		in->atime = ATIME_STORED;
		inode_ref(in);
		dirty_list_remove(list, in);
		inode_end_change(in);
		inode_put(fs, in);
	}
	dirty_list_fini(list);
}
