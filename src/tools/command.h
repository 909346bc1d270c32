/* SPDX-License-Identifier: ISC */
/*
 * A command of kvfsctl: a row in the table of kvfsctl.c, defined in cmd_NAME.c
 * with its usage text. A command parses its own options, opens its target and
 * returns the exit status: 0; 1 for a failure that it has reported; 2, by
 * command_misuse(), for wrong usage. One thread.
 */
#ifndef KVFS_TOOLS_COMMAND_H
#define KVFS_TOOLS_COMMAND_H

#include <stdio.h>

#include "tools/target.h"

struct command {
	const char *name;
	const char *summary; /* one line for kvfsctl --help */
	const char *usage; /* synopsis, then options, a line each */
	/* argv[0] is the command's name. */
	int (*run)(const struct command *cmd, int argc, char **argv);
};

extern const struct command cmd_get, cmd_put, cmd_del, cmd_ls, cmd_scan;
extern const struct command cmd_stat, cmd_check, cmd_sync, cmd_flush;
extern const struct command cmd_compact, cmd_set, cmd_backup, cmd_repair;
extern const struct command cmd_umount, cmd_load, cmd_dump, cmd_batch;

void command_print_usage(const struct command *cmd, FILE *out);

/* Print the usage on standard error; returns 2. */
int command_misuse(const struct command *cmd);

/* Report "kvfsctl: what: reason" for a negative errno; returns 1. */
int command_failed(const char *what, int rc);

/* Open name, the first operand. A failure has been reported; returns the exit
 * status then, else 0. */
int command_open(const char *name, enum target_use use, struct target **tp);

/*
 * End a command: close the target, report a failure of that and of writing
 * standard output. Returns status, or 1 where it was 0 and something
 * failed.
 */
int command_close(struct target *t, int status);

#endif
