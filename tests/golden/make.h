/* SPDX-License-Identifier: ISC */
/*
 * Makes the store of tests/golden/: in four runs, with and without
 * compression, each of which is killed. For tests/unit/test_golden.c, when
 * a new version of the format needs bytes of its own.
 *
 * Two runs flush, so that what they wrote is in tables and segments; what
 * the other two wrote is in logs.
 */
#ifndef KVFS_TESTS_GOLDEN_MAKE_H
#define KVFS_TESTS_GOLDEN_MAKE_H

#include <signal.h>
#include <sys/wait.h>

#include "engine/env/filename.h"
#include "engine/tree/manifest.h"
#include "fs/fs.h"
#include "golden/files.h"
#include "kvfs/store.h"

/* Of the two runs that flush. */
#define TABLES 2

static const struct fs_cred maker_cred = { .uid = 1000, .gid = 100 };

struct maker {
	struct kv *kv;
	struct fs *fs;
	char dir[PATH_MAX];
};

static void
run_begin(struct maker *m, bool compress)
{
	struct kv_options kv_opts;
	struct fs_options fs_opts;

	kv_options_init(&kv_opts);
	kv_opts.sync = KV_SYNC_CHECKPOINT;
	kv_opts.compaction_threads = 0;
	kv_opts.compress = compress;
	fs_options_init(&fs_opts);
	fs_opts.writeback_ms = 3600000;
	fs_opts.atime = false;
	ck_assert_int_eq(kv_open(m->dir, &kv_opts, &m->kv), 0);
	ck_assert_int_eq(fs_open(m->kv, &fs_opts, &m->fs), 0);
}

static void
flush(struct maker *m)
{
	ck_assert_int_eq(fs_sync(m->fs), 0);
	ck_assert_int_ge(kv_flush(m->kv), 0);
}

/* ---- One step each; inodes stay looked up until the end ---- */

static uint64_t
look_up(struct maker *m, uint64_t parent, const char *name)
{
	struct fs_attr a;

	ck_assert_int_eq(fs_lookup(m->fs, parent, slice_str(name), &a), 0);
	return a.ino;
}

static uint64_t
make_node(struct maker *m, uint64_t parent, const char *name, uint32_t mode,
    uint64_t rdev)
{
	struct fs_attr a;

	ck_assert_int_eq(fs_create(m->fs, parent, slice_str(name), mode, rdev,
			     &maker_cred, &a),
	    0);
	return a.ino;
}

static void
write_at(struct maker *m, uint64_t ino, uint64_t off, struct slice data)
{
	ck_assert_int_eq(fs_openfile(m->fs, ino, false), 0);
	ck_assert_int_eq(fs_write(m->fs, ino, off, data), (ssize_t)data.len);
	ck_assert_int_eq(fs_flush(m->fs, ino), 0);
	fs_release(m->fs, ino);
}

/* len bytes: lines that compress, or noise that does not. */
static void
write_pattern(struct maker *m, uint64_t ino, size_t len, bool noise)
{
	struct buf b = { 0 };
	uint32_t x = (uint32_t)len | 1;
	char line[32];

	while (b.len < len) {
		if (noise) {
			x ^= x << 13;
			x ^= x >> 17;
			x ^= x << 5;
			buf_put_u32(&b, x);
			continue;
		}
		snprintf(line, sizeof(line), "line %07zu\n", b.len / 13);
		buf_append_slice(&b, slice_str(line));
	}
	ck_assert_int_eq(buf_error(&b), 0);
	write_at(m, ino, 0, slice_make(b.data, len));
	buf_fini(&b);
}

static uint64_t
make_file(struct maker *m, uint64_t parent, const char *name,
    const char *contents)
{
	uint64_t ino = make_node(m, parent, name, S_IFREG | 0644, 0);

	if (contents[0] != '\0')
		write_at(m, ino, 0, slice_str(contents));
	return ino;
}

static void
set_times(struct maker *m, uint64_t ino, int64_t atime_s, int64_t mtime_s,
    long mtime_ns)
{
	struct fs_attr a = {
		.atime = { .tv_sec = atime_s },
		.mtime = { .tv_sec = mtime_s, .tv_nsec = mtime_ns },
	};
	struct fs_attr result;

	ck_assert_int_eq(fs_setattr(m->fs, ino, &a, FS_SET_ATIME | FS_SET_MTIME,
			     &result),
	    0);
}

static void
set_xattr(struct maker *m, uint64_t ino, const char *name, struct slice value)
{
	ck_assert_int_eq(fs_setxattr(m->fs, ino, slice_str(name), value, 0), 0);
}

/* ---- The runs ---- */

static void
run_tables_compressed(struct maker *m)
{
	struct fs_attr a;
	uint64_t ino, dir;

	run_begin(m, true);
	ino = make_file(m, FS_ROOT_INO, "small", "Ada Lovelace\n");
	set_times(m, ino, 1000000000, 1234567890, 123456789);
	set_xattr(m, ino, "user.colour", slice_str("blue"));
	set_xattr(m, ino, "user.empty", slice_str(""));
	dir = make_node(m, FS_ROOT_INO, "dir", S_IFDIR | 02750, 0);
	ino = make_file(m, dir, "one", "two names\n");
	ck_assert_int_eq(fs_link(m->fs, ino, FS_ROOT_INO, slice_str("two"), &a),
	    0);
	ck_assert_int_eq(fs_symlink(m->fs, FS_ROOT_INO, slice_str("symlink"),
			     slice_str("dir/one"), &maker_cred, &a),
	    0);
	make_node(m, FS_ROOT_INO, "fifo", S_IFIFO | 0600, 0);
	make_node(m, FS_ROOT_INO, "null", S_IFCHR | 0666, 0x103);
	make_node(m, FS_ROOT_INO, "socket", S_IFSOCK | 0700, 0);
	make_file(m, FS_ROOT_INO, "empty", "");
	make_file(m, FS_ROOT_INO, "\xff\xfe no utf-8\n", "bytes");
	ino = make_file(m, FS_ROOT_INO, "ancient", "before the epoch\n");
	set_times(m, ino, -1, -300000000, 999999999);
	ino = make_file(m, FS_ROOT_INO, "big", "");
	write_pattern(m, ino, 40 << 10, false);
	ino = make_file(m, FS_ROOT_INO, "hole", "");
	write_at(m, ino, 70000, slice_str("behind two chunks of hole"));
	ino = make_file(m, FS_ROOT_INO, "gone", "");
	write_pattern(m, ino, 6000, false);
	set_xattr(m, ino, "user.gone", slice_str("soon"));
	flush(m);
}

static void
run_tables_plain(struct maker *m)
{
	uint64_t ino;

	run_begin(m, false);
	look_up(m, FS_ROOT_INO, "gone");
	ck_assert_int_eq(fs_unlink(m->fs, FS_ROOT_INO, slice_str("gone")), 0);
	ino = make_file(m, FS_ROOT_INO, "noise", "");
	write_pattern(m, ino, 5000, true);
	for (int i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "dir-%02d", i);
		make_node(m, look_up(m, FS_ROOT_INO, "dir"), name,
		    S_IFDIR | 0755, 0);
	}
	flush(m);
}

static void
run_log_compressed(struct maker *m)
{
	uint64_t ino;

	run_begin(m, true);
	ino = make_file(m, FS_ROOT_INO, "inline", "");
	write_pattern(m, ino, 2000, false);
	/* Large enough for a segment without the way through the log. */
	ino = make_file(m, FS_ROOT_INO, "direct", "");
	write_pattern(m, ino, 70 << 10, false);
	/* Leaves a mark in the log. */
	ck_assert_int_eq(fs_sync(m->fs), 0);
}

static void
run_log_plain(struct maker *m)
{
	uint64_t ino;

	run_begin(m, false);
	make_file(m, FS_ROOT_INO, "late", "in the log\n");
	look_up(m, FS_ROOT_INO, "noise");
	ck_assert_int_eq(fs_unlink(m->fs, FS_ROOT_INO, slice_str("noise")), 0);
	ck_assert_int_eq(fs_rename(m->fs, FS_ROOT_INO, slice_str("fifo"),
			     look_up(m, FS_ROOT_INO, "dir"), slice_str("pipe"),
			     0),
	    0);
	/* Open, without a name: an orphan. */
	ino = make_file(m, FS_ROOT_INO, "open", "deleted while open\n");
	ck_assert_int_eq(fs_openfile(m->fs, ino, false), 0);
	ck_assert_int_eq(fs_unlink(m->fs, FS_ROOT_INO, slice_str("open")), 0);
}

/* A file with patches: some in a table, some in the log. */
static void
run_patches(struct maker *m)
{
	static uint8_t block[4096];
	uint64_t ino;

	run_begin(m, false);
	ino = make_file(m, FS_ROOT_INO, "patched", "");
	write_pattern(m, ino, 70 << 10, false);
	write_at(m, ino, 5000, slice_str("in a table"));
	memset(block, 'b', sizeof(block));
	write_at(m, ino, 40960, slice_make(block, sizeof(block)));
	flush(m);
	write_at(m, ino, 5003, slice_str("the log"));
	write_at(m, ino, 71600, slice_str("longer than it was"));
	ck_assert_int_eq(kv_sync(m->kv, UINT64_MAX), 0);
}

/* In a process of its own, which ends without closing anything. */
static void
run_and_kill(void (*run)(struct maker *m), struct maker *m)
{
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		run(m);
		kill(getpid(), SIGKILL);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

struct manifest_more {
	struct manifest *manifest;
	struct env_dir *dir;
	uint64_t number;
};

/* Copy the one edit, then move its oldest table down, as compaction does. */
static int
move_table(void *arg, struct version_edit *e)
{
	struct manifest_more *m = arg;
	struct version_edit more = { 0 };
	struct table_file *f = e->adds[0].file;

	ck_assert_ptr_null(m->manifest);
	ck_assert_int_eq(manifest_create(m->dir, m->number, e, &m->manifest),
	    0);
	for (size_t i = 1; i < e->add_count; i++)
		if (e->adds[i].file->number < f->number)
			f = e->adds[i].file;
	more.next_file = e->next_file + 3;
	table_file_ref(f);
	ck_assert_int_eq(version_edit_remove(&more, 0, f->number), 0);
	ck_assert_int_eq(version_edit_add(&more, LEVEL_LAST, f), 0);
	ck_assert_int_eq(manifest_append(m->manifest, &more), 0);
	version_edit_fini(&more);
	return 0;
}

/* Each run begins a new manifest, and the last one is killed before it has
 * to add anything to it: do that here. */
static void
manifest_add(void *arg, const char *name)
{
	struct manifest_more m = { 0 };
	char path[PATH_MAX], again[PATH_MAX], dir[PATH_MAX];
	struct env_dir *from;
	enum file_kind kind;

	ck_assert_int_eq(filename_parse(name, &kind, &m.number), 0);
	if (kind != FILE_MANIFEST)
		return;
	file_path(path, arg, name);
	temp_name(dir, "manifest");
	ck_assert_int_eq(env_dir_make(env_posix(), dir, &m.dir), 0);
	ck_assert_int_eq(env_dir_open(env_posix(), arg, &from), 0);
	ck_assert_int_eq(manifest_read(from, m.number, move_table, &m), 0);
	manifest_close(m.manifest);
	file_path(again, dir, name);
	ck_assert_int_eq(rename(again, path), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	env_dir_close(from);
	env_dir_close(m.dir);
}

static void
count_table(void *arg, const char *name)
{
	*(unsigned *)arg += strstr(name, ".sst") != NULL;
}

/* Make the store dir with patches. */
static void
golden_make_patches(const char *dir)
{
	struct maker m = { 0 };

	temp_name(m.dir, "make");
	run_and_kill(run_patches, &m);
	store_copy(m.dir, dir, true);
	store_remove(m.dir);
}

/*
 * Make the store dir, with its logs cut. The last run must be killed before
 * what the run before it left in its log is flushed, so that there are two
 * logs to replay; when it was too slow, all is done again.
 */
static void
golden_make(const char *dir)
{
	struct maker m = { 0 };
	unsigned tables;

	for (int i = 0; i < 50; i++) {
		temp_name(m.dir, "make");
		run_and_kill(run_tables_compressed, &m);
		run_and_kill(run_tables_plain, &m);
		run_and_kill(run_log_compressed, &m);
		run_and_kill(run_log_plain, &m);
		tables = 0;
		dir_each(m.dir, count_table, &tables);
		if (tables == TABLES) {
			dir_each(m.dir, manifest_add, m.dir);
			store_copy(m.dir, dir, true);
		}
		store_remove(m.dir);
		if (tables == TABLES)
			return;
	}
	ck_abort_msg("killed too late each time");
}

#endif
