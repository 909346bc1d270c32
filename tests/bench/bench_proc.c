/* SPDX-License-Identifier: ISC */
/* Figures from /proc and folders; see bench_proc.h. */
#include "bench/bench_proc.h"

#include <err.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The number after "name:" in a file of /proc. */
static uint64_t
proc_number(const char *path, const char *name)
{
	unsigned long long n = 0;
	size_t len = strlen(name);
	bool found = false;
	char line[256];
	FILE *f = fopen(path, "re");

	if (f == NULL)
		err(1, "%s", path);
	while (!found && fgets(line, sizeof(line), f) != NULL)
		found = strncmp(line, name, len) == 0 && line[len] == ':' &&
		    sscanf(line + len + 1, "%llu", &n) == 1;
	fclose(f);
	if (!found)
		errx(1, "%s: no %s: this kernel does not count it", path, name);
	return n;
}

uint64_t
proc_written_bytes(void)
{
	return proc_number("/proc/self/io", "write_bytes") -
	    proc_number("/proc/self/io", "cancelled_write_bytes");
}

uint64_t
proc_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void
proc_reset_peak(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, "5", 1) != 1)
		err(1, "/proc/self/clear_refs");
	close(fd);
}

uint64_t
proc_peak_rss_bytes(void)
{
	return proc_number("/proc/self/status", "VmHWM") << 10;
}

uint64_t
proc_anon_bytes(void)
{
	return proc_number("/proc/self/status", "RssAnon") << 10;
}

/* nftw() passes no argument. One thread walks. */
static uint64_t walk_bytes;

static int
add_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)path;
	(void)ftw;
	if (type == FTW_F)
		walk_bytes += (uint64_t)st->st_blocks * 512;
	return 0;
}

uint64_t
dir_disk_bytes(const char *dir)
{
	walk_bytes = 0;
	nftw(dir, add_one, 16, FTW_PHYS);
	return walk_bytes;
}

static int
drop_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	int fd;

	(void)st;
	(void)ftw;
	if (type != FTW_F)
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fdatasync(fd) < 0 ||
	    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
		err(1, "%s", path);
	close(fd);
	return 0;
}

/* A page that is mapped is not dropped. What is mapped shared can be taken
 * out of the map at any time: it comes back from the file. */
static void
unmap_pages(const char *dir)
{
	char line[4500], shared[5];
	size_t len = strlen(dir);
	FILE *f = fopen("/proc/self/maps", "re");

	if (f == NULL)
		err(1, "/proc/self/maps");
	while (fgets(line, sizeof(line), f) != NULL) {
		const char *path = strchr(line, '/');
		void *from, *to;

		if (path == NULL || strncmp(path, dir, len) != 0 ||
		    sscanf(line, "%p-%p %4s", &from, &to, shared) != 3 ||
		    shared[3] != 's')
			continue;
		if (madvise(from, (size_t)((char *)to - (char *)from),
			MADV_DONTNEED) < 0)
			err(1, "madvise");
	}
	fclose(f);
}

void
dir_drop_cache(const char *dir)
{
	unmap_pages(dir);
	nftw(dir, drop_one, 16, FTW_PHYS);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
dir_remove(const char *dir)
{
	nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
