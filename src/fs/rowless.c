/* SPDX-License-Identifier: ISC */
/* The inline bytes of inodes that have no row; see rowless.h. */
#include "fs/rowless.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fs/live_inode.h"

/* The bytes of all rowless inodes; relaxed, a statistic. */
static _Atomic size_t total_bytes;

size_t
rowless_bytes(void)
{
	return atomic_load_explicit(&total_bytes, memory_order_relaxed);
}

void
rowless_drop(struct inode *in)
{
	if (in->rowless.data == NULL)
		return;
	atomic_fetch_sub_explicit(&total_bytes,
	    in->rec.inline_len + ALLOC_OVERHEAD, memory_order_relaxed);
	free(in->rowless.data);
	in->rowless.data = NULL;
}

int
rowless_copy(const struct inode *in, struct kv_value *pin)
{
	void *copy = malloc(in->rec.inline_len);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, in->rowless.data, in->rec.inline_len);
	*pin = (struct kv_value){
		.data = slice_make(copy, in->rec.inline_len),
		.release = free,
		.pin = copy,
	};
	return 0;
}

int
rowless_keep(struct inode *in, struct slice data)
{
	if (data.len != 0) {
		in->rowless.data = malloc(data.len);
		if (in->rowless.data == NULL)
			return -ENOMEM;
		memcpy(in->rowless.data, data.data, data.len);
		atomic_fetch_add_explicit(&total_bytes,
		    data.len + ALLOC_OVERHEAD, memory_order_relaxed);
	}
	in->rowless.is_set = true;
	return 0;
}
