/* SPDX-License-Identifier: ISC */
/*
 * Table files from arbitrary bytes: nothing may crash, leak or read beyond
 * what is there. The first byte says how the rest becomes a file:
 *
 *   even   it is the file
 *   odd    it is cut into raw blocks, index, filter and properties, which
 *          are sealed with right checksums, so that what stands behind the
 *          checksums is reached too
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/table/bloom.h"
#include "engine/table/table_format.h"
#include "engine/table/table_reader.h"
#include "support/fuzz.h"
#include "support/mem_file.h"
#include "util/compress.h"

#define NUMBER 3
#define BLOCKS_MAX 8

/* ---- Making a file ---- */

/* Up to 16 bits of length and so many bytes. */
static struct slice
take_bytes(struct cursor *c)
{
	uint64_t len = cursor_u8(c);

	if (len == 255)
		len = cursor_u8(c) | (uint64_t)cursor_u8(c) << 8;
	if (len > cursor_left(c))
		len = cursor_left(c);
	return cursor_bytes(c, len);
}

static uint64_t
append_sealed(struct buf *file, struct slice raw, enum codec want)
{
	size_t start = file->len;
	enum codec used = compress_append(want, raw, file);

	table_seal(file, start, (uint32_t)raw.len, (uint8_t)used, NUMBER,
	    start);
	return file->len - start;
}

/* A data block whose lengths fit mostly; order and keys as they come. */
static void
make_block(struct cursor *c, struct buf *out)
{
	struct buf restarts = { 0 }, keys = { 0 }, values = { 0 };
	unsigned entries = cursor_u8(c) % 32 + 1;
	size_t last = 0;

	for (unsigned i = 0; i < entries; i++) {
		unsigned flags = cursor_u8(c);
		struct slice rest = take_bytes(c), value = take_bytes(c);
		size_t shared = last != 0 ? cursor_u8(c) % last : 0;
		static const uint8_t pad[KEY_PREFIX_LEN] = { 1 };
		bool is_short;

		if (i == 0 || flags & 1) {
			buf_put_u32(&restarts, (uint32_t)keys.len);
			buf_put_u32(&restarts, (uint32_t)values.len);
			shared = 0;
		}
		is_short = shared + rest.len < KEY_PREFIX_LEN;
		if (is_short)
			rest = slice_make(pad, sizeof(pad));
		last = shared + rest.len;
		buf_put_varint(&keys, shared);
		buf_put_varint(&keys, rest.len);
		buf_put_varint(&keys, value.len + (flags == 255));
		buf_append_slice(&keys, rest);
		buf_put_u64(&keys,
		    (uint64_t)(flags >> 3) << 8 | (flags >> 1 & 3));
		buf_append_slice(&values, value);
	}
	buf_put_u32(out, (uint32_t)(restarts.len / BLOCK_RESTART_LEN));
	buf_put_u32(out, (uint32_t)keys.len);
	buf_append_slice(out, buf_slice(&restarts));
	buf_append_slice(out, buf_slice(&keys));
	buf_append_slice(out, buf_slice(&values));
	buf_fini(&restarts);
	buf_fini(&keys);
	buf_fini(&values);
}

/* An index with right lengths, separators from the input. */
static void
make_index(struct cursor *c, const uint64_t *lens, unsigned count,
    struct buf *out)
{
	size_t last = 0;

	buf_put_varint(out, count);
	for (unsigned i = 0; i < count; i++) {
		struct slice rest = take_bytes(c);
		size_t shared = last != 0 ? cursor_u8(c) % last : 0;

		buf_put_varint(out, shared);
		buf_put_lenslice(out, rest);
		buf_put_varint(out, cursor_u8(c) % 4 == 0 ? cursor_u64(c) : 0);
		buf_put_varint(out, lens[i]);
		last = shared + rest.len;
	}
}

/* Properties that go with any contents. */
static void
make_props(unsigned blocks, struct buf *out)
{
	static const uint8_t key[KEY_PREFIX_LEN + KEY_TRAILER_LEN] = { 1 };
	struct table_props p = { .entries = blocks };
	struct table_bounds b = { .blocks = blocks };

	if (blocks != 0)
		b.smallest = b.largest = slice_make(key, sizeof(key));
	table_props_encode(&p, &b, out);
}

static void
make_filter(struct slice bits, struct buf *out)
{
	size_t lines = bits.len / BLOOM_LINE_BYTES;

	buf_append(out, bits.data, lines * BLOOM_LINE_BYTES);
	buf_put_u32(out, (uint32_t)lines);
	buf_put_u32(out, 6);
}

static void
make_file(struct cursor c, struct buf *file)
{
	unsigned flags = cursor_u8(&c), count = cursor_u8(&c) % BLOCKS_MAX;
	struct table_footer f = { .version = TABLE_VERSION, .number = NUMBER };
	struct buf index = { 0 }, props = { 0 }, filter = { 0 };
	uint64_t lens[BLOCKS_MAX];

	for (unsigned i = 0; i < count; i++) {
		struct buf block = { 0 };

		if (flags & 64)
			buf_append_slice(&block, take_bytes(&c));
		else
			make_block(&c, &block);
		lens[i] = append_sealed(file, buf_slice(&block),
		    flags & 1 ? CODEC_SNAPPY : CODEC_NONE);
		buf_fini(&block);
	}
	f.filter_off = file->len;
	if (flags & 2)
		buf_append_slice(&index, take_bytes(&c));
	else
		make_index(&c, lens, count, &index);
	if (flags & 4)
		buf_append_slice(&props, take_bytes(&c));
	else
		make_props(count, &props);
	if (flags & 8)
		append_sealed(file, take_bytes(&c), CODEC_NONE);
	else if (flags & 16) {
		make_filter(take_bytes(&c), &filter);
		append_sealed(file, buf_slice(&filter), CODEC_NONE);
	}
	f.index_off = file->len;
	append_sealed(file, buf_slice(&index),
	    flags & 32 ? CODEC_SNAPPY : CODEC_NONE);
	f.props_off = file->len;
	append_sealed(file, buf_slice(&props), CODEC_NONE);
	f.footer_off = file->len;
	table_footer_encode(&f, buf_extend(file, TABLE_FOOTER_LEN));
	buf_fini(&index);
	buf_fini(&props);
	buf_fini(&filter);
}

/* ---- Reading it ---- */

/* Look at every byte, so that a sanitizer does. */
static unsigned
touch(struct slice s)
{
	const uint8_t *p = s.data;
	unsigned sum = 0;

	for (size_t i = 0; i < s.len; i++)
		sum += p[i];
	return sum;
}

static void
get(struct table_reader *t, struct slice user, uint64_t seq)
{
	static volatile unsigned sink;
	struct kv_value value;
	uint64_t found;
	int type;

	if (table_reader_get(t, user, key_hash(user), seq, &found, &type,
		&value) > 0) {
		if (found > seq || type > KEY_TYPE_MAX)
			abort();
		sink = sink + touch(value.data);
	}
	kv_value_release(&value);
}

static void
walk(struct table_reader *t, bool fill_cache, struct slice from)
{
	static volatile unsigned sink;
	struct iter *it = table_reader_iter(t, fill_cache);
	uint64_t steps = 0, limit = table_reader_props(t)->file_bytes * 32;

	if (from.len == 0)
		iter_seek_first(it);
	else
		iter_seek(it, from);
	for (; it->valid; iter_next(it)) {
		if (!key_is_valid(it->key) || steps++ > limit)
			abort();
		sink = sink + touch(it->key) + touch(it->value);
		if (steps < 8)
			get(t, key_user(it->key), key_seq(it->key));
	}
	iter_close(it);
}

static void
read_all_over(struct table_reader *t, const uint8_t *data, size_t size)
{
	uint8_t key[KEY_INTERNAL_MAX] = { 1 };
	size_t len = size < KEY_USER_MAX ? size : KEY_USER_MAX;
	FILE *out = fopen("/dev/null", "w");

	if (len != 0)
		memcpy(key, data + size - len, len);
	if (len < KEY_PREFIX_LEN)
		len = KEY_PREFIX_LEN;
	get(t, slice_make(key, len), SEQ_MAX);
	get(t, slice_make(key, KEY_PREFIX_LEN), 7);
	put_le64(key + len, UINT64_MAX);
	for (int fill = 0; fill < 2; fill++) {
		walk(t, fill != 0, slice_make(NULL, 0));
		walk(t, fill != 0, slice_make(key, len + KEY_TRAILER_LEN));
	}
	if (out != NULL) {
		struct line_list found = { .out = out, .prefix = "damage" };

		table_reader_verify(t, &found);
		fclose(out);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mem_file file = { 0 };
	struct buf made = { 0 };
	struct block_cache *cache;
	struct table_reader *t;

	if (size == 0)
		return 0;
	fuzz_quiet();
	if (data[0] & 1) {
		make_file(cursor_make(slice_make(data + 1, size - 1)), &made);
		mem_file_set(&file, made.data, made.len);
		buf_fini(&made);
	} else
		mem_file_set(&file, data + 1, size - 1);
	cache = block_cache_create(256 << 10);
	if (cache == NULL)
		abort();
	if (table_reader_open(mem_file_open(&file), "fuzz.sst", NUMBER, cache,
		&t) == 0) {
		read_all_over(t, data, size);
		table_reader_close(t);
	}
	block_cache_destroy(cache);
	mem_file_fini(&file);
	return 0;
}
