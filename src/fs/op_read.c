/* SPDX-License-Identifier: ISC */
/*
 * Reading contents. Committed contents are not copied: the reply borrows
 * pinned values of the store, and one area of zeros for holes.
 *
 * Chunks are read without the inode's lock, so that readers of one file do not
 * wait for each other's disk. If a commit of contents has begun meanwhile
 * (content_gen), the read is repeated under the lock. A commit that began
 * earlier does no harm: it changes chunks that have buffers, which are read
 * instead.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_attr.h"
#include "util/stats.h"

static const uint8_t zeros[CHUNK_SIZE];

/* The part of one chunk that is read. */
struct slot {
	struct slice data; /* zeros follow */
	uint32_t from, n;
	bool is_fetched; /* from a chunk row */
};

struct reading {
	uint64_t first; /* chunk */
	size_t count; /* of slots */
	struct slot *slots;
	uint8_t *copy; /* memory for copies of dirty bytes */
	uint64_t base_size; /* at the time of read_plan() */
};

/* data: the chunk's bytes. Keep the part that is read. */
static void
slot_set(struct slot *s, struct slice data)
{
	if (data.len <= s->from)
		return;
	s->data.data = (const uint8_t *)data.data + s->from;
	s->data.len = data.len - s->from;
	if (s->data.len > s->n)
		s->data.len = s->n;
}

/* The number of dirty bytes in chunks first to last. */
static size_t
dirty_bytes(const struct inode *in, uint64_t first, uint64_t last)
{
	struct dbuf *b;
	size_t n = 0;

	if (in->content == NULL)
		return 0;
	b = content_next(in->content, first);
	for (; b != NULL && b->index <= last;
	     b = RB_NEXT(dbuf_tree, &in->content->bufs, b))
		n += b->len;
	return n;
}

/* Get memory for the reply: its own space suffices unless much is dirty. */
static int
read_prepare(struct inode *in, uint64_t off, size_t len, struct reading *g,
    struct fs_read *r)
{
	uint64_t last = (off + len - 1) / CHUNK_SIZE;
	size_t ndirty, pieces, slots, pins;
	uint8_t *mem;

	g->first = off / CHUNK_SIZE;
	g->count = (size_t)(last - g->first + 1);
	ndirty = dirty_bytes(in, g->first, last);
	pins = g->count * sizeof(struct kv_value);
	slots = g->count * sizeof(struct slot);
	pieces = 2 * g->count * sizeof(struct slice);
	mem = r->space;
	if (pins + slots + pieces + ndirty > sizeof(r->space)) {
		mem = malloc(pins + slots + pieces + ndirty);
		if (mem == NULL)
			return -ENOMEM;
		r->owned = mem;
	}
	memset(mem, 0, pins + slots);
	r->pins = (struct kv_value *)mem;
	r->npins = g->count;
	g->slots = (struct slot *)(mem + pins);
	r->pieces = (struct slice *)(mem + pins + slots);
	g->copy = mem + pins + slots + pieces;
	for (size_t i = 0; i < g->count; i++) {
		struct slot *s = &g->slots[i];

		s->from = i == 0 ? (uint32_t)(off % CHUNK_SIZE) : 0;
		s->n = CHUNK_SIZE - s->from;
		if (s->n > len)
			s->n = (uint32_t)len;
		len -= s->n;
	}
	return 0;
}

/* Under the lock: copy dirty bytes, take inline bytes, and note which chunks
 * must be read from rows. */
static int
read_plan(struct fs *fs, struct inode *in, struct reading *g, struct fs_read *r)
    REQUIRES(&in->mu)
{
	struct content *c = in->content;
	struct slice data;
	struct dbuf *b;
	int rc;

	g->base_size = content_base_size(in);
	for (size_t i = 0; i < g->count; i++) {
		struct slot *s = &g->slots[i];

		b = c != NULL ? content_find(c, g->first + i) : NULL;
		if (b != NULL) {
			if (b->len <= s->from)
				continue;
			slot_set(s, slice_make(dbuf_data(b), b->len));
			memcpy(g->copy, s->data.data, s->data.len);
			s->data.data = g->copy;
			g->copy += s->data.len;
		} else if ((in->rec.flags & ATTR_CHUNKS) != 0) {
			s->is_fetched = g->first + i < chunks_of(g->base_size);
		} else if (g->first + i == 0) {
			rc = content_base_chunk(fs, in, 0, &r->pins[0], &data);
			if (rc < 0)
				return rc;
			slot_set(s, data);
		}
	}
	return 0;
}

/* Read the chunk rows; with or without the lock. */
static int
read_fetch_chunks(struct fs *fs, uint64_t ino, const struct reading *g,
    struct fs_read *r)
{
	uint8_t space[8];
	struct kv_key key;
	struct slice data;
	uint64_t end;
	int rc;

	for (size_t i = 0; i < g->count; i++) {
		if (!g->slots[i].is_fetched)
			continue;
		key = key_chunk(ino, g->first + i, space);
		rc = kv_get(fs->kv, &key, NULL, &r->pins[i]);
		if (rc == -ENOENT)
			continue;
		if (rc < 0)
			return rc;
		rc = schema_get_chunk(r->pins[i].data, &data);
		if (rc < 0)
			return inode_bad_row(ino, (struct slice){ 0 }, rc);
		/* Bytes beyond the size are not contents. */
		end = g->base_size - (g->first + i) * CHUNK_SIZE;
		if (data.len > end)
			data.len = end;
		slot_set(&g->slots[i], data);
	}
	return 0;
}

/* Fill in the pieces of the reply. Is a part of a hole among them? */
static bool
read_assemble(const struct reading *g, struct fs_read *r)
{
	bool has_hole = false;

	for (size_t i = 0; i < g->count; i++) {
		const struct slot *s = &g->slots[i];

		if (s->data.len != 0)
			r->pieces[r->count++] = s->data;
		if (s->data.len < s->n) {
			r->pieces[r->count++] = slice_make(zeros,
			    s->n - s->data.len);
			has_hole = true;
		}
		r->bytes += s->n;
	}
	return has_hole;
}

/* The kernel may cache pages of a hole, and the rest of the last page, which
 * may become part of a hole; see enum hole_copies. */
static void
share_hole(struct inode *in, struct fs_read *r)
{
	enum hole_copies unread = HOLE_UNREAD;

	if (atomic_load_explicit(&in->copies.of_holes, memory_order_relaxed) !=
	    unread)
		return;
	mutex_lock(&in->mu);
	(void)atomic_compare_exchange_strong_explicit(&in->copies.of_holes,
	    &unread, HOLE_READ, memory_order_relaxed, memory_order_relaxed);
	r->blocks_changed = inode_hides_all(in);
	mutex_unlock(&in->mu);
}

/* Try to read. -EAGAIN: contents were changed meanwhile. */
static int
read_once(struct fs *fs, struct inode *in, uint64_t off, size_t len,
    bool is_locked, bool keep_atime, struct fs_read *r)
{
	struct reading g;
	uint64_t size, gen;
	int rc = 0;

	mutex_lock(&in->mu);
	size = inode_size(in);
	if (in->state != INODE_LIVE)
		rc = -ESTALE;
	if (rc < 0 || off >= size || len == 0) {
		mutex_unlock(&in->mu);
		return rc;
	}
	if (len > size - off)
		len = (size_t)(size - off);
	rc = read_prepare(in, off, len, &g, r);
	if (rc == 0)
		rc = read_plan(fs, in, &g, r);
	if (rc == 0 && !keep_atime)
		inode_accessed(fs, in);
	if (is_locked && rc == 0)
		rc = read_fetch_chunks(fs, in->ino, &g, r);
	gen = atomic_load_explicit(&in->commits.content_gen,
	    memory_order_seq_cst);
	mutex_unlock(&in->mu);
	if (!is_locked && rc == 0) {
		rc = read_fetch_chunks(fs, in->ino, &g, r);
		if (atomic_load_explicit(&in->commits.content_gen,
			memory_order_seq_cst) != gen)
			rc = -EAGAIN;
	}
	if (rc == 0 && (read_assemble(&g, r) || off + len == size))
		share_hole(in, r);
	return rc;
}

/* Set all fields to zero, except space. */
static void
read_clear(struct fs_read *r)
{
	memset(r, 0, offsetof(struct fs_read, space));
}

int
fs_read_how(struct fs *fs, uint64_t ino, uint64_t off, size_t len, unsigned how,
    struct fs_read *rp)
{
	bool keep_atime = (how & FS_READ_NOATIME) != 0;
	struct inode *in;
	int rc;

	read_clear(rp);
	rc = regular_get(fs, ino, &in);
	if (rc < 0)
		return rc;
	/* Set before the read, so that a later writer sees it. */
	if ((how & FS_READ_DIRECT) == 0 &&
	    !atomic_load_explicit(&in->copies.is_shared, memory_order_seq_cst))
		atomic_store_explicit(&in->copies.is_shared, true,
		    memory_order_seq_cst);
	rc = read_once(fs, in, off, len, false, keep_atime, rp);
	if (rc == -EAGAIN) {
		fs_read_done(rp);
		rc = read_once(fs, in, off, len, true, keep_atime, rp);
	}
	inode_put(fs, in);
	if (rc < 0)
		fs_read_done(rp);
	counter_add(&fs->counters.reads, 1);
	counter_add(&fs->counters.read_bytes, rp->bytes);
	return rc;
}

int
fs_read(struct fs *fs, uint64_t ino, uint64_t off, size_t len,
    struct fs_read *rp)
{
	return fs_read_how(fs, ino, off, len, 0, rp);
}

bool
fs_is_shared(struct fs *fs, uint64_t ino)
{
	struct inode *in = inode_get(fs, ino);
	bool is_shared = in != NULL &&
	    atomic_load_explicit(&in->copies.is_shared, memory_order_seq_cst);

	inode_put(fs, in);
	return is_shared;
}

bool
fs_atime_is_due(struct fs *fs, uint64_t ino, uint64_t *sizep)
{
	struct timespec now;
	struct inode *in;
	bool is_due;

	*sizep = 0;
	if (!atomic_load_explicit(&fs->atime, memory_order_relaxed) ||
	    fs->read_only || regular_get(fs, ino, &in) < 0)
		return false;
	now = fs_now();
	mutex_lock(&in->mu);
	is_due = inode_atime_is_due(in, &now);
	*sizep = inode_size(in);
	mutex_unlock(&in->mu);
	inode_put(fs, in);
	return is_due;
}

void
fs_read_done(struct fs_read *r)
{
	for (size_t i = 0; i < r->npins; i++)
		kv_value_release(&r->pins[i]);
	free(r->owned);
	read_clear(r);
}
