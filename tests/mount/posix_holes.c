/* SPDX-License-Identifier: ISC */
/*
 * No hole is told where data may be: posix_holes DIR [inexact]. Files are
 * written through shared maps and looked at while the map lasts, as a
 * backup of a running database does. inexact: all is told as data. Prints
 * what is wrong; exit status 1 then.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE (4l << 20)
#define AT (SIZE / 2 + 5000)

static unsigned failures;
static bool exact = true;

static void
expect(bool holds, const char *when, const char *what)
{
	if (holds)
		return;
	printf("%s: %s\n", when, what);
	failures++;
}

/* Where data of the file at path is said to be, at or behind off; -1 for
 * nowhere. By a descriptor of its own, as another program has. */
static off_t
data_behind(const char *path, off_t off)
{
	int fd = open(path, O_RDONLY);
	off_t at;

	if (fd < 0)
		err(2, "%s", path);
	at = lseek(fd, off, SEEK_DATA);
	if (at < 0 && errno != ENXIO)
		err(2, "%s: SEEK_DATA", path);
	close(fd);
	return at;
}

static blkcnt_t
blocks_of(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		err(2, "%s", path);
	return st.st_blocks;
}

static int
create(const char *path, off_t size)
{
	int fd = open(path, O_CREAT | O_EXCL | O_RDWR, 0644);

	if (fd < 0 || ftruncate(fd, size) != 0)
		err(2, "%s", path);
	return fd;
}

static char *
map(int fd, size_t size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		err(2, "mmap");
	return p;
}

static void
expect_hidden(const char *path, off_t at, const char *when)
{
	off_t data = data_behind(path, 0);

	expect(data >= 0 && data <= at, when, "a hole is told before the data");
	data = data_behind(path, at);
	expect(data == at, when, "a hole is told where the data is");
	expect(blocks_of(path) != 0, when, "no block is told");
}

/* How a file is made ready for a map; its attributes are in the kernel. */
static int
made_here(const char *path)
{
	return create(path, SIZE);
}

static int
made_and_opened_again(const char *path)
{
	close(create(path, SIZE));
	(void)blocks_of(path);
	return open(path, O_RDWR);
}

static int
read_before(const char *path)
{
	static char buf[SIZE];
	int fd;

	close(create(path, SIZE));
	fd = open(path, O_RDONLY);
	if (read(fd, buf, SIZE) != SIZE)
		err(2, "%s", path);
	close(fd);
	(void)blocks_of(path);
	return open(path, O_RDWR);
}

static int
punched(const char *path)
{
	static char buf[SIZE];
	int fd = create(path, SIZE);

	if (write(fd, buf, SIZE) != SIZE ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0,
		SIZE) != 0)
		err(2, "%s", path);
	return fd;
}

static void
maps_are_data(void)
{
	static const struct {
		const char *how;
		int (*make)(const char *path);
	} cases[] = {
		{ "just made", made_here },
		{ "opened again", made_and_opened_again },
		{ "read before", read_before },
		{ "punched", punched },
	};
	char path[16], *p;
	int fd;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(path, sizeof(path), "map%zu", i);
		fd = cases[i].make(path);
		if (fd < 0)
			err(2, "%s", path);
		(void)blocks_of(path);
		p = map(fd, SIZE);
		memset(p + AT, 'x', 100);
		expect_hidden(path, AT, cases[i].how);
		close(fd);
		expect_hidden(path, AT, "closed, with the map left");
		munmap(p, SIZE);
		expect_hidden(path, AT, "unmapped");
	}
}

/* The rest of the last page is in memory with it. */
static void
last_page_is_data(void)
{
	int fd = create("last", 0);
	char buf[100], *p;

	if (write(fd, "short", 5) != 5 || pread(fd, buf, 100, 0) != 5 ||
	    ftruncate(fd, SIZE) != 0)
		err(2, "last");
	p = map(fd, SIZE);
	p[3000] = 'x';
	expect(data_behind("last", 3000) == 3000, "last page",
	    "a hole is told where the data is");
	munmap(p, SIZE);
	close(fd);
}

/* What nobody can have changed behind our back is told as it is. */
static void
others_keep_holes(void)
{
	int fd = create("sparse", SIZE);
	char *p;

	if (pwrite(fd, "end", 3, SIZE - 100) != 3)
		err(2, "sparse");
	expect(!exact || data_behind("sparse", 0) > SIZE / 2, "open",
	    "holes are told as data");
	expect(!exact || blocks_of("sparse") < SIZE / 1024, "open",
	    "holes have blocks");
	p = map(fd, SIZE);
	p[0] = 'x';
	expect(data_behind("sparse", 0) == 0, "mapped",
	    "a hole is told where the data is");
	munmap(p, SIZE);
	close(fd);
	expect(!exact || data_behind("sparse", SIZE / 2) > SIZE / 2, "closed",
	    "holes are told as data");
	close(create("empty", SIZE));
	expect(blocks_of("empty") == 0, "a hole alone", "has blocks");
	expect(!exact || data_behind("empty", 0) == -1, "a hole alone",
	    "has data");
}

/* Written, open still, and committed by nobody yet. */
static void
written_is_data(void)
{
	int fd = create("written", 0);
	char buf[700] = "text";

	if (write(fd, buf, sizeof(buf)) != sizeof(buf))
		err(2, "written");
	expect_hidden("written", 600, "written");
	close(fd);
	expect_hidden("written", 600, "written and closed");
}

int
main(int argc, char **argv)
{
	if (argc != 2 && argc != 3)
		errx(2, "usage: posix_holes DIR [inexact]");
	if (chdir(argv[1]) != 0)
		err(2, "%s", argv[1]);
	exact = argc == 2;
	maps_are_data();
	last_page_is_data();
	others_keep_holes();
	written_is_data();
	return failures != 0;
}
