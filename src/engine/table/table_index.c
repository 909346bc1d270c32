/* SPDX-License-Identifier: ISC */
/* Index of a table; see table_index.h. */
#include "engine/table/table_index.h"

#include <errno.h>
#include <stdlib.h>

#include "engine/table/table_format.h"

/* ---- Writing ---- */

void
table_index_builder_init(struct table_index_builder *b)
{
	*b = (struct table_index_builder){ 0 };
}

void
table_index_builder_fini(struct table_index_builder *b)
{
	buf_fini(&b->entries);
}

/* Write a short string s with a <= s < b to sep, for user keys a < b. Returns
 * its length. Short separators make the index small. */
static size_t
make_separator(struct slice a, struct slice b, uint8_t *sep)
{
	const uint8_t *pa = a.data, *pb = b.data;
	size_t n = a.len < b.len ? a.len : b.len;
	size_t c = common_prefix(pa, pb, n);

	memcpy(sep, pa, a.len);
	if (c >= n || a.len == c + 1)
		return a.len;
	if (b.len > c + 1)
		sep[c] = pb[c]; /* a proper prefix of b */
	else if (pa[c] + 1 < pb[c])
		sep[c]++;
	else
		return a.len;
	return c + 1;
}

int
table_index_builder_add(struct table_index_builder *b, struct slice last,
    struct slice first, uint64_t sealed_len)
{
	struct slice user = key_user(last);
	uint8_t sep[KEY_USER_MAX];
	uint64_t trailer = 0;
	size_t len = user.len, shared;

	memcpy(sep, user.data, user.len);
	if (first.len != 0) {
		if (slice_eq(user, key_user(first)))
			trailer = key_trailer(last);
		else
			len = make_separator(user, key_user(first), sep);
	}
	shared = common_prefix(sep, b->last,
	    len < b->last_len ? len : b->last_len);
	buf_put_varint(&b->entries, shared);
	buf_put_varint(&b->entries, len - shared);
	buf_append(&b->entries, sep + shared, len - shared);
	buf_put_varint(&b->entries, trailer);
	buf_put_varint(&b->entries, sealed_len);
	memcpy(b->last, sep, len);
	b->last_len = len;
	b->count++;
	return buf_error(&b->entries);
}

int
table_index_builder_finish(const struct table_index_builder *b, struct buf *out)
{
	buf_put_varint(out, b->count);
	buf_append(out, b->entries.data, b->entries.len);
	return buf_error(out);
}

/* ---- Reading ---- */

static uint64_t
head_of(const uint8_t *p, size_t len)
{
	uint8_t pad[sizeof(uint64_t)] = { 0 };

	if (len >= sizeof(uint64_t))
		return get_be64(p);
	if (len != 0)
		memcpy(pad, p, len);
	return get_be64(pad);
}

/* A separator. key has the previous one, and is changed into this one. */
struct step {
	uint64_t trailer, sealed_len;
	size_t len, shared;
	uint8_t key[KEY_USER_MAX];
};

static bool
step_decode(struct cursor *c, struct step *s)
{
	uint64_t shared = cursor_varint(c), rest = cursor_varint(c);
	struct slice bytes;

	if (!c->ok || shared > s->len || rest > KEY_USER_MAX - shared ||
	    shared + rest == 0)
		return false;
	bytes = cursor_bytes(c, rest);
	s->trailer = cursor_varint(c);
	s->sealed_len = cursor_varint(c);
	if (!c->ok || s->sealed_len <= TABLE_SEAL_LEN ||
	    s->sealed_len > TABLE_BLOCK_MAX + TABLE_SEAL_LEN)
		return false;
	if (rest != 0)
		memcpy(s->key + shared, bytes.data, rest);
	s->len = shared + rest;
	s->shared = shared;
	return true;
}

/*
 * First pass: verify everything except the order. Find the common prefix of all
 * separators, and the number of other bytes.
 */
static int
index_measure(struct cursor c, uint64_t data_end, struct table_index *x,
    size_t *key_bytesp)
{
	struct step s = { 0 };
	uint64_t off = 0, total = 0;

	for (uint32_t i = 0; i < x->count; i++) {
		if (!step_decode(&c, &s) || s.sealed_len > data_end - off)
			return -KVFS_ECORRUPT;
		off += s.sealed_len;
		total += s.len;
		if (i == 0) {
			memcpy(x->common, s.key, s.len);
			x->common_len = (uint32_t)s.len;
		} else {
			size_t n = s.len < x->common_len ? s.len :
							   x->common_len;

			x->common_len = (uint32_t)common_prefix(x->common,
			    s.key, n);
		}
	}
	if (off != data_end || cursor_left(&c) != 0)
		return -KVFS_ECORRUPT;
	total -= (uint64_t)x->common_len * x->count;
	if (total > UINT32_MAX)
		return -KVFS_ECORRUPT;
	*key_bytesp = total;
	return 0;
}

static int
index_fill(struct cursor c, struct table_index *x)
{
	struct step s = { 0 };
	uint32_t end = 0;
	uint64_t off = 0;

	for (uint32_t i = 0; i < x->count; i++) {
		uint8_t before[KEY_USER_MAX];
		struct slice last = slice_make(before, s.len);
		uint64_t last_trailer = s.trailer;
		int order = -1;

		memcpy(before, s.key, s.len);
		if (!step_decode(&c, &s))
			return -KVFS_ECORRUPT;
		if (i != 0)
			order = slice_cmp(last, slice_make(s.key, s.len));
		if (order > 0 || (order == 0 && last_trailer <= s.trailer))
			return -KVFS_ECORRUPT;
		memcpy(x->keys + end, s.key + x->common_len,
		    s.len - x->common_len);
		x->heads[i] = head_of(x->keys + end, s.len - x->common_len);
		end += (uint32_t)(s.len - x->common_len);
		x->ends[i] = end;
		x->trailers[i] = s.trailer;
		x->offs[i] = off;
		off += s.sealed_len;
	}
	x->offs[x->count] = off;
	return 0;
}

int
table_index_open(struct slice raw, uint64_t data_end, struct table_index *x)
{
	struct cursor c = cursor_make(raw);
	uint64_t count = cursor_varint(&c);
	size_t key_bytes = 0, n;
	int rc = -KVFS_ECORRUPT;

	*x = (struct table_index){ 0 };
	/* An entry takes at least 5 bytes; this bounds the memory that is
	 * allocated. */
	if (!c.ok || count > cursor_left(&c) / 5 || count >= UINT32_MAX)
		goto fail;
	n = (size_t)count;
	x->count = (uint32_t)count;
	rc = index_measure(c, data_end, x, &key_bytes);
	if (rc < 0)
		goto fail;
	rc = -ENOMEM;
	x->heads = calloc(n + 1, sizeof(*x->heads));
	x->trailers = calloc(n + 1, sizeof(*x->trailers));
	x->offs = calloc(n + 1, sizeof(*x->offs));
	x->ends = calloc(n + 1, sizeof(*x->ends));
	x->keys = malloc(key_bytes + 1);
	if (x->heads == NULL || x->trailers == NULL || x->offs == NULL ||
	    x->ends == NULL || x->keys == NULL)
		goto fail;
	x->memory = (n + 1) *
		(sizeof(*x->heads) + sizeof(*x->trailers) + sizeof(*x->offs) +
		    sizeof(*x->ends)) +
	    key_bytes;
	rc = index_fill(c, x);
	if (rc < 0)
		goto fail;
	return 0;
fail:
	table_index_close(x);
	return rc;
}

void
table_index_close(struct table_index *x)
{
	free(x->heads);
	free(x->trailers);
	free(x->offs);
	free(x->ends);
	free(x->keys);
	*x = (struct table_index){ 0 };
}

/* Compare separator i, without the common prefix, with the rest of a key. */
static int
rest_cmp(const struct table_index *x, uint32_t i, struct slice rest,
    uint64_t trailer)
{
	uint32_t begin = i != 0 ? x->ends[i - 1] : 0;
	int c = slice_cmp(slice_make(x->keys + begin, x->ends[i] - begin),
	    rest);

	if (c != 0)
		return c;
	return x->trailers[i] > trailer ? -1 : x->trailers[i] < trailer;
}

/* Compare the common prefix with user. 0: user begins with it, and *restp is
 * what follows. */
static int
common_cmp(const struct table_index *x, struct slice user, struct slice *restp)
{
	const uint8_t *p = user.data;
	size_t n = user.len < x->common_len ? user.len : x->common_len;
	size_t c = common_prefix(x->common, p, n);

	if (c < n)
		return x->common[c] < p[c] ? -1 : 1;
	*restp = slice_make(p + n, user.len - n);
	return n < x->common_len;
}

/* Find the first head that is not below head; x->count if there is none. */
static inline uint32_t
search_heads(const struct table_index *x, uint64_t head)
{
	const uint64_t *base = x->heads;
	uint32_t n = x->count;

	while (n > 1) {
		uint32_t half = n / 2;

		base = base[half - 1] < head ? base + half : base;
		n -= half;
	}
	return (uint32_t)(base - x->heads) + (*base < head);
}

uint32_t
table_index_find(const struct table_index *x, struct slice user,
    uint64_t trailer)
{
	struct slice rest;
	uint64_t head;
	uint32_t lo, hi, step = 1;
	int c;

	if (x->count == 0)
		return 0;
	c = common_cmp(x, user, &rest);
	if (c != 0)
		return c < 0 ? x->count : 0;
	head = head_of(rest.data, rest.len);
	lo = search_heads(x, head);
	/* Usually only a few heads are equal: search them with growing
	 * steps. */
	hi = lo;
	while (hi < x->count && x->heads[hi] == head &&
	    rest_cmp(x, hi, rest, trailer) < 0) {
		lo = hi + 1;
		hi = step < x->count - lo ? lo + step : x->count;
		step *= 2;
	}
	/* hi is not before the key, or has a larger head, or is the end. */
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (x->heads[mid] == head &&
		    rest_cmp(x, mid, rest, trailer) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int
table_index_cmp(const struct table_index *x, uint32_t i, struct slice ikey)
{
	struct slice rest;
	int c = common_cmp(x, key_user(ikey), &rest);

	if (c != 0)
		return c;
	return rest_cmp(x, i, rest, key_trailer(ikey));
}
