/* SPDX-License-Identifier: ISC */
/* Varints and the bounds-checked cursor; see coding.h. */
#include "util/coding.h"

size_t
put_varint(uint8_t *p, uint64_t v)
{
	size_t n = 0;

	while (v >= 0x80) {
		p[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	p[n++] = (uint8_t)v;
	return n;
}

size_t
get_varint(const uint8_t *p, const uint8_t *end, uint64_t *vp)
{
	uint64_t v = 0;
	size_t n = 0;

	*vp = 0;
	while (p + n < end && n < VARINT_MAX_BYTES) {
		uint8_t byte = p[n];

		/* The tenth byte may hold one bit only. */
		if (n == VARINT_MAX_BYTES - 1 && byte > 1)
			return 0;
		v |= (uint64_t)(byte & 0x7f) << (7 * n);
		n++;
		if ((byte & 0x80) == 0) {
			*vp = v;
			return n;
		}
	}
	return 0;
}

/* Advance by n bytes and return them; NULL, and ok is false, if there are
 * fewer. */
static const uint8_t *
cursor_take(struct cursor *c, uint64_t n)
{
	const uint8_t *p = c->p;

	if (!c->ok || n > cursor_left(c)) {
		c->ok = false;
		return NULL;
	}
	c->p += n;
	return p;
}

uint8_t
cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);

	return p != NULL ? *p : 0;
}

uint32_t
cursor_u32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, sizeof(uint32_t));

	return p != NULL ? get_le32(p) : 0;
}

uint64_t
cursor_u64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, sizeof(uint64_t));

	return p != NULL ? get_le64(p) : 0;
}

uint64_t
cursor_varint(struct cursor *c)
{
	uint64_t v = 0;
	size_t n = c->ok ? get_varint(c->p, c->end, &v) : 0;

	if (n == 0) {
		c->ok = false;
		return 0;
	}
	c->p += n;
	return v;
}

struct slice
cursor_bytes(struct cursor *c, uint64_t len)
{
	const uint8_t *p = cursor_take(c, len);

	return slice_make(p, p != NULL ? len : 0);
}

struct slice
cursor_lenslice(struct cursor *c)
{
	return cursor_bytes(c, cursor_varint(c));
}
