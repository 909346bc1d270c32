/* SPDX-License-Identifier: ISC */
/* See connection.h. */
#include "fuse/reply/connection.h"

void
connection_init(struct connection *c, const struct options *opts)
{
	*c = (struct connection){
		.max_inodes = opts->inode_bytes / fs_inode_bytes(),
		.request_bytes = opts->request_bytes,
		.max_background = opts->max_background,
		.acl = opts->fs.acl,
		.noxattr = opts->noxattr,
		.kernel_writeback = opts->kernel_writeback,
		.strictatime = opts->fs.atime == FS_ATIME_ALWAYS,
		.stateless = opts->fs.stateless,
	};
	atomic_init(&c->flush_lazy, !opts->fs.flush_on_close);
	kernel_cache_init(&c->kernel_cache);
	handle_list_init(&c->handles);
}

void
connection_fini(struct connection *c)
{
	handle_list_fini(&c->handles);
	kernel_cache_fini(&c->kernel_cache);
}
