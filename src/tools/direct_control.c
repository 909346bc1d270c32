/* SPDX-License-Identifier: ISC */
/* See direct_control.h. */
#include "tools/direct_control.h"

#include <errno.h>
#include <string.h>

#include "fs/fs.h"
#include "kvfs/kv.h"

static int
print_report(struct kv *kv, struct fs *fs, enum report_format format, FILE *out)
{
	struct report r;
	int rc = kv_report(kv, format, out);

	report_init(&r, out, format);
	fs_report(fs, &r);
	return rc;
}

int
direct_control_run(struct kv *kv, struct fs *fs, const char *command, FILE *out)
{
	int rc;

	if (strcmp(command, "check") == 0)
		return fs_check(kv, out);
	if (strcmp(command, "stats") == 0)
		return print_report(kv, fs, REPORT_TEXT, out);
	if (strcmp(command, "metrics") == 0)
		return print_report(kv, fs, REPORT_METRICS, out);
	if (strncmp(command, "set ", 4) == 0 ||
	    strcmp(command, "end backups") == 0)
		return -ENOTSUP;
	rc = fs_sync(fs);
	if (rc < 0 || strcmp(command, "sync") == 0)
		return rc;
	if (strcmp(command, "flush") == 0)
		return kv_flush(kv);
	return strcmp(command, "compact") == 0 ? kv_compact(kv) : -ENOTSUP;
}
