/* SPDX-License-Identifier: ISC */
/*
 * A listing goes on while another one, of the changed directory, is cached
 * by the kernel: list_page_end DIR FILES
 *
 * With names of 8 bytes, the kernel's copy of 126 + n * 128 of them ends
 * just with a page. Prints what is wrong; exit status 1 then.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* So much that a listing shows a few names only, or many. */
#define SOME 400
#define MANY 32768

static int
make(const char *name)
{
	int fd = open(name, O_CREAT | O_EXCL | O_WRONLY, 0600);

	if (fd < 0)
		err(2, "%s", name);
	return close(fd);
}

/* How many entries come next, up to size bytes of them. */
static unsigned
read_some(int fd, size_t size)
{
	_Alignas(struct dirent64) static char buf[MANY];
	struct dirent64 *d;
	unsigned n = 0;
	long len = syscall(SYS_getdents64, fd, buf, size);

	if (len < 0)
		err(2, "getdents64");
	for (long at = 0; at < len; at += d->d_reclen, n++)
		d = (struct dirent64 *)(buf + at);
	return n;
}

static unsigned
read_all(int fd)
{
	unsigned n, all = 0;

	while ((n = read_some(fd, MANY)) != 0)
		all += n;
	return all;
}

static int
list(void)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY);

	if (fd < 0)
		err(2, "opendir");
	return fd;
}

static int
check(const char *what, unsigned n, unsigned wanted)
{
	if (n == wanted)
		return 0;
	printf("%s: %u entries, not %u\n", what, n, wanted);
	return 1;
}

int
main(int argc, char **argv)
{
	unsigned files, seen;
	char name[32];
	int first, begun, changed, bad;

	if (argc != 3)
		errx(2, "usage: list_page_end DIR FILES");
	files = (unsigned)atoi(argv[2]);
	if (chdir(argv[1]) < 0)
		err(2, "%s", argv[1]);
	for (unsigned i = 0; i < files; i++) {
		snprintf(name, sizeof(name), "f%07u", i);
		make(name);
	}
	first = list();
	bad = check("the first listing", read_all(first), files + 2);
	begun = list();
	seen = read_some(begun, SOME);
	if (unlink("f0000000") < 0)
		err(2, "unlink");
	make("f0000000");
	changed = list();
	bad |= check("the changed directory", read_all(changed), files + 2);
	seen += read_all(begun);
	bad |= check("the one that goes on", seen, files + 2);
	/* Also from what the kernel has kept now. */
	lseek(begun, 0, SEEK_SET);
	bad |= check("once more", read_all(begun), files + 2);
	close(first);
	close(begun);
	close(changed);
	return bad;
}
