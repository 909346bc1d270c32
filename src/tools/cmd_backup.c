/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl backup: a copy of a store as of now, by hard links where the
 * file system below can, while the store is used. The copy is a store.
 */
#include "tools/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The daemon stands in another directory: name dest from the root. */
static int
absolute(const char *dest, char out[PATH_MAX])
{
	char cwd[PATH_MAX] = "";
	int n;

	if (dest[0] != '/' && getcwd(cwd, sizeof(cwd)) == NULL)
		return -errno;
	n = snprintf(out, PATH_MAX, "%s%s%s", cwd, dest[0] != '/' ? "/" : "",
	    dest);
	return n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int
run(const struct command *cmd, int argc, char **argv)
{
	char dest[PATH_MAX], command[PATH_MAX + 16];
	struct target *t;
	int rc, status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 2)
		return command_misuse(cmd);
	argv += optind;
	rc = absolute(argv[1], dest);
	if (rc < 0)
		return command_failed(argv[1], rc);
	if (command_open(argv[0], TARGET_WRITE, &t) != 0)
		return 1;
	snprintf(command, sizeof(command), "backup %s", dest);
	rc = target_control(t, command, stdout);
	if (rc < 0)
		status = command_failed(argv[1], rc);
	return command_close(t, status);
}

const struct command cmd_backup = {
	.name = "backup",
	.summary = "copy the store as of now into a new directory",
	.usage = "backup STORE|MOUNTPOINT DIRECTORY",
	.run = run,
};
