/* SPDX-License-Identifier: ISC */
/*
 * A queue of log lines, and a thread that writes them. The reader of the log
 * may be slow, stopped or gone; only this thread waits for it, neither callers
 * nor the end of the program. Lines that do not fit are dropped and counted,
 * and a later line tells how many. There is one queue, until the program ends.
 */
#ifndef KVFS_UTIL_LOG_QUEUE_H
#define KVFS_UTIL_LOG_QUEUE_H

#include <stdbool.h>

/* Start the thread, which calls write, and may wait in it. False: it cannot be
 * started. */
bool log_queue_start(void (*write)(int level, const char *line));
/* Copies line. Does not wait. */
void log_queue_add(int level, const char *line);
/* Wait, at most timeout_ms, until all lines were written; false if some were
 * not. */
bool log_queue_flush(unsigned timeout_ms);

#endif
