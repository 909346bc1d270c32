/* SPDX-License-Identifier: ISC */
/* See file_window.h. Bytes that the window has already are not read again. */
#include "engine/env/file_window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void
file_window_init(struct file_window *w, struct env_file *file)
{
	*w = (struct file_window){ .file = file };
}

void
file_window_fini(struct file_window *w)
{
	free(w->buf);
	w->buf = NULL;
	w->cap = w->len = 0;
}

ssize_t
file_window_get(struct file_window *w, uint64_t off, size_t want,
    const uint8_t **datap)
{
	size_t target = want > FILE_WINDOW_CHUNK ? want : FILE_WINDOW_CHUNK;
	size_t kept = 0;
	uint8_t *grown;
	ssize_t n;

	*datap = NULL;
	if (off >= w->off && off - w->off < w->len)
		kept = w->len - (size_t)(off - w->off);
	if (kept > 0 && kept >= want) {
		*datap = w->buf + (off - w->off);
		return (ssize_t)kept;
	}
	if (kept > 0)
		memmove(w->buf, w->buf + (off - w->off), kept);
	w->off = off;
	w->len = kept;
	if (w->cap < target) {
		grown = realloc(w->buf, target);
		if (grown == NULL)
			return -ENOMEM;
		w->buf = grown;
		w->cap = target;
	}
	n = env_read(w->file, w->buf + kept, target - kept, off + kept);
	if (n < 0)
		return n;
	w->len += (size_t)n;
	*datap = w->buf;
	return (ssize_t)w->len;
}
