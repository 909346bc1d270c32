/* SPDX-License-Identifier: ISC */
/*
 * Encodes integers as bytes: little-endian for formats, big-endian for keys,
 * and LEB128 varints. The cursor reads untrusted bytes: it never reads beyond
 * its end; after the first failure ok is false, and all reads return zero.
 */
#ifndef KVFS_UTIL_CODING_H
#define KVFS_UTIL_CODING_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "kvfs/slice.h"

static inline void
put_le32(void *p, uint32_t v)
{
	v = htole32(v);
	memcpy(p, &v, sizeof(v));
}
static inline void
put_le64(void *p, uint64_t v)
{
	v = htole64(v);
	memcpy(p, &v, sizeof(v));
}
static inline void
put_be64(void *p, uint64_t v)
{
	v = htobe64(v);
	memcpy(p, &v, sizeof(v));
}
static inline void
put_be16(void *p, uint16_t v)
{
	v = htobe16(v);
	memcpy(p, &v, sizeof(v));
}
static inline uint32_t
get_le32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return le32toh(v);
}
static inline uint64_t
get_le64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}
static inline uint64_t
get_be64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}
static inline uint16_t
get_be16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return be16toh(v);
}

/* The length of the common prefix of a and b, at most n. */
static inline size_t
common_prefix(const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;

	while (n - i >= sizeof(uint64_t)) {
		uint64_t x = get_le64(a + i) ^ get_le64(b + i);

		if (x != 0)
			return i + (size_t)__builtin_ctzll(x) / 8;
		i += sizeof(uint64_t);
	}
	while (i < n && a[i] == b[i])
		i++;
	return i;
}

#define VARINT_MAX_BYTES 10
/* Returns the bytes written, at most VARINT_MAX_BYTES. */
size_t put_varint(uint8_t *p, uint64_t v);
/* Returns the bytes read from p..end; 0 if there is no valid varint. */
size_t get_varint(const uint8_t *p, const uint8_t *end, uint64_t *vp);

struct cursor {
	const uint8_t *p, *end;
	bool ok;
};

static inline struct cursor
cursor_make(struct slice s)
{
	const uint8_t *p = s.data;

	return (struct cursor){ p, p + s.len, true };
}
static inline size_t
cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}
uint8_t cursor_u8(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
uint64_t cursor_varint(struct cursor *c);
struct slice cursor_bytes(struct cursor *c, uint64_t len);
struct slice cursor_lenslice(struct cursor *c);

#endif
