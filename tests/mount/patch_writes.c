/* SPDX-License-Identifier: ISC */
/*
 * Random small writes to a file, and a copy of it outside that says what must
 * be there: for tests/mount/patches.sh.
 *
 *   patch_writes write FILE COPY SEED   until it is killed, or FILE fails;
 *                                       COPY is written before, and after it a
 *                                       count of the writes that are durable
 *   patch_writes check FILE COPY        all blocks are as after their last
 *                                       durable write, or as after a later one
 *
 * A block of BLOCK bytes is written as a whole or in one part: the first half
 * has the number of its last write all over, the second half another's.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK 2048u
#define HALF (BLOCK / 2)
#define BLOCKS 512u

/* The last write of each half block: begun, and durable. In COPY. */
struct half {
	uint32_t begun, durable;
};
static struct half halves[2 * BLOCKS];
static int file, copy;

static void
note(unsigned i)
{
	if (pwrite(copy, &halves[i], sizeof(halves[i]),
		(off_t)(i * sizeof(halves[i]))) != sizeof(halves[i]))
		err(1, "the copy");
}

/* Write one or two halves; a write ends when it is durable. */
static int
write_some(unsigned first, unsigned n, uint32_t number)
{
	uint32_t data[BLOCK / 4];

	for (unsigned i = 0; i < n * HALF / 4; i++)
		data[i] = number;
	for (unsigned i = first; i < first + n; i++) {
		halves[i].begun = number;
		note(i);
	}
	if (pwrite(file, data, n * HALF, (off_t)(first * HALF)) !=
		(ssize_t)(n * HALF) ||
	    fsync(file) < 0)
		return -1;
	for (unsigned i = first; i < first + n; i++) {
		halves[i].durable = number;
		note(i);
	}
	return 0;
}

static int
write_all(unsigned seed)
{
	unsigned first, n;

	srandom(seed);
	for (uint32_t number = 1;; number++) {
		n = random() % 2 + 1;
		first = (unsigned)random() % (2 * BLOCKS - n);
		if (write_some(first, n, number + (seed << 20)) < 0)
			return 0;
	}
}

static int
check_half(unsigned i)
{
	uint32_t data[HALF / 4];
	const struct half *h = &halves[i];

	if (pread(file, data, HALF, (off_t)(i * HALF)) != HALF)
		err(1, "read");
	for (unsigned k = 0; k < HALF / 4; k++) {
		if (data[k] == data[0] &&
		    (data[0] == h->begun || data[0] == h->durable))
			continue;
		warnx("half %u at %u: %u, where %u is durable and %u was begun",
		    i, k * 4, data[k], h->durable, h->begun);
		return 1;
	}
	return 0;
}

static int
check_all(void)
{
	int bad = 0;

	if (pread(copy, halves, sizeof(halves), 0) != sizeof(halves))
		err(1, "the copy");
	for (unsigned i = 0; i < 2 * BLOCKS; i++) {
		bad += check_half(i);
		/* What was found is what there is from now on. */
		if (pread(file, &halves[i].durable, 4, (off_t)(i * HALF)) != 4)
			err(1, "read");
		halves[i].begun = halves[i].durable;
		note(i);
	}
	return bad != 0;
}

int
main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	file = open(argv[2], O_RDWR);
	copy = open(argv[3], O_RDWR | O_CREAT, 0644);
	if (file < 0 || copy < 0)
		err(1, "open");
	if (strcmp(argv[1], "check") == 0)
		return check_all();
	if (pread(copy, halves, sizeof(halves), 0) < 0)
		err(1, "the copy");
	return write_all((unsigned)atoi(argv[4]));
}
