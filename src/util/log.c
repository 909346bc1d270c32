/* SPDX-License-Identifier: ISC */
/* See log.h. Each line is written by one call. */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <syslog.h>
#include <unistd.h>

#include "util/log_queue.h"

#define LINE_MAX_BYTES 8192

static const char *program = "kvfs";
/* Relaxed: a message more or less. */
static _Atomic enum log_level max_level = LOG_LVL_INFO;
/* Sequentially consistent: what the thread or the sink needs is there before
 * they are. */
static atomic_bool to_syslog, has_thread;
static void (*_Atomic sink)(enum log_level, const char *);

void
log_set_program(const char *name)
{
	program = name;
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, level, memory_order_relaxed);
}

void
log_to_syslog(void)
{
	openlog(program, LOG_PID, LOG_DAEMON);
	atomic_store_explicit(&to_syslog, true, memory_order_seq_cst);
}

void
log_set_sink(void (*fn)(enum log_level, const char *))
{
	atomic_store_explicit(&sink, fn, memory_order_seq_cst);
}

/* Does not use stdio, not even dprintf(3): while a thread waits in a write,
 * exit(3) would write its buffer a second time. */
static void
write_stderr(const char *line)
{
	char text[LINE_MAX_BYTES + 64];
	int n = snprintf(text, sizeof(text), "%s: %s\n", program, line);
	size_t left = n < (int)sizeof(text) ? (size_t)n : sizeof(text) - 1;
	const char *from = text;

	while (left > 0) {
		ssize_t done = write(STDERR_FILENO, from, left);

		if (done < 0 && errno != EINTR)
			return;
		from += done > 0 ? done : 0;
		left -= done > 0 ? (size_t)done : 0;
	}
}

static void
write_line(int level, const char *line)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
		LOG_DEBUG };

	if (atomic_load_explicit(&to_syslog, memory_order_seq_cst))
		syslog(priority[level], "%s", line);
	else
		write_stderr(line);
}

void
log_start_thread(void)
{
	atomic_store_explicit(&has_thread, log_queue_start(write_line),
	    memory_order_seq_cst);
}

bool
log_flush(unsigned timeout_ms)
{
	return !atomic_load_explicit(&has_thread, memory_order_seq_cst) ||
	    log_queue_flush(timeout_ms);
}

static void __attribute__((format(printf, 2, 0)))
log_emit(enum log_level level, const char *fmt, va_list ap)
{
	void (*fn)(enum log_level, const char *) = atomic_load_explicit(&sink,
	    memory_order_seq_cst);
	char line[LINE_MAX_BYTES];

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (fn != NULL)
		fn(level, line);
	else if (atomic_load_explicit(&has_thread, memory_order_seq_cst))
		log_queue_add((int)level, line);
	else
		write_line((int)level, line);
}

#define DEFINE_LEVEL(name, level)                                              \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		log_emit(level, fmt, ap);                                      \
		va_end(ap);                                                    \
	}

DEFINE_LEVEL(log_error, LOG_LVL_ERROR)
DEFINE_LEVEL(log_warn, LOG_LVL_WARN)
DEFINE_LEVEL(log_info, LOG_LVL_INFO)
DEFINE_LEVEL(log_debug, LOG_LVL_DEBUG)
