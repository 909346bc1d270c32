/* SPDX-License-Identifier: ISC */
/*
 * What a thread of this process waits for, in words, from /proc/self/task:
 * the system call, the file that it is about, the function of the kernel.
 * Of a thread that waits for another one, what others of this process do
 * with files at the time. Call it where nobody waits.
 */
#ifndef KVFS_FUSE_SERVE_THREAD_WAIT_H
#define KVFS_FUSE_SERVE_THREAD_WAIT_H

#include <stddef.h>
#include <sys/types.h>

void thread_wait_describe(pid_t thread, char *buf, size_t len);

#endif
