/* SPDX-License-Identifier: ISC */
/*
 * Messages to people, one line each: "kvfs: what: where: what to do".
 * Goes to standard error, or to syslog(3) once log_to_syslog() was called.
 * Any thread. Once log_start_thread() was called no message waits for who
 * reads the log: some are dropped when that one does not (log_queue.h).
 */
#ifndef KVFS_UTIL_LOG_H
#define KVFS_UTIL_LOG_H

#include <stdbool.h>

enum log_level { LOG_LVL_ERROR, LOG_LVL_WARN, LOG_LVL_INFO, LOG_LVL_DEBUG };

/* The program's name in each line; borrows it for good. */
void log_set_program(const char *name);
void log_set_level(enum log_level level);
void log_to_syslog(void);
/* Not before fork(2). When it cannot be started, all stays as it is. */
void log_start_thread(void);
/* Wait until each message so far is written, for so long at most; false if
 * some are not yet. */
bool log_flush(unsigned timeout_ms);
/* Send each line to fn instead (tests); NULL restores. */
void log_set_sink(void (*fn)(enum log_level level, const char *line));

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
