/* SPDX-License-Identifier: ISC */
/*
 * The number of inodes. A row that every create and delete rewrites would be
 * a point of contention; instead the number is in memory, and stored when the
 * store is closed. After a crash a thread counts the rows of a snapshot taken
 * before the first operation, while operations go on, and then corrects the
 * number by the difference to what was assumed.
 */
#include "fs/inode_count.h"

#include <inttypes.h>
#include <string.h>

#include "fs/fs_state.h"
#include "util/log.h"

uint64_t
inode_count_read(struct fs *fs)
{
	/* Before it is corrected, deletions may have made it negative. */
	uint64_t n = atomic_load_explicit(&fs->count.n, memory_order_relaxed);

	return n > INT64_MAX ? 0 : n;
}

static int
inode_count_store(struct fs *fs, bool is_exact)
{
	struct count_row row = { is_exact, inode_count_read(fs) };
	uint8_t value[SCHEMA_ROW_MAX];
	struct txn *t = txn_begin(fs);
	uint64_t seq;
	int rc;

	if (t == NULL)
		return -ENOMEM;
	txn_put_store(t, KEY_INODES, value, schema_put_count(value, &row));
	rc = txn_commit_reserved(fs, t, &seq);
	txn_end(fs, t);
	return rc;
}

void
inode_count_add(struct fs *fs, int64_t n)
{
	/* Relaxed: a figure for statfs. */
	atomic_fetch_add_explicit(&fs->count.n, (uint64_t)n,
	    memory_order_relaxed);
}

/* Count the rows of one space that hold an inode. -ECANCELED: stopped. */
static int
count_space_rows(struct fs *fs, enum space space, uint64_t *np)
{
	struct kv_key from = { .space = (uint8_t)space };
	struct dentry_row row;
	struct kv_iter *it;
	struct slice value;
	int rc;

	rc = kv_iter_open(fs->kv, &from, KV_SCOPE_SPACE, fs->count.snap, &it);
	if (rc < 0)
		return rc;
	while ((rc = kv_iter_next(it)) == 1) {
		if (atomic_load_explicit(&fs->count.stop,
			memory_order_relaxed)) {
			rc = -ECANCELED;
			break;
		}
		if (space == SPACE_DENTRY) {
			rc = kv_iter_value(it, &value);
			if (rc < 0)
				break;
			if (schema_get_dentry(value, &row) < 0 || row.is_ref)
				continue;
		}
		(*np)++;
	}
	kv_iter_close(it);
	return rc;
}

static void *
count_thread(void *arg)
{
	struct fs *fs = arg;
	uint64_t n = 0;
	int rc;

	rc = count_space_rows(fs, SPACE_DENTRY, &n);
	if (rc == 0)
		rc = count_space_rows(fs, SPACE_INODE, &n);
	if (rc == 0) {
		inode_count_add(fs, (int64_t)(n - fs->count.assumed));
		atomic_store_explicit(&fs->count.is_exact, true,
		    memory_order_seq_cst);
	} else if (rc != -ECANCELED) {
		log_warn("inodes could not be counted: %s; df -i shows an "
			 "estimate",
		    strerror(-rc));
	}
	kv_snapshot_release(fs->kv, fs->count.snap);
	fs->count.snap = NULL;
	return NULL;
}

int
inode_count_start(struct fs *fs)
{
	struct kv_key key = key_store(KEY_INODES);
	struct count_row row = { 0 };
	struct kv_value v;
	int rc;

	rc = kv_get(fs->kv, &key, NULL, &v);
	if (rc == 0) {
		/* A damaged count is counted again. */
		if (schema_get_count(v.data, &row) < 0)
			row = (struct count_row){ 0 };
		kv_value_release(&v);
	} else if (rc != -ENOENT) {
		return rc;
	}
	atomic_store_explicit(&fs->count.n, row.inodes, memory_order_relaxed);
	atomic_store_explicit(&fs->count.is_exact, row.is_exact,
	    memory_order_seq_cst);
	fs->count.assumed = row.inodes;
	if (row.is_exact && !fs->read_only)
		return inode_count_store(fs, false);
	if (row.is_exact)
		return 0;
	rc = kv_snapshot(fs->kv, &fs->count.snap);
	if (rc < 0)
		return rc;
	rc = -pthread_create(&fs->count.thread, NULL, count_thread, fs);
	if (rc < 0) {
		kv_snapshot_release(fs->kv, fs->count.snap);
		return rc;
	}
	fs->count.has_thread = true;
	return 0;
}

int
inode_count_stop(struct fs *fs)
{
	if (fs->count.has_thread) {
		atomic_store_explicit(&fs->count.stop, true,
		    memory_order_seq_cst);
		pthread_join(fs->count.thread, NULL);
		fs->count.has_thread = false;
	}
	if (fs->read_only ||
	    !atomic_load_explicit(&fs->count.is_exact, memory_order_seq_cst))
		return 0;
	return inode_count_store(fs, true);
}
