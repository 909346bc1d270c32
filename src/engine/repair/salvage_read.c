/* SPDX-License-Identifier: ISC */
/* Reads a file of which the disk cannot read some parts; see salvage.h. */
#include "engine/repair/salvage.h"

#include <string.h>

/* The smallest unit that a disk fails to read. */
#define SECTOR_BYTES 4096u

size_t
salvage_read(struct env_file *file, void *dst, size_t len, uint64_t off)
{
	ssize_t n = env_read(file, dst, len, off);
	uint64_t size = 0;
	size_t done = 0;

	if (n >= 0)
		return (size_t)n;
	memset(dst, 0, len);
	if (env_size(file, &size) < 0 || off >= size)
		return 0;
	if (len > size - off)
		len = (size_t)(size - off);
	while (done < len) {
		size_t step = SECTOR_BYTES - (size_t)(off % SECTOR_BYTES);

		if (step > len - done)
			step = len - done;
		(void)env_read(file, (uint8_t *)dst + done, step, off);
		done += step;
		off += step;
	}
	return len;
}
