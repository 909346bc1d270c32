/* SPDX-License-Identifier: ISC */
/* The table of request handlers; see adapt.h. */
#include "fuse/request/adapt.h"

#include "fuse/fuse_api.h"

void
adapt_fill(struct fuse_lowlevel_ops *ops)
{
	*ops = (struct fuse_lowlevel_ops){ .init = adapt_init };
	adapt_fill_name(ops);
	adapt_fill_attr(ops);
	adapt_fill_io(ops);
	adapt_fill_range(ops);
	adapt_fill_dir(ops);
	adapt_fill_xattr(ops);
}
