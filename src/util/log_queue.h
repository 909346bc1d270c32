/* SPDX-License-Identifier: ISC */
/*
 * Lines on their way to the log. A thread hands them over, one after the
 * other, to a reader that may be slow, stopped or gone, so that nobody else
 * waits for that: neither who has a message, nor the end of the program.
 * What does not fit is dropped and counted, and a line tells so later. There
 * is one queue, for good.
 */
#ifndef KVFS_UTIL_LOG_QUEUE_H
#define KVFS_UTIL_LOG_QUEUE_H

#include <stdbool.h>

/* Start the thread; false when there cannot be one. write may wait. */
bool log_queue_start(void (*write)(int level, const char *line));
/* Never waits for write. */
void log_queue_add(int level, const char *line);
/* Wait until all that was added has been written, but no longer than that;
 * false when it was not. */
bool log_queue_flush(unsigned timeout_ms);

#endif
