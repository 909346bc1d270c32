/* SPDX-License-Identifier: ISC */
/*
 * A store whose files are cut short, altered or gone. It must refuse to
 * open and say why, or every read must give what was written, or an error;
 * never something else. A store that was closed shows all commits; one
 * whose process was killed may end sooner, as after a power cut, but not
 * before what it was told to make durable.
 *
 * Every trial has a seed of its own: KVFS_SEED with KVFS_DAMAGE_TRIAL
 * repeats one, as far as background threads let it.
 */
#include <check.h>
#include <stdlib.h>

#include "engine/env/env.h"
#include "engine/memtable/memtable.h"
#include "engine/store/db.h"
#include "support/env_mem.h"
#include "support/model.h"
#include "support/suite.h"
#include "support/env_path.h"
#include "util/clock.h"
#include "util/log.h"

#define GROUPS 4
#define NAMES 20
#define KEYS (GROUPS * NAMES)
#define COMMITS 120
#define CHANGES_MAX 6
#define FILES_MAX 64

/* For each commit and key, the commit that wrote the value; 0: absent. */
static uint16_t writer[COMMITS + 1][KEYS];

struct variant {
	const char *name;
	bool is_closed;
	unsigned flush_at; /* a flush after this commit; 0: none */
};

static const struct variant variants[] = {
	{ "closed", true, 0 },
	{ "killed", false, 0 },
	{ "killed after a flush", false, 80 },
};

static atomic_uint errors; /* lines logged */
static char last_error[300];

static void
note_line(enum log_level level, const char *line)
{
	if (level == LOG_LVL_ERROR && atomic_fetch_add(&errors, 1) == 0)
		snprintf(last_error, sizeof(last_error), "%s", line);
}

static struct kv_key
key_of(unsigned i, char *name)
{
	snprintf(name, 16, "name-%02u", i % NAMES);
	return (struct kv_key){ .space = 1,
		.group = 1 + i / NAMES,
		.name = slice_str(name) };
}

/* The value that a commit gives to a key: small ones, ones that live in
 * segments, and a few so large that they go there directly. */
static size_t
value_of(unsigned commit, unsigned i, uint8_t *dst)
{
	struct rng r = { commit * 1000003ull + i };
	uint64_t dice = rng_below(&r, 40);
	size_t len = dice == 0 ? 70000 :
	    dice < 5           ? 4096 + rng_below(&r, 5000) :
				 1 + rng_below(&r, 600);

	for (size_t n = 0; n < len; n += 8) {
		uint64_t x = rng_next(&r) & 0xffffffff;

		memcpy(dst + n, &x, sizeof(x));
	}
	return len;
}
#define VALUE_ROOM (70000 + 8)

static void
commit(struct kv *kv, unsigned n, struct rng *r, uint64_t *seqp)
{
	static uint8_t values[CHANGES_MAX][VALUE_ROOM];
	unsigned count = 1 + (unsigned)rng_below(r, CHANGES_MAX);
	struct kv_batch b;
	char name[16];

	memcpy(writer[n], writer[n - 1], sizeof(writer[n]));
	kv_batch_init(&b);
	for (unsigned c = 0; c < count; c++) {
		unsigned i = (unsigned)rng_below(r, KEYS);
		struct kv_key key = key_of(i, name);
		uint64_t dice = rng_below(r, 30);

		if (dice == 0) {
			kv_batch_delete_group(&b, key.space, key.group);
			memset(&writer[n][i / NAMES * NAMES], 0,
			    NAMES * sizeof(writer[n][0]));
		} else if (dice < 6) {
			kv_batch_delete(&b, &key);
			writer[n][i] = 0;
		} else {
			kv_batch_put(&b, &key,
			    slice_make(values[c], value_of(n, i, values[c])));
			writer[n][i] = (uint16_t)n;
		}
	}
	ck_assert_int_eq(kv_commit(kv, &b, seqp), 0);
	kv_batch_fini(&b);
}

static void
small_options(struct kv_options *o)
{
	kv_options_init(o);
	o->sync = KV_SYNC_INTERVAL;
	o->sync_ms = 3600000;
	o->memtable_bytes = 32 << 10;
	o->cache_bytes = 32 << 10;
}

/* Tables, segments and, unless it was closed, a live log. *durablep is the
 * last commit that must be there whatever one piece of damage does. */
static struct env *
make_store(const struct variant *v, struct rng *r, unsigned *durablep)
{
	struct env *env = env_mem_create(rng_next(r)), *image;
	struct kv_options o;
	uint64_t seq = 0;
	struct kv *kv;

	small_options(&o);
	ck_assert_int_eq(db_open(env, "/store", &o, &kv), 0);
	for (unsigned n = 1; n <= COMMITS; n++) {
		commit(kv, n, r, &seq);
		if (n == v->flush_at)
			ck_assert_int_eq(kv_flush(kv), 0);
		/* Several frames follow that carry the promise, so that no
		 * single byte takes it away. */
		if (n == COMMITS - 8)
			ck_assert_int_eq(kv_sync(kv, seq), 0);
	}
	*durablep = COMMITS - 8;
	if (!v->is_closed) {
		image = env_mem_crash_copy(env, ENV_MEM_KILL, rng_next(r));
		ck_assert_int_eq(kv_close(kv), 0);
		env_mem_destroy(env);
		return image;
	}
	ck_assert_int_eq(kv_close(kv), 0);
	*durablep = COMMITS;
	return env;
}

/* ---- What a damaged store says ---- */

/* The commits of which the answers so far could be the state. */
struct candidates {
	bool is[COMMITS + 1];
	const char *what; /* the trial, for messages */
};

static void
narrow(struct candidates *c, unsigned i, bool is_there, const struct slice *got)
{
	static uint8_t bytes[VALUE_ROOM];
	bool any = false;

	for (unsigned n = 0; n <= COMMITS; n++) {
		unsigned w = writer[n][i];

		if (!c->is[n])
			continue;
		c->is[n] = is_there == (w != 0);
		if (c->is[n] && got != NULL)
			c->is[n] = slice_eq(*got,
			    slice_make(bytes, value_of(w, i, bytes)));
		any |= c->is[n];
	}
	ck_assert_msg(any, "%s: key %u is wrong: %s", c->what, i,
	    !is_there       ? "absent" :
		got == NULL ? "present" :
			      "its value");
}

static void
expect_damage(const struct candidates *c, int rc)
{
	ck_assert_msg(rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM,
	    "%s: a read ends with %d", c->what, rc);
	ck_assert_msg(atomic_load(&errors) != 0,
	    "%s: an error without a message", c->what);
}

static void
read_by_get(struct kv *kv, struct candidates *c)
{
	char name[16];

	for (unsigned i = 0; i < KEYS; i++) {
		struct kv_key key = key_of(i, name);
		struct kv_value v;
		int rc = kv_get(kv, &key, NULL, &v);

		if (rc == 0 || rc == -ENOENT)
			narrow(c, i, rc == 0, rc == 0 ? &v.data : NULL);
		else
			expect_damage(c, rc);
		kv_value_release(&v);
	}
}

static unsigned
index_of(struct kv_key key)
{
	char name[16];

	for (unsigned i = 0; i < KEYS; i++) {
		struct kv_key k = key_of(i, name);

		if (k.space == key.space && k.group == key.group &&
		    slice_eq(k.name, key.name))
			return i;
	}
	ck_abort_msg("a key that nobody wrote");
}

static void
read_by_scan(struct kv *kv, struct candidates *c)
{
	struct kv_key from = { 0 };
	struct kv_iter *it;
	unsigned next = 0;
	int rc = kv_iter_open(kv, &from, KV_SCOPE_ALL, NULL, &it);

	while (rc >= 0 && (rc = kv_iter_next(it)) > 0) {
		unsigned i = index_of(kv_iter_key(it));
		struct slice value;

		ck_assert_msg(i >= next, "%s: a scan goes back", c->what);
		while (next < i)
			narrow(c, next++, false, NULL);
		rc = kv_iter_value(it, &value);
		if (rc < 0)
			expect_damage(c, rc);
		narrow(c, next++, true, rc < 0 ? NULL : &value);
		rc = 0;
	}
	if (rc < 0)
		expect_damage(c, rc);
	while (rc == 0 && next < KEYS)
		narrow(c, next++, false, NULL);
	kv_iter_close(it);
}

/* True when it opened. */
static bool
judge(struct env *env, unsigned durable, struct rng *r, const char *what)
{
	struct candidates c = { .what = what };
	struct kv_options o;
	struct kv *kv;
	int rc;

	for (unsigned n = durable; n <= COMMITS; n++)
		c.is[n] = true;
	small_options(&o);
	o.read_only = rng_below(r, 4) == 0;
	atomic_store(&errors, 0);
	rc = db_open(env, "/store", &o, &kv);
	if (rc < 0) {
		ck_assert_msg(rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM,
		    "%s: opening ends with %d", what, rc);
		ck_assert_msg(atomic_load(&errors) != 0 &&
			strstr(last_error, "/store") != NULL,
		    "%s: no message that names the place: %s", what,
		    last_error);
		return false;
	}
	read_by_get(kv, &c);
	read_by_scan(kv, &c);
	if (!o.read_only && rng_below(r, 8) == 0) {
		/* What is copied does not become right on the way. */
		(void)kv_compact(kv);
		read_by_get(kv, &c);
		read_by_scan(kv, &c);
	}
	(void)kv_close(kv);
	return true;
}

/* ---- Damage ---- */

struct file_list {
	char names[FILES_MAX][64];
	uint64_t sizes[FILES_MAX];
	unsigned count;
};

static int
note_name(void *arg, const char *name)
{
	struct file_list *l = arg;

	ck_assert_uint_lt(l->count, FILES_MAX);
	strlcpy(l->names[l->count++], name, sizeof(l->names[0]));
	return 0;
}

static void
list_files(struct env *env, struct file_list *l)
{
	char path[128];

	l->count = 0;
	ck_assert_int_eq(env_path_list(env, "/store", note_name, l), 0);
	for (unsigned i = 0; i < l->count; i++) {
		struct env_file *f;

		snprintf(path, sizeof(path), "/store/%s", l->names[i]);
		ck_assert_int_eq(env_path_open(env, path, ENV_READ, &f), 0);
		ck_assert_int_eq(env_size(f, &l->sizes[i]), 0);
		env_close(f);
	}
}

/* How much of a file has been written: logs are mostly zeros. */
static uint64_t
used_bytes(struct env *env, const char *path, uint64_t size)
{
	struct env_file *f;
	uint8_t *p = malloc(size + 1);
	uint64_t n = 0;

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(env_path_open(env, path, ENV_READ, &f), 0);
	ck_assert_int_eq(env_read(f, p, size, 0), (ssize_t)size);
	for (uint64_t i = 0; i < size; i++)
		if (p[i] != 0)
			n = i + 1;
	env_close(f);
	free(p);
	return n;
}

static void
flip_byte(struct env *env, const char *path, uint64_t off, uint8_t mask)
{
	struct env_file *f;
	uint8_t byte;
	struct iovec iov = { &byte, 1 };

	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_read(f, &byte, 1, off), 1);
	byte ^= mask;
	ck_assert_int_eq(env_write(f, &iov, 1, off), 0);
	env_close(f);
}

static void
cut(struct env *env, const char *path, uint64_t size)
{
	struct env_file *f;

	ck_assert_int_eq(env_path_open(env, path, ENV_WRITE, &f), 0);
	ck_assert_int_eq(env_truncate(f, size), 0);
	env_close(f);
}

/* One piece of damage to one file of a copy; what says which. */
static void
damage(struct env *env, const struct file_list *l, struct rng *r, char *what,
    size_t len)
{
	unsigned i = (unsigned)rng_below(r, l->count);
	uint64_t dice = rng_below(r, 50), off, used;
	char path[128];

	snprintf(path, sizeof(path), "/store/%s", l->names[i]);
	used = used_bytes(env, path, l->sizes[i]);
	if (dice == 0) {
		ck_assert_int_eq(env_path_unlink(env, path), 0);
		snprintf(what, len, "%s gone", l->names[i]);
		return;
	}
	if (l->sizes[i] == 0)
		return;
	if (dice < 20) {
		/* Mostly within what is used, sometimes at its very end. */
		off = dice < 3 ? l->sizes[i] - 1 :
		    dice < 5   ? rng_below(r, l->sizes[i]) :
				 rng_below(r, used + 1) % l->sizes[i];
		cut(env, path, off);
		snprintf(what, len, "%s of %llu bytes cut to %llu", l->names[i],
		    (unsigned long long)l->sizes[i], (unsigned long long)off);
		return;
	}
	off = dice < 22 || used == 0 ? rng_below(r, l->sizes[i]) :
				       rng_below(r, used);
	dice = rng_below(r, 3);
	flip_byte(env, path, off,
	    dice == 0     ? 0xff :
		dice == 1 ? (uint8_t)(1u << rng_below(r, 8)) :
			    (uint8_t)(1 + rng_below(r, 255)));
	snprintf(what, len, "%s changed at %llu of %llu bytes", l->names[i],
	    (unsigned long long)off, (unsigned long long)l->sizes[i]);
}

START_TEST(damage_is_refused_or_told_and_never_read_as_data)
{
	const struct variant *v = &variants[_i];
	uint64_t seed = test_seed(), trial, only, end_ns;
	struct rng r = { seed };
	unsigned durable, opened = 0;
	struct file_list files;
	struct env *store;

	log_set_sink(note_line);
	store = make_store(v, &r, &durable);
	list_files(store, &files);
	ck_assert_uint_ge(files.count, 4);
	only = test_number("KVFS_DAMAGE_TRIAL", 0);
	end_ns = clock_now_ns() + test_number("KVFS_DAMAGE_MS", 3000) * 1000000;
	for (trial = only != 0 ? only : 1; clock_now_ns() < end_ns; trial++) {
		struct rng mine = { seed + trial * 7919 };
		struct env *image = env_mem_crash_copy(store, ENV_MEM_KILL,
		    rng_next(&mine));
		char damaged[160] = "nothing", what[256];

		damage(image, &files, &mine, damaged, sizeof(damaged));
		snprintf(what, sizeof(what), "%s, KVFS_DAMAGE_TRIAL=%llu: %s",
		    v->name, (unsigned long long)trial, damaged);
		opened += judge(image, durable, &mine, what);
		env_mem_destroy(image);
		if (only != 0)
			break;
	}
	printf("%s: %u files, %llu trials, %u opened\n", v->name, files.count,
	    (unsigned long long)trial - 1, opened);
	env_mem_destroy(store);
}
END_TEST

START_TEST(every_cut_of_a_manifest_is_refused_or_harmless)
{
	const struct variant *v = &variants[_i];
	struct rng r = { test_seed() };
	struct file_list files;
	unsigned durable;
	struct env *store;

	log_set_sink(note_line);
	store = make_store(v, &r, &durable);
	list_files(store, &files);
	for (unsigned i = 0; i < files.count; i++) {
		char path[128], what[256];

		if (strncmp(files.names[i], "MANIFEST", 8) != 0)
			continue;
		snprintf(path, sizeof(path), "/store/%s", files.names[i]);
		for (uint64_t len = 0; len < files.sizes[i];
		     len += 1 + rng_below(&r, files.sizes[i] / 200 + 1)) {
			struct env *image = env_mem_crash_copy(store,
			    ENV_MEM_KILL, rng_next(&r));

			cut(image, path, len);
			snprintf(what, sizeof(what), "%s: %s cut to %llu",
			    v->name, path, (unsigned long long)len);
			judge(image, durable, &r, what);
			env_mem_destroy(image);
		}
	}
	env_mem_destroy(store);
}
END_TEST

int
main(void)
{
	const int count = (int)(sizeof(variants) / sizeof(variants[0]));
	Suite *s = suite_create("db_damage");
	TCase *tc = tcase_create("all");

	tcase_set_timeout(tc, 200);
	tcase_add_loop_test(tc,
	    damage_is_refused_or_told_and_never_read_as_data, 0, count);
	tcase_add_loop_test(tc, every_cut_of_a_manifest_is_refused_or_harmless,
	    0, count);
	suite_add_tcase(s, tc);
	return run_suite(s);
}
