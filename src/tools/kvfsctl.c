/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl, everything but mounting: this file has the table of commands
 * and what they share. See kvfsctl(1).
 */
#include <err.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "kvfs/kv.h"
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

static void
print_usage(const struct command *cmd, FILE *out)
{
	fprintf(out, "usage: kvfsctl %s\n", cmd->usage);
}

int
command_misuse(const struct command *cmd)
{
	print_usage(cmd, stderr);
	return 2;
}

int
command_failed(const char *what, int rc)
{
	const char *reason = strerror(-rc);

	if (rc == -ELOOP)
		reason = "symbolic links are not followed";
	else if (rc == -KVFS_ECORRUPT || rc == -KVFS_ECHECKSUM)
		reason = "damaged; kvfsctl check says where";
	else if (rc == -EROFS)
		reason = "the store is read-only";
	else if (rc == -ENOTSUP)
		reason = "this mount cannot do that; unmount it first";
	else if (rc == -ETIMEDOUT)
		reason = "does not answer: what is mounted there hangs";
	else if (rc == -ENOTCONN)
		reason = "the daemon of this mount is gone";
	warnx("%s: %s", what, reason);
	return 1;
}

int
command_open(const char *name, enum target_use use, struct target **tp)
{
	return target_open(name, use, tp) < 0 ? 1 : 0;
}

int
command_close(struct target *t, int status)
{
	int rc = target_close(t);

	if (rc < 0)
		status = command_failed("closing the store", rc);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		warn("standard output");
		return 1;
	}
	return status;
}

static const struct command *
find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static int
help(int argc, char **argv)
{
	const struct command *cmd;

	if (argc < 2) {
		print_help(stdout);
		return 0;
	}
	cmd = find(argv[1]);
	if (cmd == NULL) {
		warnx("%s: no such command; kvfsctl --help lists them",
		    argv[1]);
		return 2;
	}
	print_usage(cmd, stdout);
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
		return help(argc, argv);
	if (strcmp(argv[0], "--version") == 0) {
		puts("kvfsctl " KVFS_VERSION);
		return 0;
	}
	cmd = find(argv[0]);
	if (cmd == NULL) {
		warnx("%s: no such command; kvfsctl --help lists them",
		    argv[0]);
		return 2;
	}
	if (argc >= 2 && strcmp(argv[1], "--help") == 0) {
		print_usage(cmd, stdout);
		return 0;
	}
	return cmd->run(cmd, argc, argv);
}
