/* SPDX-License-Identifier: ISC */
/* See command.h. */
#include "tools/command.h"

#include <err.h>
#include <errno.h>
#include <string.h>

#include "kvfs/kv.h"

void
command_print_usage(const struct command *cmd, FILE *out)
{
	fprintf(out, "usage: kvfsctl %s\n", cmd->usage);
}

int
command_misuse(const struct command *cmd)
{
	command_print_usage(cmd, stderr);
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
