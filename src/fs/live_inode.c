/* SPDX-License-Identifier: ISC */
/* The memory of a live inode; see live_inode.h. */
#include "fs/live_inode.h"

#include <stdlib.h>

#include "fs/listing.h"
#include "fs/patch_map.h"
#include "fs/rowless.h"

struct inode *
inode_alloc(uint64_t ino)
{
	struct inode *in = calloc(1, sizeof(*in));

	if (in == NULL)
		return NULL;
	in->ino = ino;
	in->state = INODE_NEW;
	atomic_init(&in->table.refs, 1);
	mutex_init(&in->change_mu);
	mutex_init(&in->mu);
	return in;
}

void
inode_free(struct inode *in)
{
	if (in == NULL)
		return;
	listing_free(in);
	rowless_drop(in);
	patch_map_destroy(in->patches.map);
	iname_fini(&in->name);
	mutex_fini(&in->mu);
	mutex_fini(&in->change_mu);
	free(in);
}
