/* SPDX-License-Identifier: ISC */
/*
 * Finds out who has locked a directory by flock(2), from /proc/locks. Only for
 * messages: the answer may be out of date when it is read.
 */
#include "engine/env/env_posix_internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define COMMAND_BYTES 400

/* Read the command line of a process; arguments are separated by blanks. "" on
 * failure. */
static void
read_command(int pid, char command[COMMAND_BYTES])
{
	char path[40];
	ssize_t n = 0;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, command, COMMAND_BYTES - 1);
		close(fd);
	}
	if (n < 0)
		n = 0;
	command[n] = '\0';
	while (n > 0 && command[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++)
		if ((unsigned char)command[i] < ' ')
			command[i] = ' ';
}

/* Parse a line of /proc/locks. Returns the process that has the lock; 0 if the
 * lock is on another file, or the process waits for it. */
static int
holder_in(const char *line, const struct stat *st)
{
	unsigned major_no, minor_no;
	unsigned long long ino;
	int pid;

	/* "1: FLOCK  ADVISORY  READ 1234 08:01:131 0 EOF" */
	if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &major_no,
		&minor_no, &ino) != 4)
		return 0;
	return ino == st->st_ino && major_no == major(st->st_dev) &&
		minor_no == minor(st->st_dev) && pid > 0 ?
	    pid :
	    0;
}

void
posix_name_lockers(int fd, char *text, size_t len)
{
	char line[200], command[COMMAND_BYTES];
	struct stat st;
	size_t used = 0;
	FILE *f;
	int pid;

	text[0] = '\0';
	f = fopen("/proc/locks", "re");
	if (f == NULL)
		return;
	while (fstat(fd, &st) == 0 && used < len &&
	    fgets(line, sizeof(line), f) != NULL) {
		pid = holder_in(line, &st);
		if (pid == 0 || pid == getpid())
			continue;
		read_command(pid, command);
		used += (size_t)snprintf(text + used, len - used,
		    "%sprocess %d%s%s%s", used != 0 ? ", " : "", pid,
		    command[0] != '\0' ? " (" : "", command,
		    command[0] != '\0' ? ")" : "");
	}
	fclose(f);
}
