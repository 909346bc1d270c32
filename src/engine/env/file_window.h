/* SPDX-License-Identifier: ISC */
/*
 * A window of a file in memory that moves forward, for the readers of logs and
 * segments. Memory: the largest request, at least FILE_WINDOW_CHUNK; callers
 * bound their requests.
 * Threading: one thread.
 */
#ifndef KVFS_ENGINE_ENV_FILE_WINDOW_H
#define KVFS_ENGINE_ENV_FILE_WINDOW_H

#include <stdint.h>

#include "engine/env/env.h"

#define FILE_WINDOW_CHUNK (1u << 20)

struct file_window {
	struct env_file *file; /* borrows */
	uint8_t *buf;
	size_t cap;
	uint64_t off; /* offset of buf in the file */
	size_t len;
};

void file_window_init(struct file_window *w, struct env_file *file);
void file_window_fini(struct file_window *w);

/*
 * Get the bytes at off. *datap is valid until the next call. Returns how many
 * there are: at least want, unless the file ends; usually more. -ENOMEM or a
 * read error.
 */
ssize_t file_window_get(struct file_window *w, uint64_t off, size_t want,
    const uint8_t **datap);

#endif
