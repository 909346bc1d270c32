/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl scan: all keys that begin with a prefix, in byte order of whole
 * paths. Directories are not keys: what is below them is. Only directories
 * that can hold a match are listed.
 */
#include "tools/command.h"
#include "tools/listing.h"
#include "tools/value.h"

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

/* Whether path, or when it is a directory a path below it, can begin with
 * the prefix. */
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

static void
walk(struct scan *s, const char *dir)
{
	struct listing l = { 0 };
	char path[PATH_MAX];
	int rc = listing_read(&l, s->t, dir, true);

	/* Deleted meanwhile: no keys. */
	if (rc < 0 && !(rc == -ENOENT && *dir != '\0'))
		s->status = command_failed(*dir != '\0' ? dir : "/", rc);
	for (size_t i = 0; rc == 0 && i < l.count && s->left > 0; i++) {
		bool is_dir = S_ISDIR(l.entries[i].type);
		int rc2 = listing_path(path, dir, l.entries[i].name);

		if (rc2 < 0)
			s->status = command_failed(l.entries[i].name, rc2);
		else if (!can_match(s, path, is_dir))
			continue;
		else if (is_dir)
			walk(s, path);
		else
			print_key(s, path);
		if (ferror(stdout))
			break;
	}
	listing_fini(&l);
}

static int
run(const struct command *cmd, int argc, char **argv)
{
	struct scan s = { .left = UINT64_MAX, .end = '\n' };
	const char *problem;
	int o;

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
	walk(&s, "");
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
	.run = run,
};
