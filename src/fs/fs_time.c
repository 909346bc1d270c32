/* SPDX-License-Identifier: ISC */
/* The time that a change sets; see fs_time.h. */
#include "fs/fs_time.h"

#include "fs/fs_state.h"

struct timespec
fs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts;
}

const struct timespec *
fs_change_time(const struct fs *fs, struct timespec *now)
{
	if (fs->caller.keeps_times)
		return NULL;
	*now = fs_now();
	return now;
}
