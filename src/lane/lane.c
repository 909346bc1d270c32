/* SPDX-License-Identifier: ISC */
/* Messages of the fast lane; see lane.h. */
#include "lane/lane.h"

#include <errno.h>

#include "util/coding.h"

size_t
lane_begin(struct buf *m, enum lane_type type)
{
	size_t begin = m->len;

	buf_put_u32(m, 0);
	buf_put_u32(m, type);
	return begin;
}

int
lane_end(struct buf *m, size_t begin)
{
	size_t len;

	if (buf_error(m) < 0)
		return buf_error(m);
	len = m->len - begin - LANE_HEAD;
	if (len > LANE_MESSAGE_MAX) {
		m->len = begin;
		return -E2BIG;
	}
	put_le32(m->data + begin, (uint32_t)len);
	return 0;
}

static int
lane_check(const struct cursor *c)
{
	return c->ok && cursor_left(c) == 0 ? 0 : -EPROTO;
}

int
lane_put_hello(struct buf *m, const struct lane_hello *h)
{
	size_t at = lane_begin(m, LANE_HELLO);

	buf_put_u32(m, LANE_VERSION);
	buf_put_u32(m, h->work);
	buf_put_u32(m, h->flags);
	buf_put_u32(m, h->umask);
	buf_put_lenslice(m, h->base);
	return lane_end(m, at);
}

int
lane_get_hello(struct slice m, struct lane_hello *h)
{
	struct cursor c = cursor_make(m);

	*h = (struct lane_hello){ 0 };
	/* Of another version no more is known. */
	if (cursor_u32(&c) != LANE_VERSION)
		return -EPROTO;
	h->work = cursor_u32(&c);
	h->flags = cursor_u32(&c);
	h->umask = cursor_u32(&c) & 0777u;
	h->base = cursor_lenslice(&c);
	return lane_check(&c);
}

static void
put_time(struct buf *m, const struct timespec *t)
{
	buf_put_u64(m, (uint64_t)t->tv_sec);
	buf_put_u32(m, (uint32_t)t->tv_nsec);
}

static struct timespec
get_time(struct cursor *c)
{
	struct timespec t = { .tv_sec = (time_t)cursor_u64(c) };

	t.tv_nsec = cursor_u32(c);
	return t;
}

int
lane_put_entry(struct buf *m, const struct lane_entry *le)
{
	size_t at = lane_begin(m, LANE_ENTRY);
	const struct fs_bulk_entry *e = &le->e;

	buf_put_lenslice(m, e->path);
	buf_put_u64(m, e->tag);
	buf_put_u32(m, e->mode);
	buf_put_u32(m, e->valid);
	buf_put_u32(m, e->uid);
	buf_put_u32(m, e->gid);
	buf_put_u64(m, e->rdev);
	put_time(m, &e->atime);
	put_time(m, &e->mtime);
	buf_put_lenslice(m, e->target);
	buf_put_u8(m, e->is_value);
	buf_put_u64(m, le->ino);
	buf_put_u64(m, le->size);
	buf_put_u64(m, le->blocks);
	buf_put_u32(m, le->nlink);
	buf_put_varint(m, e->nxattrs);
	for (size_t i = 0; i < e->nxattrs; i++) {
		buf_put_lenslice(m, e->xattrs[i].name);
		buf_put_lenslice(m, e->xattrs[i].value);
	}
	return lane_end(m, at);
}

int
lane_get_entry(struct slice m, struct lane_entry *le)
{
	struct cursor c = cursor_make(m);
	struct fs_bulk_entry *e = &le->e;

	e->path = cursor_lenslice(&c);
	e->tag = cursor_u64(&c);
	e->mode = cursor_u32(&c);
	e->valid = cursor_u32(&c);
	e->uid = cursor_u32(&c);
	e->gid = cursor_u32(&c);
	e->rdev = cursor_u64(&c);
	e->atime = get_time(&c);
	e->mtime = get_time(&c);
	e->target = cursor_lenslice(&c);
	e->is_value = cursor_u8(&c) != 0;
	le->ino = cursor_u64(&c);
	le->size = cursor_u64(&c);
	le->blocks = cursor_u64(&c);
	le->nlink = cursor_u32(&c);
	e->nxattrs = (size_t)cursor_varint(&c);
	e->xattrs = le->xattrs;
	if (e->nxattrs > LANE_XATTRS_MAX)
		return -EPROTO;
	for (size_t i = 0; i < e->nxattrs; i++) {
		le->xattrs[i].name = cursor_lenslice(&c);
		le->xattrs[i].value = cursor_lenslice(&c);
	}
	return lane_check(&c);
}

int
lane_put_data(struct buf *m, uint64_t off, struct slice data)
{
	size_t at = lane_begin(m, LANE_DATA);

	buf_put_u64(m, off);
	buf_append_slice(m, data);
	return lane_end(m, at);
}

int
lane_get_data(struct slice m, uint64_t *offp, struct slice *datap)
{
	struct cursor c = cursor_make(m);

	*offp = cursor_u64(&c);
	*datap = cursor_bytes(&c, cursor_left(&c));
	return lane_check(&c);
}

int
lane_put_end_file(struct buf *m, uint64_t size, bool is_whole)
{
	size_t at = lane_begin(m, LANE_END_FILE);

	buf_put_u64(m, size);
	buf_put_u8(m, is_whole);
	return lane_end(m, at);
}

int
lane_get_end_file(struct slice m, uint64_t *sizep, bool *is_wholep)
{
	struct cursor c = cursor_make(m);

	*sizep = cursor_u64(&c);
	*is_wholep = cursor_u8(&c) != 0;
	return lane_check(&c);
}

int
lane_put_link(struct buf *m, struct slice path, struct slice target,
    uint64_t tag)
{
	size_t at = lane_begin(m, LANE_LINK);

	buf_put_lenslice(m, path);
	buf_put_lenslice(m, target);
	buf_put_u64(m, tag);
	return lane_end(m, at);
}

int
lane_get_link(struct slice m, struct slice *pathp, struct slice *targetp,
    uint64_t *tagp)
{
	struct cursor c = cursor_make(m);

	*pathp = cursor_lenslice(&c);
	*targetp = cursor_lenslice(&c);
	*tagp = cursor_u64(&c);
	return lane_check(&c);
}

int
lane_put_path(struct buf *m, enum lane_type type, struct slice path,
    uint64_t tag)
{
	size_t at = lane_begin(m, type);

	buf_put_lenslice(m, path);
	buf_put_u64(m, tag);
	return lane_end(m, at);
}

int
lane_get_path(struct slice m, struct slice *pathp, uint64_t *tagp)
{
	struct cursor c = cursor_make(m);

	*pathp = cursor_lenslice(&c);
	*tagp = cursor_u64(&c);
	return lane_check(&c);
}

int
lane_put_result(struct buf *m, enum lane_type type, const struct lane_result *r)
{
	size_t at = lane_begin(m, type);

	buf_put_u32(m, (uint32_t)r->rc);
	buf_put_u64(m, r->tag);
	buf_put_u64(m, r->stored);
	buf_put_u64(m, r->failures);
	buf_put_lenslice(m, r->path);
	return lane_end(m, at);
}

int
lane_get_result(struct slice m, struct lane_result *r)
{
	struct cursor c = cursor_make(m);

	r->rc = (int32_t)cursor_u32(&c);
	r->tag = cursor_u64(&c);
	r->stored = cursor_u64(&c);
	r->failures = cursor_u64(&c);
	r->path = cursor_lenslice(&c);
	if (r->rc > 0)
		return -EPROTO;
	return lane_check(&c);
}
