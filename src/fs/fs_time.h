/* SPDX-License-Identifier: ISC */
/*
 * The time that a change sets: now, by the wall clock; or none, if the caller
 * sets times itself (fs_options.keep_times).
 */
#ifndef KVFS_FS_FS_TIME_H
#define KVFS_FS_FS_TIME_H

#include <time.h>

struct fs;

struct timespec fs_now(void);

/* The time for a change of contents: now, after setting *now, or NULL to leave
 * the times. */
const struct timespec *fs_change_time(const struct fs *fs,
    struct timespec *now);

#endif
