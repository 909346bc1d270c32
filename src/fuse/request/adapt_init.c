/* SPDX-License-Identifier: ISC */
/* The INIT request: which features and sizes are used. */
#include "fuse/reply/connection.h"
#include "fuse/request/adapt.h"

void
adapt_init(void *userdata, struct fuse_conn_info *conn)
{
	const struct connection *c = userdata;
	unsigned want = FUSE_CAP_ASYNC_READ | FUSE_CAP_PARALLEL_DIROPS |
	    FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
	    FUSE_CAP_ASYNC_DIO | FUSE_CAP_CACHE_SYMLINKS |
	    FUSE_CAP_EXPLICIT_INVAL_DATA;

	/*
	 * All changes go through the kernel, so its copies stay valid
	 * (EXPLICIT_INVAL_DATA, no AUTO_INVAL_DATA). Contents are in memory,
	 * where splice(2) only costs. HANDLE_KILLPRIV would make us clear
	 * set-id bits even for root; protocol.c asks for its second version.
	 * EXPORT_SUPPORT needs a lookup of inodes by number alone, which the
	 * rows do not offer.
	 */
	/* O_TRUNC then comes with OPEN; else as SETATTR. */
	if (!c->stateless)
		want |= FUSE_CAP_ATOMIC_O_TRUNC;
	if (c->acl)
		want |= FUSE_CAP_POSIX_ACL | FUSE_CAP_DONT_MASK;
	if (c->kernel_writeback)
		want |= FUSE_CAP_WRITEBACK_CACHE;
	conn->want = want & conn->capable;
	conn->max_write = c->request_bytes;
	conn->max_background = c->max_background;
	conn->congestion_threshold = c->max_background * 3 / 4;
	if (conn->congestion_threshold == 0)
		conn->congestion_threshold = 1;
	conn->time_gran = 1;
}
