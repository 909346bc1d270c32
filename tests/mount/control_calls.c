/* SPDX-License-Identifier: ISC */
/*
 * Calls on the files of a control directory, by their owner: control_calls DIR
 * FILE MODE, where FILE may be written over, and MODE is an option of the
 * mount. Sizes, offsets, mappings and errors are those of an ordinary file.
 * Exit status 0 when all is as it should be.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define READERS 4
#define PIECES 50

static char text[1 << 20];

static void
expect(bool is_so, const char *what)
{
	if (!is_so)
		errx(1, "%s", what);
}

static int
open_file(const char *name, int flags)
{
	int fd = open(name, flags | O_CLOEXEC);

	if (fd < 0)
		err(1, "%s", name);
	return fd;
}

static off_t
size_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		err(1, "fstat");
	return st.st_size;
}

/* The whole text of a file, in text[]. */
static size_t
read_all(int fd)
{
	size_t len = 0;
	ssize_t n;

	while ((n = pread(fd, text + len, sizeof(text) - len, (off_t)len)) > 0)
		len += (size_t)n;
	if (n < 0)
		err(1, "read");
	return len;
}

/* A size is told as soon as it is known, and at the latest by SEEK_END. */
static void
check_sizes(void)
{
	int fd = open_file("check", O_RDONLY);
	off_t end;

	expect(size_of(fd) == 0, "fstat has a check made");
	end = lseek(fd, 0, SEEK_END);
	expect(end > 0, "SEEK_END of check");
	expect(size_of(fd) == end, "fstat differs from SEEK_END");
	expect(read_all(fd) == (size_t)end, "check is as long as it says");
	close(fd);
	fd = open_file("stats", O_RDONLY);
	end = size_of(fd);
	expect(read_all(fd) == (size_t)end, "stats is as long as it says");
	close(fd);
}

/* All ways to read give the same. */
static void
check_ways(const char *tmp)
{
	int fd = open_file("stats", O_RDONLY), to;
	size_t len = read_all(fd);
	char *copy = malloc(len + 1), *map;
	off_t off = 0;

	map = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	expect(map != MAP_FAILED, "mmap");
	expect(memcmp(map, text, len) == 0, "a mapping differs");
	munmap(map, len);
	to = open_file(tmp, O_RDWR | O_TRUNC);
	expect(sendfile(to, fd, &off, len) == (ssize_t)len, "sendfile");
	expect(pread(to, copy, len, 0) == (ssize_t)len, "the copy");
	expect(memcmp(copy, text, len) == 0, "what sendfile copied differs");
	close(to);
	close(fd);
	free(copy);
}

/* With kernel_writeback the kernel has no pages of these files. */
static void
check_direct(void)
{
	int fd = open_file("stats", O_RDONLY | O_DIRECT);
	size_t len = read_all(fd);

	expect(len > 0 && memcmp(text, "Version:", 8) == 0, "O_DIRECT");
	expect(pread(fd, text, 10, (off_t)len) == 0, "the end, O_DIRECT");
	close(fd);
}

static void
expect_error(int want, ssize_t got, const char *what)
{
	if (got >= 0)
		errx(1, "%s: succeeds", what);
	if (errno != want)
		err(1, "%s", what);
}

static void
check_errors(void)
{
	char line[] = "sync=nonsense\n";
	int fd = open_file("options", O_RDWR | O_APPEND);

	expect_error(EINVAL, write(fd, line, strlen(line)), "a bad option");
	expect(read_all(fd) > 0, "options after an error");
	expect_error(EPERM, ftruncate(fd, 5), "ftruncate");
	expect(ftruncate(fd, 0) == 0, "ftruncate to 0");
	expect_error(EPERM, fchmod(fd, 0777), "chmod");
	close(fd);
	/* Only root gets so far. */
	fd = open("flush", O_RDONLY | O_DIRECT);
	if (fd >= 0) {
		expect_error(EACCES, read(fd, line, 1), "reading flush");
		expect_error(EACCES, read(fd, line, 1), "once more");
		close(fd);
		fd = open_file("stats", O_WRONLY);
		expect_error(EACCES, write(fd, line, 1), "writing stats");
		close(fd);
	}
	/* As open(3) for appending does. */
	fd = open_file("flush", O_WRONLY | O_APPEND);
	expect(lseek(fd, 0, SEEK_END) >= 0, "SEEK_END of flush");
	expect(write(fd, "1", 1) == 1, "appending to flush");
	close(fd);
}

struct reader {
	pthread_t thread;
	int fd, twin; /* the same backup, past the kernel's cache */
	unsigned seed;
	off_t size;
};

static void *
read_pieces(void *arg)
{
	static _Thread_local char a[70000], b[sizeof(a)];
	struct reader *r = arg;

	for (int i = 0; i < PIECES; i++) {
		off_t at = rand_r(&r->seed) % r->size;
		size_t len = (size_t)rand_r(&r->seed) % sizeof(a) + 1;
		ssize_t n = pread(r->fd, a, len, at);

		expect(n > 0 && n == pread(r->twin, b, len, at) &&
			memcmp(a, b, (size_t)n) == 0,
		    "pieces of a backup differ");
	}
	return NULL;
}

/* A backup can be read anywhere, by several at once. */
static void
check_backup(void)
{
	struct reader readers[READERS];
	char path[64];
	int fd = open_file("backup", O_RDONLY), twin;
	off_t size = lseek(fd, 0, SEEK_END);

	expect(size >= 1024 && size % 512 == 0, "the size of a backup");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	twin = open_file(path, O_RDONLY | O_DIRECT);
	expect(size_of(twin) == size || size_of(twin) == 0, "another backup");
	for (unsigned i = 0; i < READERS; i++) {
		readers[i] = (struct reader){ .fd = fd,
			.twin = twin,
			.seed = i,
			.size = size };
		expect(pthread_create(&readers[i].thread, NULL, read_pieces,
			   &readers[i]) == 0,
		    "a thread");
	}
	for (unsigned i = 0; i < READERS; i++)
		pthread_join(readers[i].thread, NULL);
	close(twin);
	close(fd);
}

int
main(int argc, char **argv)
{
	bool bypasses = argc == 4 && strcmp(argv[3], "kernel_writeback") == 0;

	if (argc != 4 || chdir(argv[1]) < 0)
		errx(2, "usage: control_calls DIR FILE MODE");
	/* The kernel then knows no size that was told late. */
	if (!bypasses) {
		check_sizes();
		check_ways(argv[2]);
		check_backup();
	}
	check_direct();
	check_errors();
	return 0;
}
