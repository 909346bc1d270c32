/* SPDX-License-Identifier: ISC */
/*
 * Processes that all create, write, fsync and close small files at once.
 *
 *   fsync_files write  DIR ACKS PROCESSES [COUNT]
 *   fsync_files verify DIR ACKS
 *
 * Each process p makes DIR/p/1, DIR/p/2 ... up to COUNT, without one until
 * a call fails, and adds a file to what ACKS says of it once its close has
 * returned. (In one directory the kernel would let them create one after
 * the other.) "verify" reads every file that ACKS promises and prints their
 * number.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROCESSES_MAX 256
#define BYTES_MAX 9000

struct acks {
	uint32_t processes;
	_Atomic uint32_t count[PROCESSES_MAX];
};

static struct acks *acks;
static const char *top;

/* Every file differs in length and in every word. */
static size_t
contents(uint32_t p, uint32_t n, char *buf)
{
	size_t len = (p * 7919 + n * 104729) % BYTES_MAX;
	uint32_t word = p << 24 ^ n;

	for (size_t i = 0; i < len; i++) {
		if (i % 4 == 0)
			word = word * 1664525 + 1013904223;
		buf[i] = (char)(word >> i % 4 * 8);
	}
	return len;
}

static void
path_of(uint32_t p, uint32_t n, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/%u/%u", top, p, n);
}

static int
make_file(uint32_t p, uint32_t n)
{
	char path[PATH_MAX], buf[BYTES_MAX];
	size_t len = contents(p, n, buf);
	int fd;

	path_of(p, n, path);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return -1;
	if (write(fd, buf, len) != (ssize_t)len || fsync(fd) != 0) {
		close(fd);
		return -1;
	}
	return close(fd);
}

static int
write_files(uint32_t processes, uint32_t count)
{
	uint32_t p;
	int status, failed = 0;

	acks->processes = processes;
	for (p = 0; p < processes; p++) {
		char path[PATH_MAX];
		pid_t pid;

		snprintf(path, sizeof(path), "%s/%u", top, p);
		if (mkdir(path, 0700) != 0)
			err(1, "%s", path);
		pid = fork();

		if (pid < 0)
			err(1, "fork");
		if (pid > 0)
			continue;
		for (uint32_t n = 1; n <= count; n++) {
			if (make_file(p, n) < 0) {
				if (count != UINT32_MAX)
					warn("%s/%u/%u", top, p, n);
				_exit(1);
			}
			atomic_store(&acks->count[p], n);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		failed |= status;
	return count != UINT32_MAX && failed != 0;
}

static int
verify_files(void)
{
	char path[PATH_MAX], want[BYTES_MAX], have[BYTES_MAX + 1];
	unsigned total = 0;

	for (uint32_t p = 0; p < acks->processes; p++) {
		for (uint32_t n = 1; n <= atomic_load(&acks->count[p]); n++) {
			size_t len = contents(p, n, want);
			ssize_t got;
			int fd;

			path_of(p, n, path);
			fd = open(path, O_RDONLY);
			if (fd < 0)
				err(1, "%s", path);
			got = read(fd, have, sizeof(have));
			if (got < 0)
				err(1, "%s", path);
			if ((size_t)got != len || memcmp(want, have, len) != 0)
				errx(1, "%s: wrong contents", path);
			close(fd);
			total++;
		}
	}
	printf("%u\n", total);
	return 0;
}

int
main(int argc, char **argv)
{
	int is_write = argc >= 5 && strcmp(argv[1], "write") == 0, fd;
	unsigned long processes = 0, count = UINT32_MAX;

	if (!is_write && (argc != 4 || strcmp(argv[1], "verify") != 0))
		errx(2,
		    "usage: fsync_files write DIR ACKS PROCESSES [COUNT] "
		    "| fsync_files verify DIR ACKS");
	top = argv[2];
	fd = open(argv[3], O_RDWR | (is_write ? O_CREAT | O_TRUNC : 0), 0600);
	if (fd < 0 || (is_write && ftruncate(fd, sizeof(*acks)) != 0))
		err(1, "%s", argv[3]);
	acks = mmap(NULL, sizeof(*acks), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	if (acks == MAP_FAILED)
		err(1, "%s", argv[3]);
	close(fd);
	if (!is_write)
		return verify_files();
	processes = strtoul(argv[4], NULL, 10);
	if (argc > 5)
		count = strtoul(argv[5], NULL, 10);
	if (processes > PROCESSES_MAX)
		errx(2, "too many processes");
	return write_files((uint32_t)processes, (uint32_t)count);
}
