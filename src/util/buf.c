/* SPDX-License-Identifier: ISC */
/* See buf.h. Growth doubles, so that n appends take O(n) time. */
#include "util/buf.h"

#include <errno.h>
#include <stdlib.h>

#include "util/coding.h"

void
buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->error = 0;
}

void *
buf_detach(struct buf *b)
{
	void *data = b->data;

	*b = (struct buf){ 0 };
	return data;
}

int
buf_reserve(struct buf *b, size_t more)
{
	size_t cap = b->cap != 0 ? b->cap : 64;
	uint8_t *data;

	if (b->error != 0)
		return b->error;
	/* An empty buffer gets memory even for 0 bytes: callers may add to its
	 * pointer, which must not be NULL. */
	if (b->data != NULL && b->cap - b->len >= more)
		return 0;
	if (more > SIZE_MAX / 2 - b->len)
		return b->error = -ENOMEM;
	while (cap < b->len + more)
		cap *= 2;
	data = realloc(b->data, cap);
	if (data == NULL)
		return b->error = -ENOMEM;
	b->data = data;
	b->cap = cap;
	return 0;
}

uint8_t *
buf_extend(struct buf *b, size_t n)
{
	uint8_t *p;

	if (buf_reserve(b, n) < 0)
		return NULL;
	p = b->data + b->len;
	b->len += n;
	return p;
}

void
buf_append(struct buf *b, const void *data, size_t len)
{
	uint8_t *p = buf_extend(b, len);

	if (p != NULL && len != 0)
		memcpy(p, data, len);
}

void
buf_append_slice(struct buf *b, struct slice s)
{
	buf_append(b, s.data, s.len);
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_append(b, &v, 1);
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t *p = buf_extend(b, sizeof(v));

	if (p != NULL)
		put_le32(p, v);
}

void
buf_put_u64(struct buf *b, uint64_t v)
{
	uint8_t *p = buf_extend(b, sizeof(v));

	if (p != NULL)
		put_le64(p, v);
}

void
buf_put_varint(struct buf *b, uint64_t v)
{
	if (buf_reserve(b, VARINT_MAX_BYTES) < 0)
		return;
	b->len += put_varint(b->data + b->len, v);
}

void
buf_put_lenslice(struct buf *b, struct slice s)
{
	buf_put_varint(b, s.len);
	buf_append_slice(b, s);
}
