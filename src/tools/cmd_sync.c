/* SPDX-License-Identifier: ISC */
/* kvfsctl sync, flush and compact. They return when the work is done. */
#include "tools/command.h"

#include <unistd.h>

static int
sync_run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int rc, status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 1)
		return command_misuse(cmd);
	if (command_open(argv[optind], TARGET_WRITE, &t) != 0)
		return 1;
	rc = target_control(t, cmd->name, stdout);
	if (rc < 0)
		status = command_failed(argv[optind], rc);
	return command_close(t, status);
}

const struct command cmd_sync = {
	.name = "sync",
	.summary = "make everything that was written durable",
	.usage = "sync STORE|MOUNTPOINT",
	.run = sync_run,
};

const struct command cmd_flush = {
	.name = "flush",
	.summary = "write what is in memory out to sorted tables",
	.usage = "flush STORE|MOUNTPOINT",
	.run = sync_run,
};

const struct command cmd_compact = {
	.name = "compact",
	.summary = "merge all tables; gives back the space of deleted keys",
	.usage = "compact STORE|MOUNTPOINT",
	.run = sync_run,
};
