/* SPDX-License-Identifier: ISC */
/*
 * Which requests the kernel sends for common calls: request_counts MOUNTPOINT
 * prints a row of a table for each, "| call | requests |". There are programs
 * dir/file-N, N from 0 to 39, which nobody has run. The figures are those of
 * .kvfs/metrics, of requests that a caller waits for (no RELEASE, no FORGET),
 * for one call: each is made FILES times on as many files.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILES 40
#define KINDS 16

struct counts {
	char name[KINDS][16];
	double n[KINDS];
	int kinds;
};

static struct counts overhead; /* of looking at them once */
static char buf[4096];

static void
count_line(struct counts *c, const char *line)
{
	if (c->kinds < KINDS &&
	    sscanf(line, "kvfs_request_seconds_count{op=\"%15[^\"]\"} %lf",
		c->name[c->kinds], &c->n[c->kinds]) == 2)
		c->kinds++;
}

static void
look(struct counts *c)
{
	FILE *f = fopen(".kvfs/metrics", "re");
	char line[512];

	if (f == NULL)
		err(1, ".kvfs/metrics");
	c->kinds = 0;
	while (fgets(line, sizeof(line), f) != NULL)
		count_line(c, line);
	if (ferror(f))
		err(1, ".kvfs/metrics");
	fclose(f);
}

static struct counts
difference(const struct counts *a, const struct counts *b)
{
	struct counts d = *b;

	for (int i = 0; i < d.kinds; i++)
		d.n[i] -= a->n[i];
	return d;
}

/* What looking costs, once the kernel knows the name. */
static void
measure_overhead(void)
{
	struct counts a, b;

	look(&a);
	look(&a);
	for (int i = 0; i < FILES; i++)
		look(&b);
	overhead = difference(&a, &b);
	for (int i = 0; i < overhead.kinds; i++)
		overhead.n[i] = (int)(overhead.n[i] / FILES + 0.5);
}

/* The figures of a call, which was made for each file since a, as a row. */
static void
print_row(const char *call, const struct counts *a)
{
	const char *separator = "";
	struct counts b, d;

	look(&b);
	d = difference(a, &b);
	printf("| %s | ", call);
	for (int i = 0; i < d.kinds; i++) {
		int n = (int)((d.n[i] - overhead.n[i]) / FILES + 0.5);

		if (n <= 0 || strcmp(d.name[i], "release") == 0)
			continue;
		if (n > 1)
			printf("%s%d %s", separator, n, d.name[i]);
		else
			printf("%s%s", separator, d.name[i]);
		separator = ", ";
	}
	printf("%s |\n", *separator == '\0' ? "none" : "");
}

static void
each(void (*call)(const char *path))
{
	char path[64];

	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "dir/file-%d", i);
		call(path);
	}
}

/* Make call for each file, and print its row. */
static void
row(const char *what, void (*call)(const char *path))
{
	struct counts a;

	look(&a);
	each(call);
	print_row(what, &a);
}

static void
check(bool ok, const char *path)
{
	if (!ok)
		err(1, "%s", path);
}

static void
write_close(const char *path, int flags)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | flags, 0644);

	check(fd >= 0, path);
	check(write(fd, buf, 1000) == 1000, path);
	check(close(fd) == 0, path);
}

static void
call_create(const char *path)
{
	write_close(path, O_CREAT | O_EXCL);
}

static void
call_overwrite(const char *path)
{
	write_close(path, O_TRUNC);
}

static void
call_append(const char *path)
{
	write_close(path, O_APPEND);
}

static void
call_fsync(const char *path)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

	check(fd >= 0 && write(fd, buf, 1000) == 1000, path);
	check(fsync(fd) == 0 && close(fd) == 0, path);
}

static void
call_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	check(fd >= 0 && read(fd, buf, sizeof(buf)) > 0, path);
	check(close(fd) == 0, path);
}

static void
call_stat(const char *path)
{
	struct stat st;

	check(stat(path, &st) == 0, path);
}

static void
call_stat_missing(const char *path)
{
	char other[80];
	struct stat st;

	snprintf(other, sizeof(other), "%s-missing", path);
	check(stat(other, &st) < 0, other);
}

static void
call_chmod(const char *path)
{
	check(chmod(path, 0755) == 0, path);
}

static void
call_getxattr(const char *path)
{
	check(getxattr(path, "user.none", buf, sizeof(buf)) < 0, path);
}

static void
call_rename(const char *path)
{
	char to[80];

	snprintf(to, sizeof(to), "%s-renamed", path);
	check(rename(path, to) == 0, path);
}

static void
call_unlink(const char *path)
{
	char name[80];

	snprintf(name, sizeof(name), "%s-renamed", path);
	check(unlink(name) == 0, name);
}

static void
call_symlink(const char *path)
{
	check(symlink("target", path) == 0, path);
}

static void
call_readlink(const char *path)
{
	check(readlink(path, buf, sizeof(buf)) > 0, path);
}

static void
call_mkdir(const char *path)
{
	check(mkdir(path, 0755) == 0, path);
}

static void
call_rmdir(const char *path)
{
	check(rmdir(path) == 0, path);
}

static void
remove_all(const char *path)
{
	check(unlink(path) == 0, path);
}

/* A folder with some names. */
static void
fill_folder(const char *path)
{
	char name[80];

	check(mkdir(path, 0755) == 0, path);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%s/%d", path, i);
		write_close(name, O_CREAT | O_EXCL);
	}
}

/* All its names, and what stat(2) says of each. */
static void
call_list(const char *path)
{
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(path);

	check(d != NULL, path);
	while ((e = readdir(d)) != NULL)
		check(fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
			0,
		    e->d_name);
	closedir(d);
}

static void
call_exec(const char *path)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		execl(path, path, NULL);
		_exit(1);
	}
	check(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, path);
}

int
main(int argc, char **argv)
{
	if (argc != 2 || chdir(argv[1]) < 0)
		errx(2, "usage: request_counts MOUNTPOINT");
	memset(buf, 'x', sizeof(buf));
	measure_overhead();
	row("execve of a program that nobody has run", call_exec);
	row("execve once more", call_exec);
	each(remove_all);
	row("create, write 1,000 bytes, close", call_create);
	row("stat after a write", call_stat);
	row("stat once more", call_stat);
	row("stat of a name that is not there", call_stat_missing);
	row("the same once more", call_stat_missing);
	row("open, read, close after a write", call_read);
	row("the same once more", call_read);
	row("open with O_TRUNC, write, close", call_overwrite);
	row("open with O_APPEND, write, close", call_append);
	row("the same with fsync before close", call_fsync);
	row("chmod", call_chmod);
	row("getxattr of a name that is not there", call_getxattr);
	row("rename", call_rename);
	row("unlink", call_unlink);
	row("symlink", call_symlink);
	row("readlink", call_readlink);
	row("readlink once more", call_readlink);
	row("unlink of a symbolic link", remove_all);
	row("mkdir", call_mkdir);
	row("rmdir", call_rmdir);
	each(fill_folder);
	row("list 10 new names, and stat each", call_list);
	row("the same once more", call_list);
	return 0;
}
