/* SPDX-License-Identifier: ISC */
/*
 * Small-file work on any directory, by plain system calls. Prints a line
 * for each phase: its name, operations per second, and for work on files
 * the time in microseconds within which 999 of 1,000 were done, and the
 * longest. bench_mount.sh runs it on several file systems in turn and
 * compares.
 *
 * Files are spread over directories; phases but create, ls and rename go
 * through them in a shuffled order, so that neither the kernel nor the
 * store is helped by it.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/bench_latency.h"

#define THREADS_MAX 64
#define APPEND_BYTES 100
#define POOL_BYTES 8192

static long files = 5000, dirs = 20, bytes = 1024;
static int threads = 1;
static bool with_fsync;
static const char *top;
static char *pool; /* file i holds bytes from i % POOL_BYTES on */

struct phase {
	char letter;
	const char *name;
	bool shuffled;
	/* Work on file i; or NULL: list directories. */
	void (*run)(long i);
};

struct worker {
	const struct phase *phase;
	int id;
	long done;
	struct latency *took;
	pthread_t thread;
};

static void
path_of(char path[PATH_MAX], long i, const char *suffix)
{
	snprintf(path, PATH_MAX, "%s/d%03ld/f%07ld%s", top, i % dirs, i,
	    suffix);
}

static int
open_file(long i, int flags)
{
	char path[PATH_MAX];
	int fd;

	path_of(path, i, "");
	fd = open(path, flags | O_CLOEXEC, 0644);
	if (fd < 0)
		err(1, "%s", path);
	return fd;
}

static void
write_and_close(int fd, long i, long len)
{
	const char *data = pool + i % POOL_BYTES;

	for (long off = 0; off < len;) {
		ssize_t n = write(fd, data + off, (size_t)(len - off));

		if (n < 0)
			err(1, "write");
		off += n;
	}
	if (with_fsync && fsync(fd) < 0)
		err(1, "fsync");
	if (close(fd) < 0)
		err(1, "close");
}

static void
create_file(long i)
{
	write_and_close(open_file(i, O_CREAT | O_EXCL | O_WRONLY), i, bytes);
}

static void
overwrite_file(long i)
{
	write_and_close(open_file(i, O_TRUNC | O_WRONLY), i, bytes);
}

static void
append_file(long i)
{
	write_and_close(open_file(i, O_APPEND | O_WRONLY), i, APPEND_BYTES);
}

static void
stat_file(long i)
{
	char path[PATH_MAX];
	struct stat st;

	path_of(path, i, "");
	if (stat(path, &st) < 0 || st.st_size < bytes)
		err(1, "%s", path);
}

static void
read_file(long i)
{
	static _Thread_local char buf[1 << 16];
	int fd = open_file(i, O_RDONLY);
	long total = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		if (total == 0 && buf[0] != pool[i % POOL_BYTES])
			errx(1, "file %ld has other contents", i);
		total += n;
	}
	if (n < 0 || total < bytes)
		err(1, "reading file %ld", i);
	close(fd);
}

static void
rename_file(long i)
{
	char from[PATH_MAX], to[PATH_MAX];

	path_of(from, i, "");
	path_of(to, i, ".new");
	if (rename(from, to) < 0)
		err(1, "%s", from);
}

static void
unlink_file(long i)
{
	char path[PATH_MAX];

	path_of(path, i, ".new");
	if (unlink(path) == 0)
		return;
	path_of(path, i, "");
	if (unlink(path) < 0)
		err(1, "%s", path);
}

static const struct phase phases[] = {
	{ 'c', "create", false, create_file },
	{ 's', "stat", true, stat_file },
	{ 'S', "stat_again", true, stat_file },
	{ 'r', "read", true, read_file },
	{ 'R', "read_again", true, read_file },
	{ 'l', "ls-l", false, NULL },
	{ 'o', "overwrite", true, overwrite_file },
	{ 'a', "append", true, append_file },
	{ 'm', "rename", false, rename_file },
	{ 'u', "unlink", true, unlink_file },
};

static long
list_directory(long d)
{
	char path[PATH_MAX];
	struct dirent *de;
	struct stat st;
	long n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/d%03ld", top, d);
	dir = opendir(path);
	if (dir == NULL)
		err(1, "%s", path);
	while ((de = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), de->d_name, &st, AT_SYMLINK_NOFOLLOW) <
		    0)
			err(1, "%s/%s", path, de->d_name);
		n++;
	}
	closedir(dir);
	return n;
}

static uint64_t
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void *
work(void *arg)
{
	struct worker *w = arg;
	uint64_t start;

	if (w->phase->run == NULL) {
		for (long d = w->id; d < dirs; d += threads)
			w->done += list_directory(d);
		return NULL;
	}
	for (long k = w->id; k < files; k += threads) {
		/* A large prime: a permutation unless it divides files. */
		uint64_t i = (uint64_t)k * 2654435761u % (uint64_t)files;

		start = now_ns();
		w->phase->run(w->phase->shuffled ? (long)i : k);
		latency_add(w->took, now_ns() - start);
		w->done++;
	}
	return NULL;
}

static void
run_phase(const struct phase *phase)
{
	struct worker w[THREADS_MAX] = { 0 };
	struct latency took = { 0 };
	uint64_t start = now_ns();
	long done = 0;

	for (int t = 0; t < threads; t++) {
		w[t].phase = phase;
		w[t].id = t;
		w[t].took = calloc(1, sizeof(*w[t].took));
		if (w[t].took == NULL ||
		    pthread_create(&w[t].thread, NULL, work, &w[t]) != 0)
			errx(1, "no thread");
	}
	for (int t = 0; t < threads; t++) {
		pthread_join(w[t].thread, NULL);
		done += w[t].done;
		latency_merge(&took, w[t].took);
		free(w[t].took);
	}
	printf("%s %.0f", phase->name,
	    (double)done * 1e9 / (double)(now_ns() - start));
	if (took.count != 0)
		printf(" %.0f %.0f",
		    (double)latency_percentile(&took, 0.999) / 1e3,
		    (double)took.max / 1e3);
	printf("\n");
	fflush(stdout);
}

static void
fill_pool(void)
{
	uint64_t x = 42;
	size_t len = POOL_BYTES +
	    (size_t)(bytes > APPEND_BYTES ? bytes : APPEND_BYTES);

	pool = malloc(len);
	if (pool == NULL)
		err(1, "pool");
	/* Half of every 64 bytes compresses. */
	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		pool[i] = i / 32 % 2 != 0 ? "key and value "[i % 14] :
					    (char)(x >> 56);
	}
}

static void
make_directories(bool make)
{
	char path[PATH_MAX];

	for (long d = 0; d < dirs; d++) {
		snprintf(path, sizeof(path), "%s/d%03ld", top, d);
		if (make && mkdir(path, 0755) < 0)
			err(1, "%s", path);
		if (!make)
			rmdir(path);
	}
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: bench_mount [-f] [-d DIRS] [-n FILES] "
	    "[-p PHASES] [-s BYTES] [-t THREADS] DIR\n"
	    "  -f  fsync each file that is written\n"
	    "  -p  letters, in order (csSrRloamu):");
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
		fprintf(stderr, " %c %s", phases[i].letter, phases[i].name);
	fputs("\n", stderr);
	exit(2);
}

int
main(int argc, char **argv)
{
	const char *order = "csSrRloamu";
	int o;

	while ((o = getopt(argc, argv, "d:fn:p:s:t:")) != -1) {
		if (o == 'f')
			with_fsync = true;
		else if (o == 'd')
			dirs = atol(optarg);
		else if (o == 'n')
			files = atol(optarg);
		else if (o == 'p')
			order = optarg;
		else if (o == 's')
			bytes = atol(optarg);
		else if (o == 't')
			threads = atoi(optarg);
		else
			usage();
	}
	if (optind != argc - 1 || dirs < 1 || files < 1 || bytes < 1 ||
	    threads < 1 || threads > THREADS_MAX)
		usage();
	top = argv[optind];
	fill_pool();
	make_directories(true);
	for (; *order != '\0'; order++)
		for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++)
			if (phases[i].letter == *order)
				run_phase(&phases[i]);
	make_directories(false);
	free(pool);
	return 0;
}
