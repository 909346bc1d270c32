/* SPDX-License-Identifier: ISC */
/* kvfsctl del: delete keys, and trees of them. */
#include "tools/command.h"
#include "tools/walk.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Stops at the first failure, with the path that it concerns. */
struct deletion {
	struct target *t;
	char failed[KEY_MAX];
};

static int
delete_one(struct deletion *d, const char *path, bool directory)
{
	int rc = target_remove(d->t, path, directory);

	if (rc < 0)
		strlcpy(d->failed, path, sizeof(d->failed));
	return rc;
}

static int
delete_file(void *arg, const char *path)
{
	return delete_one(arg, path, false);
}

static int
delete_directory(void *arg, const char *path)
{
	return delete_one(arg, path, true);
}

static int
delete_failed(void *arg, const char *path, int rc)
{
	struct deletion *d = arg;

	strlcpy(d->failed, path, sizeof(d->failed));
	return rc;
}

static const struct walk_calls calls = {
	.visit = delete_file,
	.leave = delete_directory,
	.failed = delete_failed,
};

static int
delete_key(struct target *t, const char *key, bool recursive)
{
	struct deletion d = { .t = t };
	struct stat st;
	int rc = key_check(key);

	strlcpy(d.failed, key, sizeof(d.failed));
	if (rc == 0)
		rc = target_stat(t, key, &st);
	if (rc == 0 && !S_ISDIR(st.st_mode))
		rc = target_remove(t, key, false);
	else if (rc == 0)
		rc = recursive ? walk_tree(t, key, false, &calls, &d) : -EISDIR;
	return rc < 0 ? command_failed(d.failed, rc) : 0;
}

static int
del_run(const struct command *cmd, int argc, char **argv)
{
	bool recursive = false;
	struct target *t;
	int o, status = 0;

	while ((o = getopt(argc, argv, "+r")) != -1) {
		if (o != 'r')
			return command_misuse(cmd);
		recursive = true;
	}
	argc -= optind;
	argv += optind;
	if (argc < 2)
		return command_misuse(cmd);
	if (command_open(argv[0], TARGET_WRITE, &t) != 0)
		return 1;
	for (int i = 1; i < argc; i++)
		if (delete_key(t, argv[i], recursive) != 0)
			status = 1;
	return command_close(t, status);
}

const struct command cmd_del = {
	.name = "del",
	.summary = "delete keys",
	.usage = "del [-r] STORE|MOUNTPOINT KEY...\n"
		 "  -r  a directory with everything below it",
	.run = del_run,
};
