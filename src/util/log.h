/* SPDX-License-Identifier: ISC */
/*
 * Messages to users, one line each: "kvfs: what: where: what to do". They go to
 * standard error, or to syslog(3) after log_to_syslog(). Any thread. After
 * log_start_thread() no caller waits for the reader of the log; if that does
 * not read, messages are dropped (log_queue.h).
 */
#ifndef KVFS_UTIL_LOG_H
#define KVFS_UTIL_LOG_H

#include <stdbool.h>

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/* Set the program's name for each line; borrowed for ever. */
void log_set_program(const char *name);
void log_set_level(enum log_level level);
void log_to_syslog(void);
/* Call it after fork(2). If the thread cannot be started, callers write
 * themselves as before. */
void log_start_thread(void);
/* Wait, at most timeout_ms, until all messages so far are written; false if
 * some are not. */
bool log_flush(unsigned timeout_ms);
/* Pass each line to fn instead, for tests; NULL restores the default. */
void log_set_sink(void (*fn)(enum log_level level, const char *line));

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
