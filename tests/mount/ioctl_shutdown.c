/* SPDX-License-Identifier: ISC */
/*
 * Cut the power of a file system: nothing that is not on its disk by now
 * will ever be. ext4 and XFS offer that as an ioctl, for tests like these.
 *
 *   ioctl_shutdown [-s SEED] DIR
 *
 * With a seed, some of what is dirty in the files of DIR is written first,
 * in no order and without its metadata, and now and then the metadata
 * alone: what a kernel may do at any time, and what leaves logs with holes.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHUTDOWN _IOR('X', 125, uint32_t)
#define NO_LOG_FLUSH 2
#define PIECES 8
#define PAGE 4096

static void
write_pieces(int fd, uint64_t size)
{
	uint64_t pages = size / PAGE + 1;

	for (int i = 0; i < PIECES; i++) {
		off_t off = (off_t)((uint64_t)rand() % pages * PAGE);
		off_t len = (off_t)(1 + rand() % 16) * PAGE;

		/* A file that was removed meanwhile, or is full of holes: all
		 * the same to us. */
		(void)sync_file_range(fd, off, len,
		    SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
			SYNC_FILE_RANGE_WAIT_AFTER);
	}
}

static void
scatter(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	struct stat st;
	int fd;

	if (dir == NULL)
		err(1, "%s", path);
	while ((e = readdir(dir)) != NULL) {
		if (e->d_type != DT_REG || rand() % 2 == 0)
			continue;
		fd = openat(dirfd(dir), e->d_name, O_RDONLY);
		if (fd >= 0 && fstat(fd, &st) == 0)
			write_pieces(fd, (uint64_t)st.st_size);
		if (fd >= 0)
			close(fd);
	}
	/* The journal: a file of our own, whose fsync takes all with it. */
	if (rand() % 3 == 0) {
		fd = openat(dirfd(dir), ".", O_TMPFILE | O_RDWR, 0600);
		if (fd >= 0 && write(fd, "x", 1) == 1)
			(void)fsync(fd);
		if (fd >= 0)
			close(fd);
	}
	closedir(dir);
}

int
main(int argc, char **argv)
{
	uint32_t how = NO_LOG_FLUSH;
	int fd, c;
	long seed = -1;

	while ((c = getopt(argc, argv, "s:")) != -1) {
		if (c != 's')
			return 2;
		seed = strtol(optarg, NULL, 10);
	}
	if (optind != argc - 1)
		errx(2, "usage: ioctl_shutdown [-s SEED] DIR");
	fd = open(argv[optind], O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		err(1, "%s", argv[optind]);
	if (seed >= 0) {
		srand((unsigned)seed);
		scatter(argv[optind]);
	}
	if (ioctl(fd, SHUTDOWN, &how) != 0)
		err(1, "%s: shutdown", argv[optind]);
	return 0;
}
