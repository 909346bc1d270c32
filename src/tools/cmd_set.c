/* SPDX-License-Identifier: ISC */
/* kvfsctl set: change options of a mounted store until it is unmounted. */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
set(struct target *t, const char *assignment)
{
	char command[256];
	int n = snprintf(command, sizeof(command), "set %s", assignment);
	int rc;

	rc = n < (int)sizeof(command) ? target_control(t, command, stdout) :
					-EINVAL;
	if (rc == -EINVAL) {
		warnx("%s: no option that can be changed, or no value of it; "
		      "kvfsctl set --help lists them",
		    assignment);
		return 1;
	}
	return rc < 0 ? command_failed(assignment, rc) : 0;
}

static int
run(const struct command *cmd, int argc, char **argv)
{
	struct target *t;
	int status = 0;

	if (getopt(argc, argv, "+") != -1 || argc - optind < 2)
		return command_misuse(cmd);
	argv += optind;
	argc -= optind;
	for (int i = 1; i < argc; i++)
		if (strchr(argv[i], '=') == NULL)
			return command_misuse(cmd);
	if (command_open(argv[0], TARGET_READ, &t) != 0)
		return 1;
	if (!t->is_mounted) {
		warnx("%s: not mounted; give options when mounting: "
		      "kvfs -o %s",
		    argv[0], argv[1]);
		status = 1;
	}
	for (int i = 1; status == 0 && i < argc; i++)
		status = set(t, argv[i]);
	return command_close(t, status);
}

const struct command cmd_set = {
	.name = "set",
	.summary = "change options of a mounted store",
	.usage = "set MOUNTPOINT|STORE NAME=VALUE...\n"
		 "Options: profile, sync, flush, writeback, wal_buffer; "
		 "see kvfs(1)",
	.run = run,
};
