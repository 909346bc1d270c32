/* SPDX-License-Identifier: ISC */
/* kvfsctl del: delete keys, and trees of them. */
#include "tools/command.h"
#include "tools/listing.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Everything below a directory, then itself; stops at the first failure,
 * with the path that it concerns in failed. */
static int
delete_tree(struct target *t, const char *key, char failed[PATH_MAX])
{
	struct listing l = { 0 };
	char path[PATH_MAX];
	int rc = listing_read(&l, t, key, false);

	for (size_t i = 0; rc == 0 && i < l.count; i++) {
		rc = listing_path(path, key, l.entries[i].name);
		if (rc < 0)
			break;
		if (S_ISDIR(l.entries[i].type)) {
			rc = delete_tree(t, path, failed);
			if (rc < 0)
				goto out;
		} else {
			rc = target_remove(t, path, false);
			if (rc < 0) {
				strlcpy(failed, path, PATH_MAX);
				goto out;
			}
		}
	}
	if (rc == 0)
		rc = target_remove(t, key, true);
	if (rc < 0)
		strlcpy(failed, key, PATH_MAX);
out:
	listing_fini(&l);
	return rc;
}

static int
delete_key(struct target *t, const char *key, bool recursive)
{
	char failed[PATH_MAX];
	struct stat st;
	int rc = key_check(key);

	strlcpy(failed, key, sizeof(failed));
	if (rc == 0)
		rc = target_stat(t, key, &st);
	if (rc == 0 && !S_ISDIR(st.st_mode))
		rc = target_remove(t, key, false);
	else if (rc == 0)
		rc = recursive ? delete_tree(t, key, failed) : -EISDIR;
	return rc < 0 ? command_failed(failed, rc) : 0;
}

static int
run(const struct command *cmd, int argc, char **argv)
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
	.run = run,
};
