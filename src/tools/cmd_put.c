/* SPDX-License-Identifier: ISC */
/* kvfsctl put: set a value, atomically. */
#include "tools/command.h"
#include "tools/value.h"

#include <err.h>
#include <string.h>
#include <unistd.h>

static int
put_run(const struct command *cmd, int argc, char **argv)
{
	struct value_source src = { .fd = -1 };
	bool parents = false, source_failed = false;
	struct target *t;
	int o, rc = 0, status = 0;

	while ((o = getopt(argc, argv, "+p")) != -1) {
		if (o != 'p')
			return command_misuse(cmd);
		parents = true;
	}
	argc -= optind;
	argv += optind;
	if (argc != 2 && argc != 3)
		return command_misuse(cmd);
	if (argc == 3)
		src.bytes = slice_str(argv[2]);
	else
		src.fd = STDIN_FILENO;
	if (command_open(argv[0], TARGET_WRITE, &t) != 0)
		return 1;
	if (parents)
		rc = value_make_parents(t, argv[1]);
	if (rc == 0)
		rc = value_replace(t, argv[1], &src, &source_failed);
	if (rc < 0)
		status = command_failed(source_failed ? "standard input" :
							argv[1],
		    rc);
	return command_close(t, status);
}

const struct command cmd_put = {
	.name = "put",
	.summary = "set the value of a key, from VALUE or standard input",
	.usage = "put [-p] STORE|MOUNTPOINT KEY [VALUE]\n"
		 "  -p  make the directories above KEY that are missing",
	.run = put_run,
};
