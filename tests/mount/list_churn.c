/* SPDX-License-Identifier: ISC */
/*
 * Lists a directory from several processes while others create and delete
 * in it: list_churn DIR LISTERS CHURNERS ROUNDS STAYING
 *
 * STAYING files are there throughout. Each listing must show each of them
 * once, and no name twice. Half of the listers begin somewhere in the
 * middle by telldir(3) and seekdir(3). Prints what is wrong; exit status 1
 * then.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <search.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int dir_fd;

static void
make(const char *name)
{
	int fd = openat(dir_fd, name, O_CREAT | O_WRONLY, 0600);

	if (fd < 0)
		err(2, "%s", name);
	close(fd);
}

static void
churn(unsigned id)
{
	char name[32];

	for (unsigned n = 0;; n++) {
		snprintf(name, sizeof(name), "%c%u-%u", 'a' + n % 26, id,
		    n % 500);
		if (n / 500 % 2 == 0)
			make(name);
		else if (unlinkat(dir_fd, name, 0) < 0)
			(void)unlinkat(dir_fd, name, 0);
	}
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
stays(const char *name)
{
	return strncmp(name, "m-stays-", 8) == 0;
}

/* All names of one listing, in names; seek: go back and forth on the way. */
static size_t
list(DIR *d, bool seek, char **names, size_t max)
{
	struct dirent *e;
	char next[256];
	size_t n = 0;
	long at;

	rewinddir(d);
	while ((e = readdir(d)) != NULL) {
		if (n == max)
			errx(1, "a listing without end");
		names[n++] = strdup(e->d_name);
		if (!seek || n % 97 != 0)
			continue;
		/* What stays comes again; others may come or go. */
		at = telldir(d);
		e = readdir(d);
		if (e == NULL)
			break;
		snprintf(next, sizeof(next), "%s", e->d_name);
		seekdir(d, at);
		e = readdir(d);
		if (stays(next) &&
		    (e == NULL ||
			(stays(e->d_name) && strcmp(e->d_name, next) != 0)))
			errx(1, "%s: seekdir came to %s", next,
			    e != NULL ? e->d_name : "the end");
		if (e == NULL)
			break;
		names[n++] = strdup(e->d_name);
	}
	return n;
}

static int
check(char **names, size_t n, unsigned staying)
{
	unsigned seen = 0;
	int bad = 0;

	qsort(names, n, sizeof(*names), compare);
	for (size_t i = 0; i < n; i++) {
		seen += stays(names[i]);
		if (i > 0 && strcmp(names[i - 1], names[i]) == 0) {
			printf("%s: listed twice\n", names[i]);
			bad = 1;
		}
	}
	if (seen != staying) {
		printf("%u names that stay, not %u\n", seen, staying);
		bad = 1;
	}
	return bad;
}

static int
lister(unsigned rounds, unsigned staying, bool seek)
{
	size_t max = staying + 100000;
	char **names = calloc(max + 2, sizeof(*names));
	int bad = 0;

	if (names == NULL)
		err(2, "memory");
	for (unsigned i = 0; i < rounds && !bad; i++) {
		int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY);
		DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
		size_t n;

		if (d == NULL)
			err(2, "opendir");
		n = list(d, seek, names, max);
		closedir(d);
		bad = check(names, n, staying);
		for (size_t k = 0; k < n; k++)
			free(names[k]);
	}
	free(names);
	return bad;
}

int
main(int argc, char **argv)
{
	unsigned listers, churners, rounds, staying;
	pid_t pids[64];
	char name[32];
	int status, bad = 0;

	if (argc != 6)
		errx(2,
		    "usage: list_churn DIR LISTERS CHURNERS ROUNDS STAYING");
	listers = (unsigned)atoi(argv[2]);
	churners = (unsigned)atoi(argv[3]);
	rounds = (unsigned)atoi(argv[4]);
	staying = (unsigned)atoi(argv[5]);
	if (listers + churners > 64)
		errx(2, "at most 64 processes");
	dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (dir_fd < 0)
		err(2, "%s", argv[1]);
	for (unsigned i = 0; i < staying; i++) {
		snprintf(name, sizeof(name), "m-stays-%06u", i);
		make(name);
	}
	for (unsigned i = 0; i < listers + churners; i++) {
		pids[i] = fork();
		if (pids[i] < 0)
			err(2, "fork");
		if (pids[i] == 0 && i >= listers)
			churn(i);
		if (pids[i] == 0) {
			bad = lister(rounds, staying, i % 2 == 1);
			fflush(stdout);
			_exit(bad);
		}
	}
	for (unsigned i = 0; i < listers + churners; i++) {
		if (i >= listers)
			kill(pids[i], SIGKILL);
		waitpid(pids[i], &status, 0);
		if (i < listers && status != 0)
			bad = 1;
	}
	return bad;
}
