/* SPDX-License-Identifier: ISC */
/*
 * held_names DIRECTORY SECONDS: what can be done with files and directories
 * that have lost their names while somebody holds them by a path, and with
 * names that others replace all the time.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#define WRITERS 2
#define READERS 3

static void
want(bool is_met, const char *what)
{
	if (!is_met)
		errx(1, "%s: %s", what, strerror(errno));
}

/* text, so many times. */
static void
write_file(const char *name, const char *text, size_t times)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	size_t len = strlen(text);
	char *all = malloc(times * len + 1);

	want(fd >= 0 && all != NULL, name);
	for (size_t i = 0; i < times; i++)
		memcpy(all + i * len, text, len);
	want(write(fd, all, times * len) == (ssize_t)(times * len), name);
	free(all);
	close(fd);
}

/* Opened anew by a path that has no name any more. */
static int
reopen(int fd, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, flags);
}

static void
use_file(size_t times)
{
	char path[64], got[4] = "";
	struct stat st;
	int held, fd;

	write_file("file", "text", times);
	held = open("file", O_PATH);
	want(held >= 0 && unlink("file") == 0, "unlink");
	want(fstat(held, &st) == 0 && st.st_nlink == 0 &&
		st.st_size == (off_t)(times * 4),
	    "attributes of a removed file");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", held);
	want(setxattr(path, "user.a", "b", 1, 0) == 0, "setxattr");
	want(getxattr(path, "user.a", got, 1) == 1 && got[0] == 'b',
	    "getxattr");
	want(chmod(path, 0600) == 0, "chmod");
	fd = reopen(held, O_RDWR);
	want(fd >= 0, "open of a removed file");
	if (times != 0)
		want(pread(fd, got, 4, 0) == 4 && memcmp(got, "text", 4) == 0,
		    "read of a removed file");
	want(pwrite(fd, "more", 4, 2) == 4 && fsync(fd) == 0, "write");
	close(fd);
	want(truncate(path, 6) == 0, "truncate");
	fd = reopen(held, O_RDONLY);
	want(fd >= 0 && pread(fd, got, 4, 2) == 4 &&
		memcmp(got, "more", 4) == 0,
	    "read again");
	want(linkat(AT_FDCWD, path, AT_FDCWD, "back", AT_SYMLINK_FOLLOW) < 0 &&
		errno == ENOENT,
	    "link of a removed file");
	close(fd);
	close(held);
}

static void
use_others(void)
{
	char got[16];
	struct stat st;
	int held, fd;

	want(symlink("target", "link") == 0, "symlink");
	held = open("link", O_PATH | O_NOFOLLOW);
	want(held >= 0 && unlink("link") == 0, "unlink");
	want(readlinkat(held, "", got, sizeof(got)) == 6, "readlink");
	close(held);
	want(mkdir("dir", 0755) == 0, "mkdir");
	held = open("dir", O_PATH);
	want(held >= 0 && rmdir("dir") == 0, "rmdir");
	want(fstat(held, &st) == 0 && st.st_nlink == 0, "fstat");
	fd = openat(held, "x", O_CREAT | O_WRONLY, 0644);
	want(fd < 0 && errno == ENOENT, "create in a removed directory");
	fd = reopen(held, O_RDONLY | O_DIRECTORY);
	want(fd >= 0 && fchmod(fd, 0700) == 0 &&
		fsetxattr(fd, "user.a", "b", 1, 0) == 0 && fsync(fd) == 0,
	    "change of a removed directory");
	close(fd);
	close(held);
}

/* A name that others replace is always there, with the whole of one version:
 * so many bytes of one letter. */
static void
read_replaced(time_t end)
{
	char buf[5000];
	ssize_t n;
	int fd;

	while (time(NULL) < end) {
		fd = open("replaced", O_RDONLY);
		want(fd >= 0, "open of a name that is replaced");
		n = read(fd, buf, sizeof(buf));
		want(n == 100 || n == 4000, "read of a name that is replaced");
		for (ssize_t i = 1; i < n; i++)
			want(buf[i] == buf[0], "half a version");
		close(fd);
		want(chmod("replaced", 0644) == 0, "chmod");
		want(setxattr("replaced", "user.a", "b", 1, 0) == 0,
		    "setxattr of a name that is replaced");
	}
}

static void
replace(int self, time_t end)
{
	char name[32], text[2] = "a";

	snprintf(name, sizeof(name), "new%d", self);
	for (unsigned i = 0; time(NULL) < end; i++) {
		text[0] = (char)('a' + i % 26);
		write_file(name, text, i % 2 != 0 ? 100 : 4000);
		want(rename(name, "replaced") == 0, "rename");
	}
}

int
main(int argc, char **argv)
{
	time_t end;
	int status;

	if (argc != 3)
		errx(2, "usage: held_names DIRECTORY SECONDS");
	want(chdir(argv[1]) == 0, argv[1]);
	use_file(0);
	use_file(20);
	use_file(50000);
	use_others();
	write_file("replaced", "a", 100);
	end = time(NULL) + atoi(argv[2]);
	for (int i = 0; i < WRITERS + READERS; i++) {
		if (fork() != 0)
			continue;
		if (i < WRITERS)
			replace(i, end);
		else
			read_replaced(end);
		_exit(0);
	}
	while (wait(&status) > 0)
		if (status != 0)
			return 1;
	return 0;
}
