/* SPDX-License-Identifier: ISC */
/*
 * What env_sync() has called durable, when the file system below is shut
 * down beside it.
 *
 *   env_sync_cut write FILE      write and sync blocks until that fails or the
 *                                file is full, and print how many were durable
 *   env_sync_cut verify FILE N   are the first N there?
 */
#include <err.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "engine/env/env.h"

#define BLOCK 4096
#define BLOCKS_MAX 4096 /* XFS frees removed ones later: not all of a disk */

static void
fill(uint8_t *block, uint64_t i)
{
	memset(block, 'A' + (int)(i % 26), BLOCK);
}

static int
open_file(const char *path, unsigned flags, struct env_file **filep)
{
	char above[PATH_MAX], last[PATH_MAX];
	struct env_dir *dir;
	int rc;

	strlcpy(above, path, sizeof(above));
	strlcpy(last, path, sizeof(last));
	rc = env_dir_open(env_posix(), dirname(above), &dir);
	if (rc == 0)
		rc = env_open(dir, basename(last), flags, filep);
	env_dir_close(dir);
	return rc;
}

static void
write_blocks(const char *path)
{
	struct env_file *file;
	uint8_t block[BLOCK];
	uint64_t n = 0;
	int rc = open_file(path, ENV_WRITE | ENV_CREATE, &file);

	/* Blocks without contents: each sync has an extent to journal. */
	if (rc == 0)
		rc = env_allocate(file, (uint64_t)BLOCKS_MAX * BLOCK, false);
	if (rc == 0)
		rc = env_sync(file);
	if (rc < 0)
		errx(1, "%s: %s", path, strerror(-rc));
	/* Somebody waits for this to see that it has begun. */
	warnx("writing");
	while (rc == 0 && n < BLOCKS_MAX) {
		struct iovec iov = { block, sizeof(block) };

		fill(block, n);
		rc = env_write(file, &iov, 1, n * BLOCK);
		if (rc == 0)
			rc = env_sync(file);
		if (rc == 0)
			n++;
	}
	/* On a disk that is quick enough the last one may be reached. */
	printf("%llu\n", (unsigned long long)n);
	env_close(file);
}

static void
verify_blocks(const char *path, uint64_t count)
{
	struct env_file *file;
	uint8_t block[BLOCK], want[BLOCK];
	int rc = open_file(path, ENV_READ, &file);

	if (rc < 0)
		errx(1, "%s: %s", path, strerror(-rc));
	for (uint64_t i = 0; i < count; i++) {
		ssize_t n = env_read(file, block, BLOCK, i * BLOCK);

		fill(want, i);
		if (n != BLOCK || memcmp(block, want, BLOCK) != 0)
			errx(1, "%s: lost block %llu of %llu", path,
			    (unsigned long long)i, (unsigned long long)count);
	}
	env_close(file);
}

int
main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "write") == 0)
		write_blocks(argv[2]);
	else if (argc == 4 && strcmp(argv[1], "verify") == 0)
		verify_blocks(argv[2], strtoull(argv[3], NULL, 10));
	else
		errx(2, "usage: env_sync_cut write FILE | verify FILE N");
	return 0;
}
