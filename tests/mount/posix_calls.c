/* SPDX-License-Identifier: ISC */
/*
 * System calls that shell tools do not make, each with the result that a
 * local file system gives: posix_calls DIR [inexact] [relatime]. Prints the
 * line of whatever differs; exit status 1 then. DIR is on the mount, and empty.
 * inexact: the kernel keeps sizes and, by a coarser clock, times itself.
 * relatime: a read moves the access time once; else it does not.
 */
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static unsigned failures;

#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			printf("line %d: %s (errno: %s)\n", __LINE__, #cond,   \
			    strerror(errno));                                  \
			failures++;                                            \
		}                                                              \
	} while (0)
#define FAILS(call, error) CHECK((errno = 0, (call) == -1) && errno == (error))

static void
put(const char *name, const char *text)
{
	int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY, 0644);

	CHECK(fd >= 0);
	CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	CHECK(close(fd) == 0);
}

static bool
holds(const char *name, const char *text)
{
	char buf[64];
	int fd = open(name, O_RDONLY);
	ssize_t n = fd >= 0 ? read(fd, buf, sizeof(buf)) : -1;

	if (fd >= 0)
		close(fd);
	return n == (ssize_t)strlen(text) &&
	    memcmp(buf, text, strlen(text)) == 0;
}

static bool
later(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec :
					a->tv_nsec > b->tv_nsec;
}

static struct stat
stat_of(const char *name)
{
	struct stat st = { 0 };

	CHECK(lstat(name, &st) == 0);
	return st;
}

static void
files_without_a_name(void)
{
	char proc[64];
	struct stat st;
	int fd = open(".", O_TMPFILE | O_RDWR, 0640);

	if (fd < 0 && errno == EOPNOTSUPP) {
		printf("the kernel has no O_TMPFILE for FUSE\n");
		return;
	}
	CHECK(fd >= 0);
	CHECK(write(fd, "text", 4) == 4);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 4);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	CHECK(
	    linkat(AT_FDCWD, proc, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 1);
	CHECK(holds("named", "text"));
	close(fd);
	fd = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0640);
	snprintf(proc, sizeof(proc), "/proc/self/fd/%d", fd);
	FAILS(linkat(AT_FDCWD, proc, AT_FDCWD, "never", AT_SYMLINK_FOLLOW),
	    ENOENT);
	close(fd);
}

static void
time_of_birth(void)
{
	struct statx sx;
	struct stat st;

	put("born", "x");
	st = stat_of("born");
	CHECK(statx(AT_FDCWD, "born", 0, STATX_BASIC_STATS | STATX_BTIME,
		  &sx) == 0);
	CHECK(sx.stx_size == 1 && sx.stx_ino == st.st_ino);
	if ((sx.stx_mask & STATX_BTIME) == 0)
		printf("the kernel asks FUSE for no time of birth\n");
	else
		CHECK(sx.stx_btime.tv_sec != 0 &&
		    sx.stx_btime.tv_sec <= st.st_ctim.tv_sec + 1);
}

static void
renames(bool exact)
{
	struct stat a, b;

	put("a", "one");
	put("b", "two");
	a = stat_of("a");
	b = stat_of("b");
	FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_NOREPLACE),
	    EEXIST);
	CHECK(renameat2(AT_FDCWD, "a", AT_FDCWD, "b", RENAME_EXCHANGE) == 0);
	CHECK(holds("a", "two") && holds("b", "one"));
	CHECK(
	    stat_of("a").st_ino == b.st_ino && stat_of("b").st_ino == a.st_ino);
	a = stat_of("a");
	CHECK(!exact || later(&a.st_ctim, &b.st_ctim));
	FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "none", RENAME_EXCHANGE),
	    ENOENT);
	FAILS(renameat2(AT_FDCWD, "a", AT_FDCWD, "b",
		  RENAME_EXCHANGE | RENAME_NOREPLACE),
	    EINVAL);
	if (geteuid() == 0) {
		CHECK(renameat2(AT_FDCWD, "a", AT_FDCWD, "c",
			  RENAME_WHITEOUT) == 0);
		a = stat_of("a");
		CHECK(S_ISCHR(a.st_mode) && a.st_rdev == 0);
		CHECK(holds("c", "two"));
		CHECK(unlink("a") == 0);
	}
	CHECK(mkdir("dir", 0755) == 0 && mkdir("dir/sub", 0755) == 0);
	FAILS(rename("dir", "dir/sub/x"), EINVAL);
	FAILS(rename("dir", "b"), ENOTDIR);
	FAILS(rename("b", "dir"), EISDIR);
	CHECK(mkdir("full", 0755) == 0 && mkdir("full/x", 0755) == 0);
	FAILS(rename("dir/sub", "full"), ENOTEMPTY);
}

static void
ranges(bool exact)
{
	char buf[64] = { 0 };
	struct stat st;
	int fd = open("ranges", O_CREAT | O_RDWR, 0644);
	int to = open("copy", O_CREAT | O_RDWR, 0644);
	off_t from = 0;

	CHECK(fd >= 0 && to >= 0);
	CHECK(pwrite(fd, "head", 4, 0) == 4);
	CHECK(pwrite(fd, "tail", 4, 1 << 20) == 4);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 4);
	CHECK(!exact || st.st_blocks * 512 < 1 << 18);
	/* There may be holes that are told as data, never the reverse. */
	CHECK(lseek(fd, 0, SEEK_DATA) == 0);
	CHECK(!exact || lseek(fd, 0, SEEK_HOLE) < 1 << 20);
	CHECK(lseek(fd, 1 << 19, SEEK_DATA) <= 1 << 20);
	CHECK(lseek(fd, 1 << 20, SEEK_HOLE) == (1 << 20) + 4);
	FAILS(lseek(fd, 1 << 21, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, -1, SEEK_DATA), ENXIO);
	FAILS(lseek(fd, -1, SEEK_HOLE), ENXIO);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 1 << 21) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 4);
	CHECK(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 2) ==
	    0);
	CHECK(pread(fd, buf, 4, 0) == 4 && memcmp(buf, "\0\0ad", 4) == 0);
	CHECK(fallocate(fd, FALLOC_FL_ZERO_RANGE, 1 << 20, 8) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == (1 << 20) + 8);
	CHECK(
	    pread(fd, buf, 8, 1 << 20) == 8 && memcmp(buf, "\0\0\0\0", 4) == 0);
	CHECK(fallocate(fd, 0, 0, 1 << 21) == 0);
	CHECK(fstat(fd, &st) == 0 && st.st_size == 1 << 21);
	FAILS(fallocate(fd, FALLOC_FL_COLLAPSE_RANGE, 0, 4096), EOPNOTSUPP);
	FAILS(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, 4096), EOPNOTSUPP);
	FAILS(ftruncate(fd, -1), EINVAL);
	CHECK(ftruncate(fd, 3) == 0 && ftruncate(fd, 8) == 0);
	CHECK(pread(fd, buf, 8, 0) == 8 &&
	    memcmp(buf, "\0\0a\0\0\0\0\0", 8) == 0);
	CHECK(copy_file_range(fd, &from, to, NULL, 100, 0) == 8);
	CHECK(fstat(to, &st) == 0 && st.st_size == 8);
	close(fd);
	close(to);
}

static void
direct(void)
{
	void *buf = aligned_alloc(4096, 4096);
	int fd = open("direct", O_CREAT | O_RDWR | O_DIRECT, 0644);
	int other = open("direct", O_RDWR);

	CHECK(buf != NULL && fd >= 0 && other >= 0);
	memset(buf, 'd', 4096);
	CHECK(pwrite(other, "cached", 6, 4096) == 6);
	CHECK(pwrite(fd, buf, 4096, 0) == 4096);
	CHECK(pread(other, buf, 6, 4090) == 6 && memcmp(buf, "dddddd", 6) == 0);
	CHECK(pwrite(other, "anew", 4, 0) == 4);
	CHECK(pread(fd, buf, 4096, 0) == 4096 && memcmp(buf, "anewd", 5) == 0);
	CHECK(pread(fd, buf, 4096, 4096) == 6 && memcmp(buf, "cached", 6) == 0);
	close(fd);
	close(other);
	free(buf);
}

static void
attributes(void)
{
	static char value[65536], back[65536];
	int fd = open("xattr", O_CREAT | O_RDWR, 0644);

	memset(value, 'v', sizeof(value));
	CHECK(fsetxattr(fd, "user.big", value, sizeof(value), 0) == 0);
	CHECK(fgetxattr(fd, "user.big", NULL, 0) == sizeof(value));
	CHECK(fgetxattr(fd, "user.big", back, sizeof(back)) == sizeof(back) &&
	    memcmp(value, back, sizeof(back)) == 0);
	FAILS(fgetxattr(fd, "user.big", back, 10), ERANGE);
	FAILS(fsetxattr(fd, "user.big", "x", 1, XATTR_CREATE), EEXIST);
	FAILS(fsetxattr(fd, "user.none", "x", 1, XATTR_REPLACE), ENODATA);
	FAILS(fgetxattr(fd, "user.none", back, 10), ENODATA);
	FAILS(fremovexattr(fd, "user.none"), ENODATA);
	CHECK(fsetxattr(fd, "user.empty", "", 0, 0) == 0);
	CHECK(fgetxattr(fd, "user.empty", back, 10) == 0);
	CHECK(flistxattr(fd, back, sizeof(back)) == 9 + 11);
	if (geteuid() == 0) {
		CHECK(fsetxattr(fd, "trusted.a", "1", 1, 0) == 0);
		CHECK(fsetxattr(fd, "security.b", "2", 1, 0) == 0);
	}
	CHECK(fremovexattr(fd, "user.big") == 0);
	close(fd);
}

/* Somebody who is not root writes, so root runs this in a child. */
static void
set_id_bits(void)
{
	static const struct {
		mode_t before, after;
	} cases[] = { { 06777, 0777 }, { 02767, 0767 }, { 04755, 0755 } };
	pid_t pid;
	int status;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put("setid", "x");
		CHECK(chmod("setid", 0666) == 0);
		CHECK(chmod("setid", cases[i].before | 0022) == 0);
		pid = fork();
		if (pid == 0) {
			int fd;

			if (setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
			    setuid(65534) < 0)
				_exit(3);
			fd = open("setid", O_WRONLY);
			_exit(fd >= 0 && write(fd, "y", 1) == 1 ? 0 : 2);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		CHECK((stat_of("setid").st_mode & 07777) ==
		    (cases[i].after | 0022));
	}
	CHECK(chmod("setid", 06755) == 0 && chown("setid", 1, 1) == 0);
	CHECK((stat_of("setid").st_mode & 07777) == 0755);
	/* In a sticky directory only the owner deletes. */
	CHECK(mkdir("sticky", 0755) == 0 && chmod("sticky", 01777) == 0);
	put("sticky/file", "x");
	pid = fork();
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(3);
		_exit(unlink("sticky/file") == -1 && errno == EPERM &&
			    rename("sticky/file", "sticky/x") == -1 ?
			0 :
			2);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(mkdir("setgid", 0755) == 0 && chown("setgid", 0, 7) == 0 &&
	    chmod("setgid", 02755) == 0);
	put("setgid/file", "");
	CHECK(mkdir("setgid/dir", 0755) == 0);
	CHECK(stat_of("setgid/file").st_gid == 7);
	CHECK(stat_of("setgid/dir").st_gid == 7 &&
	    (stat_of("setgid/dir").st_mode & S_ISGID) != 0);
}

/* What a read without O_NOATIME does. */
static void
access_times(bool moves)
{
	struct stat before, after;
	char buf[4];
	int fd;

	fd = open("timed", O_RDONLY);
	CHECK(read(fd, buf, 4) == 4 && close(fd) == 0);
	after = stat_of("timed");
	CHECK((after.st_atim.tv_sec > 1000) == moves);
	fd = open("timed", O_RDONLY);
	CHECK(read(fd, buf, 4) == 4 && close(fd) == 0);
	before = stat_of("timed");
	CHECK(!later(&before.st_atim, &after.st_atim));
}

static void
times(bool reads_move)
{
	const struct timespec some[2] = { { 1000, 123456789 },
		{ 2000, 987654321 } };
	const struct timespec omit[2] = { { 0, UTIME_OMIT }, { 5, 6 } };
	struct stat before, after;
	char buf[4];
	int fd;

	put("timed", "text");
	CHECK(utimensat(AT_FDCWD, "timed", some, 0) == 0);
	before = stat_of("timed");
	CHECK(before.st_atim.tv_nsec == 123456789 &&
	    before.st_mtim.tv_nsec == 987654321);
	CHECK(utimensat(AT_FDCWD, "timed", omit, 0) == 0);
	after = stat_of("timed");
	CHECK(after.st_atim.tv_sec == 1000 && after.st_mtim.tv_nsec == 6);
	fd = open("timed", O_RDONLY | O_NOATIME);
	CHECK(read(fd, buf, 4) == 4 && close(fd) == 0);
	CHECK(stat_of("timed").st_atim.tv_sec == 1000);
	access_times(reads_move);
	/* A write shows at once, in the file and not in its directory. */
	before = stat_of(".");
	fd = open("timed", O_WRONLY | O_APPEND);
	CHECK(write(fd, "more", 4) == 4);
	CHECK(fstat(fd, &after) == 0 && after.st_mtim.tv_sec > 5 &&
	    after.st_size == 8);
	CHECK(close(fd) == 0);
	CHECK(stat_of("timed").st_mtim.tv_nsec == after.st_mtim.tv_nsec);
	after = stat_of(".");
	CHECK(!later(&after.st_mtim, &before.st_mtim));
	CHECK(unlink("timed") == 0);
	after = stat_of(".");
	CHECK(later(&after.st_mtim, &before.st_mtim));
}

static void
mappings(void)
{
	const struct timespec some[2] = { { 1000, 1 }, { 1000, 1 } };
	struct stat before, after;
	int fd = open("mapped", O_CREAT | O_RDWR, 0644);
	char *p, *q;

	CHECK(ftruncate(fd, 8192) == 0);
	CHECK(futimens(fd, some) == 0 && fstat(fd, &before) == 0);
	p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	q = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED && q != MAP_FAILED);
	memcpy(p + 4000, "shared", 6);
	memcpy(q, "private", 7);
	CHECK(msync(p, 8192, MS_SYNC) == 0);
	CHECK(fstat(fd, &after) == 0 && later(&after.st_mtim, &before.st_mtim));
	munmap(p, 8192);
	munmap(q, 8192);
	p = malloc(8192);
	CHECK(pread(fd, p, 8192, 0) == 8192);
	CHECK(memcmp(p + 4000, "shared", 6) == 0 && p[0] == '\0');
	free(p);
	close(fd);
}

/* Who copies is killed in the middle: no more is copied then. */
static void
killed_copy(void)
{
	const off_t size = 2L << 30;
	int in = open("large", O_CREAT | O_RDWR, 0644), out, status;
	pid_t pid;

	CHECK(ftruncate(in, size) == 0);
	out = open("copied", O_CREAT | O_RDWR, 0644);
	pid = fork();
	if (pid == 0) {
		while (copy_file_range(in, NULL, out, NULL, size, 0) > 0)
			;
		_exit(0);
	}
	while (stat_of("copied").st_size == 0)
		usleep(1000);
	CHECK(kill(pid, SIGKILL) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status));
	CHECK(stat_of("copied").st_size < size / 2);
	CHECK(unlink("copied") == 0 && unlink("large") == 0);
	close(in);
	close(out);
}

static void
locks(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int a = open("lock", O_CREAT | O_RDWR, 0644);
	int b = open("lock", O_RDWR);
	int status;
	pid_t pid;

	CHECK(flock(a, LOCK_EX) == 0);
	FAILS(flock(b, LOCK_EX | LOCK_NB), EWOULDBLOCK);
	CHECK(flock(a, LOCK_UN) == 0 && flock(b, LOCK_EX | LOCK_NB) == 0);
	CHECK(fcntl(a, F_SETLK, &lock) == 0);
	pid = fork();
	if (pid == 0) {
		lock.l_pid = 0;
		_exit(
		    fcntl(b, F_SETLK, &lock) == -1 && errno == EAGAIN ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	close(a);
	close(b);
}

static void
kinds_and_names(void)
{
	char name[300];
	struct stat st;
	int fd;

	CHECK(mkfifo("fifo", 0644) == 0 && S_ISFIFO(stat_of("fifo").st_mode));
	CHECK(mknod("socket", S_IFSOCK | 0644, 0) == 0 &&
	    S_ISSOCK(stat_of("socket").st_mode));
	if (geteuid() == 0) {
		CHECK(mknod("null", S_IFCHR | 0666, 0x103) == 0);
		CHECK(stat_of("null").st_rdev == 0x103);
	}
	memset(name, 'n', sizeof(name));
	name[255] = '\0';
	put(name, "x");
	CHECK(unlink(name) == 0);
	name[255] = 'n';
	name[256] = '\0';
	FAILS(open(name, O_CREAT | O_WRONLY, 0644), ENAMETOOLONG);
	CHECK(symlink("loop", "loop") == 0);
	FAILS(open("loop", O_RDONLY), ELOOP);
	FAILS(open("loop", O_RDONLY | O_NOFOLLOW), ELOOP);
	put("file", "x");
	FAILS(open("file", O_CREAT | O_EXCL | O_WRONLY, 0644), EEXIST);
	FAILS(open("file/x", O_RDONLY), ENOTDIR);
	FAILS(open("file", O_RDONLY | O_DIRECTORY), ENOTDIR);
	FAILS(open(".", O_WRONLY), EISDIR);
	FAILS(unlink("."), EISDIR);
	FAILS(rmdir("."), EINVAL);
	fd = open("file", O_PATH);
	CHECK(fd >= 0 && fstat(fd, &st) == 0 && st.st_size == 1);
	FAILS(read(fd, name, 1), EBADF);
	close(fd);
	/* Open, without a name, in a directory that is gone. */
	CHECK(mkdir("gone", 0755) == 0);
	fd = open("gone/file", O_CREAT | O_RDWR, 0644);
	CHECK(unlink("gone/file") == 0 && rmdir("gone") == 0);
	CHECK(write(fd, "still", 5) == 5 && pread(fd, name, 9, 0) == 5);
	CHECK(fstat(fd, &st) == 0 && st.st_nlink == 0 && st.st_size == 5);
	CHECK(fchmod(fd, 0600) == 0 && ftruncate(fd, 2) == 0);
	close(fd);
}

int
main(int argc, char **argv)
{
	bool inexact = false, relatime = false;

	for (int i = 2; i < argc; i++) {
		inexact |= strcmp(argv[i], "inexact") == 0;
		relatime |= strcmp(argv[i], "relatime") == 0;
	}
	if (argc != 2 + inexact + relatime)
		errx(2, "usage: posix_calls DIR [inexact] [relatime]");
	if (chdir(argv[1]) < 0)
		err(2, "%s", argv[1]);
	umask(022);
	files_without_a_name();
	time_of_birth();
	renames(!inexact);
	ranges(!inexact);
	direct();
	attributes();
	if (geteuid() == 0)
		set_id_bits();
	times(relatime);
	mappings();
	killed_copy();
	locks();
	kinds_and_names();
	return failures != 0;
}
