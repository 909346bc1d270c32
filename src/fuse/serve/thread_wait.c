/* SPDX-License-Identifier: ISC */
/* What a thread waits for; see thread_wait.h. */
#include "fuse/serve/thread_wait.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What /proc/PID/task/TID/syscall has for a thread that is in the kernel, but
 * in no system call. */
#define NO_CALL (-1L)

static const struct call {
	long number;
	const char *name;
	bool has_fd; /* the first argument is a descriptor */
} calls[] = {
	{ SYS_read, "read", true },
	{ SYS_pread64, "pread", true },
	{ SYS_write, "write", true },
	{ SYS_writev, "writev", true },
	{ SYS_pwrite64, "pwrite", true },
	{ SYS_pwritev, "pwritev", true },
	{ SYS_fsync, "fsync", true },
	{ SYS_fdatasync, "fdatasync", true },
	{ SYS_sync_file_range, "sync_file_range", true },
	{ SYS_fallocate, "fallocate", true },
	{ SYS_ftruncate, "ftruncate", true },
	{ SYS_fstatfs, "fstatfs", true },
	{ SYS_close, "close", true },
	{ SYS_openat, "openat", false },
	{ SYS_renameat2, "rename", false },
	{ SYS_unlinkat, "unlink", false },
#ifdef SYS_rename
	{ SYS_rename, "rename", false },
	{ SYS_unlink, "unlink", false },
#endif
	{ SYS_msync, "msync", false },
	{ NO_CALL, "a page of a mapped file", false },
};

static bool
read_task(pid_t thread, const char *name, char *buf, size_t len)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/%s", (int)thread,
	    name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, buf, len - 1);
	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return n > 0;
}

/* The system call that the thread is in, and its file. False when it is in
 * none of calls[]; with on_disk also when the file is not on a disk. */
static bool
describe_call(pid_t thread, bool on_disk, char *buf, size_t len)
{
	char text[256], path[64], file[PATH_MAX], *rest;
	ssize_t n = 0;
	long number;

	if (!read_task(thread, "syscall", text, sizeof(text)))
		return false;
	number = strtol(text, &rest, 10);
	if (rest == text)
		return false;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (calls[i].number != number)
			continue;
		if (calls[i].has_fd) {
			snprintf(path, sizeof(path), "/proc/self/fd/%lu",
			    strtoul(rest, NULL, 16));
			n = readlink(path, file, sizeof(file) - 1);
		}
		file[n > 0 ? n : 0] = '\0';
		if (on_disk && calls[i].has_fd &&
		    (file[0] != '/' || strcmp(file, "/dev/fuse") == 0))
			return false;
		snprintf(buf, len, "%s%s%s", calls[i].name,
		    file[0] != '\0' ? " of " : "", file);
		return true;
	}
	return false;
}

/* The same for another thread that is in a system call on a file. */
static bool
describe_other(pid_t thread, char *buf, size_t len)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *e;
	bool found = false;

	while (dir != NULL && !found && (e = readdir(dir)) != NULL) {
		pid_t other = (pid_t)atoi(e->d_name);

		if (other > 0 && other != thread && other != gettid())
			found = describe_call(other, true, buf, len);
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

void
thread_wait_describe(pid_t thread, char *buf, size_t len)
{
	char what[PATH_MAX + 64], where[128] = "";

	if (!read_task(thread, "wchan", where, sizeof(where)))
		strlcpy(where, "unknown", sizeof(where));
	if (strcmp(where, "0") == 0)
		snprintf(buf, len, "it is running");
	else if (describe_call(thread, false, what, sizeof(what)))
		snprintf(buf, len, "it waits in %s (%s)", what, where);
	else if (describe_other(thread, what, sizeof(what)))
		snprintf(buf, len,
		    "it waits for another thread, which may "
		    "be one in %s (%s)",
		    what, where);
	else
		snprintf(buf, len, "it waits for another thread (%s)", where);
}
