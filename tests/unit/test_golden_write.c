/* SPDX-License-Identifier: ISC */
/*
 * What is written today has the bytes of format version 1: each file of
 * tests/golden/v1 is decoded and encoded again. A test that fails here says
 * that the format changed: a new version, the page kvfs-format(5) and golden
 * files of its own belong in the same commit.
 *
 * What is compressed is not compared: versions of snappy differ.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/cache/block_cache.h"
#include "engine/env/env.h"
#include "engine/env/filename.h"
#include "engine/key/iter.h"
#include "engine/key/key.h"
#include "engine/log/record.h"
#include "engine/log/wal_reader.h"
#include "engine/log/wal_writer.h"
#include "engine/segment/segment.h"
#include "engine/segment/segment_format.h"
#include "engine/table/table_builder.h"
#include "engine/table/table_format.h"
#include "engine/table/table_reader.h"
#include "engine/log/wal_format.h"
#include "engine/tree/manifest.h"
#include "golden/open.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/buf.h"
#include "util/coding.h"
#include "util/compress.h"
#include "util/crc32c.h"

/* Names of the store's files of one kind, in order of their numbers. */
struct files {
	enum file_kind kind;
	uint64_t numbers[16];
	size_t count;
};

static void
add_number(void *arg, const char *name)
{
	struct files *f = arg;
	enum file_kind kind;
	uint64_t number;
	size_t i;

	ck_assert_int_eq(filename_parse(name, &kind, &number), 0);
	if (kind != f->kind)
		return;
	ck_assert_uint_lt(f->count, 16);
	for (i = f->count++; i > 0 && f->numbers[i - 1] > number; i--)
		f->numbers[i] = f->numbers[i - 1];
	f->numbers[i] = number;
}

static struct files
list(enum file_kind kind)
{
	struct files f = { .kind = kind };

	dir_each(store, add_number, &f);
	ck_assert_uint_ne(f.count, 0);
	return f;
}

static struct env_file *
open_file(const char *path, unsigned flags)
{
	struct env_file *file;

	ck_assert_int_eq(env_path_open(env_posix(), path, flags, &file), 0);
	return file;
}

static void
name_of(char path[PATH_MAX], const struct files *f, size_t i)
{
	filename_path(path, store, f->kind, f->numbers[i]);
}

struct manifest_again {
	struct manifest *manifest;
	struct env_dir *dir;
	uint64_t number;
};

static int
write_edit(void *arg, struct version_edit *e)
{
	struct manifest_again *m = arg;

	if (m->manifest != NULL)
		return manifest_append(m->manifest, e);
	return manifest_create(m->dir, m->number, e, &m->manifest);
}

START_TEST(manifests_are_written_alike)
{
	struct manifest_again m = { 0 };
	struct files f = list(FILE_MANIFEST);
	char path[PATH_MAX], again[PATH_MAX], dir[PATH_MAX];
	struct env_dir *from;

	name_of(path, &f, 0);
	temp_name(dir, "manifest");
	ck_assert_int_eq(env_dir_make(env_posix(), dir, &m.dir), 0);
	m.number = f.numbers[0];
	from = env_path_dir(env_posix(), store);
	ck_assert_int_eq(manifest_read(from, m.number, write_edit, &m), 0);
	manifest_close(m.manifest);
	filename_path(again, dir, FILE_MANIFEST, m.number);
	expect_same_file(path, again);
	unlink(again);
	rmdir(dir);
	env_dir_close(from);
	env_dir_close(m.dir);
}
END_TEST

struct batch_again {
	struct kv_batch batch;
	struct segment_pointer pointers[16];
	size_t pointer_count;
	uint8_t zeros[SEGMENT_VALUE_MIN];
};

/* A change as it was in the batch; a value of a segment by its pointer. */
static int
add_change(void *arg, enum key_type type, struct slice user, struct slice value)
{
	struct batch_again *b = arg;
	struct kv_key key = key_decode(user);
	struct cursor hint = cursor_make(value);

	switch (type) {
	case KEY_VALUE:
		kv_batch_put(&b->batch, &key, value);
		break;
	case KEY_POINTER:
		ck_assert_uint_lt(b->pointer_count, 16);
		ck_assert_int_eq(segment_pointer_decode(value,
				     &b->pointers[b->pointer_count++]),
		    0);
		kv_batch_put(&b->batch, &key,
		    slice_make(b->zeros, sizeof(b->zeros)));
		break;
	case KEY_DELETE:
		kv_batch_delete(&b->batch, &key);
		break;
	case KEY_DELETE_GROUP:
		kv_batch_delete_group_hint(&b->batch, key.space, key.group,
		    cursor_varint(&hint));
		break;
	}
	return 0;
}

static void
payload_again(const struct wal_frame *frame)
{
	struct batch_again *b = calloc(1, sizeof(*b));
	struct buf again = { 0 };
	struct key_change *changes;

	kv_batch_init(&b->batch);
	ck_assert_int_eq(record_decode(frame->payload, frame->count, add_change,
			     b),
	    0);
	ck_assert_int_eq(b->batch.error, 0);
	changes = calloc(b->batch.count, sizeof(*changes));
	record_encode(&b->batch, b->pointer_count != 0, &again, changes);
	for (size_t i = 0, n = 0; i < b->batch.count; i++)
		if (changes[i].type == KEY_POINTER)
			record_set_pointer(&again, &changes[i],
			    &b->pointers[n++]);
	free(changes);
	ck_assert(slice_eq(buf_slice(&again), frame->payload));
	buf_fini(&again);
	kv_batch_fini(&b->batch);
	free(b);
}

/* The frame at off as it is stored; its payload from r. */
static void
body_of(const uint8_t *file, const struct wal_frame *frame, uint32_t salt,
    struct wal_body *body)
{
	struct wal_frame_header h;
	uint32_t sum;

	ck_assert(wal_frame_decode(file + frame->off, salt, &h, &sum));
	wal_body_init(body);
	if (h.codec == CODEC_NONE) {
		ck_assert_int_eq(wal_body_encode(body, frame->payload, false),
		    0);
		return;
	}
	/* Other versions of snappy may compress differently. */
	buf_append(&body->stored, file + frame->off + WAL_FRAME_HEADER_LEN,
	    h.stored_len);
	body->raw_len = h.raw_len;
	body->codec = h.codec;
	body->sum = crc32c_sum(0, body->stored.data, body->stored.len);
}

static void
log_again(const char *path, uint64_t number, unsigned *framesp)
{
	char again[PATH_MAX];
	struct wal_reader *r;
	struct wal_writer *w;
	struct wal_header h;
	struct wal_frame frame;
	struct wal_body body;
	struct env_file *file;
	struct buf bytes = { 0 };
	uint32_t salt;
	int rc = wal_reader_open(open_file(path, ENV_READ), path, number, &r);

	if (rc == 0) /* made ahead of use */
		return;
	ck_assert_int_eq(rc, 1);
	file_read(path, &bytes);
	ck_assert(wal_header_decode(bytes.data, &h, &salt));
	temp_name(again, "log");
	file = open_file(again, ENV_WRITE | ENV_CREATE);
	ck_assert_int_eq(env_allocate(file, h.size, false), 0);
	ck_assert_int_eq(wal_writer_open(file, again, number, h.size, h.chain,
			     h.next_seq, h.durable_seq, 0, &w),
	    0);
	while ((rc = wal_reader_next(r, &frame)) == 1) {
		(*framesp)++;
		body_of(bytes.data, &frame, salt, &body);
		if (frame.count != 0)
			payload_again(&frame);
		ck_assert_int_eq(wal_writer_append(w,
				     frame.count != 0 ? &body : NULL, frame.seq,
				     frame.count, frame.durable_seq),
		    0);
		wal_body_fini(&body);
	}
	ck_assert_int_eq(rc, 0);
	wal_writer_close(w);
	wal_reader_close(r);
	buf_fini(&bytes);
	expect_same_file(path, again);
	unlink(again);
}

START_TEST(logs_are_written_alike)
{
	struct files f = list(FILE_WAL);
	char path[PATH_MAX];
	unsigned frames = 0;

	for (size_t i = 0; i < f.count; i++) {
		name_of(path, &f, i);
		log_again(path, f.numbers[i], &frames);
	}
	ck_assert_uint_gt(frames, 10);
}
END_TEST

/* Whether any block of a table is compressed. */
static bool
is_compressed(const char *path, uint64_t number)
{
	struct buf b = { 0 };
	struct table_footer f;
	const char *what;
	bool is_packed;

	file_read(path, &b);
	ck_assert_uint_gt(b.len, TABLE_FOOTER_LEN);
	ck_assert_int_eq(table_footer_decode(b.data + b.len - TABLE_FOOTER_LEN,
			     number, b.len, &f, &what),
	    0);
	/* The codecs of the last data block and of the index. */
	is_packed = b.data[f.filter_off - TABLE_SEAL_LEN + 4] != CODEC_NONE ||
	    b.data[f.props_off - TABLE_SEAL_LEN + 4] != CODEC_NONE;
	buf_fini(&b);
	return is_packed;
}

static void
table_again(const char *path, uint64_t number)
{
	struct block_cache *cache = block_cache_create(1 << 20);
	struct table_builder *b;
	struct table_options opts;
	struct table_props props;
	struct table_reader *t;
	struct env_file *file;
	char again[PATH_MAX];
	struct iter *it;

	ck_assert_int_eq(table_reader_open(open_file(path, ENV_READ), path,
			     number, cache, &t),
	    0);
	temp_name(again, "table");
	file = open_file(again, ENV_WRITE | ENV_CREATE);
	/* As they were: other defaults are no change of the format. */
	opts = (struct table_options){ .block_bytes = 8192,
		.restart_interval = 16,
		.filter_bits = 10 };
	b = table_builder_create(file, number, &opts);
	it = table_reader_iter(t, true);
	for (iter_seek_first(it); it->valid; iter_next(it))
		ck_assert_int_eq(table_builder_add(b, it->key, it->value), 0);
	ck_assert_int_eq(it->status, 0);
	iter_close(it);
	ck_assert_int_eq(table_builder_finish(b, &props), 0);
	table_builder_destroy(b);
	env_close(file);
	table_reader_close(t);
	block_cache_destroy(cache);
	expect_same_file(path, again);
	unlink(again);
}

START_TEST(tables_are_written_alike)
{
	struct files f = list(FILE_TABLE);
	char path[PATH_MAX];
	unsigned written = 0;

	for (size_t i = 0; i < f.count; i++) {
		name_of(path, &f, i);
		if (is_compressed(path, f.numbers[i]))
			continue;
		table_again(path, f.numbers[i]);
		written++;
	}
	ck_assert_uint_ne(written, 0);
	ck_assert_uint_ne(written, f.count);
}
END_TEST

struct segment_again {
	struct segment_writer *writer;
	unsigned compressed, count;
};

static int
write_value(void *arg, const struct segment_pointer *p, struct slice user,
    struct slice raw)
{
	struct segment_again *s = arg;
	struct segment_pointer again;
	struct segment_value v;

	s->count++;
	if (p->frame_len < segment_frame_len(user.len, raw.len)) {
		s->compressed++;
		return 0;
	}
	if (s->compressed != 0)
		return 0;
	segment_value_init(&v);
	ck_assert_int_eq(segment_value_encode(&v, user, raw, false), 0);
	ck_assert_int_eq(segment_append(s->writer, &v, 1, &again), 0);
	segment_value_fini(&v);
	ck_assert_uint_eq(again.off, p->off);
	ck_assert_uint_eq(again.frame_len, p->frame_len);
	return 0;
}

START_TEST(segments_are_written_alike)
{
	struct files f = list(FILE_SEGMENT);
	char path[PATH_MAX], again[PATH_MAX];
	struct segment_reader *r;
	unsigned written = 0;

	for (size_t i = 0; i < f.count; i++) {
		struct segment_again s = { 0 };

		name_of(path, &f, i);
		temp_name(again, "segment");
		ck_assert_int_eq(segment_reader_open(open_file(path, ENV_READ),
				     path, f.numbers[i], &r),
		    0);
		ck_assert_int_eq(segment_writer_open(open_file(again,
							 ENV_WRITE |
							     ENV_CREATE),
				     again, f.numbers[i], &s.writer),
		    0);
		ck_assert_int_eq(segment_walk(r, stderr, write_value, &s), 0);
		ck_assert_uint_ne(s.count, 0);
		segment_writer_close(s.writer);
		segment_reader_close(r);
		if (s.compressed == 0) {
			expect_same_file(path, again);
			written++;
		}
		unlink(again);
	}
	ck_assert_uint_ne(written, 0);
	ck_assert_uint_ne(written, f.count);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("version 1");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, manifests_are_written_alike);
	tcase_add_test(tc, logs_are_written_alike);
	tcase_add_test(tc, tables_are_written_alike);
	tcase_add_test(tc, segments_are_written_alike);
	tcase_set_timeout(tc, 120);
	return run_case("golden_write", tc);
}
