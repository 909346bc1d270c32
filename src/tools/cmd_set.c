/* SPDX-License-Identifier: ISC */
/* kvfsctl set: change options of a mounted store until it is unmounted. */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* One line for each option; tests/style/manuals.sh compares them with what the
 * daemon says about a bad value. */
static const char usage[] =
    "set MOUNTPOINT|STORE NAME=VALUE...\n"
    "  profile=NAME     safe, balanced or fast\n"
    "  sync=MODE        full, every:N, interval:MS, hybrid:N:MS, checkpoint "
    "or off\n"
    "  flush=WHEN       close or lazy\n"
    "  writeback=MS     a number from 1 to 3600000\n"
    "  wal_buffer=SIZE  a size from 0 to 64M\n"
    "  max_size=SIZE    0 for no bound, or at least 4M\n"
    "SIZE takes K, M or G; kvfs(1) has what they mean";

struct option_line {
	const char *name, *values; /* in usage, not terminated */
	int name_len, values_len;
};

/* Read the next line of an option at or after *textp, and move that behind it.
 * False: there is none. */
static bool
next_option(const char **textp, struct option_line *l)
{
	const char *p = strstr(*textp, "\n  ");

	if (p == NULL)
		return false;
	l->name = p + strlen("\n  ");
	l->name_len = (int)strcspn(l->name, "=");
	l->values = l->name + strcspn(l->name, " ");
	l->values += strspn(l->values, " ");
	l->values_len = (int)strcspn(l->values, "\n");
	*textp = l->values + l->values_len;
	return true;
}

/* Print one line: the values of the option, or the options that there are. */
static void
explain_refusal(const char *assignment)
{
	size_t len = strcspn(assignment, "="), used = 0;
	const char *text = usage;
	struct option_line l;
	char names[128] = "";

	while (next_option(&text, &l)) {
		if ((size_t)l.name_len == len &&
		    strncmp(l.name, assignment, len) == 0) {
			warnx("%s: bad value: give %.*s", assignment,
			    l.values_len, l.values);
			return;
		}
		if (used < sizeof(names))
			used += (size_t)snprintf(names + used,
			    sizeof(names) - used, "%s%.*s",
			    used > 0 ? ", " : "", l.name_len, l.name);
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
	.usage = usage,
	.run = set_run,
};
