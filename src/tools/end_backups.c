/* SPDX-License-Identifier: ISC */
/* See end_backups.h. */
#include "tools/end_backups.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The process that makes a backup gets the error at its next read; until then
 * it may be writing. */
#define WAIT_MS 10000
#define POLL_MS 20
#define FIGURE "\nBackups open: "

/* The number of open backups; 0 if the daemon does not report it. */
static int
count_backups(struct target *t)
{
	char *text = NULL, *line;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int rc = out != NULL ? target_control(t, "stats", out) : -ENOMEM, n = 0;

	if (out != NULL && fclose(out) == 0 && rc >= 0) {
		line = strstr(text, FIGURE);
		n = line != NULL ? atoi(line + strlen(FIGURE)) : 0;
	}
	free(text);
	return n;
}

void
end_backups(struct target *t)
{
	const struct timespec pause = { 0, POLL_MS * 1000000l };

	if (count_backups(t) == 0 ||
	    target_control(t, "end backups", stdout) < 0)
		return;
	for (int ms = 0; ms < WAIT_MS && count_backups(t) != 0; ms += POLL_MS)
		nanosleep(&pause, NULL);
	/* The daemon sees the release before the kernel no longer counts the
	 * mount as used. */
	nanosleep(&pause, NULL);
}
