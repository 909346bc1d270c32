/* SPDX-License-Identifier: ISC */
/*
 * Ranges of contents: fallocate, SEEK_DATA and SEEK_HOLE, copy_file_range.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <unistd.h>

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_attr.h"
#include "fs/inode_commit.h"
#include "fs/inode_patches.h"

/* fs_copy_range() copies so many bytes at a time. */
#define COPY_BYTES (1u << 20)

/* Change the contents by mode, with the inode locked. */
static int
range_allocate(struct fs *fs, struct inode *in, int mode, uint64_t off,
    uint64_t end) REQUIRES(&in->change_mu, &in->mu)
{
	struct timespec space;
	const struct timespec *now = fs_change_time(fs, &space);
	bool is_zeroed =
	    (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) != 0;
	bool is_grown = (mode & FALLOC_FL_KEEP_SIZE) == 0 &&
	    end > inode_size(in);
	int rc = 0;

	if (in->state != INODE_LIVE)
		return -ESTALE;
	if (is_zeroed)
		rc = content_punch(fs, in, off, end, now);
	if (rc == 0 && is_grown)
		rc = content_truncate(fs, in, end, now);
	if (rc == 0 && in->opens.n == 0)
		rc = content_commit(fs, in);
	return rc;
}

int
fs_fallocate(struct fs *fs, uint64_t ino, int mode, uint64_t off, uint64_t len)
{
	struct inode *in;
	int rc;

	if (fs->read_only)
		return -EROFS;
	switch (mode) {
	case 0:
	case FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE:
	case FALLOC_FL_ZERO_RANGE:
	case FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE:
		break;
	default:
		return -EOPNOTSUPP;
	}
	if (len == 0)
		return -EINVAL;
	if (off > SIZE_LIMIT || len > SIZE_LIMIT - off)
		return -EFBIG;
	rc = regular_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	rc = writeback_throttle(fs);
	/* No space is reserved, but what cannot fit is refused. */
	if (rc == 0 && (mode & ~FALLOC_FL_KEEP_SIZE) == 0)
		rc = space_ask(fs, KV_ROOM_ADD, len);
	if (rc == 0) {
		inode_begin_change(in);
		rc = range_allocate(fs, in, mode, off, off + len);
		inode_end_change(in);
	}
	inode_put(fs, in);
	return txn_settle(fs, rc);
}

bool
fs_holes_leave(struct fs *fs, uint64_t ino)
{
	enum hole_copies read = HOLE_READ;
	struct inode *in;
	bool is_hidden;

	if (!fs->caller.stateless || regular_get(fs, ino, &in) < 0)
		return false;
	mutex_lock(&in->mu);
	is_hidden = inode_hides_data(in) &&
	    (in->content != NULL || !content_base_is_dense(in));
	mutex_unlock(&in->mu);
	if (is_hidden)
		(void)atomic_compare_exchange_strong_explicit(&in->copies
								   .of_holes,
		    &read, HOLE_LEAVING, memory_order_relaxed,
		    memory_order_relaxed);
	inode_put(fs, in);
	return is_hidden;
}

void
fs_holes_left(struct fs *fs, uint64_t ino)
{
	enum hole_copies leaving = HOLE_LEAVING;
	struct inode *in = inode_get(fs, ino);

	if (in == NULL)
		return;
	(void)atomic_compare_exchange_strong_explicit(&in->copies.of_holes,
	    &leaving, HOLE_UNREAD, memory_order_relaxed, memory_order_relaxed);
	inode_put(fs, in);
}

/* An iteration over the chunks with data, dirty and committed ones. */
struct walk {
	struct fs *fs;
	struct inode *in;
	struct kv_iter *it; /* over the base's chunks; NULL: none */
	bool has_base; /* base_* is the base's next chunk */
	uint64_t base_index;
	uint64_t base_len;
};

static int
walk_begin(struct walk *w, struct fs *fs, struct inode *in, uint64_t index)
    REQUIRES(&in->mu)
{
	uint8_t space[8];
	struct kv_key key;
	int rc;

	*w = (struct walk){ .fs = fs, .in = in };
	if (content_base_size(in) == 0)
		return 0;
	if ((in->rec.flags & ATTR_CHUNKS) == 0) {
		w->has_base = in->rec.inline_len != 0;
		w->base_len = in->rec.inline_len;
		return 0;
	}
	key = key_chunk(in->ino, index, space);
	rc = inode_patches_load(fs, in);
	return rc < 0 ?
	    rc :
	    kv_iter_open(fs->kv, &key, KV_SCOPE_GROUP, NULL, &w->it);
}

/* Set base_* to the base's first chunk at or after index. */
static int
walk_base(struct walk *w, uint64_t index)
{
	uint64_t size = content_base_size(w->in), row_len;
	struct slice value, data;
	struct kv_key key;
	int rc;

	while (!w->has_base || w->base_index < index) {
		w->has_base = false;
		if (w->it == NULL)
			return 0;
		rc = kv_iter_next(w->it);
		if (rc <= 0)
			return rc;
		key = kv_iter_key(w->it);
		rc = key_chunk_index(&key, &w->base_index);
		if (rc == 0)
			rc = kv_iter_value(w->it, &value);
		if (rc == 0)
			rc = schema_get_chunk(value, &data);
		if (rc != 0)
			return inode_bad_row(w->in->ino, (struct slice){ 0 },
			    rc);
		if (w->base_index >= chunks_of(size))
			return 0;
		w->base_len = size - w->base_index * CHUNK_SIZE;
		row_len = patch_chunk_end(
		    inode_patches_of(w->in, w->base_index));
		if (row_len < data.len)
			row_len = data.len;
		if (row_len < w->base_len)
			w->base_len = row_len;
		w->has_base = true;
	}
	return 0;
}

/* Find the first data at or after chunk index: 1 and [*startp, *endp), or 0. */
static int
walk_next(struct walk *w, uint64_t index, uint64_t *startp, uint64_t *endp)
{
	struct content *c = w->in->content;
	struct dbuf *b;
	uint64_t len;
	int rc;

	*startp = *endp = 0;
	for (;; index++) {
		rc = walk_base(w, index);
		if (rc < 0)
			return rc;
		b = c != NULL ? content_next(c, index) : NULL;
		if (b == NULL && !w->has_base)
			return 0;
		if (b != NULL && (!w->has_base || b->index <= w->base_index)) {
			index = b->index;
			len = b->len;
		} else {
			index = w->base_index;
			len = w->base_len;
		}
		if (len != 0)
			break;
	}
	*startp = index * CHUNK_SIZE;
	*endp = *startp + len;
	return 1;
}

static int64_t
range_seek(struct walk *w, uint64_t off, int whence)
{
	uint64_t pos = off, start, end;
	int rc;

	while ((rc = walk_next(w, pos / CHUNK_SIZE, &start, &end)) == 1) {
		if (whence == SEEK_DATA && end > pos)
			return (int64_t)(start > pos ? start : pos);
		if (whence == SEEK_HOLE && (start > pos || end <= pos))
			break;
		/* Data up to the end of a chunk may continue in the next. */
		if (whence == SEEK_HOLE && end % CHUNK_SIZE != 0)
			return (int64_t)end;
		pos = whence == SEEK_HOLE ?
		    end :
		    (start / CHUNK_SIZE + 1) * CHUNK_SIZE;
	}
	if (rc < 0)
		return rc;
	return whence == SEEK_DATA ? -ENXIO : (int64_t)pos;
}

int64_t
fs_lseek(struct fs *fs, uint64_t ino, uint64_t off, int whence)
{
	struct walk w = { 0 };
	struct inode *in;
	bool is_stored = (whence & FS_SEEK_STORED) != 0;
	uint64_t size;
	int64_t rc;

	whence &= ~FS_SEEK_STORED;
	if (whence != SEEK_DATA && whence != SEEK_HOLE)
		return -EINVAL;
	rc = regular_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	mutex_lock(&in->mu);
	size = inode_size(in);
	if (off >= size) {
		rc = -ENXIO;
	} else if ((in->content == NULL && content_base_is_dense(in)) ||
	    (!is_stored && inode_hides_data(in))) {
		rc = (int64_t)(whence == SEEK_DATA ? off : size);
	} else {
		rc = walk_begin(&w, fs, in, off / CHUNK_SIZE);
		if (rc == 0)
			rc = range_seek(&w, off, whence);
		if (rc > (int64_t)size)
			rc = (int64_t)size;
	}
	mutex_unlock(&in->mu);
	kv_iter_close(w.it);
	inode_put(fs, in);
	return rc;
}

ssize_t
fs_copy_range(struct fs *fs, uint64_t ino_in, uint64_t off_in, uint64_t ino_out,
    uint64_t off_out, size_t len)
{
	struct fs_read r;
	size_t done = 0, end;
	ssize_t n = 0;
	int rc;

	if (off_in > SIZE_LIMIT || off_out > SIZE_LIMIT)
		return -EFBIG;
	if (len > SSIZE_MAX)
		len = SSIZE_MAX;
	while (done < len) {
		n = fs_read(fs, ino_in, off_in + done,
		    len - done < COPY_BYTES ? len - done : COPY_BYTES, &r);
		if (n < 0 || r.bytes == 0)
			break;
		end = done + r.bytes;
		for (size_t i = 0; n >= 0 && i < r.count; i++) {
			n = fs_write_how(fs, ino_out, off_out + done,
			    r.pieces[i], i + 1 < r.count ? FS_WRITE_MORE : 0);
			if (n >= 0)
				done += (size_t)n;
			if (n >= 0 && (size_t)n < r.pieces[i].len)
				break;
		}
		fs_read_done(&r);
		if (n < 0 || done < end)
			break;
	}
	/* Those before the failed write were left to its commit. */
	if (n < 0 && done != 0 && fs->caller.stateless) {
		rc = fs_flush(fs, ino_out);
		if (rc < 0)
			return rc;
	}
	return done != 0 || n >= 0 ? (ssize_t)done : n;
}
