/* SPDX-License-Identifier: ISC */
/*
 * Data blocks, read side; see block_reader.h.
 *
 * A search is binary over the restarts, then linear over entries. It does not
 * rebuild keys. It remembers how many bytes of the target the previous entry
 * has matched. An entry that shares more bytes than these with the previous one
 * sorts like that one; an entry that shares fewer sorts behind the target. So
 * bytes are compared only if the numbers are equal.
 */
#include "engine/table/block_reader.h"

#include "engine/table/table_format.h"

#define WORD sizeof(uint32_t)

/* The parts of a block. */
struct block {
	const uint8_t *restarts;
	uint32_t count; /* number of restarts */
	const uint8_t *keys, *keys_end;
	const uint8_t *values;
};

struct entry {
	uint32_t shared, unshared, value_len;
	const uint8_t *rest; /* rest of the user key, then the trailer */
};

static inline struct block
block_of(struct slice raw)
{
	const uint8_t *p = raw.data;
	uint32_t count = get_le32(p), keys_len = get_le32(p + WORD);
	const uint8_t *restarts = p + BLOCK_HEADER_LEN;
	const uint8_t *keys = restarts + (size_t)count * BLOCK_RESTART_LEN;

	return (struct block){ restarts, count, keys, keys + keys_len,
		keys + keys_len };
}

static inline const uint8_t *
restart_key(const struct block *b, uint32_t i)
{
	return b->keys + get_le32(b->restarts + i * BLOCK_RESTART_LEN);
}

static inline const uint8_t *
restart_value(const struct block *b, uint32_t i)
{
	return b->values + get_le32(b->restarts + i * BLOCK_RESTART_LEN + WORD);
}

static inline const uint8_t *
take_u32(const uint8_t *p, uint32_t *vp)
{
	uint32_t v = *p++;

	if (v >= 0x80) {
		unsigned shift = 7;
		uint32_t byte;

		v &= 0x7f;
		do {
			byte = *p++;
			v |= (byte & 0x7f) << shift;
			shift += 7;
		} while (byte >= 0x80);
	}
	*vp = v;
	return p;
}

static inline void
entry_decode(const uint8_t *p, struct entry *e)
{
	p = take_u32(p, &e->shared);
	p = take_u32(p, &e->unshared);
	e->rest = take_u32(p, &e->value_len);
}

static inline uint64_t
entry_trailer(const struct entry *e)
{
	return get_le64(e->rest + e->unshared);
}

static inline const uint8_t *
entry_end(const struct entry *e)
{
	return e->rest + e->unshared + KEY_TRAILER_LEN;
}

/* ---- Checking ---- */

/* As take_u32(), for untrusted bytes. NULL if there is no valid number. */
static inline const uint8_t *
check_u32(const uint8_t *p, const uint8_t *end, uint32_t *vp)
{
	uint64_t v;
	size_t n;

	if (p < end && *p < 0x80) {
		*vp = *p;
		return p + 1;
	}
	n = get_varint(p, end, &v);
	/* take_u32() does not accept longer ones. */
	if (n == 0 || n > 5 || v > UINT32_MAX)
		return NULL;
	*vp = (uint32_t)v;
	return p + n;
}

/* Decode the entry at p, if all of it lies before end. *user_lenp is the length
 * of the previous user key, and becomes that of this one. */
static inline bool
entry_check(const uint8_t *p, const uint8_t *end, size_t *user_lenp,
    struct entry *e)
{
	size_t len;

	p = check_u32(p, end, &e->shared);
	if (p != NULL)
		p = check_u32(p, end, &e->unshared);
	if (p != NULL)
		p = check_u32(p, end, &e->value_len);
	if (p == NULL)
		return false;
	if (e->shared > *user_lenp || e->unshared > KEY_USER_MAX)
		return false;
	len = (size_t)e->shared + e->unshared;
	if (len < KEY_PREFIX_LEN || len > KEY_USER_MAX)
		return false;
	if ((size_t)(end - p) < (size_t)e->unshared + KEY_TRAILER_LEN)
		return false;
	e->rest = p;
	*user_lenp = len;
	return (entry_trailer(e) & 0xff) <= KEY_TYPE_MAX;
}

/* Check every entry and restart. The lengths in the header have been checked
 * before. */
static int
entries_check(const struct block *b, size_t values_len)
{
	const uint8_t *p = b->keys;
	uint32_t i = 0;
	size_t user_len = 0, value_off = 0;

	while (p < b->keys_end) {
		struct entry e;

		if (!entry_check(p, b->keys_end, &user_len, &e))
			return -KVFS_ECORRUPT;
		if (i < b->count && restart_key(b, i) == p) {
			if (e.shared != 0 ||
			    restart_value(b, i) != b->values + value_off)
				return -KVFS_ECORRUPT;
			i++;
		}
		if (e.value_len > values_len - value_off)
			return -KVFS_ECORRUPT;
		value_off += e.value_len;
		p = entry_end(&e);
	}
	/* All restarts occurred in order, and every value has an entry. */
	return i == b->count && value_off == values_len ? 0 : -KVFS_ECORRUPT;
}

int
block_check(struct slice raw)
{
	const uint8_t *data = raw.data;
	size_t left, restarts_len;
	uint32_t count, keys_len;
	struct block b;

	if (raw.len < BLOCK_HEADER_LEN || raw.len > TABLE_BLOCK_MAX)
		return -KVFS_ECORRUPT;
	count = get_le32(data);
	keys_len = get_le32(data + WORD);
	left = raw.len - BLOCK_HEADER_LEN;
	if (count == 0 || count > left / BLOCK_RESTART_LEN)
		return -KVFS_ECORRUPT;
	restarts_len = (size_t)count * BLOCK_RESTART_LEN;
	if (keys_len > left - restarts_len)
		return -KVFS_ECORRUPT;
	b = block_of(raw);
	return entries_check(&b, left - restarts_len - keys_len);
}

/* ---- Searching ---- */

/*
 * Compare e's user key with user: <0, 0 or >0. *matchedp is the number of
 * matched bytes (see the top of the file), and 0 at a restart.
 */
static inline int
entry_cmp(const struct entry *e, struct slice user, size_t *matchedp)
{
	const uint8_t *target = user.data;
	size_t m = *matchedp, left = user.len - m, n, same;

	if (e->shared != m)
		return e->shared > m ? -1 : 1;
	n = e->unshared < left ? e->unshared : left;
	same = common_prefix(e->rest, target + m, n);
	*matchedp = m + same;
	if (same < n)
		return e->rest[same] < target[m + same] ? -1 : 1;
	return e->unshared < left ? -1 : e->unshared > left;
}

/* Find the last restart that sorts before (user, trailer), or the first one. */
static inline uint32_t
find_restart(const struct block *b, struct slice user, uint64_t trailer)
{
	uint32_t lo = 0, n = b->count;

	while (n > 1) {
		uint32_t half = n / 2;
		struct entry e;
		size_t matched = 0;
		int c;

		entry_decode(restart_key(b, lo + half), &e);
		c = entry_cmp(&e, user, &matched);
		if (c < 0 || (c == 0 && entry_trailer(&e) > trailer)) {
			lo += half;
			n -= half;
		} else
			n = half;
	}
	return lo;
}

bool
block_find(struct slice raw, struct slice user, uint64_t trailer,
    struct block_entry *ep)
{
	struct block b = block_of(raw);
	uint32_t i = find_restart(&b, user, trailer);
	const uint8_t *p = restart_key(&b, i), *value = restart_value(&b, i);
	const uint8_t *restart = i + 1 < b.count ? restart_key(&b, i + 1) :
						   NULL;
	size_t matched = 0;

	while (p < b.keys_end) {
		struct entry e;
		int c;

		if (p == restart)
			matched = 0;
		entry_decode(p, &e);
		c = entry_cmp(&e, user, &matched);
		if (c > 0)
			return false;
		if (c == 0 && entry_trailer(&e) <= trailer) {
			ep->trailer = entry_trailer(&e);
			ep->value = slice_make(value, e.value_len);
			return true;
		}
		value += e.value_len;
		p = entry_end(&e);
	}
	return false;
}

/* ---- Cursor ---- */

/* Move to the entry at c->next; c has the key of the previous one. */
static inline void
cursor_load(struct block_cursor *c, struct entry *e)
{
	entry_decode(c->next, e);
	memcpy(c->key + e->shared, e->rest, e->unshared + KEY_TRAILER_LEN);
	c->key_len = e->shared + e->unshared + KEY_TRAILER_LEN;
	c->value = slice_make(c->next_value, e->value_len);
	c->next_value += e->value_len;
	c->next = entry_end(e);
	c->valid = true;
}

void
block_cursor_first(struct block_cursor *c, struct slice raw)
{
	struct block b = block_of(raw);
	struct entry e;

	c->next = b.keys;
	c->end = b.keys_end;
	c->next_value = b.values;
	cursor_load(c, &e);
}

void
block_cursor_seek(struct block_cursor *c, struct slice raw, struct slice ikey)
{
	struct block b = block_of(raw);
	struct slice user = key_user(ikey);
	uint64_t trailer = key_trailer(ikey);
	uint32_t i = find_restart(&b, user, trailer);
	const uint8_t *restart = i + 1 < b.count ? restart_key(&b, i + 1) :
						   NULL;
	size_t matched = 0;

	c->next = restart_key(&b, i);
	c->end = b.keys_end;
	c->next_value = restart_value(&b, i);
	while (c->next < c->end) {
		struct entry e;
		int cmp;

		if (c->next == restart)
			matched = 0;
		cursor_load(c, &e);
		cmp = entry_cmp(&e, user, &matched);
		if (cmp > 0 || (cmp == 0 && entry_trailer(&e) <= trailer))
			return;
	}
	c->valid = false;
}

void
block_cursor_next(struct block_cursor *c)
{
	struct entry e;

	if (c->next >= c->end) {
		c->valid = false;
		return;
	}
	cursor_load(c, &e);
}
