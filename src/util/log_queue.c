/* SPDX-License-Identifier: ISC */
/*
 * See log_queue.h. The queue is a ring of bytes: for each line its level, its
 * length, and its text with the NUL.
 */
#include "util/log_queue.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/clock.h"
#include "util/log.h"
#include "util/mutex.h"
#include "util/thread.h"

#define QUEUE_BYTES 65536u
#define LINE_BYTES 8192u

struct line_head {
	int level;
	uint32_t bytes;
};

static struct {
	void (*write)(int level, const char *line); /* constant */
	struct mutex mu;
	struct cond added, written;
	char ring[QUEUE_BYTES] GUARDED_BY(mu);
	/* Bytes since the start; they only grow. */
	uint64_t head GUARDED_BY(mu), tail GUARDED_BY(mu);
	uint64_t dropped GUARDED_BY(mu); /* lines not yet reported as dropped */
	bool writes GUARDED_BY(mu); /* the thread is writing a line */
} queue;

static void put_locked(const void *data, size_t len) REQUIRES(&queue.mu);

static void
put_locked(const void *data, size_t len)
{
	size_t at = queue.head % QUEUE_BYTES;
	size_t first = len < QUEUE_BYTES - at ? len : QUEUE_BYTES - at;

	mutex_assert_held(&queue.mu);
	memcpy(queue.ring + at, data, first);
	memcpy(queue.ring, (const char *)data + first, len - first);
	queue.head += len;
}

static void get_locked(void *data, size_t len) REQUIRES(&queue.mu);

static void
get_locked(void *data, size_t len)
{
	char *to = data;

	mutex_assert_held(&queue.mu);
	for (size_t i = 0; i < len; i++)
		to[i] = queue.ring[queue.tail++ % QUEUE_BYTES];
}

/* Take the next line; false when there is none. */
static bool take_locked(int *level, char *line) REQUIRES(&queue.mu);

static bool
take_locked(int *level, char *line)
{
	struct line_head head;

	mutex_assert_held(&queue.mu);
	if (queue.head != queue.tail) {
		get_locked(&head, sizeof(head));
		get_locked(line, head.bytes);
		*level = head.level;
	} else if (queue.dropped != 0) {
		snprintf(line, LINE_BYTES,
		    "the log did not take its messages in time: %llu were "
		    "dropped",
		    (unsigned long long)queue.dropped);
		*level = LOG_LVL_WARN;
		queue.dropped = 0;
	} else {
		return false;
	}
	return true;
}

static void *
log_queue_run(void *arg)
{
	static char line[LINE_BYTES];
	int level;

	(void)arg;
	mutex_lock(&queue.mu);
	for (;;) {
		queue.writes = take_locked(&level, line);
		if (!queue.writes) {
			cond_broadcast(&queue.written);
			cond_wait(&queue.added, &queue.mu);
			continue;
		}
		mutex_unlock(&queue.mu);
		queue.write(level, line);
		mutex_lock(&queue.mu);
	}
	return NULL;
}

bool
log_queue_start(void (*write)(int level, const char *line))
{
	sigset_t all, before;
	pthread_t thread;
	int rc;

	queue.write = write;
	mutex_init(&queue.mu);
	cond_init(&queue.added);
	cond_init(&queue.written);
	/* Block all signals: SIGTTOU, from a terminal that does not accept
	 * output, would stop the whole process. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = thread_start(&thread, true, log_queue_run, NULL);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc == 0;
}

void
log_queue_add(int level, const char *line)
{
	size_t len = strnlen(line, LINE_BYTES - 1);
	struct line_head head = { level, (uint32_t)len + 1 };

	mutex_lock(&queue.mu);
	if (QUEUE_BYTES - (queue.head - queue.tail) <
	    sizeof(head) + head.bytes) {
		queue.dropped++;
	} else {
		put_locked(&head, sizeof(head));
		put_locked(line, len);
		put_locked("", 1);
		cond_signal(&queue.added);
	}
	mutex_unlock(&queue.mu);
}

bool
log_queue_flush(unsigned timeout_ms)
{
	uint64_t deadline = clock_now_ns() + timeout_ms * NS_PER_MS;
	bool in_time = true, empty;

	mutex_lock(&queue.mu);
	do {
		empty = queue.head == queue.tail && queue.dropped == 0 &&
		    !queue.writes;
		if (!empty)
			in_time = cond_wait_until(&queue.written, &queue.mu,
			    deadline);
	} while (!empty && in_time);
	mutex_unlock(&queue.mu);
	return empty;
}
