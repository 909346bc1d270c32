/* SPDX-License-Identifier: ISC */
/* See direct_control.h. */
#include "tools/direct_control.h"

#include <errno.h>
#include <string.h>

#include "fs/fs.h"
#include "kvfs/kv.h"

static int
check_all(struct kv *kv, FILE *out)
{
	int damaged = kv_control(kv, "check-tables", out), problems;

	if (damaged < 0)
		return damaged;
	problems = fs_verify(kv, out);
	return problems < 0 ? problems : damaged + problems;
}

static int
print_report(struct kv *kv, struct fs *fs, const char *command,
    enum report_format format, FILE *out)
{
	struct report r;
	int rc = kv_control(kv, command, out);

	report_init(&r, out, format);
	fs_report(fs, &r);
	return rc;
}

int
direct_control_run(struct kv *kv, struct fs *fs, const char *command, FILE *out)
{
	int rc;

	if (strcmp(command, "check") == 0)
		return check_all(kv, out);
	if (strcmp(command, "stats") == 0)
		return print_report(kv, fs, command, REPORT_TEXT, out);
	if (strcmp(command, "metrics") == 0)
		return print_report(kv, fs, command, REPORT_PROMETHEUS, out);
	if (strncmp(command, "set ", 4) == 0 ||
	    strcmp(command, "end backups") == 0)
		return -ENOTSUP;
	rc = fs_sync(fs);
	if (rc < 0 || strcmp(command, "sync") == 0)
		return rc;
	return kv_control(kv, command, out);
}
