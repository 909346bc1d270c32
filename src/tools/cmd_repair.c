/* SPDX-License-Identifier: ISC */
/*
 * kvfsctl repair: what can still be read of a damaged store, into a new
 * one. The damaged store stays as it is.
 */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "kvfs/kv.h"
#include "tools/mounts.h"
#include "util/path_probe.h"

static int
run(const struct command *cmd, int argc, char **argv)
{
	struct path_probe p;
	struct mount m;
	int rc;

	if (getopt(argc, argv, "+") != -1 || argc - optind != 2)
		return command_misuse(cmd);
	argv += optind;
	rc = path_probe(argv[0], &p);
	if (rc < 0)
		return command_failed(argv[0], rc);
	if (mount_at(p.path, &m) > 0 && (p.is_kvfs || m.is_kvfs)) {
		warnx("%s: a mountpoint; unmount it and name the store",
		    argv[0]);
		return 1;
	}
	/* A failure has been logged. */
	rc = kv_repair(p.path, argv[1], stdout);
	if (rc >= 0)
		printf("Losses: %d\n", rc);
	return command_close(NULL, rc != 0);
}

const struct command cmd_repair = {
	.name = "repair",
	.summary = "salvage a damaged store into a new directory",
	.usage = "repair STORE DIRECTORY",
	.run = run,
};
