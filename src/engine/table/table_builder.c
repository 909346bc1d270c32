/* SPDX-License-Identifier: ISC */
/*
 * Writes one sorted table; see table_builder.h, and table_format.h for the
 * layout. Finished blocks are collected in a buffer and written in large
 * pieces. After every megabyte the kernel is asked to begin writing back, so
 * that the sync at the end is short.
 *
 * The first error stays: every later call returns it.
 */
#include "engine/table/table_builder.h"

#include <stdlib.h>

#include "engine/key/key.h"
#include "engine/table/block_builder.h"
#include "engine/table/bloom.h"
#include "engine/segment/segment.h"
#include "engine/table/codec_choice.h"
#include "engine/table/table_format.h"
#include "engine/table/table_index.h"
#include "util/compress.h"
#include "util/log.h"

#define WRITE_BYTES (256u << 10)
#define WRITEBACK_BYTES (1u << 20)
/* Writes end at a page boundary, so that no page is written twice. */
#define PAGE_BYTES 4096
struct table_builder {
	struct env_file *file;
	uint64_t number;
	struct table_options opts;
	int error;

	struct buf out; /* finished but not written */
	uint64_t written; /* offset of out in the file */
	uint64_t paced; /* writeback was started up to here */

	struct block_builder block;
	uint64_t sealed_len; /* of a finished block that is not in the index
	                        yet, since its separator depends on the next
	                        key; 0: none */
	struct table_index_builder index;
	struct bloom_builder bloom;

	struct codec_choice codec;

	struct table_props props;
	struct buf smallest;
};

void
table_options_init(struct table_options *opts)
{
	*opts = (struct table_options){
		.block_bytes = 8192,
		.restart_interval = 16,
		.filter_bits = 10,
		.compress = true,
	};
}

struct table_builder *
table_builder_create(struct env_file *file, uint64_t file_number,
    const struct table_options *opts)
{
	struct table_builder *b = calloc(1, sizeof(*b));

	if (b == NULL)
		return NULL;
	b->file = file;
	b->number = file_number;
	b->opts = *opts;
	b->props.min_seq = UINT64_MAX;
	block_builder_init(&b->block, opts->restart_interval);
	table_index_builder_init(&b->index);
	bloom_builder_init(&b->bloom);
	return b;
}

void
table_builder_destroy(struct table_builder *b)
{
	if (b == NULL)
		return;
	buf_fini(&b->out);
	buf_fini(&b->smallest);
	block_builder_fini(&b->block);
	table_index_builder_fini(&b->index);
	bloom_builder_fini(&b->bloom);
	free(b);
}

/* Keep the first error. */
static int
builder_fail(struct table_builder *b, int rc)
{
	if (b->error == 0)
		b->error = rc;
	return b->error;
}

static uint64_t
out_off(const struct table_builder *b)
{
	return b->written + b->out.len;
}

/* Write finished bytes: all of them, or whole pages. */
static int
write_out(struct table_builder *b, bool all)
{
	size_t n = all ? b->out.len : b->out.len & ~(size_t)(PAGE_BYTES - 1);
	struct iovec iov = { b->out.data, n };
	int rc;

	if (n == 0)
		return 0;
	rc = env_write(b->file, &iov, 1, b->written);
	if (rc < 0) {
		log_error("%06llu.sst: write at %llu: %s",
		    (unsigned long long)b->number,
		    (unsigned long long)b->written, strerror(-rc));
		return builder_fail(b, rc);
	}
	b->written += n;
	memmove(b->out.data, b->out.data + n, b->out.len - n);
	b->out.len -= n;
	if (b->written - b->paced >= WRITEBACK_BYTES) {
		env_writeback(b->file, b->paced, b->written - b->paced);
		b->paced = b->written;
	}
	return 0;
}

static enum codec
pick_codec(struct table_builder *b)
{
	return b->opts.compress ? codec_choice_next(&b->codec) : CODEC_NONE;
}

/* Append raw as a sealed block. *lenp: its length with the seal. */
static int
append_block(struct table_builder *b, struct slice raw, enum codec want,
    uint64_t *lenp)
{
	uint64_t off = out_off(b);
	size_t start = b->out.len;
	enum codec used = compress_append(want, raw, &b->out);

	codec_choice_learn(&b->codec, want, used);
	table_seal(&b->out, start, (uint32_t)raw.len, (uint8_t)used, b->number,
	    off);
	if (buf_error(&b->out) != 0)
		return builder_fail(b, -ENOMEM);
	if (lenp != NULL)
		*lenp = b->out.len - start;
	return b->out.len >= WRITE_BYTES ? write_out(b, false) : 0;
}

static int
end_block(struct table_builder *b)
{
	struct slice raw;
	int rc = block_builder_finish(&b->block, &raw);

	if (rc == 0)
		rc = append_block(b, raw, pick_codec(b), &b->sealed_len);
	if (rc < 0)
		return builder_fail(b, rc);
	block_builder_reset(&b->block);
	return 0;
}

/* Add the block that ended before key to the index. */
static int
index_block(struct table_builder *b, struct slice key)
{
	int rc;

	if (b->sealed_len == 0)
		return 0;
	rc = table_index_builder_add(&b->index, block_builder_last(&b->block),
	    key, b->sealed_len);
	b->sealed_len = 0;
	return rc < 0 ? builder_fail(b, rc) : 0;
}

static int
count_entry(struct table_builder *b, struct slice ikey, struct slice value)
{
	uint64_t seq = key_seq(ikey);
	struct segment_pointer ptr;
	int rc;

	switch (key_type(ikey)) {
	case KEY_VALUE:
		break;
	case KEY_DELETE:
		b->props.deletes++;
		break;
	case KEY_DELETE_GROUP:
		b->props.group_deletes++;
		break;
	case KEY_POINTER:
		rc = segment_pointer_decode(value, &ptr);
		if (rc < 0)
			return rc;
		b->props.pointer_bytes += ptr.frame_len;
		break;
	}
	b->props.entries++;
	b->props.raw_bytes += ikey.len + value.len;
	if (seq < b->props.min_seq)
		b->props.min_seq = seq;
	if (seq > b->props.max_seq)
		b->props.max_seq = seq;
	return 0;
}

/* Check the order of the key before it changes anything: a table out of order
 * would lose keys silently. */
static int
check_key(struct table_builder *b, struct slice ikey, struct slice value)
{
	const char *what = NULL;

	if (!key_is_valid(ikey))
		what = "not an internal key";
	else if (value.len > KV_VALUE_MAX)
		what = "value too large";
	else if (b->props.entries != 0 &&
	    key_cmp(block_builder_last(&b->block), ikey) >= 0)
		what = "keys out of order";
	if (what == NULL)
		return 0;
	log_error("%06llu.sst: refused to write an entry: %s (a bug, or "
		  "damaged memory)",
	    (unsigned long long)b->number, what);
	return builder_fail(b, -KVFS_ECORRUPT);
}

int
table_builder_add(struct table_builder *b, struct slice ikey,
    struct slice value)
{
	int rc;

	if (b->error != 0)
		return b->error;
	rc = check_key(b, ikey, value);
	if (rc < 0)
		return rc;
	/* An entry as large as a block gets a block of its own, so that small
	 * ones can be read without it. */
	if (b->block.count != 0 && value.len >= b->opts.block_bytes) {
		rc = end_block(b);
		if (rc < 0)
			return rc;
	}
	rc = index_block(b, ikey);
	if (rc < 0)
		return rc;
	rc = count_entry(b, ikey, value);
	if (rc < 0) {
		log_error("%06llu.sst: refused to write a damaged segment "
			  "pointer",
		    (unsigned long long)b->number);
		return builder_fail(b, rc);
	}
	if (b->props.entries == 1)
		buf_append_slice(&b->smallest, ikey);
	if (b->opts.filter_bits != 0)
		bloom_builder_add(&b->bloom, key_hash(key_user(ikey)));
	rc = block_builder_add(&b->block, ikey, value);
	if (rc < 0)
		return builder_fail(b, rc);
	if (block_builder_size(&b->block) >= b->opts.block_bytes)
		return end_block(b);
	return 0;
}

uint64_t
table_builder_size(const struct table_builder *b)
{
	return out_off(b) + block_builder_size(&b->block) +
	    b->index.entries.len +
	    bloom_builder_size(&b->bloom, b->opts.filter_bits);
}

const struct table_props *
table_builder_props(const struct table_builder *b)
{
	return &b->props;
}

static int
append_filter(struct table_builder *b)
{
	struct buf raw = { 0 };
	int rc;

	if (b->opts.filter_bits == 0 || b->props.entries == 0)
		return 0;
	rc = bloom_builder_finish(&b->bloom, b->opts.filter_bits, &raw);
	if (rc == 0)
		rc = append_block(b, buf_slice(&raw), CODEC_NONE, NULL);
	buf_fini(&raw);
	return rc < 0 ? builder_fail(b, rc) : 0;
}

static int
append_index(struct table_builder *b)
{
	struct buf raw = { 0 };
	int rc = table_index_builder_finish(&b->index, &raw);

	if (rc == 0)
		rc = append_block(b, buf_slice(&raw),
		    b->opts.compress ? CODEC_SNAPPY : CODEC_NONE, NULL);
	buf_fini(&raw);
	return rc < 0 ? builder_fail(b, rc) : 0;
}

static int
append_props(struct table_builder *b)
{
	struct table_bounds bounds = {
		.blocks = b->index.count,
		.smallest = buf_slice(&b->smallest),
		.largest = block_builder_last(&b->block),
	};
	struct buf raw = { 0 };
	int rc;

	table_props_encode(&b->props, &bounds, &raw);
	rc = buf_error(&b->smallest) != 0 ? -ENOMEM : buf_error(&raw);
	if (rc == 0)
		rc = append_block(b, buf_slice(&raw), CODEC_NONE, NULL);
	buf_fini(&raw);
	return rc < 0 ? builder_fail(b, rc) : 0;
}

int
table_builder_finish(struct table_builder *b, struct table_props *propsp)
{
	struct table_footer f = {
		.version = TABLE_VERSION,
		.number = b->number,
	};
	uint8_t *p;

	*propsp = (struct table_props){ 0 };
	if (b->error != 0)
		return b->error;
	if (b->props.entries == 0)
		b->props.min_seq = 0;
	if (b->block.count != 0 && end_block(b) < 0)
		return b->error;
	if (index_block(b, slice_make(NULL, 0)) < 0)
		return b->error;
	f.filter_off = out_off(b);
	if (append_filter(b) < 0)
		return b->error;
	f.index_off = out_off(b);
	if (append_index(b) < 0)
		return b->error;
	f.props_off = out_off(b);
	if (append_props(b) < 0)
		return b->error;
	f.footer_off = out_off(b);
	p = buf_extend(&b->out, TABLE_FOOTER_LEN);
	if (p == NULL)
		return builder_fail(b, -ENOMEM);
	table_footer_encode(&f, p);
	if (write_out(b, true) < 0)
		return b->error;
	b->props.file_bytes = b->written;
	*propsp = b->props;
	return 0;
}
