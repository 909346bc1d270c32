/* SPDX-License-Identifier: ISC */
/*
 * Who waits for what: an operation waits for the disk without a lock, so that
 * many of them share one sync, and others go on meanwhile.
 */
#include <fcntl.h>
#include <limits.h>
#include <linux/falloc.h>
#include <pthread.h>
#include <sys/xattr.h>

#include "engine/state/db_state.h"
#include "engine/store/db.h"
#include "unit/fs_test.h"
#include "util/buf.h"
#include "util/stats.h"

#define CREATORS 12

/* Operations that commit, each a thread of its own, in one directory. */
static struct {
	uint64_t dir;
	uint64_t written, changed; /* files with contents that wait */
} w;

static int
do_create(void)
{
	struct fs_attr attr;

	return fs_create(fs, w.dir, slice_str("created"), S_IFREG | 0644, 0,
	    &cred, &attr);
}

static int
do_mkdir(void)
{
	struct fs_attr attr;

	return fs_create(fs, w.dir, slice_str("made"), S_IFDIR | 0755, 0, &cred,
	    &attr);
}

static int
do_symlink(void)
{
	struct fs_attr attr;

	return fs_symlink(fs, w.dir, slice_str("symlink"), slice_str("x"),
	    &cred, &attr);
}

static int
do_tmpfile(void)
{
	struct fs_attr attr;

	return fs_tmpfile(fs, w.dir, 0600, &cred, &attr);
}

static int
do_link(void)
{
	struct fs_attr attr;

	return fs_link(fs, w.changed, w.dir, slice_str("linked"), &attr);
}

static int
do_unlink(void)
{
	return fs_unlink(fs, w.dir, slice_str("to-go"));
}

static int
do_rename(void)
{
	return fs_rename(fs, w.dir, slice_str("to-move"), w.dir,
	    slice_str("moved"), 0);
}

static int
do_setattr(void)
{
	struct fs_attr attr = { .mode = 0600 };

	return fs_setattr(fs, w.changed, &attr, FS_SET_MODE, &attr);
}

static int
do_setxattr(void)
{
	return fs_setxattr(fs, w.changed, slice_str("user.a"), slice_str("1"),
	    0);
}

static int
do_flush(void)
{
	return fs_flush(fs, w.written);
}

static int
do_sync(void)
{
	return fs_sync(fs);
}

static int
do_fsync(void)
{
	write_str(w.written, "some contents");
	return fs_fsync(fs, w.written);
}

static const struct {
	const char *name;
	int (*fn)(void);
} ops[] = {
	{ "create", do_create },
	{ "mkdir", do_mkdir },
	{ "symlink", do_symlink },
	{ "tmpfile", do_tmpfile },
	{ "link", do_link },
	{ "unlink", do_unlink },
	{ "rename", do_rename },
	{ "setattr", do_setattr },
	{ "setxattr", do_setxattr },
	{ "flush", do_flush },
	{ "fsync", do_fsync },
	{ "sync", do_sync },
};
#define OPS (sizeof(ops) / sizeof(ops[0]))

/* The ends of operations whose answers nobody takes. */
static void *
run_op(void *arg)
{
	size_t i = (size_t)(uintptr_t)arg;
	int rc = ops[i].fn();

	ck_assert_msg(rc == 0, "%s: %d", ops[i].name, rc);
	return NULL;
}

static atomic_bool is_done;

static void *
flush_written(void *arg)
{
	(void)arg;
	ck_assert_int_eq(fs_flush(fs, w.written), 0);
	atomic_store(&is_done, true);
	return NULL;
}

static void
make_files(void)
{
	opts.writeback_ms = 1000000;
	reopen();
	w.dir = make_dir("dir");
	make_in(w.dir, "to-go", S_IFREG | 0644);
	make_in(w.dir, "to-move", S_IFREG | 0644);
	w.written = make_in(w.dir, "written", S_IFREG | 0644);
	w.changed = make_in(w.dir, "changed", S_IFREG | 0644);
	write_str(w.written, "some contents");
	write_str(w.changed, "other contents");
}

static bool
take_all(void *arg, const struct fs_dirent *e)
{
	unsigned *n = arg;

	(*n)++;
	if (e->attr != NULL)
		fs_forget(fs, e->ino, 1);
	return true;
}

/* All that only looks, at a file and the directory it is in. */
static void
look_at(uint64_t dir, const char *name, const char *text)
{
	uint64_t ino = lookup_in(dir, name);
	struct buf value = { 0 };
	struct fs_dir *list;
	unsigned n = 0;

	ck_assert_uint_ne(ino, 0);
	ck_assert_uint_eq(stat_of(dir).ino, dir);
	ck_assert_int_eq(fs_openfile(fs, ino, false), 0);
	expect_str(ino, text);
	ck_assert_int_eq(fs_lseek(fs, ino, 0, SEEK_DATA), 0);
	ck_assert_int_ne(fs_getxattr(fs, ino, slice_str("user.b"), &value), 0);
	fs_release(fs, ino);
	fs_forget(fs, ino, 1);
	ck_assert_int_eq(fs_opendir(fs, dir, &list), 0);
	ck_assert_int_eq(fs_readdir(fs, list, 0, true, take_all, &n), 0);
	ck_assert_uint_ge(n, 4);
	fs_closedir(fs, list);
	buf_fini(&value);
}

START_TEST(nobody_holds_a_lock_while_he_waits_for_the_disk)
{
	pthread_t threads[OPS];

	make_files();
	kv_mem_hold(kv, KV_MEM_SETTLES);
	for (uintptr_t i = 0; i < OPS; i++) {
		ck_assert_int_eq(pthread_create(&threads[i], NULL, run_op,
				     (void *)i),
		    0);
		/* Each comes that far while the others wait. */
		kv_mem_await_held(kv, (unsigned)i + 1);
		look_at(w.dir, "written", "some contents");
		look_at(w.dir, "changed", "other contents");
	}
	kv_mem_hold(kv, 0);
	for (size_t i = 0; i < OPS; i++)
		pthread_join(threads[i], NULL);
}
END_TEST

/* What moves a row or takes it away keeps who looks at that file waiting, as
 * the directory's lock in the kernel does; not who looks at others. */
static bool
moves_row(int (*fn)(void))
{
	return fn == do_link || fn == do_unlink || fn == do_rename;
}

/* Those who look do not wait for a commit, which is not there yet (0), or
 * there already (1). */
START_TEST(who_looks_does_not_wait_for_commits)
{
	pthread_t thread;
	struct fs_dir *list;
	unsigned n;

	make_files();
	/* Both have something in the store, too. */
	ck_assert_int_eq(fs_sync(fs), 0);
	for (uintptr_t i = 0; i < OPS; i++) {
		write_str(w.written, "some contents");
		write_str(w.changed, "other contents");
		kv_mem_hold(kv, _i == 0 ? KV_MEM_COMMITS : KV_MEM_ANSWERS);
		ck_assert_int_eq(pthread_create(&thread, NULL, run_op,
				     (void *)i),
		    0);
		kv_mem_await_held(kv, 1);
		ck_assert_int_eq(fs_opendir(fs, w.dir, &list), 0);
		n = 0;
		ck_assert_int_eq(fs_readdir(fs, list, 0, false, take_all, &n),
		    0);
		ck_assert_uint_ge(n, 4);
		fs_closedir(fs, list);
		ck_assert_uint_eq(stat_of(w.dir).ino, w.dir);
		expect_str(w.written, "some contents");
		if (!moves_row(ops[i].fn)) {
			look_at(w.dir, "written", "some contents");
			look_at(w.dir, "changed", "other contents");
		}
		kv_mem_hold(kv, 0);
		pthread_join(thread, NULL);
		expect_str(w.changed, "other contents");
	}
}
END_TEST

START_TEST(who_looks_does_not_wait_for_the_write_back_thread)
{
	make_files();
	opts.writeback_ms = 1;
	kv_mem_hold(kv, _i == 0 ? KV_MEM_COMMITS : KV_MEM_ANSWERS);
	fs_set_options(fs, &opts);
	kv_mem_await_held(kv, 1);
	for (int i = 0; i < 3; i++) {
		look_at(w.dir, "written", "some contents");
		look_at(w.dir, "changed", "other contents");
	}
	kv_mem_hold(kv, 0);
}
END_TEST

/* Contents of many chunks, some of which are committed and others not. */
START_TEST(contents_read_while_they_are_committed_are_true)
{
	size_t len = 5 * CHUNK_SIZE + 17;
	uint8_t *bytes = pattern(len, 1);
	pthread_t thread;

	make_files();
	ck_assert_int_eq(fs_openfile(fs, w.written, false), 0);
	write_at(w.written, 0, bytes, len);
	ck_assert_int_eq(fs_fsync(fs, w.written), 0);
	memset(bytes + 2 * CHUNK_SIZE, 'x', CHUNK_SIZE + 5);
	write_at(w.written, 2 * CHUNK_SIZE, bytes + 2 * CHUNK_SIZE,
	    CHUNK_SIZE + 5);
	memset(bytes, 0, CHUNK_SIZE);
	ck_assert_int_eq(fs_fallocate(fs, w.written,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
			     CHUNK_SIZE),
	    0);
	kv_mem_hold(kv, _i == 0 ? KV_MEM_COMMITS : KV_MEM_ANSWERS);
	ck_assert_int_eq(pthread_create(&thread, NULL, flush_written, NULL), 0);
	kv_mem_await_held(kv, 1);
	expect_bytes(w.written, bytes, len);
	ck_assert_int_eq(fs_lseek(fs, w.written, 0, SEEK_DATA), CHUNK_SIZE);
	kv_mem_hold(kv, 0);
	pthread_join(thread, NULL);
	expect_bytes(w.written, bytes, len);
	fs_release(fs, w.written);
	free(bytes);
}
END_TEST

/* A commit must not take it back, nor take it for stored. */
START_TEST(a_read_while_contents_are_committed_moves_the_access_time)
{
	struct timespec before = { 1, 0 };
	struct fs_attr attr = { .atime = before };
	pthread_t thread;

	make_files();
	ck_assert_int_eq(fs_setattr(fs, w.written, &attr, FS_SET_ATIME, &attr),
	    0);
	write_str(w.written, "some contents");
	kv_mem_hold(kv, _i == 0 ? KV_MEM_COMMITS : KV_MEM_ANSWERS);
	ck_assert_int_eq(pthread_create(&thread, NULL, flush_written, NULL), 0);
	kv_mem_await_held(kv, 1);
	ck_assert_int_eq(stat_of(w.written).atime.tv_sec, 1);
	expect_str(w.written, "some contents");
	kv_mem_hold(kv, 0);
	pthread_join(thread, NULL);
	ck_assert_int_gt(stat_of(w.written).atime.tv_sec, 1);
	reopen();
	w.dir = lookup("dir");
	w.written = lookup_in(w.dir, "written");
	ck_assert_int_gt(stat_of(w.written).atime.tv_sec, 1);
}
END_TEST

START_TEST(each_operation_waits_for_what_it_has_committed)
{
	make_files();
	for (size_t i = 0; i < OPS; i++) {
		uint64_t before = kv_mem_commits(kv);
		int rc = ops[i].fn();

		ck_assert_msg(rc == 0, "%s: %d", ops[i].name, rc);
		ck_assert_msg(ops[i].fn == do_sync ||
			kv_mem_commits(kv) > before,
		    "%s commits nothing", ops[i].name);
		ck_assert_msg(kv_mem_settled(kv) == kv_mem_commits(kv),
		    "%s leaves a commit that nobody waits for", ops[i].name);
	}
	unmount_fs();
	ck_assert_uint_eq(kv_mem_settled(kv), kv_mem_commits(kv));
}
END_TEST

/* Else a close(2) would promise what another's sync has yet to keep. */
START_TEST(a_flush_waits_for_contents_that_another_has_committed)
{
	pthread_t first, second;

	make_files();
	atomic_store(&is_done, false);
	kv_mem_hold(kv, KV_MEM_SETTLES);
	ck_assert_int_eq(pthread_create(&first, NULL, flush_written, NULL), 0);
	kv_mem_await_held(kv, 1);
	ck_assert_int_eq(pthread_create(&second, NULL, flush_written, NULL), 0);
	kv_mem_await_held(kv, 2);
	ck_assert(!atomic_load(&is_done));
	kv_mem_hold(kv, 0);
	pthread_join(first, NULL);
	pthread_join(second, NULL);
	/* What was only read waits for nobody. */
	reopen();
	w.dir = lookup("dir");
	w.written = lookup_in(w.dir, "written");
	kv_mem_hold(kv, KV_MEM_SETTLES);
	ck_assert_int_eq(fs_flush(fs, w.written), 0);
	kv_mem_hold(kv, 0);
}
END_TEST

START_TEST(a_failing_sync_fails_the_operation_and_keeps_no_inode)
{
	uint64_t before;

	make_files();
	before = fs_inode_count(fs);
	kv_mem_fail_settles(kv, -EIO);
	for (size_t i = 0; i < OPS - 1; i++)
		ck_assert_msg(ops[i].fn() == -EIO, "%s", ops[i].name);
	kv_mem_fail_settles(kv, 0);
	/* Nobody was told of those that were made. */
	ck_assert_uint_eq(fs_inode_count(fs), before);
	ck_assert_int_eq(fs_sync(fs), 0);
	expect_clean();
}
END_TEST

static struct fs *durable;

static void *
create_one(void *arg)
{
	struct fs_attr attr;
	char name[16];

	snprintf(name, sizeof(name), "f%u", (unsigned)(uintptr_t)arg);
	ck_assert_int_eq(fs_create(durable, FS_ROOT_INO, slice_str(name),
			     S_IFREG | 0644, 0, &cred, &attr),
	    0);
	return NULL;
}

/* While one sync is under way, files are made that the next one serves. */
START_TEST(files_made_in_one_directory_share_a_sync)
{
	const char *tmp = getenv("TMPDIR");
	char path[PATH_MAX], command[PATH_MAX + 16];
	pthread_t threads[CREATORS];
	struct kv_options options;
	struct kv *store;
	struct db *db;
	uint64_t commits, syncs;

	snprintf(path, sizeof(path), "%s/kvfs-waits.XXXXXX",
	    tmp != NULL ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(path));
	kv_options_init(&options);
	options.sync = KV_SYNC_FULL;
	ck_assert_int_eq(db_open(env_posix(), path, &options, &store), 0);
	ck_assert_int_eq(fs_open(store, &opts, &durable), 0);
	db = db_of(store);
	create_one((void *)(uintptr_t)CREATORS);
	commits = atomic_load(&db->commits.count);
	syncs = counter_read(&db->stats.syncs);
	/* Nobody else can begin one. */
	atomic_store(&db->dur.role, 1);
	for (uintptr_t i = 0; i < CREATORS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, create_one,
				     (void *)i),
		    0);
	while (atomic_load(&db->commits.count) < commits + CREATORS)
		sched_yield();
	atomic_store(&db->dur.role, 0);
	event_wake(&db->dur.done);
	for (size_t i = 0; i < CREATORS; i++)
		pthread_join(threads[i], NULL);
	ck_assert_uint_le(counter_read(&db->stats.syncs), syncs + 2);
	ck_assert_uint_ge(atomic_load(&db->dur.commits), commits + CREATORS);
	ck_assert_int_eq(fs_close(durable), 0);
	ck_assert_int_eq(kv_close(store), 0);
	snprintf(command, sizeof(command), "rm -rf '%s'", path);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

int
main(void)
{
	TCase *tc = tcase_create("waits");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nobody_holds_a_lock_while_he_waits_for_the_disk);
	tcase_add_loop_test(tc, who_looks_does_not_wait_for_commits, 0, 2);
	tcase_add_loop_test(tc,
	    who_looks_does_not_wait_for_the_write_back_thread, 0, 2);
	tcase_add_loop_test(tc, contents_read_while_they_are_committed_are_true,
	    0, 2);
	tcase_add_loop_test(tc,
	    a_read_while_contents_are_committed_moves_the_access_time, 0, 2);
	tcase_add_test(tc, each_operation_waits_for_what_it_has_committed);
	tcase_add_test(tc,
	    a_flush_waits_for_contents_that_another_has_committed);
	tcase_add_test(tc,
	    a_failing_sync_fails_the_operation_and_keeps_no_inode);
	tcase_add_test(tc, files_made_in_one_directory_share_a_sync);
	return run_case("fs_waits", tc);
}
