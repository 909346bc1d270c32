/* SPDX-License-Identifier: ISC */
/*
 * The time that a change sets: now, by the wall clock, unless the file system
 * was opened to keep the times that its caller sets (fs_options.keep_times).
 */
#ifndef KVFS_FS_FS_TIME_H
#define KVFS_FS_FS_TIME_H

#include <time.h>

struct fs;

struct timespec fs_now(void);

/* What a change of contents sets as times: *now, or NULL, to keep them. */
const struct timespec *fs_change_time(const struct fs *fs,
    struct timespec *now);

#endif
