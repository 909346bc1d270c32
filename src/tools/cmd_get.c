/* SPDX-License-Identifier: ISC */
/* kvfsctl get: write a value to standard output, as it is. */
#include "tools/command.h"
#include "tools/value.h"

#include <unistd.h>

static int
get_run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int rc, status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 2)
		return command_misuse(cmd);
	argv += optind;
	if (command_open(argv[0], TARGET_READ, &t) != 0)
		return 1;
	rc = value_copy_out(t, argv[1], stdout);
	if (rc < 0)
		status = command_failed(argv[1], rc);
	return command_close(t, status);
}

const struct command cmd_get = {
	.name = "get",
	.summary = "write the value of a key to standard output",
	.usage = "get STORE|MOUNTPOINT KEY",
	.run = get_run,
};
