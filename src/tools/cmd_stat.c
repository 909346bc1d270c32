/* SPDX-License-Identifier: ISC */
/* kvfsctl stat: sizes, levels, cache and durability, as "Key: value". */
#include "tools/command.h"

#include <unistd.h>

static int
run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int rc, status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 1)
		return command_misuse(cmd);
	if (command_open(argv[optind], TARGET_READ, &t) != 0)
		return 1;
	rc = target_control(t, "stats", stdout);
	if (rc < 0)
		status = command_failed(argv[optind], rc);
	return command_close(t, status);
}

const struct command cmd_stat = {
	.name = "stat",
	.summary = "print the state of the store",
	.usage = "stat STORE|MOUNTPOINT",
	.run = run,
};
