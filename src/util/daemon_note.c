/* SPDX-License-Identifier: ISC */
/* See daemon_note.h. A line break in a path is written as "\012", and "\" as
 * "\134", as in the mount table. */
#include "util/daemon_note.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MOUNTED "mounted at "
#define ENDING "kvfs: " DAEMON_ENDING

void
daemon_note_make(char *note, size_t len, const char *mountpoint)
{
	size_t n = strlcpy(note, MOUNTED, len);

	for (const char *p = mountpoint; *p != '\0' && n + 5 < len; p++) {
		if (*p == '\n' || *p == '\\')
			n += (size_t)snprintf(note + n, len - n, "\\%03o",
			    (unsigned char)*p);
		else
			note[n++] = *p;
	}
	note[n] = '\0';
}

bool
daemon_note_parse(const char *note, char *mountpoint, size_t len)
{
	const char *p = note + strlen(MOUNTED);
	size_t n = 0;

	if (strncmp(note, MOUNTED, strlen(MOUNTED)) != 0)
		return false;
	while (*p != '\0' && n + 1 < len) {
		if (strncmp(p, "\\012", 4) == 0 ||
		    strncmp(p, "\\134", 4) == 0) {
			mountpoint[n++] = p[1] == '0' ? '\n' : '\\';
			p += 4;
		} else {
			mountpoint[n++] = *p++;
		}
	}
	mountpoint[n] = '\0';
	return true;
}

bool
daemon_is_ending(int pid)
{
	char name[64], title[sizeof(ENDING)] = "";
	ssize_t n = -1;
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/cmdline", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, title, sizeof(title) - 1);
		close(fd);
	}
	return n == (ssize_t)sizeof(title) - 1 && strcmp(title, ENDING) == 0;
}
