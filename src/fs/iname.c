/* SPDX-License-Identifier: ISC */
/* Names in memory, in place when they are short; see iname.h. */
#include "fs/iname.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "fs/fs.h"

/* Bytes of all names in memory of their own; relaxed, a statistic. */
static _Atomic size_t long_names;

size_t
iname_long_bytes(void)
{
	return atomic_load_explicit(&long_names, memory_order_relaxed);
}

int
iname_set(struct iname *n, struct slice name)
{
	char *dst = n->small;

	assert(name.len <= FS_NAME_MAX);
	n->big = NULL;
	n->len = (uint8_t)name.len;
	if (name.len > INAME_SMALL) {
		dst = n->big = malloc(name.len);
		if (dst == NULL)
			return -ENOMEM;
		atomic_fetch_add_explicit(&long_names,
		    name.len + ALLOC_OVERHEAD, memory_order_relaxed);
	}
	memcpy(dst, name.data, name.len);
	return 0;
}

void
iname_fini(struct iname *n)
{
	if (n->big != NULL)
		atomic_fetch_sub_explicit(&long_names, n->len + ALLOC_OVERHEAD,
		    memory_order_relaxed);
	free(n->big);
	*n = (struct iname){ 0 };
}
