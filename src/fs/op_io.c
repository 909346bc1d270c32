/* SPDX-License-Identifier: ISC */
/*
 * Open files: open, write, flush, fsync, release. Reading is in op_read.c,
 * ranges in op_range.c.
 */
#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode_attr.h"
#include "fs/inode_commit.h"
#include "util/stats.h"

/* A writer commits full chunks when they are this many bytes: enough for a
 * large write to the store, few enough to leave memory for others. */
#define FULL_BYTES (1u << 20)

static int
open_locked(struct fs *fs, struct inode *in) REQUIRES(&in->mu)
{
	mutex_assert_held(&in->mu);
	if (in->state != INODE_LIVE)
		return -ESTALE;
	in->opens.n++;
	inode_hold(fs, in);
	return 0;
}

static int
open_empty(struct fs *fs, struct inode *in)
{
	struct timespec now;
	int rc = -ESTALE;

	inode_begin_change(in);
	if (in->state == INODE_LIVE)
		rc = content_truncate(fs, in, 0, fs_change_time(fs, &now));
	if (rc == 0)
		rc = open_locked(fs, in);
	inode_end_change(in);
	return rc;
}

int
fs_openfile(struct fs *fs, uint64_t ino, bool truncate)
{
	struct inode *in;
	int rc;

	if (truncate && fs->read_only)
		return -EROFS;
	rc = regular_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	if (truncate) {
		rc = open_empty(fs, in);
	} else {
		mutex_lock(&in->mu);
		rc = open_locked(fs, in);
		mutex_unlock(&in->mu);
	}
	inode_put(fs, in);
	return rc;
}

void
fs_release(struct fs *fs, uint64_t ino)
{
	struct inode *in = inode_get(fs, ino);

	if (in == NULL)
		return;
	mutex_lock(&in->mu);
	if (in->opens.n == 0) {
		mutex_unlock(&in->mu);
		inode_put(fs, in);
		return;
	}
	in->opens.n--;
	mutex_unlock(&in->mu);
	inode_unhold(fs, in);
	orphan_forgotten(fs, in);
	inode_put(fs, in);
}

/* Change the number of writers; see fs_writer_begin(). */
static bool
count_writer(struct fs *fs, uint64_t ino, bool is_more)
{
	struct inode *in = inode_get(fs, ino);
	bool hid, hides;

	if (in == NULL)
		return false;
	/* With a write-back cache in the kernel, reads are not seen here. */
	if (fs->caller.keeps_times)
		atomic_store_explicit(&in->copies.of_holes, HOLE_CACHED,
		    memory_order_relaxed);
	mutex_lock(&in->mu);
	hid = inode_hides_all(in);
	if (is_more)
		in->opens.nwriters++;
	else if (in->opens.nwriters != 0)
		in->opens.nwriters--;
	hides = inode_hides_all(in);
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	return hides != hid;
}

bool
fs_writer_begin(struct fs *fs, uint64_t ino)
{
	return count_writer(fs, ino, true);
}

bool
fs_writer_end(struct fs *fs, uint64_t ino)
{
	return count_writer(fs, ino, false);
}

/* A hint: read without the inode's lock. */
static enum kv_room
room_kind(struct inode *in, uint64_t off, size_t len)
{
	uint64_t size;

	if (off == FS_APPEND)
		return KV_ROOM_ADD;
	mutex_lock(&in->mu);
	size = content_base_size(in);
	mutex_unlock(&in->mu);
	return off < size && len <= size - off ? KV_ROOM_REPLACE : KV_ROOM_ADD;
}

/* Commit what was just written, or as much of all as is worth a commit. */
static int
commit_written(struct fs *fs, struct inode *in, bool was_clean)
    REQUIRES(&in->change_mu, &in->mu)
{
	int rc;

	if (in->is_nameless)
		return 0;
	if (!fs->caller.stateless ||
	    !atomic_load_explicit(&fs->flush_on_close, memory_order_relaxed)) {
		/* After a failure they stay dirty; close or fsync reports
		 * it. */
		if (in->content->full_bytes >= FULL_BYTES)
			content_commit_full(fs, in);
		return 0;
	}
	rc = content_commit(fs, in);
	if (rc < 0 && was_clean)
		content_discard(fs, in);
	return rc;
}

static ssize_t
write_locked(struct fs *fs, struct inode *in, uint64_t off, struct slice data,
    unsigned how) REQUIRES(&in->change_mu, &in->mu)
{
	bool was_clean = in->content == NULL;
	struct timespec now;
	ssize_t n;
	int rc;

	mutex_assert_held(&in->change_mu);
	mutex_assert_held(&in->mu);
	if (off == FS_APPEND)
		off = inode_size(in);
	if (in->state != INODE_LIVE)
		return -ESTALE;
	if (off > SIZE_LIMIT || data.len > SIZE_LIMIT - off)
		return -EFBIG;
	n = content_write(fs, in, off, data, fs_change_time(fs, &now));
	if (n <= 0 || (how & FS_WRITE_MORE) != 0)
		return n;
	rc = commit_written(fs, in, was_clean);
	return rc < 0 ? rc : n;
}

ssize_t
fs_write_how(struct fs *fs, uint64_t ino, uint64_t off, struct slice data,
    unsigned how)
{
	unsigned tries = 0;
	struct inode *in;
	ssize_t n;
	int rc;

	if (fs->read_only)
		return -EROFS;
	rc = regular_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	n = 0;
	if (data.len == 0)
		goto out;
	n = writeback_throttle(fs);
	if (n == 0)
		n = space_ask(fs, room_kind(in, off, data.len), data.len);
	if (n < 0)
		goto out;
	counter_add(&fs->counters.writes, 1);
	do {
		inode_begin_change(in);
		n = write_locked(fs, in, off, data, how);
		inode_end_change(in);
	} while (space_retry(fs, (int)n, &tries));
	if (n > 0)
		counter_add(&fs->counters.write_bytes, (uint64_t)n);
out:
	inode_put(fs, in);
	rc = txn_settle(fs, 0);
	return n >= 0 && rc < 0 ? rc : n;
}

ssize_t
fs_write(struct fs *fs, uint64_t ino, uint64_t off, struct slice data)
{
	return fs_write_how(fs, ino, off, data, 0);
}

/* Commit the dirty contents of a file with a name; without a name it would not
 * be found after a crash. Takes no lock of a committer if it is clean. */
static int
commit_waiting(struct fs *fs, struct inode *in)
{
	bool is_waiting;
	int rc = 0;

	mutex_lock(&in->mu);
	is_waiting = in->content != NULL && !in->is_nameless;
	mutex_unlock(&in->mu);
	if (!is_waiting)
		return 0;
	inode_begin_change(in);
	if (in->state == INODE_LIVE && !in->is_nameless)
		rc = content_commit(fs, in);
	inode_end_change(in);
	return rc;
}

int
fs_flush(struct fs *fs, uint64_t ino)
{
	struct inode *in;
	int rc;

	if (!atomic_load_explicit(&fs->flush_on_close, memory_order_relaxed))
		return 0;
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	rc = commit_waiting(fs, in);
	/* Another thread may have committed what this descriptor wrote. */
	txn_wait_also(atomic_load_explicit(&in->commits.content_seq,
	    memory_order_seq_cst));
	inode_put(fs, in);
	return txn_settle(fs, rc);
}

int
fs_fsync(struct fs *fs, uint64_t ino)
{
	struct inode *in;
	uint64_t seq;
	int rc;

	if (ino == FS_ROOT_INO)
		return fs_sync(fs);
	rc = file_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	if (!fs->read_only)
		rc = commit_waiting(fs, in);
	seq = inode_is_dir(in) ?
	    UINT64_MAX :
	    atomic_load_explicit(&in->commits.seq, memory_order_seq_cst);
	inode_put(fs, in);
	if (rc == 0 && !fs->read_only)
		rc = kv_sync(fs->kv, seq);
	return txn_settle(fs, rc);
}
