/* SPDX-License-Identifier: ISC */
/*
 * Asynchronous O_DIRECT writes while others read the same range through the
 * kernel's cache: aio_reread FILE ROUNDS. Once a write is known to have
 * ended, every read has what it wrote. Exit status 1 when one has not.
 */
#include <err.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES (128u << 10)
#define PART (32u << 10)
#define PARTS (BYTES / PART)
#define READERS 3

static void
read_for_ever(const char *path)
{
	static char buf[BYTES];
	int fd = open(path, O_RDONLY);

	for (;;) {
		if (pread(fd, buf, BYTES, 0) < 0)
			_exit(2);
	}
}

/* Write all of buf as PARTS requests at once, and wait for them. */
static void
write_parts(aio_context_t ctx, int fd, char *buf)
{
	struct iocb cbs[PARTS] = { 0 }, *list[PARTS];
	struct io_event events[PARTS];

	for (unsigned i = 0; i < PARTS; i++) {
		cbs[i].aio_fildes = (uint32_t)fd;
		cbs[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cbs[i].aio_buf = (uint64_t)(uintptr_t)(buf + i * PART);
		cbs[i].aio_nbytes = PART;
		cbs[i].aio_offset = i * PART;
		list[i] = &cbs[i];
	}
	if (syscall(SYS_io_submit, ctx, PARTS, list) != PARTS ||
	    syscall(SYS_io_getevents, ctx, PARTS, PARTS, events, NULL) != PARTS)
		err(2, "io_submit");
	for (unsigned i = 0; i < PARTS; i++) {
		if (events[i].res != PART)
			errx(2, "a write returned %lld",
			    (long long)events[i].res);
	}
}

int
main(int argc, char **argv)
{
	static char back[BYTES];
	char *buf = aligned_alloc(4096, BYTES);
	pid_t readers[READERS];
	aio_context_t ctx = 0;
	int fd, cached, status = 0;
	long rounds;

	if (argc != 3)
		errx(2, "usage: aio_reread FILE ROUNDS");
	rounds = atol(argv[2]);
	fd = open(argv[1], O_CREAT | O_RDWR | O_DIRECT, 0644);
	cached = open(argv[1], O_RDONLY);
	if (fd < 0 || cached < 0 || ftruncate(fd, BYTES) != 0 || buf == NULL ||
	    syscall(SYS_io_setup, PARTS, &ctx) != 0)
		err(2, "%s", argv[1]);
	for (int i = 0; i < READERS; i++) {
		readers[i] = fork();
		if (readers[i] == 0)
			read_for_ever(argv[1]);
	}
	for (long k = 0; k < rounds && status == 0; k++) {
		memset(buf, 'a' + (int)(k % 26), BYTES);
		write_parts(ctx, fd, buf);
		if (pread(cached, back, BYTES, 0) != BYTES)
			err(2, "read");
		if (memcmp(buf, back, BYTES) != 0) {
			printf("round %ld: a read has what was before\n", k);
			status = 1;
		}
	}
	for (int i = 0; i < READERS; i++) {
		kill(readers[i], SIGKILL);
		waitpid(readers[i], NULL, 0);
	}
	return status;
}
