/* SPDX-License-Identifier: ISC */
/* kvfsctl set: change options of a mounted store until it is unmounted. */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* The options that can be set; kvfs(1) describes them. */
static const struct settable {
	const char *name, *values;
} settables[] = {
	{ "profile", "safe, balanced or fast" },
	{ "sync",
	    "full, every:N, interval:MS, hybrid:N:MS, checkpoint or off" },
	{ "flush", "close or lazy" },
	{ "writeback", "milliseconds, from 1 to 3600000" },
	{ "wal_buffer", "a size from 0 to 64M" },
	{ "max_size", "a size from 4M, or 0 for no bound" },
};
#define SETTABLES (sizeof(settables) / sizeof(settables[0]))

/* Print one line: the values of the option, or the options that there are. */
static void
explain_refusal(const char *assignment)
{
	size_t len = strcspn(assignment, "=");
	char names[128] = "";

	for (size_t i = 0; i < SETTABLES; i++) {
		const struct settable *s = &settables[i];

		if (strlen(s->name) == len &&
		    strncmp(s->name, assignment, len) == 0) {
			warnx("%s: bad value: give %s", assignment, s->values);
			return;
		}
		strlcat(names, i > 0 ? ", " : "", sizeof(names));
		strlcat(names, s->name, sizeof(names));
	}
	warnx("%s: cannot be changed while mounted; these can: %s", assignment,
	    names);
}

static int
set_option(struct target *t, const char *assignment)
{
	char command[256];
	int n = snprintf(command, sizeof(command), "set %s", assignment);
	int rc;

	rc = n < (int)sizeof(command) ? target_control(t, command, stdout) :
					-EINVAL;
	if (rc == -EINVAL) {
		explain_refusal(assignment);
		return 1;
	}
	return rc < 0 ? command_failed(assignment, rc) : 0;
}

static int
set_run(const struct command *cmd, int argc, char **argv)
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
	if (!target_is_mounted(t)) {
		warnx("%s: not mounted; give options when mounting: "
		      "kvfs -o %s",
		    argv[0], argv[1]);
		status = 1;
	}
	for (int i = 1; status == 0 && i < argc; i++)
		status = set_option(t, argv[i]);
	return command_close(t, status);
}

const struct command cmd_set = {
	.name = "set",
	.summary = "change options of a mounted store",
	.usage = "set MOUNTPOINT|STORE NAME=VALUE...\n"
		 "  profile=safe|balanced|fast\n"
		 "  sync=full|every:N|interval:MS|hybrid:N:MS|checkpoint|off\n"
		 "  flush=close|lazy\n"
		 "  writeback=MS     1 to 3600000\n"
		 "  wal_buffer=SIZE  0 to 64M\n"
		 "  max_size=SIZE    from 4M; 0 for no bound\n"
		 "SIZE takes K, M or G; kvfs(1) has what they mean",
	.run = set_run,
};
