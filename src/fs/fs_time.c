/* SPDX-License-Identifier: ISC */
/* The time that a change sets; see fs_time.h. */
#include "fs/fs_time.h"

#include "fs/fs_state.h"
#include "util/clock.h"

struct timespec
fs_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ts;
}

int
fs_time_cmp(const struct timespec *a, const struct timespec *b)
{
	if (a->tv_sec != b->tv_sec)
		return a->tv_sec < b->tv_sec ? -1 : 1;
	return a->tv_nsec < b->tv_nsec ? -1 : a->tv_nsec > b->tv_nsec;
}

bool
fs_time_is_valid(const struct timespec *t)
{
	return t->tv_nsec >= 0 && t->tv_nsec < (long)NS_PER_S;
}

const struct timespec *
fs_change_time(const struct fs *fs, struct timespec *now)
{
	if (fs->caller.keeps_times)
		return NULL;
	*now = fs_now();
	return now;
}
