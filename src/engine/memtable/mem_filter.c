/* SPDX-License-Identifier: ISC */
/* The filter of a memtable; see mem_filter.h. */
#include "engine/memtable/mem_filter.h"

#include <errno.h>
#include <stdlib.h>

int
mem_filter_init(struct mem_filter *f, size_t bytes)
{
	size_t count = bytes / sizeof(*f->words);

	*f = (struct mem_filter){ 0 };
	if (count == 0)
		return 0;
	if (count > UINT32_MAX)
		count = UINT32_MAX;
	/* The kernel zeroes each page on first use. */
	f->words = calloc(count, sizeof(*f->words));
	if (f->words == NULL)
		return -ENOMEM;
	f->count = (uint32_t)count;
	return 0;
}

void
mem_filter_fini(struct mem_filter *f)
{
	free(f->words);
	*f = (struct mem_filter){ 0 };
}
