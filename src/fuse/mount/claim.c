/* SPDX-License-Identifier: ISC */
/* See claim.h. */
#include "fuse/mount/claim.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "util/bounded.h"
#include "util/log.h"

/* Longer than a start takes, unless its store is slow to open. */
#define CLAIM_WAIT_MS 3000
#define CLAIM_RETRY_MS 10

/* The process that has a lock on the file; 0 if that is not known. */
static int
lock_owner(int fd)
{
	unsigned major, minor;
	unsigned long ino;
	char *line = NULL;
	struct stat st;
	size_t len = 0;
	int pid, found = 0;
	FILE *f = fopen("/proc/locks", "re");

	if (f == NULL || fstat(fd, &st) < 0) {
		if (f != NULL)
			fclose(f);
		return 0;
	}
	/* 1: FLOCK  ADVISORY  WRITE 703 08:02:1234 0 EOF */
	while (found == 0 && getline(&line, &len, f) >= 0)
		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &pid,
			&major, &minor, &ino) == 4 &&
		    ino == st.st_ino && makedev(major, minor) == st.st_dev)
			found = pid;
	free(line);
	fclose(f);
	return found > 0 ? found : 0;
}

/* 0; -EWOULDBLOCK: it is still locked; or why it cannot be locked at all. */
static int
lock_for_a_while(int fd)
{
	for (int ms = 0;; ms += CLAIM_RETRY_MS) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK || ms >= CLAIM_WAIT_MS)
			return -errno;
		usleep(CLAIM_RETRY_MS * 1000);
	}
}

int
claim_take(const char *path)
{
	int fd = bounded_open(path, O_RDONLY | O_DIRECTORY), rc, pid;
	char who[64] = "another process";

	if (fd < 0)
		return -1;
	rc = lock_for_a_while(fd);
	if (rc == 0)
		return fd;
	if (rc == -EWOULDBLOCK) {
		pid = lock_owner(fd);
		if (pid > 0)
			snprintf(who, sizeof(who), "process %d", pid);
		log_error("%s: mountpoint: %s is about to mount there, or has "
			  "locked the directory: wait for it or end it",
		    path, who);
	}
	close(fd);
	return rc == -EWOULDBLOCK ? -EBUSY : -1;
}

int
claim_take_parent(const char *path)
{
	char copy[PATH_MAX];
	int fd;

	if (strlcpy(copy, path, sizeof(copy)) >= sizeof(copy))
		return -1;
	fd = bounded_open(dirname(copy), O_RDONLY | O_DIRECTORY);
	if (fd >= 0 && lock_for_a_while(fd) < 0) {
		close(fd);
		fd = -1;
	}
	return fd < 0 ? -1 : fd;
}

void
claim_drop(int fd)
{
	if (fd >= 0)
		close(fd);
}
