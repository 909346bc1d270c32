/* SPDX-License-Identifier: ISC */
/*
 * Reading contents. Committed contents are not copied: the reply borrows
 * pinned values of the store, and one area of zeros for holes.
 *
 * Chunks are read without the inode's lock, so that readers of one file do not
 * wait for each other's disk. If a commit of contents has begun meanwhile
 * (content_gen), the read is repeated under the lock. A commit that began
 * earlier does no harm: it changes chunks that have buffers, which are read
 * instead. That of a partial buffer adds a patch and deletes those that it
 * covers: neither is read then, since the buffer's bytes lie over them. A merge
 * of patches goes through a whole buffer: it has begun before the plan, which
 * then sees that buffer, or it raises content_gen.
 */
#include <stdlib.h>
#include <string.h>

#include "fs/content.h"
#include "fs/dir.h"
#include "fs/fs_state.h"
#include "fs/fs_time.h"
#include "fs/inode.h"
#include "fs/inode_attr.h"
#include "fs/read_mix.h"
#include "util/stats.h"

static const uint8_t zeros[CHUNK_SIZE];

/* The part of one chunk that is read. */
struct slot {
	struct slice data; /* zeros follow */
	uint32_t from, n;
	bool is_fetched; /* from a chunk row */
	uint32_t mix; /* 1 + index of its read_mix; 0: none */
};

struct reading {
	uint64_t first; /* chunk */
	size_t count; /* of slots */
	struct slot *slots;
	struct read_mix *mixes;
	size_t nmixes; /* of chunks in several pieces */
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

/* The number of dirty bytes in whole buffers of chunks first to last. */
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
		if (!b->is_partial)
			n += b->len;
	return n;
}

/* Get memory for the reply: its own space suffices unless much is dirty. */
static int
read_prepare(struct inode *in, uint64_t off, size_t len, struct reading *g,
    struct fs_read *r) REQUIRES(&in->mu)
{
	uint64_t last = (off + len - 1) / CHUNK_SIZE;
	size_t ncopy, pieces, slots, pins, mixes;
	uint8_t *mem;

	g->first = off / CHUNK_SIZE;
	g->count = (size_t)(last - g->first + 1);
	g->nmixes = read_mix_count(in, off, len);
	ncopy = dirty_bytes(in, g->first, last);
	if (g->nmixes != 0)
		ncopy += 2 * len;
	mixes = g->nmixes * sizeof(struct read_mix);
	pins = g->count * sizeof(struct kv_value);
	slots = g->count * sizeof(struct slot);
	pieces = 2 * g->count * sizeof(struct slice);
	mem = r->space;
	if (pins + slots + mixes + pieces + ncopy > sizeof(r->space)) {
		mem = malloc(pins + slots + mixes + pieces + ncopy);
		if (mem == NULL)
			return -ENOMEM;
		r->owned = mem;
	}
	memset(mem, 0, pins + slots);
	r->pins = (struct kv_value *)mem;
	r->npins = g->count;
	g->slots = (struct slot *)(mem + pins);
	g->mixes = (struct read_mix *)(mem + pins + slots);
	r->pieces = (struct slice *)(mem + pins + slots + mixes);
	g->copy = mem + pins + slots + mixes + pieces;
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

/* The same for a chunk in several pieces, the mix-th. */
static void
plan_mix(const struct inode *in, struct reading *g, size_t i, uint32_t mix)
    REQUIRES(&in->mu)
{
	struct slot *s = &g->slots[i];
	struct read_mix *m = &g->mixes[mix - 1];
	uint8_t *mem = g->copy;

	g->copy += 2 * (size_t)s->n;
	s->is_fetched = read_mix_plan(in, g->first + i, s->from, s->n, m, mem);
	if (s->is_fetched)
		s->mix = mix;
	else
		s->data = slice_make(m->dirty, s->n);
}

/* Under the lock: copy dirty bytes, take inline bytes, and note which chunks
 * must be read from rows. */
static int
read_plan(struct fs *fs, struct inode *in, struct reading *g, struct fs_read *r)
    REQUIRES(&in->mu)
{
	struct content *c = in->content;
	uint32_t mixed = 0;
	struct slice data;
	struct dbuf *b;
	int rc;

	g->base_size = content_base_size(in);
	for (size_t i = 0; i < g->count; i++) {
		struct slot *s = &g->slots[i];

		b = c != NULL ? content_find(c, g->first + i) : NULL;
		if (mixed < g->nmixes &&
		    read_mix_is_needed(in, g->first + i, s->from, s->n)) {
			plan_mix(in, g, i, ++mixed);
		} else if (b != NULL && !b->is_partial) {
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

/* Read the row of a chunk; *datap is empty when there is none. */
static int
fetch_row(struct fs *fs, uint64_t ino, uint64_t index, uint64_t base_size,
    struct kv_value *pin, struct slice *datap)
{
	uint64_t end = base_size > index * CHUNK_SIZE ?
	    base_size - index * CHUNK_SIZE :
	    0;
	uint8_t space[8];
	struct kv_key key = key_chunk(ino, index, space);
	int rc = kv_get(fs->kv, &key, NULL, pin);

	if (rc < 0)
		return rc == -ENOENT ? 0 : rc;
	rc = schema_get_chunk(pin->data, datap);
	/* Bytes beyond the size are not contents. */
	if (datap->len > end)
		datap->len = (size_t)end;
	return inode_bad_row(ino, (struct slice){ 0 }, rc);
}

/* Read one chunk, and patches over it. */
static int
fetch_chunk(struct fs *fs, uint64_t ino, const struct reading *g, size_t i,
    struct kv_value *pin)
{
	struct slot *s = &g->slots[i];
	struct read_mix *m = s->mix != 0 ? &g->mixes[s->mix - 1] : NULL;
	struct slice data = { 0 };
	int rc = 0;

	if (m == NULL || m->has_chunk)
		rc = fetch_row(fs, ino, g->first + i, g->base_size, pin, &data);
	if (rc < 0)
		return rc;
	if (m != NULL)
		return read_mix_fetch(fs, ino, g->first + i, s->from, s->n,
		    data, m, &s->data);
	slot_set(s, data);
	return 0;
}

/* Read the chunk rows; with or without the lock. */
static int
read_fetch_chunks(struct fs *fs, uint64_t ino, const struct reading *g,
    struct fs_read *r)
{
	int rc = 0;

	for (size_t i = 0; i < g->count && rc == 0; i++)
		if (g->slots[i].is_fetched)
			rc = fetch_chunk(fs, ino, g, i, &r->pins[i]);
	return rc;
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
	enum hole_copies now = atomic_load_explicit(&in->copies.of_holes,
	    memory_order_relaxed);

	if (now != HOLE_UNREAD && now != HOLE_LEAVING)
		return;
	mutex_lock(&in->mu);
	(void)atomic_compare_exchange_strong_explicit(&in->copies.of_holes,
	    &now, HOLE_READ, memory_order_relaxed, memory_order_relaxed);
	r->blocks_changed = inode_hides_all(in);
	mutex_unlock(&in->mu);
}

/* Try to read. -EAGAIN: contents were changed meanwhile. */
static int
read_once(struct fs *fs, struct inode *in, uint64_t off, size_t len,
    bool is_locked, bool keep_atime, struct fs_read *r)
{
	struct reading g = { 0 };
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
	rc = inode_patches_load(fs, in);
	if (rc == 0)
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
	if (rc == -KVFS_ECORRUPT && g.nmixes != 0)
		inode_bad_row(in->ino, (struct slice){ 0 }, rc);
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
	if (fs->atime == FS_ATIME_NEVER || regular_get(fs, ino, &in) < 0)
		return false;
	now = fs_now();
	mutex_lock(&in->mu);
	is_due = inode_atime_is_due(fs, in, &now);
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
