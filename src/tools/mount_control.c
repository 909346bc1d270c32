/* SPDX-License-Identifier: ISC */
/* See mount_control.h. */
#include "tools/mount_control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "kvfs/store.h"
#include "tools/beneath.h"

/* Copy the lines of a control file to out. *lastp: the number of problems in
 * the last line of a check, which is not copied; -1 if there is none. */
static int
copy_lines(FILE *f, FILE *out, int *lastp)
{
	char *line = NULL;
	size_t cap = 0;
	int rc = 0;

	*lastp = -1;
	errno = 0;
	while (getline(&line, &cap, f) >= 0) {
		if (sscanf(line, "Problems: %d", lastp) != 1)
			fputs(line, out);
	}
	if (!feof(f))
		rc = errno != 0 ? -errno : -EIO;
	free(line);
	return rc;
}

/* Returns the number of problems if it is a check. A report without that
 * number has not come to its end. */
static int
read_file(struct beneath *files, const char *name, FILE *out)
{
	bool is_check = strcmp(name, "check") == 0;
	int fd, rc, problems;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), CONTROL_DIR "/%s", name);
	fd = beneath_open(files, path, O_RDONLY);
	if (fd < 0)
		return fd;
	f = fdopen(fd, "r");
	if (f == NULL) {
		rc = -errno;
		close(fd);
		return rc;
	}
	rc = copy_lines(f, out, &problems);
	fclose(f);
	if (rc < 0 || !is_check)
		return rc;
	return problems >= 0 ? problems : -EIO;
}

/* The result of the write is that of the command; -ENOTSUP: an older daemon
 * without that file. */
static int
write_file(struct beneath *files, const char *name, const char *text)
{
	char path[64];
	int fd, rc = 0;

	snprintf(path, sizeof(path), CONTROL_DIR "/%s", name);
	fd = beneath_open(files, path, O_WRONLY);
	if (fd < 0)
		return fd == -ENOENT ? -ENOTSUP : fd;
	if (write(fd, text, strlen(text)) < 0)
		rc = -errno;
	if (close(fd) < 0 && rc == 0)
		rc = -errno;
	return rc;
}

int
mount_control_run(struct beneath *files, const char *command, FILE *out)
{
	static const char *const actions[] = { "sync", "flush", "compact" };

	if (strncmp(command, "set ", 4) == 0)
		return write_file(files, "options", command + 4);
	if (strcmp(command, "end backups") == 0)
		return write_file(files, "backup", "end\n");
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (strcmp(command, actions[i]) == 0)
			return write_file(files, command, "1\n");
	return read_file(files, command, out);
}

/* Copy the value of a line of the stats; "" if there is none. */
static void
find_stat(const char *text, const char *name, char *value, size_t len)
{
	size_t n = strlen(name), end;

	*value = '\0';
	while (*text != '\0') {
		end = strcspn(text, "\n");
		if (strncmp(text, name, n) == 0 &&
		    strncmp(text + n, ": ", 2) == 0 && end - n - 2 < len) {
			memcpy(value, text + n + 2, end - n - 2);
			value[end - n - 2] = '\0';
			return;
		}
		text += end + (text[end] == '\n');
	}
}

/* In another mount namespace the daemon's path may name something else: check
 * that the store there is the daemon's. */
static int
check_owner(const char *dir, int pid)
{
	struct kv_owner owner;
	int rc = kv_owner(dir, &owner);

	if (rc < 0)
		return rc;
	return rc > 0 && owner.pid == pid ? 0 : -ENOENT;
}

/* The daemon's figures as text, returned owned (free). */
static int
read_stats(struct beneath *files, char **textp)
{
	size_t len;
	FILE *out = open_memstream(textp, &len);
	int rc;

	if (out == NULL)
		return -ENOMEM;
	rc = read_file(files, "stats", out);
	if (fclose(out) != 0 && rc >= 0)
		rc = -ENOMEM;
	if (rc < 0) {
		free(*textp);
		*textp = NULL;
	}
	return rc;
}

int
mount_control_store_dir(struct beneath *files, char dir[PATH_MAX])
{
	char pid[32], *text = NULL;
	int rc = read_stats(files, &text);

	if (rc < 0)
		return rc;
	find_stat(text, "Store", dir, PATH_MAX);
	find_stat(text, "Pid", pid, sizeof(pid));
	rc = check_owner(dir, atoi(pid));
	free(text);
	return rc;
}

/* Connect to the socket name in the directory dir, a descriptor, since the path
 * may be too long for an address. */
static int
connect_in(int dir, const char *name, int *fdp)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 0;

	if (fd < 0)
		return -errno;
	if (snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/%s",
		dir, name) >= (int)sizeof(un.sun_path))
		rc = -ENAMETOOLONG;
	if (rc == 0 && connect(fd, (struct sockaddr *)&un, sizeof(un)) < 0)
		rc = -errno;
	if (rc == 0)
		*fdp = fd;
	else
		close(fd);
	return rc;
}

static int
connect_path(const char *path, int *fdp)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_MAX];
	int fd, rc;

	if (slash == NULL || slash == path || slash - path >= PATH_MAX)
		return -EPROTO;
	memcpy(dir, path, (size_t)(slash - path));
	dir[slash - path] = '\0';
	fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	rc = connect_in(fd, slash + 1, fdp);
	close(fd);
	return rc;
}

int
mount_control_lane(struct beneath *files, int *fdp)
{
	char path[PATH_MAX], other[PATH_MAX + 64], pid[32], *text = NULL;
	int rc = read_stats(files, &text);

	if (rc < 0)
		return rc;
	find_stat(text, "Lane", path, sizeof(path));
	find_stat(text, "Pid", pid, sizeof(pid));
	free(text);
	if (path[0] == '\0')
		return -ENOTSUP;
	rc = connect_path(path, fdp);
	/* In a chroot the daemon's root is elsewhere. The name of a socket is
	 * never used twice, so it is the daemon's if it is there. */
	if (rc == -ENOENT &&
	    snprintf(other, sizeof(other), "/proc/%d/root%s", atoi(pid), path) <
		PATH_MAX)
		rc = connect_path(other, fdp) == 0 ? 0 : -EHOSTUNREACH;
	return rc == -EACCES ? -EPERM : rc;
}
