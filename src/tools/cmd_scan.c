/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl scan: print all keys that begin with a prefix, in byte order of whole
 * paths. A directory is not a key; the files below it are. Only directories
 * that can hold a match are read.
 */
#include "tools/command.h"
#include "tools/value.h"
#include "tools/walk.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct scan {
	struct target *t;
	const char *prefix;
	size_t prefix_len;
	uint64_t left; /* keys still to print */
	bool sizes, values;
	int end; /* '\n', or NUL */
	int status;
};

static void
print_value(struct scan *s, const char *path, const struct stat *st)
{
	int rc = 0;

	printf("%s%c%jd%c", path, s->end == '\n' ? '\t' : '\0',
	    S_ISREG(st->st_mode) ? (intmax_t)st->st_size : 0, s->end);
	if (S_ISREG(st->st_mode))
		rc = value_copy_out(s->t, path, stdout);
	putchar('\n');
	if (rc < 0)
		s->status = command_failed(path, rc);
}

static void
print_key(struct scan *s, const char *path)
{
	struct stat st;
	int rc;

	s->left--;
	if (!s->sizes && !s->values) {
		printf("%s%c", path, s->end);
		return;
	}
	rc = target_stat(s->t, path, &st);
	if (rc == -ENOENT)
		return; /* deleted since it was listed */
	if (rc < 0)
		s->status = command_failed(path, rc);
	else if (s->values)
		print_value(s, path, &st);
	else
		printf("%12jd %s%c", (intmax_t)st.st_size, path, s->end);
}

/* Can path, or a path below it if it is a directory, begin with the prefix? */
static bool
can_match(const struct scan *s, const char *path, bool is_dir)
{
	size_t len = strlen(path);
	size_t n = len < s->prefix_len ? len : s->prefix_len;

	if (memcmp(path, s->prefix, n) != 0)
		return false;
	if (len >= s->prefix_len)
		return true;
	return is_dir && (len == 0 || s->prefix[len] == '/');
}

static bool
scan_wants(void *arg, const char *path, bool is_dir)
{
	return can_match(arg, path, is_dir);
}

static int
scan_visit(void *arg, const char *path)
{
	struct scan *s = arg;

	print_key(s, path);
	return s->left == 0 || ferror(stdout) ? 1 : 0;
}

static int
scan_failed(void *arg, const char *path, int rc)
{
	struct scan *s = arg;

	/* Deleted meanwhile: no keys. */
	if (rc != -ENOENT || *path == '\0')
		s->status = command_failed(*path != '\0' ? path : "/", rc);
	return 0;
}

static const struct walk_calls calls = {
	.wants = scan_wants,
	.visit = scan_visit,
	.failed = scan_failed,
};

static int
scan_run(const struct command *cmd, int argc, char **argv)
{
	struct scan s = { .left = UINT64_MAX, .end = '\n' };
	const char *problem;
	int o, rc;

	while ((o = getopt(argc, argv, "+0ln:v")) != -1) {
		switch (o) {
		case '0':
			s.end = '\0';
			break;
		case 'l':
			s.sizes = true;
			break;
		case 'n':
			s.left = (uint64_t)strtonum(optarg, 0, INT64_MAX,
			    &problem);
			if (problem != NULL) {
				warnx("-n %s: %s", optarg, problem);
				return 2;
			}
			break;
		case 'v':
			s.values = true;
			break;
		default:
			return command_misuse(cmd);
		}
	}
	argc -= optind;
	argv += optind;
	if (argc != 1 && argc != 2)
		return command_misuse(cmd);
	s.prefix = argc == 2 ? argv[1] : "";
	s.prefix += strspn(s.prefix, "/");
	s.prefix_len = strlen(s.prefix);
	if (command_open(argv[0], TARGET_READ, &s.t) != 0)
		return 1;
	rc = s.left > 0 ? walk_tree(s.t, "", true, &calls, &s) : 0;
	if (rc < 0)
		s.status = command_failed(argv[0], rc);
	return command_close(s.t, s.status);
}

const struct command cmd_scan = {
	.name = "scan",
	.summary = "list all keys that begin with a prefix, in order",
	.usage = "scan [-0lv] [-n COUNT] STORE|MOUNTPOINT [PREFIX]\n"
		 "  -0  end each key with a NUL, for names with line breaks\n"
		 "  -l  with the size of each value before its key\n"
		 "  -n COUNT  stop after so many keys\n"
		 "  -v  with values: key, tab, size, line break, value, line "
		 "break",
	.run = scan_run,
};
