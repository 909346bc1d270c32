/* SPDX-License-Identifier: ISC */
/*
 * The time that a change sets: now, by the wall clock; or none, if the caller
 * sets times itself (fs_options.keep_times). And comparisons of times.
 */
#ifndef KVFS_FS_FS_TIME_H
#define KVFS_FS_FS_TIME_H

#include <stdbool.h>
#include <time.h>

struct fs;

struct timespec fs_now(void);
/* Less than 0, 0 or more: a is before, the same as or after b. */
int fs_time_cmp(const struct timespec *a, const struct timespec *b);
/* Are its nanoseconds less than a second? */
bool fs_time_is_valid(const struct timespec *t);

/* The time for a change of contents: now, after setting *now, or NULL to leave
 * the times. */
const struct timespec *fs_change_time(const struct fs *fs,
    struct timespec *now);

#endif
