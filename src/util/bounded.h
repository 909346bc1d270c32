/* SPDX-License-Identifier: ISC */
/*
 * Calls that walk along a path may never come back, when it leads through a
 * mount that hangs: a child process makes them, and is left behind when it
 * takes too long. Unlike path_probe() these may be used with many threads.
 */
#ifndef KVFS_UTIL_BOUNDED_H
#define KVFS_UTIL_BOUNDED_H

/* How long a path may take. */
#define BOUNDED_PATH_MS 2000

/*
 * fn(arg) in a child process that has none of our files. Returns what it
 * returned, 0 or a negative errno; -ETIMEDOUT; or another when there was no
 * child. fn must not log or take locks of ours.
 */
int bounded_call(int (*fn)(void *arg), void *arg, int timeout_ms);

/* As open(2), with O_CLOEXEC: a descriptor or a negative errno. */
int bounded_open(const char *path, int flags);

#endif
