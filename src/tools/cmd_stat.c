/* SPDX-License-Identifier: ISC */
/* kvfsctl stat: sizes, levels, cache and durability, as "Key: value", or in
 * the text format of Prometheus. */
#include "tools/command.h"

#include <unistd.h>

static int
stat_run(const struct command *cmd, int argc, char **argv)
{
	const char *what = "stats";
	struct target *t;
	int o, rc, status = 0;

	while ((o = getopt(argc, argv, "+m")) != -1) {
		if (o != 'm')
			return command_misuse(cmd);
		what = "metrics";
	}
	if (argc - optind != 1)
		return command_misuse(cmd);
	if (command_open(argv[optind], TARGET_READ, &t) != 0)
		return 1;
	rc = target_control(t, what, stdout);
	if (rc < 0)
		status = command_failed(argv[optind], rc);
	return command_close(t, status);
}

const struct command cmd_stat = {
	.name = "stat",
	.summary = "print the state of the store",
	.usage = "stat [-m] STORE|MOUNTPOINT",
	.run = stat_run,
};
