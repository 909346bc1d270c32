/* SPDX-License-Identifier: ISC */
/*
 * Perform a history (history.h) in a directory until a call fails.
 *
 *   history_write DIR JOURNAL SEED full|some close|lazy
 *
 * The journal, which is to lie on a disk that stays, says how many steps
 * have returned and up to which one the store has promised durability: with
 * sync=full ("full") all of them, else up to the last fsync. flush=lazy
 * ("lazy") means that close(2) commits nothing. Exit status 0 when the call
 * failed with EIO, 1 otherwise.
 */
#include <errno.h>
#include <sys/stat.h>

#include "history.h"

static const char *const step_names[] = { "create", "append", "write",
	"O_DSYNC", "fsync", "close", "rename", "link", "unlink", "mkdir",
	"rmdir", "chmod", "fsync of the directory", "fsync of the root" };
static int
sync_path(int dir, const char *path)
{
	int fd = openat(dir, path, O_RDONLY | O_DIRECTORY);
	int rc = fd < 0 ? -1 : fsync(fd), saved = errno;

	if (fd >= 0)
		close(fd);
	errno = saved;
	return rc;
}

static int
write_contents(int fd, const struct file *f, uint32_t to)
{
	uint32_t len = to - f->max;
	ssize_t n;

	fill(buffer, f->id, f->max, to);
	for (uint32_t done = 0; done < len; done += (uint32_t)n) {
		n = write(fd, buffer + done, len - done);
		if (n < 0)
			return -1;
	}
	return 0;
}

static int
perform(int dir, int *fdp, const struct step *s)
{
	char a[16], b[16];
	int rc;

	name_of(s->name, a);
	name_of(s->to, b);
	switch (s->type) {
	case CREATE:
	case APPEND:
		*fdp = openat(dir, a,
		    O_WRONLY | (s->value != 0 ? O_DSYNC : 0) |
			(s->type == CREATE ? O_CREAT | O_EXCL : O_APPEND),
		    0600);
		return *fdp;
	case WRITE:
		return write_contents(*fdp, &files[open_file], s->value);
	case WRITTEN:
		return 0;
	case FSYNC:
		return fsync(*fdp);
	case CLOSE:
		rc = close(*fdp);
		*fdp = -1;
		return rc;
	case RENAME:
		return renameat(dir, a, dir, b);
	case LINK:
		return linkat(dir, a, dir, b, 0);
	case UNLINK:
		return unlinkat(dir, a, 0);
	case MKDIR:
		return mkdirat(dir, a, 0700);
	case RMDIR:
		return unlinkat(dir, a, AT_REMOVEDIR);
	case CHMOD:
		return fchmodat(dir, a, s->value, 0);
	case SYNC_DIR:
		return sync_path(dir, ".");
	case SYNC_ROOT:
		return sync_path(dir, "..");
	}
	return -1;
}

static bool
promises_durability(const struct step *s)
{
	return journal->is_full || s->type == FSYNC || s->type == WRITTEN ||
	    s->type == SYNC_DIR || s->type == SYNC_ROOT;
}

static int
write_history(const char *path)
{
	int fd = -1, dir;

	dir = open(path, O_RDONLY | O_DIRECTORY);
	if (dir < 0)
		err(1, "%s", path);
	for (uint64_t t = 1; name_count + 1 < NAMES_MAX; t++) {
		const struct step *s = next_step();

		if (perform(dir, &fd, s) < 0) {
			if (errno != EIO)
				err(1, "%s: step %llu, %s", path,
				    (unsigned long long)t, step_names[s->type]);
			return 0;
		}
		apply(s);
		atomic_store(&journal->done, t);
		if (promises_durability(s))
			atomic_store(&journal->durable, t);
	}
	errx(1, "%s: nobody stopped me", path);
}

int
main(int argc, char **argv)
{
	if (argc != 6)
		errx(2,
		    "usage: history_write DIR JOURNAL SEED full|some "
		    "close|lazy");
	umask(0);
	journal_open(argv[2], true);
	journal->seed = strtoull(argv[3], NULL, 10);
	journal->is_full = strcmp(argv[4], "full") == 0;
	journal->is_lazy = strcmp(argv[5], "lazy") == 0;
	start_over();
	return write_history(argv[1]);
}
