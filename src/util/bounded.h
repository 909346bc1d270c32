/* SPDX-License-Identifier: ISC */
/*
 * Calls with a path, which may never return if it leads through a mount that
 * hangs. A child process makes the call, and is abandoned when it takes too
 * long. Any thread (path_probe() needs a process with one thread).
 */
#ifndef KVFS_UTIL_BOUNDED_H
#define KVFS_UTIL_BOUNDED_H

/* The time for a call with a path. */
#define BOUNDED_PATH_MS 2000

/*
 * Run fn(arg) in a child process that has no file of this one open. Returns its
 * result, 0 or a negative errno; -ETIMEDOUT; or another negative errno if there
 * was no child. fn must not log or take locks.
 */
int bounded_call(int (*fn)(void *arg), void *arg, int timeout_ms);

/* As open(2), with O_CLOEXEC: a descriptor or a negative errno. */
int bounded_open(const char *path, int flags);

#endif
