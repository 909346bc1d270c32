/* SPDX-License-Identifier: ISC */
/* Leveled messages; see log.h. One line reaches its place in one call. */
#include "util/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <syslog.h>

#define LINE_MAX_BYTES 8192

static const char *program = "kvfs";
static _Atomic enum log_level max_level = LOG_LVL_INFO;
static atomic_bool to_syslog;
static void (*_Atomic sink)(enum log_level, const char *);

void
log_set_program(const char *name)
{
	program = name;
}

void
log_set_level(enum log_level level)
{
	atomic_store(&max_level, level);
}

void
log_to_syslog(void)
{
	openlog(program, LOG_PID, LOG_DAEMON);
	atomic_store(&to_syslog, true);
}

void
log_set_sink(void (*fn)(enum log_level, const char *))
{
	atomic_store(&sink, fn);
}

static void __attribute__((format(printf, 2, 0)))
emit(enum log_level level, const char *fmt, va_list ap)
{
	static const int priority[] = { LOG_ERR, LOG_WARNING, LOG_INFO,
		LOG_DEBUG };
	void (*fn)(enum log_level, const char *) = atomic_load(&sink);
	char line[LINE_MAX_BYTES];

	if (level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (fn != NULL)
		fn(level, line);
	else if (atomic_load(&to_syslog))
		syslog(priority[level], "%s", line);
	else
		fprintf(stderr, "%s: %s\n", program, line);
}

#define DEFINE_LEVEL(name, level)                                              \
	void name(const char *fmt, ...)                                        \
	{                                                                      \
		va_list ap;                                                    \
		va_start(ap, fmt);                                             \
		emit(level, fmt, ap);                                          \
		va_end(ap);                                                    \
	}

DEFINE_LEVEL(log_error, LOG_LVL_ERROR)
DEFINE_LEVEL(log_warn, LOG_LVL_WARN)
DEFINE_LEVEL(log_info, LOG_LVL_INFO)
DEFINE_LEVEL(log_debug, LOG_LVL_DEBUG)
