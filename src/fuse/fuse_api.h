/* SPDX-License-Identifier: ISC */
/* The low-level interface of libfuse, in the one version that is used. */
#ifndef KVFS_FUSE_FUSE_API_H
#define KVFS_FUSE_FUSE_API_H

#define FUSE_USE_VERSION 312
#include <fuse3/fuse_lowlevel.h>

#endif
