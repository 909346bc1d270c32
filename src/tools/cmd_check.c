/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl check: verify every checksum and every cross-reference. Changes
 * nothing. For a mounted store the daemon runs it while it serves.
 */
#include "tools/command.h"

#include <unistd.h>

static int
check_run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int rc, status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 1)
		return command_misuse(cmd);
	if (command_open(argv[optind], TARGET_READ, &t) != 0)
		return 1;
	rc = target_control(t, "check", stdout);
	if (rc < 0) {
		status = command_failed(argv[optind], rc);
	} else {
		printf("Problems: %d\n", rc);
		status = rc > 0;
	}
	return command_close(t, status);
}

const struct command cmd_check = {
	.name = "check",
	.summary = "verify everything; exit status 1 when there is damage",
	.usage = "check STORE|MOUNTPOINT",
	.run = check_run,
};
