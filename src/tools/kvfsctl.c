/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl, all commands on a store except mounting. This file has their table,
 * and runs the one that was given. See kvfsctl(1).
 */
#include <err.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "util/log.h"
#include "util/process.h"

/* In the order of --help. */
static const struct command *const commands[] = {
	&cmd_get,
	&cmd_put,
	&cmd_del,
	&cmd_ls,
	&cmd_scan,
	&cmd_stat,
	&cmd_check,
	&cmd_sync,
	&cmd_flush,
	&cmd_compact,
	&cmd_set,
	&cmd_batch,
	&cmd_load,
	&cmd_dump,
	&cmd_backup,
	&cmd_repair,
	&cmd_umount,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void
print_help(FILE *out)
{
	fputs("usage: kvfsctl COMMAND STORE|MOUNTPOINT [ARGUMENT]...\n"
	      "       kvfsctl COMMAND --help\n"
	      "\n"
	      "Reads, changes and steers a store of kvfs, mounted or not.\n"
	      "A key is a path inside the mount: users/42.\n"
	      "\n"
	      "Commands:\n",
	    out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s  %s\n", commands[i]->name,
		    commands[i]->summary);
	fputs("\nSee kvfsctl(1).\n", out);
}

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int
help_command(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		print_help(stdout);
		return 0;
	}
	cmd = find_command(argv[1]);
	if (cmd == NULL) {
		warnx("%s: no such command; kvfsctl --help lists them",
		    argv[1]);
		return 2;
	}
	command_print_usage(cmd, stdout);
	return 0;
}

int
main(int argc, char **argv)
{
	const struct command *cmd;

	process_reserve_standard_files();
	process_init_signals();
	setlocale(LC_TIME, "");
	log_set_program("kvfsctl");
	if (argc < 2) {
		print_help(stderr);
		return 2;
	}
	argc--;
	argv++;
	if (strcmp(argv[0], "help") == 0 || strcmp(argv[0], "--help") == 0 ||
	    strcmp(argv[0], "-h") == 0)
		return help_command(argc, argv);
	if (strcmp(argv[0], "--version") == 0) {
		puts("kvfsctl " KVFS_VERSION);
		return 0;
	}
	cmd = find_command(argv[0]);
	if (cmd == NULL) {
		warnx("%s: no such command; kvfsctl --help lists them",
		    argv[0]);
		return 2;
	}
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		command_print_usage(cmd, stdout);
		return 0;
	}
	return cmd->run(cmd, argc, argv);
}
