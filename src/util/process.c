/* SPDX-License-Identifier: ISC */
/* See process.h. */
#include "util/process.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

void
process_reserve_standard_files(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		/* Opened for the direction that is not used. */
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* open(2) returns the lowest free number, which is fd. */
		if (open("/dev/null", flags) != fd && open("/", O_PATH) != fd)
			_exit(EXIT_FAILURE);
	}
}

void
process_init_signals(void)
{
	signal(SIGXFSZ, SIG_IGN);
	signal(SIGCHLD, SIG_DFL);
}

void
process_close_inherited(int keep)
{
	unsigned first = STDERR_FILENO + 1;

	if (keep >= (int)first) {
		if (keep > (int)first)
			(void)close_range(first, (unsigned)keep - 1, 0);
		first = (unsigned)keep + 1;
	}
	(void)close_range(first, UINT_MAX, 0);
}
