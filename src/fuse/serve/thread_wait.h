/* SPDX-License-Identifier: ISC */
/*
 * Says in words what a thread of this process waits for, from
 * /proc/self/task: the system call, the file that it is about, and the
 * kernel's function. For a thread that waits for a lock it names another
 * thread of this process that is busy with a file of the store, which may
 * hold it. It reads /proc and may block: call it where nobody waits.
 */
#ifndef KVFS_FUSE_SERVE_THREAD_WAIT_H
#define KVFS_FUSE_SERVE_THREAD_WAIT_H

#include <stddef.h>
#include <sys/types.h>

/* Write the text to buf, NUL-terminated and cut at len bytes. */
void thread_wait_describe(pid_t thread, char *buf, size_t len);

#endif
