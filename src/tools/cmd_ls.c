/* SPDX-License-Identifier: ISC */
/* kvfsctl ls: list one directory, sorted by bytes. */
#include "tools/command.h"
#include "tools/listing.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

static int
print_long(struct target *t, const char *path, const char *name)
{
	char mode[12], when[32] = "?", target[PATH_MAX] = "";
	struct stat st;
	struct tm tm;
	int rc = target_stat(t, path, &st);

	if (rc == 0 && S_ISLNK(st.st_mode))
		rc = target_readlink(t, path, target, sizeof(target));
	if (rc < 0)
		return rc;
	strmode(st.st_mode, mode);
	if (localtime_r(&st.st_mtime, &tm) != NULL)
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	/* Without the last character of strmode(3), a blank for ACL marks. */
	printf("%.10s %3ju %5u %5u %12jd %s %s%s%s\n", mode,
	    (uintmax_t)st.st_nlink, st.st_uid, st.st_gid, (intmax_t)st.st_size,
	    when, name, *target != '\0' ? " -> " : "", target);
	return 0;
}

static int
print_entry(struct target *t, const char *path, const char *name, bool full)
{
	if (full)
		return print_long(t, path, name);
	puts(name);
	return 0;
}

static int
list_key(struct target *t, const char *key, bool full)
{
	struct listing l = { 0 };
	char path[KEY_MAX];
	struct stat st;
	int rc = key_check(key), status = 0;

	if (rc == 0)
		rc = target_stat(t, key, &st);
	if (rc == 0 && !S_ISDIR(st.st_mode)) {
		rc = print_entry(t, key, key, full);
	} else if (rc == 0) {
		rc = listing_read(&l, t, key, false);
		for (size_t i = 0; rc == 0 && i < l.count; i++) {
			const char *name = l.entries[i].name;
			int rc2 = listing_path(path, key, name);

			if (rc2 == 0)
				rc2 = print_entry(t, path, name, full);
			if (rc2 < 0)
				status = command_failed(name, rc2);
		}
		listing_fini(&l);
	}
	return rc < 0 ? command_failed(*key != '\0' ? key : "/", rc) : status;
}

static int
ls_run(const struct command *cmd, int argc, char **argv)
{
	bool full = false;
	struct target *t;
	int o, status;

	while ((o = getopt(argc, argv, "+l")) != -1) {
		if (o != 'l')
			return command_misuse(cmd);
		full = true;
	}
	argc -= optind;
	argv += optind;
	if (argc != 1 && argc != 2)
		return command_misuse(cmd);
	if (command_open(argv[0], TARGET_READ, &t) != 0)
		return 1;
	status = list_key(t, argc == 2 ? argv[1] : "", full);
	return command_close(t, status);
}

const struct command cmd_ls = {
	.name = "ls",
	.summary = "list a directory of keys",
	.usage = "ls [-l] STORE|MOUNTPOINT [KEY]\n"
		 "  -l  with type, mode, links, owner, group, size and time",
	.run = ls_run,
};
