/* SPDX-License-Identifier: ISC */
/*
 * The bytes of format version 1, kept in tests/golden/v1: they stay
 * readable, and what is written today has the same bytes. A test that fails
 * here says that the format changed: a new version, a page kvfs-format(5)
 * and golden files of its own belong in the same commit.
 *
 * KVFS_GOLDEN_MAKE=DIR makes DIR, DIR.rows and DIR.tree in place of testing.
 */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>

#include "engine/db_internal.h"
#include "engine/segment_format.h"
#include "engine/table_format.h"
#include "engine/table_reader.h"
#include "engine/wal_format.h"
#include "fs/schema.h"
#include "golden/dump.h"
#include "golden/files.h"
#include "golden/make.h"
#include "util/compress.h"
#include "util/crc32c.h"
#include "util/log.h"

#define GOLDEN "tests/golden/v1"
#define BIG 4096 /* as the fs reads rows: any larger is a chunk */

static char store[PATH_MAX]; /* a copy of GOLDEN */
static char last_line[1024];

static void
keep_line(enum log_level level, const char *line)
{
	(void)level;
	strlcpy(last_line, line, sizeof(last_line));
}

static void
setup(void)
{
	log_set_sink(keep_line);
	temp_name(store, "store");
	store_copy(GOLDEN, store, false);
}

static void
teardown(void)
{
	char path[PATH_MAX];
	FILE *lock;

	/* store_remove() expects one. */
	file_path(path, store, "LOCK");
	lock = fopen(path, "ab");
	if (lock != NULL)
		fclose(lock);
	store_remove(store);
	log_set_sink(NULL);
}

static struct kv *
open_kv(const char *dir, bool read_only)
{
	struct kv_options opts;
	struct kv *kv;

	kv_options_init(&opts);
	opts.create = false;
	opts.read_only = read_only;
	ck_assert_msg(kv_open(dir, &opts, &kv) == 0, "%s", last_line);
	return kv;
}

static struct fs *
open_fs(struct kv *kv, bool read_only)
{
	struct fs_options opts;
	struct fs *fs;

	fs_options_init(&opts);
	opts.read_only = read_only;
	opts.atime = false;
	ck_assert_msg(fs_open(kv, &opts, &fs) == 0, "%s", last_line);
	return fs;
}

/* ---- What is in it ---- */

static void
expect_text(struct buf *text, const char *path)
{
	struct buf want = { 0 };
	char got[PATH_MAX];

	file_read(path, &want);
	if (slice_eq(buf_slice(text), buf_slice(&want))) {
		buf_fini(&want);
		return;
	}
	temp_name(got, "got");
	file_write(got, buf_slice(text), text->len);
	ck_abort_msg("compare %s and %s", path, got);
}

static void
take_rows(struct kv *kv, struct buf *text)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);

	dump_rows(kv, out);
	fclose(out);
	buf_append(text, mem, len);
	free(mem);
}

static void
take_tree(struct fs *fs, struct buf *text)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);

	dump_tree(fs, out);
	fclose(out);
	buf_append(text, mem, len);
	free(mem);
}

static void
expect_rows(struct kv *kv)
{
	struct buf text = { 0 };

	take_rows(kv, &text);
	expect_text(&text, GOLDEN ".rows");
	buf_fini(&text);
}

static void
expect_tree(struct fs *fs)
{
	struct buf text = { 0 };

	take_tree(fs, &text);
	expect_text(&text, GOLDEN ".tree");
	buf_fini(&text);
}

static void
expect_clean(struct kv *kv)
{
	char *mem = NULL;
	size_t len;
	FILE *out = open_memstream(&mem, &len);
	int damaged = kv_control(kv, "check", out);
	int problems = fs_verify(kv, out);

	fclose(out);
	ck_assert_msg(damaged == 0 && problems == 0, "%s", mem);
	free(mem);
}

START_TEST(the_rows_are_those_that_were_written)
{
	struct kv *kv = open_kv(store, true);

	expect_rows(kv);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

START_TEST(the_files_are_those_that_were_written)
{
	struct kv *kv = open_kv(store, true);
	struct fs *fs = open_fs(kv, true);

	expect_tree(fs);
	expect_clean(kv);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

START_TEST(reading_changes_no_byte)
{
	char before[PATH_MAX];
	struct kv *kv;
	struct fs *fs;

	temp_name(before, "before");
	store_copy(store, before, false);
	kv = open_kv(store, true);
	fs = open_fs(kv, true);
	expect_tree(fs);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	expect_same_store(before, store);
	strlcpy(last_line, before, sizeof(last_line));
	file_path(before, last_line, "LOCK");
	file_write(before, slice_str(""), 0);
	store_remove(last_line);
}
END_TEST

START_TEST(recovery_and_compaction_keep_the_files)
{
	struct fs_attr a;
	struct kv *kv;
	struct fs *fs;

	for (int i = 0; i < 3; i++) {
		kv = open_kv(store, false);
		fs = open_fs(kv, false);
		expect_tree(fs);
		/* The file that was deleted while open is gone. */
		ck_assert_int_eq(fs_getattr(fs, 50, &a), -ESTALE);
		ck_assert_int_ge(kv_control(kv, "compact", stderr), 0);
		expect_tree(fs);
		expect_clean(kv);
		ck_assert_int_eq(fs_close(fs), 0);
		ck_assert_int_eq(kv_close(kv), 0);
	}
}
END_TEST

/* ---- What is written today ---- */

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

	ck_assert_int_eq(env_open(env_posix(), path, flags, &file), 0);
	return file;
}

static void
name_of(char path[PATH_MAX], const struct files *f, size_t i)
{
	ck_assert_int_eq(filename_make(path, PATH_MAX, store, f->kind,
			     f->numbers[i]),
	    0);
}

struct manifest_again {
	struct manifest *manifest;
	char dir[PATH_MAX];
	uint64_t number;
};

static int
write_edit(void *arg, struct version_edit *e)
{
	struct manifest_again *m = arg;

	if (m->manifest != NULL)
		return manifest_append(m->manifest, e);
	return manifest_create(env_posix(), m->dir, m->number, e,
	    &m->manifest);
}

START_TEST(manifests_are_written_alike)
{
	struct manifest_again m = { 0 };
	struct files f = list(FILE_MANIFEST);
	char path[PATH_MAX], again[PATH_MAX];

	name_of(path, &f, 0);
	temp_name(m.dir, "manifest");
	ck_assert_int_eq(mkdir(m.dir, 0700), 0);
	m.number = f.numbers[0];
	ck_assert_int_eq(manifest_read(env_posix(), path, m.number, write_edit,
			     &m),
	    0);
	manifest_close(m.manifest);
	ck_assert_int_eq(filename_make(again, PATH_MAX, m.dir, FILE_MANIFEST,
			     m.number),
	    0);
	expect_same_file(path, again);
	unlink(again);
	rmdir(m.dir);
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
add_change(void *arg, enum key_type type, struct slice user,
    struct slice value)
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

	kv_batch_init(&b->batch);
	ck_assert_int_eq(record_decode(frame->payload, frame->count,
			     add_change, b),
	    0);
	ck_assert_int_eq(b->batch.error, 0);
	record_encode(&b->batch, b->pointer_count != 0 ? b->pointers : NULL,
	    &again);
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
	body->sum = crc32c(0, body->stored.data, body->stored.len);
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
				     frame.count != 0 ? &body : NULL,
				     frame.seq, frame.count,
				     frame.durable_seq),
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
	table_options_init(&opts);
	opts.compress = false;
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
		ck_assert_int_eq(segment_writer_open(
				     open_file(again, ENV_WRITE | ENV_CREATE),
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

/* ---- Rows ---- */

static size_t
value_again(const struct kv_key *key, struct slice value, uint8_t *dst)
{
	struct dentry_row dentry;
	struct super_row super;
	struct count_row count;
	struct attr_rec rec;
	struct slice data = { 0 };
	uint64_t number;
	size_t n = 0;

	switch (key->space) {
	case SPACE_STORE:
		if (slice_eq(key->name, slice_str(KEY_FORMAT))) {
			ck_assert_int_eq(schema_get_super(value, &super), 0);
			return schema_put_super(dst, &super);
		}
		if (slice_eq(key->name, slice_str(KEY_INODES))) {
			ck_assert_int_eq(schema_get_count(value, &count), 0);
			return schema_put_count(dst, &count);
		}
		ck_assert(slice_eq(key->name, slice_str(KEY_NEXT_INO)));
		ck_assert_int_eq(schema_get_number(value, &number), 0);
		return schema_put_number(dst, number);
	case SPACE_DENTRY:
		ck_assert_int_eq(schema_get_dentry(value, &dentry), 0);
		if (dentry.is_ref)
			return schema_put_ref(dst, dentry.ino, dentry.type);
		n = schema_put_dentry(dst, dentry.ino, &dentry.rec);
		data = dentry.inline_data;
		break;
	case SPACE_INODE:
		ck_assert_int_eq(schema_get_inode(value, &rec, &data), 0);
		n = schema_put_inode(dst, &rec);
		break;
	default:
		ck_assert_int_eq(schema_get_bytes(value, &data), 0);
		dst[n++] = SCHEMA_TAG;
	}
	if (data.len != 0)
		memcpy(dst + n, data.data, data.len);
	return n + data.len;
}

START_TEST(rows_are_written_alike)
{
	static uint8_t again[CHUNK_SIZE + BIG];
	struct kv *kv = open_kv(store, true);
	struct kv_key key = { 0 };
	unsigned rows[SPACE_ORPHAN + 1] = { 0 };
	struct kv_iter *it;
	struct slice value;
	int rc;

	ck_assert_int_eq(kv_iter_open(kv, &key, KV_SCOPE_ALL, NULL, &it), 0);
	while ((rc = kv_iter_next(it)) == 1) {
		size_t n;

		key = kv_iter_key(it);
		ck_assert_uint_le(key.space, SPACE_ORPHAN);
		ck_assert_int_eq(kv_iter_value(it, &value), 0);
		ck_assert_uint_le(value.len, sizeof(again));
		n = value_again(&key, value, again);
		ck_assert(slice_eq(slice_make(again, n), value));
		rows[key.space]++;
	}
	ck_assert_int_eq(rc, 0);
	for (int i = SPACE_STORE; i <= SPACE_ORPHAN; i++)
		ck_assert_uint_ne(rows[i], 0);
	kv_iter_close(it);
	ck_assert_int_eq(kv_close(kv), 0);
}
END_TEST

/* ---- Making it ---- */

static void
write_text(const char *dir, const char *suffix, struct buf *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s%s", dir, suffix);
	file_write(path, buf_slice(text), text->len);
	buf_clear(text);
}

START_TEST(make)
{
	const char *dir = getenv("KVFS_GOLDEN_MAKE");
	struct buf text = { 0 };
	struct kv *kv;
	struct fs *fs;

	golden_make(dir);
	temp_name(store, "store");
	store_copy(dir, store, false);
	kv = open_kv(store, true);
	fs = open_fs(kv, true);
	take_rows(kv, &text);
	write_text(dir, ".rows", &text);
	take_tree(fs, &text);
	write_text(dir, ".tree", &text);
	ck_assert_int_eq(fs_close(fs), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	store_remove(store);
	buf_fini(&text);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("golden");
	TCase *tc = tcase_create("version 1");
	SRunner *sr;
	int failed;

	if (getenv("KVFS_GOLDEN_MAKE") != NULL) {
		tcase_add_test(tc, make);
	} else {
		tcase_add_checked_fixture(tc, setup, teardown);
		tcase_add_test(tc, the_rows_are_those_that_were_written);
		tcase_add_test(tc, the_files_are_those_that_were_written);
		tcase_add_test(tc, reading_changes_no_byte);
		tcase_add_test(tc, recovery_and_compaction_keep_the_files);
		tcase_add_test(tc, manifests_are_written_alike);
		tcase_add_test(tc, logs_are_written_alike);
		tcase_add_test(tc, tables_are_written_alike);
		tcase_add_test(tc, segments_are_written_alike);
		tcase_add_test(tc, rows_are_written_alike);
	}
	tcase_set_timeout(tc, 120);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed != 0;
}
