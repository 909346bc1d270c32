/* SPDX-License-Identifier: ISC */
/*
 * Repair of the embedded store, in memory: any one file is damaged in any
 * way; everything outside of the damage is there afterwards and right, what
 * is not has been reported, and the damaged store is as it was.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/log/wal_format.h"
#include "engine/memtable/memtable.h"
#include "engine/repair/repair.h"
#include "engine/store/db.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/coding.h"

#define KEYS 3000
#define GROUPS 6
#define DEAD_GROUP 5 /* deleted as a whole */

static struct env *env;
static struct kv_options opts;
static struct rng rng;
static unsigned version[KEYS]; /* of each key's value; 0: absent */
static unsigned last_version;
static unsigned long long losses;
static char *report;
/* Nobody can know what it held. */
static bool is_last_log_gone;

static void
setup(void)
{
	rng.state = test_seed();
	env = env_mem_create(1);
	kv_options_init(&opts);
	opts.sync = KV_SYNC_OFF;
	opts.memtable_bytes = 128 << 10;
	memset(version, 0, sizeof(version));
	last_version = 0;
	is_last_log_gone = false;
}

static void
teardown(void)
{
	free(report);
	report = NULL;
	env_mem_destroy(env);
	env = NULL;
}

/* ---- A store with everything in it ---- */

static struct kv_key
key_of(unsigned i, char name[32])
{
	snprintf(name, 32, "key%05u", i);
	return (struct kv_key){ 2, i % GROUPS, slice_str(name) };
}

/* Values tell which key and which version they are. */
static size_t
fill_value(unsigned i, unsigned v, uint8_t *dst)
{
	struct rng r = { i * 1000003ULL + v + 1 };
	size_t len = i % 11 == 0 ? 4096 + rng_below(&r, 3000) :
				   20 + rng_below(&r, 200);

	for (size_t k = 0; k < len; k++)
		dst[k] = i % 3 == 0 ? (uint8_t)rng_below(&r, 256) :
				      (uint8_t)(i + v);
	snprintf((char *)dst, 20, "%u.%u", i, v);
	return len;
}

static void
put(struct kv *kv, unsigned i)
{
	uint8_t value[8192];
	char name[32];
	struct kv_key key = key_of(i, name);
	struct kv_batch b;
	size_t len;

	kv_batch_init(&b);
	version[i] = ++last_version;
	len = fill_value(i, version[i], value);
	kv_batch_put(&b, &key, slice_make(value, len));
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
}

static void
del(struct kv *kv, unsigned i)
{
	char name[32];
	struct kv_key key = key_of(i, name);
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_delete(&b, &key);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	version[i] = 0;
}

static void
del_group(struct kv *kv, uint64_t group)
{
	struct kv_batch b;

	kv_batch_init(&b);
	kv_batch_delete_group(&b, 2, group);
	ck_assert_int_eq(kv_commit(kv, &b, NULL), 0);
	kv_batch_fini(&b);
	for (unsigned i = 0; i < KEYS; i++)
		if (i % GROUPS == group)
			version[i] = 0;
}

static struct kv *
open_at(struct env *e, const char *dir)
{
	struct kv *kv;

	ck_assert_int_eq(db_open(e, dir, &opts, &kv), 0);
	return kv;
}

enum shape {
	SHAPE_CLOSED, /* no log */
	SHAPE_COMPACT, /* each key in one table */
	SHAPE_KILLED, /* the newest commits only in logs */
};

static void
make_store(enum shape shape)
{
	struct kv *kv = open_at(env, "/store");

	for (unsigned i = 0; i < KEYS; i++)
		put(kv, i);
	ck_assert_int_eq(kv_flush(kv), 0);
	for (unsigned n = 0; n < KEYS / 4; n++)
		put(kv, (unsigned)rng_below(&rng, KEYS));
	for (unsigned n = 0; n < KEYS / 8; n++)
		del(kv, (unsigned)rng_below(&rng, KEYS));
	del_group(kv, DEAD_GROUP);
	put(kv, DEAD_GROUP);
	if (shape == SHAPE_COMPACT)
		ck_assert_int_eq(kv_compact(kv), 0);
	if (shape == SHAPE_KILLED) {
		ck_assert_int_eq(kv_flush(kv), 0);
		for (unsigned n = 0; n < 300; n++)
			put(kv, (unsigned)rng_below(&rng, KEYS));
		ck_assert_int_eq(kv_sync(kv, UINT64_MAX), 0);
		env_mem_crash(env, ENV_MEM_KILL);
		kv_close(kv);
		return;
	}
	ck_assert_int_eq(kv_close(kv), 0);
}

/* ---- Repairing and comparing ---- */

/* Keys that were lost, as lines of the report. */
static void
note_lost(void *arg, const struct kv_key *key, const struct kv_key *last,
    const char *why)
{
	FILE *out = arg;

	fprintf(out, "lost: %s: %s %u/%u/%.*s", why,
	    last != NULL ? "keys from" : "value of", key->space,
	    (unsigned)key->group, (int)key->name.len,
	    (const char *)key->name.data);
	if (last != NULL)
		fprintf(out, " to %u/%u/%.*s", last->space,
		    (unsigned)last->group, (int)last->name.len,
		    (const char *)last->name.data);
	fputc('\n', out);
}

static int
repair(struct env *e)
{
	size_t len;
	FILE *out;
	int rc;

	free(report);
	report = NULL;
	out = open_memstream(&report, &len);
	rc = db_repair(e, "/store", "/new", note_lost, out, out);
	fclose(out);
	losses = rc < 0 ? 0 : (unsigned long long)rc;
	return rc;
}

/* What a report says may be lost. */
struct told {
	unsigned ranges;
	struct {
		unsigned from_group, to_group;
		char from[32], to[32];
	} range[512];
	bool anything; /* nobody knows which keys */
	bool deleted_back;
};

static void
parse_report(struct told *t)
{
	char *line = report, *end, *p;

	*t = (struct told){ .ranges = 0 };
	for (; *line != '\0'; line = end + 1) {
		unsigned n = t->ranges;

		end = strchr(line, '\n');
		*end = '\0';
		if (strncmp(line, "lost: ", 6) == 0) {
			ck_assert_uint_lt(n, 512);
			if ((p = strstr(line, "value of 2/")) != NULL) {
				ck_assert_int_eq(sscanf(p, "value of 2/%u/%31s",
						     &t->range[n].from_group,
						     t->range[n].from),
				    2);
				t->range[n].to_group = t->range[n].from_group;
				strcpy(t->range[n].to, t->range[n].from);
				t->ranges++;
			} else if ((p = strstr(line, "keys from 2/")) != NULL) {
				sscanf(p, "keys from 2/%u/%31s",
				    &t->range[n].from_group, t->range[n].from);
				p = strstr(p, " to 2/");
				ck_assert_ptr_nonnull(p);
				sscanf(p, " to 2/%u/%31s",
				    &t->range[n].to_group, t->range[n].to);
				t->ranges++;
			} else if (strstr(line, "deleted may be back")) {
				t->deleted_back = true;
			} else {
				ck_assert(strstr(line, "commits") != NULL ||
				    strstr(line, "nothing in it") != NULL ||
				    strstr(line, "... and ") != NULL ||
				    strstr(line, "not known") != NULL);
				t->anything = true;
			}
		}
		*end = '\n';
	}
}

static bool
is_told(const struct told *t, unsigned i)
{
	char name[32];
	unsigned group = (unsigned)key_of(i, name).group;

	if (t->anything || (t->deleted_back && version[i] == 0))
		return true;
	for (unsigned n = 0; n < t->ranges; n++) {
		if (group < t->range[n].from_group ||
		    group > t->range[n].to_group)
			continue;
		if (group == t->range[n].from_group &&
		    strcmp(name, t->range[n].from) < 0)
			continue;
		if (group == t->range[n].to_group &&
		    strcmp(name, t->range[n].to) > 0)
			continue;
		return true;
	}
	return false;
}

/* How many keys are not what they were; each was reported. */
static unsigned
count_wrong(struct kv *kv)
{
	uint8_t value[8192];
	unsigned wrong = 0;
	struct told *told = malloc(sizeof(*told));
	char name[32];

	parse_report(told);
	for (unsigned i = 0; i < KEYS; i++) {
		struct kv_key key = key_of(i, name);
		struct kv_value v;
		int rc = kv_get(kv, &key, NULL, &v);
		bool right = rc == -ENOENT;

		ck_assert(rc == 0 || rc == -ENOENT);
		if (version[i] != 0)
			right = rc == 0 &&
			    slice_eq(v.data,
				slice_make(value,
				    fill_value(i, version[i], value)));
		kv_value_release(&v);
		if (right)
			continue;
		wrong++;
		if (!is_told(told, i) && !is_last_log_gone)
			ck_abort_msg("2/%u/%s is %s, and nothing says so:\n%s",
			    i % GROUPS, name, rc == 0 ? "wrong" : "absent",
			    report);
	}
	free(told);
	return wrong;
}

static unsigned
wrong_after_repair(struct env *e)
{
	struct kv *kv = open_at(e, "/new");
	unsigned wrong = count_wrong(kv);

	ck_assert_int_eq(kv_check(kv, KV_CHECK_ALL, stdout), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	return wrong;
}

/* ---- Files ---- */

struct file_list {
	char names[256][64];
	unsigned count;
};

static int
add_name(void *arg, const char *name)
{
	struct file_list *l = arg;

	if (strcmp(name, "LOCK") == 0)
		return 0;
	ck_assert_uint_lt(l->count, 256);
	snprintf(l->names[l->count++], 64, "/store/%s", name);
	return 0;
}

static bool
has_suffix(const char *path, const char *suffix)
{
	size_t n = strlen(path), m = strlen(suffix);

	return n >= m && strcmp(path + n - m, suffix) == 0;
}

static uint64_t
size_of(struct env *e, const char *path)
{
	struct env_file *f;
	uint64_t size;

	ck_assert_int_eq(env_path_open(e, path, ENV_READ, &f), 0);
	ck_assert_int_eq(env_size(f, &size), 0);
	env_close(f);
	return size;
}

static void
flip(struct env *e, const char *path, uint64_t off)
{
	struct env_file *f;
	uint8_t byte;
	struct iovec iov = { &byte, 1 };

	ck_assert_int_eq(env_path_open(e, path, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_read(f, &byte, 1, off), 1);
	byte ^= 0x41;
	ck_assert_int_eq(env_write(f, &iov, 1, off), 0);
	env_close(f);
}

static void
cut(struct env *e, const char *path, uint64_t size)
{
	struct env_file *f;

	ck_assert_int_eq(env_path_open(e, path, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_truncate(f, size), 0);
	env_close(f);
}

/* ---- Tests ---- */

START_TEST(a_healthy_store_is_copied_without_a_loss)
{
	uint64_t written;

	make_store((enum shape)_i);
	written = env_mem_bytes_written(env);
	ck_assert_int_eq(repair(env), 0);
	ck_assert_uint_gt(env_mem_bytes_written(env), written);
	ck_assert_uint_eq(wrong_after_repair(env), 0);
	/* The old one is as it was. */
	ck_assert_int_eq(kv_close(open_at(env, "/store")), 0);
}
END_TEST

START_TEST(a_flipped_byte_costs_what_stands_around_it)
{
	struct file_list l = { .count = 0 };

	make_store((enum shape)_i);
	ck_assert_int_eq(env_path_list(env, "/store", add_name, &l), 0);
	for (unsigned i = 0; i < l.count; i++) {
		const char *path = l.names[i];
		bool log = has_suffix(path, ".log");
		uint64_t size = size_of(env, path);

		for (unsigned n = 0; n < 3 && size != 0; n++) {
			struct env *e = env_mem_crash_copy(env, ENV_MEM_KILL,
			    1);
			uint64_t off = n == 0 ? size - 1 :
						rng_below(&rng, size);
			unsigned wrong;

			flip(e, path, off);
			ck_assert_int_ge(repair(e), 0);
			wrong = wrong_after_repair(e);
			/* A frame, a value; of blocks the report tells. */
			if ((log || has_suffix(path, ".seg")) && wrong > 2)
				ck_abort_msg("%s at %llu of %llu: %u wrong:"
					     "\n%s",
				    path, (unsigned long long)off,
				    (unsigned long long)size, wrong, report);
			env_mem_destroy(e);
		}
	}
}
END_TEST

/* The log that the last commits are in. */
static const char *
last_log(struct env *e, const struct file_list *l)
{
	const char *last = "";
	uint8_t head[WAL_HEADER_LEN + 8];

	for (unsigned i = 0; i < l->count; i++) {
		struct env_file *f;
		uint64_t number = strtoull(l->names[i] + 7, NULL, 10);

		if (!has_suffix(l->names[i], ".log") ||
		    strcmp(l->names[i], last) < 0)
			continue;
		ck_assert_int_eq(env_path_open(e, l->names[i], ENV_READ, &f),
		    0);
		/* Not one that is still what it was before. */
		if (env_read(f, head, sizeof(head), 0) == sizeof(head) &&
		    get_le64(head + 16) == number &&
		    get_le64(head + WAL_HEADER_LEN) != 0)
			last = l->names[i];
		env_close(f);
	}
	return last;
}

START_TEST(a_cut_or_missing_file_costs_what_it_held)
{
	struct file_list l = { .count = 0 };

	make_store((enum shape)_i);
	ck_assert_int_eq(env_path_list(env, "/store", add_name, &l), 0);
	for (unsigned i = 0; i < l.count; i++) {
		struct env *e = env_mem_crash_copy(env, ENV_MEM_KILL, 1);
		uint64_t size = size_of(e, l.names[i]);
		unsigned cut_wrong, wrong;

		/* One that was just made is empty, and cannot be cut. */
		if (size != 0)
			cut(e, l.names[i], size - 1 - size / 8);
		ck_assert_int_ge(repair(e), 0);
		cut_wrong = wrong_after_repair(e);
		env_mem_destroy(e);
		e = env_mem_crash_copy(env, ENV_MEM_KILL, 1);
		is_last_log_gone = strcmp(l.names[i], last_log(e, &l)) == 0;
		ck_assert_int_eq(env_path_unlink(e, l.names[i]), 0);
		ck_assert_int_ge(repair(e), 0);
		wrong = wrong_after_repair(e);
		is_last_log_gone = false;
		env_mem_destroy(e);
		if (wrong > 1000)
			ck_assert_msg(cut_wrong < wrong / 2, "%s: %u of %u",
			    l.names[i], cut_wrong, wrong);
	}
}
END_TEST

START_TEST(damage_of_all_files_at_once_is_survived)
{
	struct file_list l = { .count = 0 };

	make_store((enum shape)(_i % 3));
	ck_assert_int_eq(env_path_list(env, "/store", add_name, &l), 0);
	for (unsigned i = 0; i < l.count; i++) {
		uint64_t size = size_of(env, l.names[i]);

		for (unsigned n = 0; n < 4 && size > 0; n++)
			flip(env, l.names[i], rng_below(&rng, size));
		if (rng_below(&rng, 4) == 0)
			cut(env, l.names[i], rng_below(&rng, size + 1));
	}
	ck_assert_int_gt(repair(env), 0);
	ck_assert_uint_gt(wrong_after_repair(env), 0);
}
END_TEST

START_TEST(a_value_that_cannot_be_read_is_lost_not_old)
{
	struct file_list l = { .count = 0 };
	struct kv *kv;
	char name[32];

	make_store(SHAPE_CLOSED);
	ck_assert_int_eq(env_path_list(env, "/store", add_name, &l), 0);
	for (unsigned i = 0; i < l.count; i++)
		if (has_suffix(l.names[i], ".seg"))
			ck_assert_int_eq(env_path_unlink(env, l.names[i]), 0);
	ck_assert_int_gt(repair(env), 0);
	kv = open_at(env, "/new");
	for (unsigned i = 0; i < KEYS; i++) {
		struct kv_key key = key_of(i, name);
		struct kv_value v;
		int rc = kv_get(kv, &key, NULL, &v);

		ck_assert_int_eq(rc,
		    version[i] == 0 || i % 11 == 0 ? -ENOENT : 0);
		kv_value_release(&v);
	}
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_ptr_nonnull(strstr(report, ".seg: offset"));
	ck_assert_ptr_nonnull(strstr(report, "value of 2/"));
}
END_TEST

START_TEST(obsolete_tables_bring_nothing_back)
{
	struct file_list l = { .count = 0 };
	struct env *old;
	struct kv *kv;

	make_store(SHAPE_CLOSED);
	/* Tables from before the deletion, left by a crash. */
	old = env_mem_crash_copy(env, ENV_MEM_KILL, 1);
	ck_assert_int_eq(env_path_list(old, "/store", add_name, &l), 0);
	kv = open_at(env, "/store");
	for (uint64_t g = 0; g < GROUPS; g++)
		del_group(kv, g);
	put(kv, 1);
	ck_assert_int_eq(kv_compact(kv), 0);
	ck_assert_int_eq(kv_close(kv), 0);
	for (unsigned i = 0; i < l.count; i++) {
		struct env_file *from, *to;
		uint64_t size = size_of(old, l.names[i]);
		struct iovec iov = { malloc(size + 1), size };

		if (has_suffix(l.names[i], ".sst") &&
		    env_path_open(env, l.names[i], ENV_WRITE | ENV_CREATE,
			&to) == 0) {
			ck_assert_int_eq(env_path_open(old, l.names[i],
					     ENV_READ, &from),
			    0);
			ck_assert_int_eq(env_read(from, iov.iov_base, size, 0),
			    (int64_t)size);
			ck_assert_int_eq(env_write(to, &iov, 1, 0), 0);
			env_close(from);
			env_close(to);
		}
		free(iov.iov_base);
	}
	env_mem_destroy(old);
	ck_assert_int_eq(repair(env), 0);
	ck_assert_uint_eq(wrong_after_repair(env), 0);
}
END_TEST

START_TEST(what_cannot_be_repaired_is_refused)
{
	struct kv *kv;

	ck_assert_int_eq(repair(env), -ENOENT);
	make_store(SHAPE_CLOSED);
	kv = open_at(env, "/store");
	ck_assert_int_eq(repair(env), -EBUSY);
	ck_assert_int_eq(kv_close(kv), 0);
	kv = open_at(env, "/new");
	ck_assert_int_eq(kv_close(kv), 0);
	ck_assert_int_eq(repair(env), -ENOTEMPTY);
}
END_TEST

START_TEST(a_full_disk_leaves_no_half_store)
{
	struct file_list l = { .count = 0 };

	make_store(SHAPE_CLOSED);
	env_mem_set_free(env, 1 << 20);
	ck_assert_int_lt(repair(env), 0);
	ck_assert_int_eq(env_path_list(env, "/new", add_name, &l), 0);
	ck_assert_uint_eq(l.count, 0);
	env_mem_set_free(env, 1 << 30);
	ck_assert_int_eq(repair(env), 0);
	ck_assert_uint_eq(wrong_after_repair(env), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("repair");
	TCase *t = tcase_create("engine");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, a_healthy_store_is_copied_without_a_loss, 0, 3);
	tcase_add_loop_test(t, a_flipped_byte_costs_what_stands_around_it, 0,
	    3);
	tcase_add_loop_test(t, a_cut_or_missing_file_costs_what_it_held, 0, 3);
	tcase_add_loop_test(t, damage_of_all_files_at_once_is_survived, 0, 6);
	tcase_add_test(t, a_value_that_cannot_be_read_is_lost_not_old);
	tcase_add_test(t, obsolete_tables_bring_nothing_back);
	tcase_add_test(t, what_cannot_be_repaired_is_refused);
	tcase_add_test(t, a_full_disk_leaves_no_half_store);
	suite_add_tcase(s, t);
	return run_suite(s);
}
